"""Findings in sentences: figures, units, interval, budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.compare.figure import change, figure, interval, number
from harness.compare.paired import rounds_needed
from harness.model.route import SERVICE
from harness.model.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.estimate import Comparison
    from harness.compare.evidence import TrialEvidence
    from harness.model.verdict import Estimate

__all__ = [
    "FIX",
    "about",
    "both",
    "described",
    "growing",
    "named",
    "regression",
    "trial_finding",
    "unclear",
    "unseen_growth",
]

FIX: Final = "fix"
"""What findings about the claimed fix are about."""

_A_THOUSAND: Final = 1_000
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


def trial_finding(severity: str, metric: str, message: str) -> Finding:
    """A finding about the service as a whole."""
    return Finding(severity=severity, metric=metric, route=SERVICE, message=message)


def about(severity: str, estimate: Estimate, message: str) -> Finding:
    """A finding about an estimate, which the message then need not name."""
    return Finding(
        severity=severity,
        metric=estimate.metric,
        route=estimate.route,
        message=f"{named(estimate.metric, estimate.route)}: {message}",
    )


def both(shares: Sequence[float]) -> str:
    """A share of each arm's requests, in words."""
    baseline, candidate = (figure(share, "ratio") for share in shares)
    return f"{baseline} (baseline) and {candidate} (candidate)"


def named(metric: str, route: str) -> str:
    """`memory`, or `p95 of GET /cart`."""
    return metric if route == SERVICE else f"{metric} of {route}"


def described(estimate: Estimate) -> str:
    """From what to what, by how much, how surely, and what was allowed."""
    return (
        f"{figure(estimate.baseline, estimate.unit)}"
        f" → {figure(estimate.candidate, estimate.unit)},"
        f" {change(estimate)} (90% interval {interval(estimate)});"
        f" worst in round {estimate.worst_round}; budget {estimate.budget}"
    )


def regression(estimate: Estimate) -> Finding:
    """The candidate is worse than its budget."""
    return about("fail", estimate, described(estimate))


def growing(estimate: Estimate, trial: TrialEvidence) -> Finding:
    """The candidate's memory grows; that it leaks, only a soak can say."""
    assert estimate.change is not None, "only a defined estimate regresses"
    verb = "leaks" if trial.soak else "grows"
    pace = _pace(estimate.change, trial)
    return about("fail", estimate, f"{verb}: {described(estimate)}{pace}")


def _pace(change: float, trial: TrialEvidence) -> str:
    """What it comes to at the planned rate."""
    per_s = change * trial.rate_per_s / _A_THOUSAND
    if per_s <= 0:
        return ""
    hours = trial.memory_limit / per_s / _HOUR_S
    return (
        f"; at {trial.rate_per_s:,.0f} req/s {figure(per_s * _DAY_S, 'bytes')} a day,"
        f" {figure(trial.memory_limit, 'bytes')} in {number(hours)} h"
    )


def unseen_growth(estimate: Estimate, trial: TrialEvidence) -> Finding:
    """How small a growth this trial could not have seen."""
    assert estimate.lower is not None, "an interval says it"
    assert estimate.upper is not None, "an interval says it"
    half = (estimate.upper - estimate.lower) / 2
    kind = "leaks below" if trial.soak else "less than"
    message = f"{kind} {figure(half, estimate.unit)} would not be seen"
    return about("note", estimate, message)


def unclear(estimate: Estimate, comparison: Comparison) -> Finding:
    """Neither within the budget nor beyond it, and what a next trial would need."""
    assert comparison.tests is not None, "only tested hypotheses are unclear"
    share, lacking = comparison.hypothesis.share, comparison.tests.lacking
    if lacking and comparison.tests.seems_within:
        remedy = (
            "of so few requests none may go wrong by chance:"
            f" {lacking:,} more are needed"
        )
        return about("inconclusive", estimate, f"{described(estimate)}; {remedy}")
    rounds = rounds_needed(comparison.tests.excess, share)
    remedy = (
        "so close to its budget that more rounds hardly help: longer rounds,"
        " a quieter machine or another budget would"
        if rounds is None
        else f"a next trial would need about {rounds} rounds"
    )
    return about("inconclusive", estimate, f"{described(estimate)}; {remedy}")
