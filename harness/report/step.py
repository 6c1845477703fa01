"""A trial under way, in one line: a step of a round, and what the rounds say so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.figure import change, figure, interval
from harness.model.route import SERVICE

if TYPE_CHECKING:
    from harness.model.progress import Pulse, Step
    from harness.model.verdict import Report

__all__ = ["so_far", "step_line"]

_MINUTE_S = 60


def step_line(step: Step) -> str:
    """Users, requests a second real and planned, errors, lag, and the time left."""
    if step.pulse is None:
        return step.title
    return f"{step.title}: {_pulse(step.pulse, step.planned_per_s)}, {_left(step)}"


def so_far(report: Report) -> str:
    """The service's gated figures with their intervals, which no verdict is made of."""
    figures = (
        f"{each.metric} {change(each)} ({interval(each)})"
        for each in report.estimates
        if each.route == SERVICE and each.budget and each.lower is not None
    )
    return f"so far, {report.rounds} rounds: {', '.join(figures) or 'no figure yet'}"


def _pulse(pulse: Pulse, planned_per_s: float) -> str:
    per_s = pulse.sent / pulse.elapsed_s if pulse.elapsed_s else 0.0
    planned = f" of {planned_per_s:,.0f}" if planned_per_s else ""
    return (
        f"{pulse.users:,} users, {per_s:,.0f}{planned} req/s, "
        f"{pulse.failed:,} errors, lag {figure(pulse.lag_ns, 'ns')}"
    )


def _left(step: Step) -> str:
    minutes, seconds = divmod(round(step.left_s), _MINUTE_S)
    return f"{minutes} min {seconds:02} s left" if minutes else f"{seconds} s left"
