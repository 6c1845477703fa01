from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.verdict import Outcome
from harness.report.terminal import terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.conftest import Make


def test_the_whole_report_of_a_leak(make: Make, golden: Path) -> None:
    """What a reader of the terminal sees, to the letter."""
    expected = (golden / "leak.txt").read_text(encoding="utf-8")

    assert terminal(make.leak()) == expected


@pytest.mark.parametrize("outcome", Outcome)
def test_the_verdict_is_the_first_word(make: Make, outcome: Outcome) -> None:
    """Whatever the verdict is, nothing comes before it."""
    text = terminal(make.report(outcome, [make.finding()]))

    assert text.split()[0] == outcome


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal(make: Make, width: int) -> None:
    """Long routes fold instead of being cut."""
    route = "GET /" + "very-long-segment/" * 8
    report = make.report(estimates=[make.estimate(route=route)], candidate="x" * 300)

    text = terminal(report, width=width)

    assert max(map(len, text.splitlines())) <= width
    assert text.count("x") >= 300


def test_markup_in_names_is_text(make: Make) -> None:
    """A route is shown as it is, never read as colours or control codes."""
    route = "GET /[red]x[/red]\x1b[31m"

    text = terminal(make.report(estimates=[make.estimate(route=route)]))

    assert "[red]x[/red]\ufffd[31m" in "".join(text.split())
    assert "\x1b" not in text


def test_colour_only_where_asked_for(make: Make) -> None:
    """The verdict is red where the terminal can show it, plain in a file."""
    report = make.leak()

    assert terminal(report, color=True).startswith("\x1b[1;31mFAIL\x1b[0m")
    assert "\x1b" not in terminal(report)


def test_figures_that_nobody_gates_are_counted(make: Make) -> None:
    """Routes' ungated figures do not bury the gated ones."""
    shown = make.estimate("p50", route="GET /a", budget="", t=None)

    text = terminal(make.report(estimates=[make.estimate(), shown, shown]))

    assert "2 more figures of routes, not gated, are in verdict.json" in text
    assert "p50" not in text


def test_nothing_measured_is_still_a_report(make: Make) -> None:
    """A trial without an estimate has a verdict and its builds, no table."""
    report = make.report(Outcome.INVALID, [make.finding("invalid")], estimates=[])

    text = terminal(report)

    assert text.startswith("INVALID  memory: ")
    assert "metric" not in text
