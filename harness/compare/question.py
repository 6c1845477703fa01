"""What stands between a trial and its PASS, in the order in which it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.compare.case import rejected
from harness.compare.change import behaviour_changes, likely_changes
from harness.compare.checked import failed_checks, rarely_failed_checks
from harness.compare.estimate import compared, estimate, exceeds, where_defined
from harness.compare.figure import figure
from harness.compare.finding import (
    FIX,
    about,
    both,
    described,
    growing,
    named,
    regression,
    trial_finding,
    unclear,
)
from harness.compare.logs import new_log_entries, rare_log_entries
from harness.compare.measure import needed
from harness.compare.metric import GROWTH, QUANTILES
from harness.compare.proof import is_absent
from harness.compare.signature import new_errors, rare_new_errors
from harness.compare.soundness import breaches, candidate_only
from harness.model.result import Arm
from harness.model.verdict import FixOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.compare.case import Case
    from harness.compare.estimate import Comparison
    from harness.compare.evidence import TrialEvidence
    from harness.compare.measure import ArmMeasures
    from harness.model.verdict import Finding

    Question = Callable[[Case], Iterator[Finding]]

__all__ = ["QUESTIONS", "is_hopeless"]

_HALF: Final = 0.5
_DEATHS: Final = 2
_SPOILED: Final = 2
_LATENCY: Final = {name: QUANTILES[name] for name in ("p50", "p95")}
"""One of them is enough to judge a service by."""


def _crashes(case: Case) -> Iterator[Finding]:
    """Outside the statistics: the candidate died twice, the baseline never."""
    ends = case.ends(Arm.CANDIDATE)
    if len(ends) >= _DEATHS and not case.ends(Arm.BASELINE):
        message = f"crash: the candidate died {len(ends)} times, the baseline never"
        yield trial_finding("fail", "crash", f"{message} ({'; '.join(ends)})")


def _expired_credentials(case: Case) -> Iterator[Finding]:
    shares = [case.share(arm, lambda measures: measures.denied) for arm in Arm]
    if min(shares) > _HALF:
        yield trial_finding(
            "inconclusive",
            "credentials",
            f"expired credentials: {both(shares)} of the requests were answered 401 or"
            " 403 where the recording was not; renew what the recording logs in with",
        )


def _mostly_errors(case: Case) -> Iterator[Finding]:
    """Outside the statistics: more than half of an arm's requests went wrong."""
    shares = [case.share(arm, _error_count) for arm in Arm]
    baseline, candidate = shares
    if min(shares) > _HALF:
        yield trial_finding(
            "inconclusive",
            "errors",
            f"errors: {both(shares)} of the requests went wrong;"
            " a baseline that fails most of its traffic is nothing to compare with",
        )
    elif candidate > _HALF:
        yield trial_finding(
            "fail",
            "errors",
            f"errors: {figure(candidate, 'ratio')} of the candidate's requests went"
            f" wrong, {figure(baseline, 'ratio')} of the baseline's",
        )


def _error_count(measures: ArmMeasures) -> int:
    return sum(measures.errors.values())


def _overloads(case: Case) -> Iterator[Finding]:
    """Replacing the rounds that it spoils would hide what the candidate does.

    One such round is chance as often as not, as is one beside a round that spoiled
    the baseline's arm.
    """
    trial = case.trial
    spoiled = [candidate_only(each.round, trial.limits) for each in trial.void]
    if len(spoiled) >= _SPOILED and all(spoiled):
        yield trial_finding(
            "invalid",
            "generator",
            "the candidate overloads the generator, the baseline does not;"
            f" {_sound(trial)}; {_worst(trial)}",
        )


def _too_few_rounds(case: Case) -> Iterator[Finding]:
    trial = case.trial
    if trial.given_up or not (case.looked or trial.stopped):
        message = f"rounds: {_sound(trial)}; {_worst(trial)}"
        yield trial_finding("invalid", "generator", message)
    elif not case.looked:
        message = f"rounds: {_sound(trial)}; {trial.stopped}"
        yield trial_finding("inconclusive", "rounds", message)


