"""`summary.md`: the report as a comment on a change, at most 60 lines."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from harness.model.route import SERVICE
from harness.report.wording import (
    HEADINGS,
    examples,
    facts,
    notes,
    reasons,
    row,
    worst_first,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.verdict import Estimate, Report

__all__ = ["MARKER", "markdown", "marker"]

_CELL: Final = 600
"""Most characters of each text that somebody else wrote, written out: 60 lines of them
stay below the 65,536 that GitHub takes a comment."""

_SENTENCES: Final = 6
_NOTES: Final = 5
_ROUTE_ROWS: Final = 16
_EXAMPLE_LINES: Final = 6
_EXAMPLE_WIDTH: Final = 200
_FENCE: Final = re.compile(r"`+")
MARKER: Final = "<!-- seatrial: "
"""Begins the last line of a summary, by which its comment is known again."""
_NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")
_WRITTEN: Final = {
    **{mark: f"\\{mark}" for mark in r"\`*_[]|~"},
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "@": "@&#8203;",
    "#": "#&#8203;",
    "GH-": "GH&#8203;-",
    "://": ":&#8203;//",
    "www.": "www&#8203;.",
}
"""What would be markup, as it is written to be none. A backslash does not keep GitHub
from finding names, issues and addresses in the finished text: a space of no width does.
"""
_PIECE: Final = re.compile("|".join((*map(re.escape, _WRITTEN), ".")), re.DOTALL)


def markdown(report: Report) -> str:
    """The report in GitHub's Markdown: verdict first, worst first, routes folded."""
    first, *others = reasons(report)
    seen = examples(report)
    service = [each for each in report.estimates if each.route == SERVICE]
    routes = [each for each in report.estimates if each.route != SERVICE]
    blocks = [
        [f"# {report.verdict.outcome}: {_plain(report.scenario)}"],
        [_plain(first)],
        _code(next((seen[each] for each in (first, *others) if each in seen), ())),
        _bullets(others, _SENTENCES),
        _table(worst_first(service)),
        _folded(worst_first(routes)),
        _bullets(notes(report), _NOTES),
        [f"- {name}: {_plain(value)}" for name, value in facts(report)],
        [marker(report.scenario)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def marker(scenario: str) -> str:
    """By which a later run of the same scenario finds its own comment."""
    return f"{MARKER}{_NOT_A_NAME.sub('', scenario)} -->"


def _plain(text: str) -> str:
    """`text` as it is: nothing in it is markup, and no name in it is called."""
    pieces = [_WRITTEN.get(each, each) for each in _PIECE.findall(text)]
    written = "".join(pieces)
    if len(written) <= _CELL:
        return written
    fit = bisect_left(list(accumulate(map(len, pieces))), _CELL)
    return "".join(pieces[:fit]) + "…"


def _bullets(sentences: Sequence[str], most: int) -> list[str]:
    shown = [f"- {_plain(each)}" for each in sentences[:most]]
    left = len(sentences) - most
    return [*shown, f"- and {left} more in `verdict.json`"] if left > 0 else shown


def _code(lines: Sequence[str]) -> list[str]:
    """The end of one example as it is, in a fence that nothing in it can end."""
    if not lines:
        return []
    shown = [line[:_EXAMPLE_WIDTH] for line in lines[-_EXAMPLE_LINES:]]
    fence = "`" * max(3, *(len(run) + 1 for run in _FENCE.findall("\n".join(shown))), 3)
    return [f"{fence}text", *shown, fence]


def _table(estimates: Sequence[Estimate]) -> list[str]:
    if not estimates:
        return []
    rows = [HEADINGS, ("---",) * len(HEADINGS)]
    rows += [tuple(_plain(cell) for cell in row(each)) for each in estimates]
    return [f"| {' | '.join(cells)} |" for cells in rows]


def _folded(estimates: Sequence[Estimate]) -> list[str]:
    if not estimates:
        return []
    left = len(estimates) - _ROUTE_ROWS
    more = ["", f"{left} more in `verdict.json`"] if left > 0 else []
    return [
        f"<details><summary>Routes ({len(estimates)} figures)</summary>",
        "",
        *_table(estimates[:_ROUTE_ROWS]),
        *more,
        "",
        "</details>",
    ]
