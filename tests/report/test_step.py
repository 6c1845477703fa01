"""A trial under way in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.progress import Pulse, Step
from harness.report.step import so_far, step_line

if TYPE_CHECKING:
    from tests.report.conftest import Make


def test_step_line() -> None:
    """Users, rates, errors, lag and the time left, with units."""
    step = Step(
        title="round 2: slice 3/6, candidate",
        pulse=Pulse(
            elapsed_s=2.0, users=10_000, sent=3_960, failed=2, lag_ns=1_200_000
        ),
        planned_per_s=2_000,
        left_s=245.0,
        over=False,
    )

    assert (
        "round 2: slice 3/6, candidate: 10,000 users, 1,980 of 2,000 req/s, "
        "2 errors, lag 1.20 ms, 4 min 05 s left"
    ) == step_line(step)


def test_before_the_first_pulse() -> None:
    """With nothing to show yet only the step is named."""
    step = Step(title="round 1", pulse=None, planned_per_s=1, left_s=9, over=True)

    assert "round 1" == step_line(step)


def test_so_far(make: Make) -> None:
    """Gated figures of the service with their intervals; others are not told."""
    report = make.report(estimates=[make.estimate(), make.estimate(route="GET /a")])

    assert so_far(report) == "so far, 4 rounds: p95 +4.0% (+1.0% to +7.0%)"
    assert so_far(make.report(estimates=[])).endswith(": no figure yet")
