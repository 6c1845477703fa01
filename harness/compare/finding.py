"""Findings in sentences: figures, units, interval, budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.figure import change, figure, interval
from harness.compare.paired import rounds_needed
from harness.model.route import SERVICE
from harness.model.verdict import Finding

if TYPE_CHECKING:
    from harness.compare.estimate import Comparison
    from harness.model.verdict import Estimate

__all__ = ["about", "described", "named", "regression", "trial_finding", "unclear"]


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


def unclear(estimate: Estimate, comparison: Comparison, family: int) -> Finding:
    """Neither within the budget nor beyond it, and what a next trial would need."""
    assert comparison.tests is not None, "only tested hypotheses are unclear"
    rounds = rounds_needed(comparison.tests.excess, family)
    remedy = (
        "so close to its budget that more rounds hardly help: longer rounds,"
        " a quieter machine or another budget would"
        if rounds is None
        else f"a next trial would need about {rounds} rounds"
    )
    return about("inconclusive", estimate, f"{described(estimate)}; {remedy}")
