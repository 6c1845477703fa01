"""The report as a table for a terminal."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.model.route import SERVICE
from harness.model.verdict import Label, Outcome
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
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from harness.model.verdict import Estimate, Report

__all__ = ["terminal"]

_WIDTH: Final = 120
_OUTCOME_STYLES: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "bold green",
    Outcome.FAIL: "bold red",
    Outcome.INCONCLUSIVE: "bold yellow",
    Outcome.INVALID: "bold magenta",
}
_LABEL_STYLES: Final[Mapping[Label, str]] = {
    Label.REGRESSED: "red",
    Label.UNCLEAR: "yellow",
    Label.IMPROVED: "green",
    Label.SHOWN: "dim",
}
_EXAMPLE_LINES: Final = 6
_NUMERIC: Final = {"baseline", "candidate", "change"}


def terminal(report: Report, *, width: int = _WIDTH, color: bool = False) -> str:
    """The report for people: the verdict is the first word, the worst comes first.

    Args:
        report: what to show.
        width: columns of the terminal.
        color: whether it can show colours.
    """
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        for part in _parts(report):
            console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _parts(report: Report) -> Iterator[RenderableType]:
    outcome = report.verdict.outcome
    first, *others = reasons(report)
    seen = examples(report)
    yield Text.assemble((outcome, _OUTCOME_STYLES[outcome]), f"  {first}")
    yield from _shortened(seen.get(first, ()))
    for other in others:
        yield from _indented([other])
        yield from _shortened(seen.get(other, ()))
    shown = [each for each in report.estimates if each.budget or each.route == SERVICE]
    if shown:
        yield _table(worst_first(shown))
    left = len(report.estimates) - len(shown)
    if left:
        yield Text(f"{left} more figures of routes, not gated, are in verdict.json")
    yield from _indented([f"note: {each}" for each in notes(report)])
    yield _facts(report)


def _shortened(lines: Sequence[str]) -> Iterator[RenderableType]:
    """The end of an example, where an exception names itself, on one line each."""
    for line in lines[-_EXAMPLE_LINES:]:
        text = Text(line, style="dim", no_wrap=True, overflow="ellipsis")
        yield Padding(text, (0, 0, 0, 6))


def _indented(lines: Sequence[str]) -> Iterator[RenderableType]:
    for line in lines:
        yield Padding(Text(line), (0, 0, 0, 2))


def _table(estimates: Sequence[Estimate]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for heading in HEADINGS:
        table.add_column(
            heading,
            justify="right" if heading in _NUMERIC else "left",
            overflow="fold",
            no_wrap=heading != "route",
        )
    for estimate in estimates:
        style = _LABEL_STYLES.get(estimate.label, "")
        table.add_row(*(Text(cell) for cell in row(estimate)), style=style)
    return table


def _facts(report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in facts(report):
        table.add_row(Text(name, style="dim"), Text(value, overflow="fold"))
    return table
