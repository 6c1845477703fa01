from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.model.verdict import Outcome
from harness.report.markdown import markdown, marker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.conftest import Make


def test_the_whole_summary_of_a_leak(make: Make, golden: Path) -> None:
    """What a reviewer sees under the change, to the letter."""
    expected = (golden / "leak.md").read_text(encoding="utf-8")

    assert markdown(make.leak()) == expected


@pytest.mark.parametrize("routes", [0, 1, 6, 16, 17, 50, 500])
def test_it_has_at_most_sixty_lines(make: Make, routes: int) -> None:
    """However many routes regressed and however many notes there are."""
    findings = make.crowd(max(routes, 1))
    text = markdown(make.crowd(routes) if routes else findings)

    assert len(text.splitlines()) <= 60
    assert text.endswith(f"\n{marker('checkout-peak')}\n")


@pytest.mark.parametrize("outcome", Outcome)
def test_the_verdict_is_the_first_word(make: Make, outcome: Outcome) -> None:
    """Whatever the verdict is, the heading starts with it."""
    text = markdown(make.report(outcome, [make.finding()]))

    assert text.startswith(f"# {outcome}: ")


def test_what_is_left_out_is_counted(make: Make) -> None:
    """The reader knows where the rest is."""
    text = markdown(make.crowd(50))

    assert "- and 43 more in `verdict.json`" in text
    assert "184 more in `verdict.json`" in text


def test_names_are_neither_markup_nor_mentions(make: Make) -> None:
    """A route cannot break the table, run HTML, call a person or name an issue.

    GitHub looks for names and issues when the backslashes are gone already.
    """
    route = "GET /a|b<script>`x`@someone#7 https://x.test www.x.test GH-7"

    text = markdown(make.report(estimates=[make.estimate(route=route)]))
    rows = [line for line in text.splitlines() if "script" in line]

    assert rows
    assert (
        "GET /a\\|b&lt;script&gt;\\`x\\`@&#8203;someone#&#8203;7"
        " https:&#8203;//x.test www&#8203;.x.test GH&#8203;-7 |"
    ) in rows[0]
    assert "<script>" not in text


@pytest.mark.parametrize("text", ["&<", "@#", "a"])
def test_it_fits_into_a_comment(make: Make, text: str) -> None:
    """However long what others wrote is, GitHub takes it, verdict and marker too."""
    crowd = make.crowd(50)
    routes = [replace(each, route=text * 5_000) for each in crowd.estimates]
    findings = [
        replace(each, message=f"{number} {text * 5_000}")
        for number, each in enumerate(crowd.verdict.findings)
    ]
    verdict = replace(crowd.verdict, findings=tuple(findings))
    noisy = replace(
        crowd,
        baseline=text * 5_000,
        candidate=text * 5_000,
        environment=(text * 5_000,),
        estimates=tuple(routes),
        verdict=verdict,
    )

    shown = markdown(noisy)

    assert len(shown) <= 65_536
    assert shown.startswith("# FAIL: checkout-peak\n")
    assert shown.endswith(f"\n{marker('checkout-peak')}\n")
    assert not re.search(r"&[#\w]*…|\\…", shown)
