from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from harness.model.verdict import Outcome
from harness.report.html import html
from tests.report.conftest import HOSTILE, hostile, rounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import RoundEvidence
    from harness.model.verdict import Estimate, Report
    from tests.report.conftest import Make

AGAIN = "seatrial judge 20261127-x"
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Elements, attributes and text, and that what is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words += data


def drawn(report: Report, rounds: Sequence[RoundEvidence] = (), **flames: str) -> Page:
    page = Page(html(report, rounds, flames=flames, commands={"again": AGAIN}))
    assert not page.open
    return page


@pytest.mark.parametrize("outcome", Outcome)
def test_the_verdict_comes_first(make: Make, outcome: Outcome) -> None:
    """Whatever the verdict is, nothing is read before it but the page's title."""
    page = drawn(make.report(outcome, [make.finding()]))

    assert page.words.split()[:2] == [f"{outcome}:", make.report().scenario]
    assert page.words.split()[2] == outcome


def test_it_needs_nothing_else(make: Make) -> None:
    """No script, nothing from elsewhere, no style that a strict policy refuses."""
    page = drawn(make.leak(), rounds(), baseline="<svg></svg>")

    assert not {"script", "link", "img", "iframe", "object"} & {*page.tags}
    names = {name for name, _ in page.attributes}
    assert not {"style", "src", "href", "srcset"} & names
    assert not any(name.startswith("on") for name in names)


def test_what_is_drawn(make: Make) -> None:
    """Five figures over time, and a distribution of the service and of each route."""
    page = drawn(make.leak(), rounds(routes=3))

    dots = sum(bool(each.budget) and len(each.per_round) > 1 for each in _service(make))
    assert page.tags.count("figure") == 5 + 4 + dots
    assert page.tags.count("svg") == 5 + 4 + dots


def _service(make: Make) -> list[Estimate]:
    return [each for each in make.leak().estimates if each.route == "service"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(make: Make, text: str) -> None:
    """What somebody else wrote is text, wherever it stands."""
    plain = drawn(hostile(make, "/a"))

    page = drawn(hostile(make, text))

    assert {*page.tags} <= {*plain.tags}
    assert not {"onerror", "onmouseover"} & {name for name, _ in page.attributes}
    assert not any(each in page.words for each in "\x00\x1b\u202e")
    assert "49" not in page.words.replace("149", "")


def test_its_size(make: Make) -> None:
    """Fifty routes stay below 2 MB."""
    text = html(make.crowd(50), rounds(routes=50), flames={}, commands={})

    assert len(text.encode()) < 2_000_000
