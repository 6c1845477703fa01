"""`report.html`: one page that needs nothing else, no script and no network."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from harness.compare.figure import figure, number
from harness.model.result import Arm
from harness.model.route import SERVICE
from harness.report import chart
from harness.report.wording import (
    HEADINGS,
    examples,
    facts,
    notes,
    printable,
    reasons,
    row,
    worst_first,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.compare.evidence import RoundEvidence
    from harness.model.profile import Profile
    from harness.model.result import GeneratorHealth, Round
    from harness.model.verdict import Estimate, Report, SlowRequest

__all__ = ["html"]

_HERE: Final = files("harness.report")
_INTERVALS: Final = 60
_ROUTES: Final = 50
"""Routes that are drawn; the table has them all."""
_SLOWEST: Final = 20
_DRAWN_FACTS: Final = frozenset({"slowest"})
"""Which has a table of its own."""
_MOST: Final = 2_000
"""Characters of a line that somebody else wrote."""

_MEASURES: Final[tuple[tuple[str, str, Callable[[GeneratorHealth], float]], ...]] = (
    ("CPU", "ratio", lambda of: of.cpu_ratio),
    ("timer late, p95", "ns", lambda of: of.timer_late_p95_ns),
    ("lag, p50", "ns", lambda of: of.lag_p50_ns),
    ("lag, p95", "ns", lambda of: of.lag_p95_ns),
    ("lag, p99", "ns", lambda of: of.lag_p99_ns),
    ("steal", "ratio", lambda of: of.steal_ratio),
)
_HEALTH: Final = ("round", "first", *(name for name, _, _ in _MEASURES), "verdict")


def _shown(value: Any) -> Any:
    """What is our own as it is; of what somebody else wrote, the printable start."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = printable(value)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


_PAGES: Final = Environment(
    autoescape=True,
    finalize=_shown,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(
    report: Report,
    rounds: Sequence[RoundEvidence],
    *,
    flames: Mapping[str, str],
    commands: Mapping[str, str],
) -> str:
    """The report as a page: the verdict first, then why, then all there is to see.

    Args:
        report: what was found.
        rounds: of the trial, void ones too, for what is drawn.
        flames: by the name of an arm, its flame graph as SVG.
        commands: by what they do.
    """
    style = (_HERE / "page.css").read_text()
    template = _PAGES.from_string((_HERE / "page.html").read_text())
    estimates = worst_first(report.estimates)
    seen = examples(report)
    first, *others = reasons(report)
    slowest = report.slowest[:_SLOWEST]
    sound = [each.round.index for each in rounds if not each.round.void]
    return template.render(
        policy=f"default-src 'none'; style-src '{_digest(style)}'; img-src data:",
        style=Markup(style),  # noqa: S704 - it is our own
        arms=[*map(str, Arm)],
        outcome=str(report.verdict.outcome),
        scenario=report.scenario,
        why=report.why.splitlines(),
        first=first,
        shown=seen.get(first, ()),
        reasons=[(each, seen.get(each, ())) for each in others],
        notes=notes(report),
        headings=HEADINGS,
        service=[_row(each) for each in estimates if each.route == SERVICE],
        routes=[_row(each) for each in estimates if each.route != SERVICE],
        intervals=_intervals(estimates),
        dots=[
            (each.metric, _drawn(chart.rounds(each, sound)))
            for each in estimates
            if each.route == SERVICE and each.budget and len(each.per_round) > 1
        ],
        tracks=list(_tracks(rounds)),
        distributions=list(_distributions(rounds)),
        slowest=[("", _cells(each)) for each in slowest],
        logged=[(_logged(each), each.log) for each in slowest if each.log],
        frames=list(_frames(report.profile)),
        flames=[(arm, _drawn(svg)) for arm, svg in flames.items()],
        health=_HEALTH,
        rounds=[("", _health(each.round)) for each in rounds],
        facts=[each for each in facts(report) if each[0] not in _DRAWN_FACTS],
        commands=list(commands.items()),
    )


def _drawn(svg: str) -> Markup:
    """A drawing of our own, in which names are escaped already."""
    return Markup(svg)  # noqa: S704 - by Vega, and by the flame graph


def _digest(text: str) -> str:
    """By which a content policy knows an inline style again."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _row(estimate: Estimate) -> tuple[str, tuple[str, ...]]:
    """The label, as a class of its row, and the cells."""
    label = "none" if estimate.undefined else str(estimate.label).replace(" ", "-")
    return label, row(estimate)


def _health(of: Round) -> tuple[str, ...]:
    """What a round was measured with: of the worse of its arms, by `_HEALTH`."""
    both = [of.arm(arm).health for arm in Arm]
    measures = (figure(max(map(value, both)), unit) for _, unit, value in _MEASURES)
    told = f"void: {of.void}" if of.void else "sound"
    return f"{of.index:,}", str(of.first), *measures, told


def _frames(profile: Profile | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    for each in profile.frames if profile else ():
        seconds = (f"{number(of)} s" for of in (each.baseline_s, each.candidate_s))
        yield "", (each.name, *seconds)


def _cells(of: SlowRequest) -> tuple[str, ...]:
    latency = figure(of.latency_ns, "ns")
    where = f"{of.round:,}", f"{of.at_s:g} s", f"{of.shot:,}"
    return of.arm, of.route, latency, f"{of.status}", *where


def _logged(of: SlowRequest) -> str:
    return f"What the {of.arm} wrote during shot {of.shot:,} of round {of.round:,}"


def _intervals(estimates: Sequence[Estimate]) -> Markup | str:
    drawn = [each for each in estimates if each.allowed and each.upper is not None]
    if not drawn:
        return ""
    return _drawn(chart.intervals(drawn[:_INTERVALS]))


def _tracks(rounds: Sequence[RoundEvidence]) -> Iterator[tuple[str, Markup]]:
    courses = [
        (each.round.index, arm, each.courses[arm])
        for each in rounds
        for arm in Arm
        if arm in each.courses and len(each.courses[arm].from_ns)
    ]
    for track in chart.TRACKS if courses else ():
        if any(np.isfinite(track.values(of)).any() for _, _, of in courses):
            yield track.title, _drawn(chart.over_time(courses, track))


def _distributions(rounds: Sequence[RoundEvidence]) -> Iterator[tuple[str, Markup]]:
    """Of the service, then of the routes with most requests, over the sound rounds."""
    sound = [each for each in rounds if not each.round.void]
    counts: dict[str, int] = {}
    for each in sound:
        for arm in Arm:
            for route, values in each.arm(arm).latency_ns.items():
                counts[route] = counts.get(route, 0) + len(values)
    if not counts:
        return
    busiest = sorted(counts, key=lambda route: (-counts[route], route))[:_ROUTES]
    for name, routes in ((SERVICE, [*counts]), *((each, [each]) for each in busiest)):
        latency = {arm: _together(sound, arm, routes) for arm in Arm}
        yield name, _drawn(chart.distributions(latency))


def _together(
    rounds: Sequence[RoundEvidence], arm: Arm, routes: Sequence[str]
) -> NDArray[np.int64]:
    parts = [each.arm(arm).latencies_ns(routes) for each in rounds]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
