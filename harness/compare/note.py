"""What decides nothing but should be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.compare.change import repairs
from harness.compare.checked import noted_checks
from harness.compare.exposed import noted_metrics
from harness.compare.finding import about, both, trial_finding, unseen_growth
from harness.compare.logs import noted_log_entries
from harness.compare.metric import GROWTH
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.compare.case import Case
    from harness.model.verdict import Finding

__all__ = ["notes"]

_MANY_RECONNECTS: Final = 0.05


def notes(case: Case) -> Iterator[Finding]:
    """All of it."""
    for source in _SOURCES:
        yield from source(case)


def _of_trial(case: Case) -> Iterator[Finding]:
    for text in case.trial.notes:
        yield trial_finding("note", "trial", text)
    if case.trial.stopped and case.looked:
        yield trial_finding("note", "rounds", f"stopped early: {case.trial.stopped}")


def _of_estimates(case: Case) -> Iterator[Finding]:
    for place, hypothesis in enumerate(case.hypotheses):
        gated = case.gated.get(place)
        if gated and gated.undefined and not gated.blocks:
            yield about("note", case.estimate(place), f"not judged: {gated.undefined}")
        if hypothesis.metric.name == GROWTH:
            each = case.estimate(place)
            if each.lower != each.upper:
                yield unseen_growth(each, case.trial)


def _of_arms(case: Case) -> Iterator[Finding]:
    for end in case.ends(Arm.BASELINE):
        yield trial_finding("note", "crash", f"crash: the baseline died ({end})")
    shares = [case.share(arm, lambda measures: measures.reconnected) for arm in Arm]
    if max(shares) > _MANY_RECONNECTS:
        message = f"reconnects: {both(shares)} of the requests, left out of quantiles"
        yield trial_finding("note", "reconnects", message)
    baseline, candidate = (max(_unfilled(case, arm), default=0) for arm in Arm)
    if baseline or candidate:
        message = (
            f"unfilled: up to {baseline:,} (baseline) and {candidate:,} (candidate) "
            "values a round were sent as recorded, since no live answer gave them"
        )
        yield trial_finding("note", "unfilled", message)


def _unfilled(case: Case, arm: Arm) -> Iterator[int]:
    return (each.round.arm(arm).books.unfilled for each in case.trial.sound)


_SOURCES: Final[tuple[Callable[[Case], Iterator[Finding]], ...]] = (
    _of_trial,
    _of_estimates,
    _of_arms,
    repairs,
    noted_log_entries,
    noted_checks,
    noted_metrics,
)
