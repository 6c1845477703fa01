from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.verdict import Label, Outcome
from harness.report.wording import (
    HEADINGS,
    facts,
    notes,
    printable,
    reasons,
    row,
    worst_first,
)

if TYPE_CHECKING:
    from tests.report.conftest import Make


def test_control_characters_do_not_reach_the_reader() -> None:
    """A route from captured traffic cannot move the cursor or break a line."""
    assert printable("GET /a\x1b[2J\n\x00é") == "GET /a\ufffd[2J\ufffd\ufffdé"


def test_a_pass_says_what_held(make: Make) -> None:
    """How many budgets, how surely, on how much."""
    report = make.report(estimates=[make.estimate(), make.undefined()])

    assert reasons(report) == (
        (
            "every budget holds (1 judged, each with 95% confidence) over 4 rounds"
            " of 7,200 requests an arm"
        ),
    )


def test_a_soak_says_how_it_held(make: Make) -> None:
    """Two pairs give no confidence: what holds, holds in both."""
    report = make.report(estimates=[make.estimate("growth")])

    assert "(1 judged, in both pairs)" in reasons(report)[0]


def test_any_other_verdict_gives_its_findings_without_notes(make: Make) -> None:
    """Reasons decide, notes do not."""
    report = make.leak()

    assert reasons(report) == ("memory: 61.2 MiB → 143 MiB, x2.34",)
    assert notes(report) == (
        "p99: not judged: too few",
        "void round 3: the baseline's load generator ran 9 ms late",
    )


def test_the_worst_comes_first(make: Make) -> None:
    """By label, then by distance from the budget."""
    estimates = [
        make.estimate("a", label=Label.SHOWN, t=None),
        make.estimate("b", label=Label.WITHIN, t=-9.0),
        make.estimate("c", label=Label.WITHIN, t=-3.0),
        make.estimate("d", label=Label.UNCLEAR),
        make.estimate("e", label=Label.REGRESSED, t=5.0),
        make.estimate("f", label=Label.REGRESSED, t=50.0),
    ]

    assert [each.metric for each in worst_first(estimates)] == list("fedcba")


def test_a_row_has_a_cell_for_each_heading(make: Make) -> None:
    """Every number with its unit; what is undefined is not judged."""
    assert dict(zip(HEADINGS, row(make.memory()), strict=True)) == {
        "metric": "memory",
        "route": "service",
        "baseline": "61.2 MiB",
        "candidate": "143 MiB",
        "change": "x2.34",
        "90% interval": "x2.21 to x2.47",
        "budget": "10% or 16MiB",
        "verdict": "regressed",
    }
    assert row(make.undefined())[2:] == (
        *("-", "-", "-", "-"),
        "20% or 25ms",
        "not judged",
    )


def test_facts_have_units_and_leave_out_what_is_empty(make: Make) -> None:
    """Builds, rounds, environment, generator at its worst."""
    report = make.report(Outcome.PASS, environment=())

    assert facts(report) == (
        ("baseline", "git:main (sha256:aaaa)"),
        ("candidate", "dir:. (sha256:bbbb)"),
        ("rounds", "4 of 7,200 requests an arm"),
        ("generator at worst", "cpu 31.2%, timer late p95 0.870 ms"),
    )
