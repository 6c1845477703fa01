"""A trial under way, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.figure import figure

if TYPE_CHECKING:
    from harness.model.progress import Pulse, Step

__all__ = ["step_line"]

_MINUTE_S = 60


def step_line(step: Step) -> str:
    """Users, requests a second real and planned, errors, lag, and the time left."""
    if step.pulse is None:
        return step.title
    return f"{step.title}: {_pulse(step.pulse, step.planned_per_s)}, {_left(step)}"


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
