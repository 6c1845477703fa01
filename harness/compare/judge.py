"""Evidence to verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.compare.case import Case
from harness.compare.figure import significant
from harness.compare.note import notes
from harness.compare.question import QUESTIONS, is_hopeless
from harness.compare.slowest import slowest_of_all
from harness.model.result import Arm
from harness.model.verdict import FixOutcome, Outcome, Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import RoundEvidence, TrialEvidence
    from harness.model.verdict import Proof

__all__ = ["is_over", "judge", "verdict"]

_OUTCOMES: Final = {
    "fail": Outcome.FAIL,
    "inconclusive": Outcome.INCONCLUSIVE,
    "invalid": Outcome.INVALID,
}
_DECIDED: Final = frozenset({Outcome.PASS, Outcome.FAIL})


def judge(trial: TrialEvidence) -> Report:
    """The verdict on a trial and all that a reporter needs.

    The same evidence gives the same report; its floats have 6 significant digits.
    """
    case = Case(trial=trial)
    found = verdict(case)
    return Report(
        scenario=trial.scenario,
        why=trial.why,
        baseline=trial.baseline,
        candidate=trial.candidate,
        rounds=len(trial.sound),
        void_rounds=(
            *(f"round {each.round.index}: {each.round.void}" for each in trial.void),
            *trial.lost_rounds,
        ),
        requests=max((each.baseline.planned for each in trial.rounds), default=0),
        verdict=found,
        estimates=tuple(
            each for each in case.estimates if each.budget or not each.undefined
        ),
        environment=trial.environment,
        generator=_generator(trial.sound),
        proof=case.proof and _beside(case.proof, found.outcome),
        calibration=trial.calibration,
        held_out=significant(trial.held_out),
        profile=trial.profile,
        slowest=slowest_of_all(trial.sound),
        passed_over=significant(_passed_over(trial)),
    )


def _passed_over(trial: TrialEvidence) -> float:
    behaviours = (each.behaviour for each in trial.sound)
    shares = [each.passed_over for each in behaviours if each is not None]
    return sum(shares) / len(shares) if shares else 0.0


def _beside(proof: Proof, outcome: Outcome) -> Proof:
    """The proof in the light of the verdict on everything else."""
    regressed = outcome is Outcome.FAIL and proof.outcome is FixOutcome.FIXED
    return (
        replace(proof, outcome=FixOutcome.FIXED_BUT_REGRESSED) if regressed else proof
    )


def is_over(trial: TrialEvidence) -> bool:
    """Whether a trial ends here: it is decided, or more rounds would not decide it."""
    case = Case(trial=trial)
    return (
        _outcome(case) in _DECIDED
        or len(trial.sound) == trial.looks.last
        or trial.given_up
        or is_hopeless(case)
    )


def _outcome(case: Case) -> Outcome:
    """That of the verdict, without asking or saying more than it takes."""
    answers = (answer for question in QUESTIONS for answer in question(case))
    first = next(answers, None)
    return Outcome.PASS if first is None else _OUTCOMES[first.severity]


def verdict(case: Case) -> Verdict:
    """The verdict alone, without what a reporter needs besides.

    The first question with an answer decides; without any, the trial has passed.

    A FAIL names what later questions find to be failing, too.
    """
    answered = [answer for question in QUESTIONS if (answer := tuple(question(case)))]
    noted = tuple(notes(case))
    if not answered:
        return Verdict(outcome=Outcome.PASS, findings=noted)
    severity = answered[0][0].severity
    later = (each for answer in answered[1:] for each in answer)
    failing = (each for each in later if each.severity == severity == "fail")
    findings = (*answered[0], *failing, *noted)
    return Verdict(outcome=_OUTCOMES[severity], findings=findings)


def _generator(rounds: Sequence[RoundEvidence]) -> tuple[tuple[str, float], ...]:
    """The worst of each figure over the rounds, arms and workers."""
    healths = [each.round.arm(arm).health for each in rounds for arm in Arm]
    if not healths:
        return ()
    books = [each.round.arm(arm).books for each in rounds for arm in Arm]
    workers = [worker for each in healths for worker in each.workers]
    worst = {
        "workers": max(len(each.workers) for each in healths),
        "cpu_ratio": max(each.cpu_ratio for each in healths),
        "lag_p50_ms": max(each.lag_p50_ns for each in healths) / 1e6,
        "lag_p95_ms": max(each.lag_p95_ns for each in healths) / 1e6,
        "lag_p99_ms": max(each.lag_p99_ns for each in healths) / 1e6,
        "steal_ratio": max(each.steal_ratio for each in healths),
        "timer_late_p95_ms": max(each.timer_late_p95_ns for each in healths) / 1e6,
        "collected_ms": max(each.collected_ns for each in workers) / 1e6,
        "descriptors": max(each.descriptors for each in workers),
        "open_files": min(each.open_files for each in workers),
        "ports": min(each.ports for each in healths),
        "connections": max(each.connections for each in books),
        "closed_by_the_build": max(each.closed for each in books),
        "unfilled": max(each.unfilled for each in books),
    }
    return tuple((name, significant(value)) for name, value in worst.items())
