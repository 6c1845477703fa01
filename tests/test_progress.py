from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.progress import Complaint, Pulse, Standing, Step
from harness.progress import Progress

if TYPE_CHECKING:
    import pytest

PULSE = Pulse(elapsed_s=4.0, users=30, sent=400, failed=7, lag_ns=1_000_000)
STEP = Step(
    title="round 1: slice 1/2, candidate",
    pulse=PULSE,
    planned_per_s=100.0,
    left_s=60.0,
    over=True,
)


def test_a_step_is_told_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is replaced, a step is told once it is over."""
    Progress().announce(STEP)

    assert "candidate: 30 users, 100 of 100 req/s, 7 errors" in capsys.readouterr().err


def test_an_outline_has_no_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever may not know of held-out traffic reads how far it is, no more."""
    progress = Progress()

    progress.outline(STEP)
    progress.outline("preparing the baseline")

    said = capsys.readouterr().err
    assert "round 1: slice 1/2, candidate\npreparing the baseline\n" == said


STANDING = Standing(line="so far, 2 rounds: p95 +1.0% (-1.0% to +3.0%)")


def test_how_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """People read the estimates so far; an outline leaves them out."""
    Progress().announce(STANDING)
    assert capsys.readouterr().err == f"{STANDING.line}\n"

    Progress().outline(STANDING)
    assert capsys.readouterr().err == ""


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is told of what goes on, but errors are, and what went wrong."""
    progress = Progress()
    progress.quiet = True

    for told in (STEP, STANDING, "preparing the baseline", Complaint(line="no room")):
        progress.announce(told)
    progress.say("error: no engine")

    assert capsys.readouterr().err == "no room\nerror: no engine\n"
