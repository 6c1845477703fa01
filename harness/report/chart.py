"""Charts as SVG: drawn once, readable without a script.

Text and axes are drawn in the colour of the text around them, so that a page in the
dark is as readable as one in the light.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import altair as alt
import numpy as np

from harness.model.result import Arm
from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.compare.course import Course
    from harness.model.verdict import Estimate

__all__ = [
    "TRACKS",
    "Track",
    "distributions",
    "intervals",
    "over_time",
    "rounds",
]

_COLOURS: Final[Mapping[Arm, str]] = {Arm.BASELINE: "#4c78a8", Arm.CANDIDATE: "#d9590f"}
"""3 : 1 and more against white and against black."""

_WIDTH: Final = 860
_HEIGHT: Final = 120
_NS: Final = 1e9
_POINTS: Final = 80
_ROLES: Final = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_PADDING: Final = 12
"""Text is wider in some fonts than in the one that it is measured with."""
_LABEL: Final = 7.5
"""Pixels of a character, likewise."""
_MOST_LABEL: Final = 320
_FARTHEST: Final = 3.0
"""Budgets; what is beyond stands at the edge."""
_ARM: Final = alt.Color(
    "arm:N",
    scale=alt.Scale(domain=[*map(str, Arm)], range=[*_COLOURS.values()]),
    legend=None,
)
_DASH: Final = alt.StrokeDash(
    "arm:N",
    scale=alt.Scale(domain=[*map(str, Arm)], range=[[1, 0], [4, 2]]),
    legend=None,
)


def _data(rows: list[dict[str, Any]]) -> Any:
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _drawn(chart: Any) -> str:
    """The chart as SVG; its figures are in the tables, for those who do not see it."""
    styled = chart.configure(
        background="transparent",
        aria=False,
        font="system-ui, sans-serif",
        padding=_PADDING,
    ).configure_axis(
        labelColor="currentColor",
        titleColor="currentColor",
        domainColor="currentColor",
        tickColor="currentColor",
        gridColor="currentColor",
        gridOpacity=0.12,
        titleFontWeight="normal",
        titlePadding=12,
    )
    buffer = StringIO()
    styled.configure_view(stroke=None).save(buffer, format="svg")
    return _ROLES.sub("", buffer.getvalue()).replace("<svg", '<svg aria-hidden="true"')


@dataclass(frozen=True, slots=True)
class Track:
    """One figure over time.

    Attributes:
        title: what it is called, with its unit.
        values: of a course, those of its pieces.
        read: whether it is of the readings instead.
    """

    title: str
    values: Callable[[Course], NDArray[Any]]
    read: bool = False


TRACKS: Final = (
    Track("p95 latency, ms", lambda of: of.p95_ns / 1e6),
    Track("requests/s", lambda of: of.requests / _seconds(of)),
    Track("errors/s", lambda of: of.errors / _seconds(of)),
    Track("anonymous memory, MiB", lambda of: of.memory_bytes / 2**20, read=True),
    Track("CPU, cores", lambda of: of.cores, read=True),
)


def _seconds(of: Course) -> NDArray[Any]:
    seconds: NDArray[Any] = np.maximum(of.until_ns - of.from_ns, 1) / _NS
    return seconds


def over_time(courses: Sequence[tuple[int, Arm, Course]], track: Track) -> str:
    """A figure of both arms over the trial, with the slices of each arm shaded.

    Args:
        courses: with the index of their round and their arm, in order.
        track: which figure.
    """
    start_ns = min(
        int(times[0])
        for _, _, of in courses
        for times in (of.from_ns, of.read_at_ns)
        if len(times)
    )
    points = list(_points(courses, track, start_ns))
    slices = list(_slices(courses, start_ns))
    x = alt.X("at:Q", title="seconds", scale=alt.Scale(nice=False))
    lines = (
        alt.Chart(_data(points))
        .mark_line(interpolate="linear", strokeWidth=1.5)
        .encode(x=x, y=alt.Y("value:Q", title=None), color=_ARM, strokeDash=_DASH)
        .encode(detail="part:N")
    )
    shades = (
        alt.Chart(_data(slices))
        .mark_rect(opacity=0.16)
        .encode(x="from:Q", x2="until:Q", color=_ARM)
    )
    return _drawn((shades + lines).properties(width=_WIDTH, height=_HEIGHT))


def _seconds_after(start_ns: int, at_ns: Any) -> float:
    return round((float(at_ns) - start_ns) / _NS, 2)


def _points(
    courses: Iterable[tuple[int, Arm, Course]], track: Track, start_ns: int
) -> Iterator[dict[str, Any]]:
    for round_, arm, of in courses:
        at_ns = of.read_at_ns if track.read else (of.from_ns + of.until_ns) / 2
        parts = np.zeros(len(at_ns), int) if track.read else of.slice
        for at, value, part in zip(at_ns, track.values(of), parts, strict=True):
            if np.isfinite(value):
                yield {
                    "at": _seconds_after(start_ns, at),
                    "value": float(f"{value:.4g}"),
                    "arm": str(arm),
                    "part": f"{round_}.{part}",
                }


def _slices(
    courses: Iterable[tuple[int, Arm, Course]], start_ns: int
) -> Iterator[dict[str, Any]]:
    for _, arm, of in courses:
        for each in np.unique(of.slice):
            inside = of.slice == each
            yield {
                "from": _seconds_after(start_ns, of.from_ns[inside].min()),
                "until": _seconds_after(start_ns, of.until_ns[inside].max()),
                "arm": str(arm),
            }


def distributions(latency_ns: Mapping[Arm, NDArray[Any]]) -> str:
    """Which share of an arm's requests took at most so long, the tail drawn out."""
    points = [
        {"ms": float(f"{value / 1e6:.4g}"), "beyond": 1.0 - share, "arm": str(arm)}
        for arm, values in latency_ns.items()
        if len(values)
        for share, value in _shares(values)
    ]
    chart = (
        alt.Chart(_data(points))
        .mark_line(strokeWidth=1.5)
        .encode(
            x=alt.X(
                "beyond:Q",
                title="percentile",
                scale=alt.Scale(type="log", reverse=True, nice=False),
                axis=alt.Axis(
                    values=[1, 0.5, 0.1, 0.05, 0.01, 0.001],
                    labelExpr="format(100 * (1 - datum.value), '.3~r')",
                ),
            ),
            y=alt.Y(
                "ms:Q",
                title="ms",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(tickCount=4),
            ),
            color=_ARM,
            strokeDash=_DASH,
        )
    )
    return _drawn(chart.properties(width=_WIDTH // 2, height=_HEIGHT))


def _shares(values: NDArray[Any]) -> Iterator[tuple[float, float]]:
    """Shares and quantiles, closer to each other in the tail, which 10 are beyond."""
    ordered = np.sort(values)
    last = max(0.5, 1.0 - 10 / len(ordered))
    shares = 1.0 - np.geomspace(1.0, 1.0 - last, _POINTS)
    places = np.maximum(0, np.ceil(shares * len(ordered)).astype(int) - 1)
    yield from zip(shares.tolist(), ordered[places].tolist(), strict=True)


def intervals(estimates: Sequence[Estimate]) -> str:
    """Changes and their 90 % intervals, each as a share of its own budget.

    Args:
        estimates: gated and defined ones, in the order in which they are drawn.
    """
    names = [f"{each.metric}  {printable(each.route)}" for each in estimates]
    rows = [
        {
            "name": name,
            "change": _share(each.change, each),
            "lower": _share(each.lower, each),
            "upper": _share(each.upper, each),
        }
        for name, each in zip(names, estimates, strict=True)
    ]
    extent = min(_MOST_LABEL, _LABEL * max(map(len, names)))
    axis = alt.Axis(labelLimit=_MOST_LABEL, minExtent=extent)
    y = alt.Y("name:N", title=None, sort=names, axis=axis)
    x = alt.X(
        "lower:Q",
        title="none: 0, all of its budget: 1",
        scale=alt.Scale(domain=[-_FARTHEST, _FARTHEST], clamp=True),
    )
    base = alt.Chart(_data(rows))
    bars = base.mark_rule(strokeWidth=3).encode(y=y, x=x, x2="upper:Q")
    dots = base.mark_circle(size=70, opacity=1).encode(y=y, x="change:Q")
    limits = alt.Chart(_data([{"at": 0, "dash": 0}, {"at": 1, "dash": 1}]))
    lines = limits.mark_rule(color="currentColor", opacity=0.6).encode(
        x="at:Q",
        strokeDash=alt.StrokeDash(
            "dash:N",
            scale=alt.Scale(domain=[0, 1], range=[[1, 0], [4, 3]]),
            legend=None,
        ),
    )
    colour = _COLOURS[Arm.CANDIDATE]
    layers = (
        lines
        + bars.encode(color=alt.value(colour))
        + dots.encode(color=alt.value(colour))
    )
    return _drawn(layers.properties(width=_WIDTH - 330, height=alt.Step(20)))


def _share(change: float | None, of: Estimate) -> float | None:
    """Of the budget that a change uses up, on the scale on which it is tested."""
    if change is None or not of.allowed:
        return None
    if not of.relative:
        return change / of.allowed
    return math.log(change) / math.log(of.allowed) if of.allowed != 1 else None


def rounds(estimate: Estimate, sound: Sequence[int]) -> str:
    """The change that each round shows, as dots, beside what it comes to.

    Args:
        estimate: of a gated figure.
        sound: indices of the rounds that count; a figure may be of fewer of them.
    """
    unit, change = _change(estimate)
    whole = len(sound) == len(estimate.per_round)
    numbers = sound if whole else range(1, len(estimate.per_round) + 1)
    points = [
        {"round": at, "change": change(*each)}
        for at, each in zip(numbers, estimate.per_round, strict=True)
    ]
    dots = (
        alt.Chart(_data(points))
        .mark_circle(size=60, color=_COLOURS[Arm.CANDIDATE], opacity=0.9)
        .encode(
            x=alt.X(
                "round:O", title="round" if whole else "", axis=alt.Axis(labelAngle=0)
            ),
            y=alt.Y("change:Q", title=f"change, {unit}"),
        )
    )
    none = (
        alt.Chart(_data([{"change": 0}]))
        .mark_rule(color="currentColor", opacity=0.5)
        .encode(y="change:Q")
    )
    return _drawn((none + dots).properties(width=_WIDTH // 3, height=_HEIGHT))


def _change(of: Estimate) -> tuple[str, Callable[[float, float], float]]:
    """The unit in which the change of a round is drawn, and how it is told."""
    if of.relative:
        return "%", lambda before, after: 100.0 * (after / before - 1.0)
    if of.unit == "ratio":
        return "points", lambda before, after: 100.0 * (after - before)
    return of.unit, lambda before, after: after - before
