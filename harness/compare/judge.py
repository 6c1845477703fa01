"""Evidence to verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.compare.case import Case
from harness.compare.figure import significant
from harness.compare.question import QUESTIONS, notes
from harness.model.result import Arm
from harness.model.verdict import Outcome, Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import RoundEvidence, TrialEvidence

__all__ = ["judge"]

_OUTCOMES: Final = {
    "fail": Outcome.FAIL,
    "inconclusive": Outcome.INCONCLUSIVE,
    "invalid": Outcome.INVALID,
}


def judge(trial: TrialEvidence) -> Report:
    """The verdict on a trial and all that a reporter needs.

    The same evidence gives the same report; its floats have 6 significant digits.
    """
    case = Case(trial=trial)
    return Report(
        scenario=trial.scenario,
        why=trial.why,
        baseline=trial.baseline,
        candidate=trial.candidate,
        rounds=len(trial.sound),
        void_rounds=tuple(
            f"round {each.round.index}: {each.round.void}" for each in trial.void
        ),
        requests=max((each.baseline.planned for each in trial.rounds), default=0),
        verdict=_verdict(case),
        estimates=tuple(
            each for each in case.estimates if each.budget or not each.undefined
        ),
        environment=trial.environment,
        generator=_generator(trial.sound),
    )


def _verdict(case: Case) -> Verdict:
    """The first question with an answer decides; without any, the trial has passed.

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
    """The worst of each figure over the rounds and arms."""
    healths = [each.round.arm(arm).health for each in rounds for arm in Arm]
    if not healths:
        return ()
    worst = {
        "cpu_ratio": max(each.cpu_ratio for each in healths),
        "lag_p99_ms": max(each.lag_p99_ns for each in healths) / 1e6,
        "steal_ratio": max(each.steal_ratio for each in healths),
        "timer_late_p95_ms": max(each.timer_late_p95_ns for each in healths) / 1e6,
    }
    return tuple((name, significant(value)) for name, value in worst.items())