def _sound(trial: TrialEvidence) -> str:
    had, first = len(trial.sound), trial.looks.first
    return f"{had} of {first} sound rounds" if had < first else f"{had} sound rounds"


def _worst(trial: TrialEvidence) -> str:
    found = [
        (breach.excess, f"round {each.round.index}: {breach.message}")
        for each in trial.void
        for breach in breaches(each.round, trial.limits)
    ]
    if found:
        return max(found)[1]
    others = "; ".join((*trial.lost_rounds, *trial.failed_starts))
    return others or "the others were not measured"


def _not_fixed(case: Case) -> Iterator[Finding]:
    if case.proof and case.proof.outcome is FixOutcome.NOT_FIXED:
        yield trial_finding("fail", FIX, f"fix: {case.proof.message}")


def _unproven(case: Case) -> Iterator[Finding]:
    if case.proof and case.proof.outcome is not FixOutcome.FIXED:
        yield trial_finding("inconclusive", FIX, f"fix: {case.proof.message}")


def _regressions(case: Case) -> Iterator[Finding]:
    """Beyond their budgets, first the one that stands out most from its noise."""
    found = [case.estimate(place) for place in sorted(case.regressed)]
    for each in sorted(found, key=lambda each: -(each.t or 0.0)):
        yield growing(each, case.trial) if each.metric == GROWTH else regression(each)


def _died_once(case: Case) -> Iterator[Finding]:
    ends = case.ends(Arm.CANDIDATE)
    if ends:
        message = f"crash: the candidate died ({'; '.join(ends)})"
        yield trial_finding("inconclusive", "crash", message)


def _failing_baseline(case: Case) -> Iterator[Finding]:
    """Whatever is better than nothing passes; a proof is what such a fix can have."""
    baseline, candidate = (case.share(arm, _error_count) for arm in Arm)
    if case.proof is None and baseline > _HALF >= candidate:
        yield trial_finding(
            "inconclusive",
            "errors",
            f"errors: {both((baseline, candidate))} of the requests went wrong; a"
            " baseline that fails most of its traffic is nothing to compare with: if"
            " that is what the change repairs, name it as `fix.symptom`",
        )


def _no_requests(case: Case) -> Iterator[Finding]:
    """What nobody was asked for cannot have been answered well."""
    for each in case.trial.sound:
        for arm in Arm:
            if not sum(each.arm(arm).requests.values()):
                message = f"requests: none of the {arm} in round {each.round.index}"
                yield trial_finding("inconclusive", "requests", message)


def _no_latency(case: Case) -> Iterator[Finding]:
    gated = [each for each in case.gated.values() if _judges_latency(each)]
    if gated and all(each.undefined for each in gated):
        had = min(
            sum(len(values) for values in each.arm(arm).latency_ns.values())
            for each in case.trial.sound
            for arm in Arm
        )
        missing = [
            f"{name} needs {needed(percent) - had:,} more"
            for name, percent in _LATENCY.items()
            if had < needed(percent)
        ]
        message = f"{had:,} requests an arm and round are too few; {', '.join(missing)}"
        message = message if missing else f"not judged: {gated[0].undefined}"
        yield trial_finding("inconclusive", "p50", f"latency: {message}")


def _judges_latency(comparison: Comparison) -> bool:
    return comparison.hypothesis.metric.name in QUANTILES


def _missing(case: Case) -> Iterator[Finding]:
    for place, comparison in case.gated.items():
        if comparison.blocks:
            each = case.estimate(place)
            yield about("inconclusive", each, f"not judged: {each.undefined}")


