"""What a recording holds, drawn: one page of HTML that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from harness.compare.figure import figure
from harness.report.inspection import account, facts
from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.capture.inspection import Inspection, RouteShare

__all__ = ["as_page"]

_STYLE: Final = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;"
    "padding:0 1em;color:#222}h1,h2{font-weight:600}table{border-collapse:collapse}"
    "td,th{padding:.15em .8em .15em 0;text-align:left;vertical-align:top}"
    "td.n,th.n{text-align:right}code{white-space:pre-wrap;word-break:break-all}"
    "svg{width:100%;height:9em;background:#f4f6f8}rect{fill:#4a7ab5}"
    ".b{background:#4a7ab5;height:.7em;display:inline-block}"
)
_HIDDEN: Final = frozenset({"over time"})
_NUMBERS: Final = ("requests", "share", "p50", "p95")
_BAR_EM: Final = 12


def as_page(inspection: Inspection) -> str:
    """The figures, the rate over time and the routes as HTML."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><meta charset="utf-8">',
        "<title>Seatrial recording</title>",
        f"<style>{_STYLE}</style>",
        f"<h1>{_text(inspection.recording.path.name)}</h1>",
        *_table(_facts(inspection)),
        f"<h2>Requests over {figure(inspection.recording.span_ns, 'ns')}</h2>",
        _curve(inspection.over_time),
        "<h2>Routes</h2>",
        *_routes(inspection),
        "<h2>Account</h2>",
        *_account(inspection),
    ]
    return "\n".join(parts) + "\n"


def _text(value: str) -> str:
    return escape(printable(value))


def _facts(inspection: Inspection) -> Iterator[str]:
    for name, value in facts(inspection):
        if name not in _HIDDEN:
            yield f"<tr><th>{_text(name)}<td>{_text(value)}"


def _table(rows: Iterable[str]) -> Iterator[str]:
    yield "<table>"
    yield from rows
    yield "</table>"


def _curve(counts: Sequence[int]) -> str:
    """A bar for each part of the span, each with its count as its title."""
    most = max(counts)
    bars = (
        f'<rect x="{place}" y="{1 - count / most:.4f}" width=".9"'
        f' height="{count / most:.4f}"><title>{count:,}</title></rect>'
        for place, count in enumerate(counts)
    )
    box = f'viewBox="0 0 {len(counts)} 1" preserveAspectRatio="none"'
    return f"<svg {box}>{''.join(bars)}</svg>"


def _routes(inspection: Inspection) -> Iterator[str]:
    heads = "".join(f"<th class=n>{name}" for name in _NUMBERS)
    yield f"<table><tr>{heads}<th><th>route"
    most = inspection.routes[0].requests
    for route in inspection.routes:
        yield _route(route, inspection.recording.exchanges, most)
    yield "</table>"
    if inspection.more_routes:
        yield f"<p>… {inspection.more_routes:,} more"


def _route(route: RouteShare, exchanges: int, most: int) -> str:
    cells = (
        f"{route.requests:,}",
        figure(route.requests / exchanges, "ratio"),
        figure(route.median_ns, "ns"),
        figure(route.p95_ns, "ns"),
    )
    numbers = "".join(f"<td class=n>{cell}" for cell in cells)
    bar = f'<span class=b style="width:{_BAR_EM * route.requests / most:.2f}em"></span>'
    return f"<tr>{numbers}<td>{bar}<td><code>{_text(route.name)}</code>"


def _account(inspection: Inspection) -> Iterator[str]:
    for heading, samples in account(inspection.recording):
        yield f"<p>{_text(heading)}"
        if samples:
            items = "".join(f"<li><code>{_text(each)}</code>" for each in samples)
            yield f"<ul>{items}</ul>"
