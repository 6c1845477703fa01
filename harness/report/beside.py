"""Two trials beside each other: what came out otherwise, figure by figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.compare.figure import change, interval
from harness.report.column import aligned
from harness.report.wording import printable, reasons, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.verdict import Estimate, Report

__all__ = ["Beside", "beside", "beside_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A figure in two trials.

    Attributes:
        metric: of both.
        route: likewise.
        first: in the first trial; `None` where it has no such figure.
        second: in the second one.
        apart: whether the 90 % intervals of their changes do not touch.
    """

    metric: str
    route: str
    first: Estimate | None
    second: Estimate | None
    apart: bool


def beside(first: Report, second: Report) -> tuple[Beside, ...]:
    """The figures of two trials, those of the second in the order of their weight."""
    of_first, of_second = (
        {(each.metric, each.route): each for each in worst_first(report.estimates)}
        for report in (first, second)
    )
    names = dict.fromkeys((*of_second, *of_first))
    pairs = (
        (name, route, of_first.get((name, route)), of_second.get((name, route)))
        for name, route in names
    )
    return tuple(
        Beside(metric=name, route=route, first=a, second=b, apart=_apart(a, b))
        for name, route, a, b in pairs
    )


def _apart(first: Estimate | None, second: Estimate | None) -> bool:
    one, other = map(_ends, (first, second))
    if one is None or other is None:
        return False
    return one[1] < other[0] or other[1] < one[0]


def _ends(of: Estimate | None) -> tuple[float, float] | None:
    if of is None or of.lower is None or of.upper is None:
        return None
    return of.lower, of.upper


def beside_text(first: Report, second: Report, names: Sequence[str]) -> str:
    """Verdicts, reasons that only one has, and every figure of both; `*` where apart.

    Args:
        first: a trial's.
        second: another's.
        names: what they are called.
    """
    return "".join(f"{line}\n" for line in _lines(first, second, names))


def _lines(first: Report, second: Report, names: Sequence[str]) -> Iterator[str]:
    wide = max(map(len, names))
    for name, report in zip(names, (first, second), strict=True):
        builds = printable(f"{report.baseline} → {report.candidate}")
        outcome = report.verdict.outcome
        yield f"{name:{wide}}  {outcome} {printable(report.scenario)}: {builds}"
    if first.environment != second.environment:
        yield "other circumstances: compare no further than those do not matter"
    for name, own, other in ((names[0], first, second), (names[1], second, first)):
        also = {*reasons(other)}
        for each in reasons(own):
            if each not in also:
                yield f"  only {name}: {each}"
    rows = [("", "metric", "route", *(f"{name}: change" for name in names), "interval")]
    rows += [_cells(each) for each in beside(first, second)]
    yield ""
    yield from aligned(rows).splitlines()


def _cells(of: Beside) -> tuple[str, ...]:
    said = (change(each) if each else "-" for each in (of.first, of.second))
    ends = " | ".join(interval(each) if each else "-" for each in (of.first, of.second))
    return "*" if of.apart else " ", of.metric, printable(of.route), *said, ends