def _few_comparable(case: Case) -> Iterator[Finding]:
    """Quantiles of the few answers that are left could hide the rest.

    So few that a median would not be taken may be fewer by chance.
    """
    scopes = {
        each.hypothesis.route: each.hypothesis.routes
        for each in case.gated.values()
        if _judges_latency(each)
    }
    for route, routes in scopes.items():
        baseline, candidate = (
            sum(len(each.arm(arm).latencies_ns(routes)) for each in case.trial.sound)
            for arm in Arm
        )
        if baseline >= needed(50) and candidate < baseline * _HALF:
            message = (
                f"{named('requests', route)}: latency of {candidate:,} on the"
                f" candidate, of {baseline:,} on the baseline; fewer than half cannot"
                " stand for all"
            )
            finding = trial_finding("inconclusive", "requests", message)
            yield replace(finding, route=route)


def _unclear(case: Case) -> Iterator[Finding]:
    for place, comparison in case.gated.items():
        only_fails = comparison.hypothesis.metric.only_fails
        if comparison.tests and not only_fails and case.is_unclear(place):
            yield unclear(case.estimate(place), comparison)


def _one_pair_of_two(case: Case) -> Iterator[Finding]:
    """One of a soak's pairs alone grows by chance in 11 to 15 of 100."""
    if not case.trial.soak:
        return
    for place, comparison in case.gated.items():
        each, tests = case.estimate(place), comparison.tests
        if tests and place not in case.regressed and max(tests.excess) > 0:
            message = f"beyond its budget in one pair of two: {described(each)}"
            yield about("inconclusive", each, message)
        elif each.undefined and not comparison.blocks:
            yield about("inconclusive", each, f"not judged: {each.undefined}")


def _void_rounds_together(case: Case) -> Iterator[Finding]:
    """Voiding must not have turned a FAIL into a PASS."""
    if not case.trial.void:
        return
    rounds = case.trial.rounds
    everything = [
        compared(each, where_defined(each, rounds), case.trial.looks)
        for each in case.hypotheses
        if each.allowance is not None
    ]
    found = rejected(everything, case.trial.looks, len(rounds))
    for place in sorted(found):
        each = estimate(everything[place], regressed=True, looked=True)
        message = f"with the void rounds it would FAIL: {described(each)}"
        yield about("inconclusive", each, message)


def _void_rounds_alone(case: Case) -> Iterator[Finding]:
    for evidence in case.trial.void:
        for hypothesis in case.hypotheses:
            if not hypothesis.metric.only_fails and exceeds(hypothesis, evidence):
                name = named(hypothesis.metric.name, hypothesis.route)
                index = evidence.round.index
                yield trial_finding(
                    "inconclusive",
                    hypothesis.metric.name,
                    f"{name}: beyond its budget ({hypothesis.budget}) in round {index},"
                    f" which is void: {evidence.round.void}",
                )


def _withheld(case: Case) -> Iterator[Finding]:
    """Whatever keeps a trial without a regression from a PASS."""
    for question in _WITHHOLDING:
        yield from question(case)


_WITHHOLDING: Final[tuple[Question, ...]] = (
    _unproven,
    _died_once,
    _failing_baseline,
    _no_requests,
    _no_latency,
    _missing,
    _few_comparable,
    _unclear,
    rare_new_errors,
    likely_changes,
    rare_log_entries,
    rarely_failed_checks,
    _one_pair_of_two,
    _void_rounds_together,
    _void_rounds_alone,
)

QUESTIONS: Final[tuple[Question, ...]] = (
    _crashes,
    _expired_credentials,
    _mostly_errors,
    _not_fixed,
    new_errors,
    behaviour_changes,
    new_log_entries,
    failed_checks,
    _regressions,
    _overloads,
    _too_few_rounds,
    _withheld,
)
"""The first with an answer decides, by the severity of what it finds."""


def is_hopeless(case: Case) -> bool:
    """Whether what stands in the way would stand in the way of more rounds, too."""
    if any(_overloads(case)):
        return True
    errors = (
        *_expired_credentials(case),
        *_mostly_errors(case),
        *_failing_baseline(case),
    )
    return case.looked and (bool(errors) or is_absent(case.proof, case.trial.symptom))
