"""A history in a terminal, and as a document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from harness.compare.figure import change, figure, interval
from harness.model.quantity import cut
from harness.model.verdict import Outcome
from harness.report.column import aligned
from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model.history import Past, Standing, Trend

__all__ = [
    "HISTORY_VERSION",
    "sparkline",
    "standings_json",
    "standings_text",
    "trend_json",
    "trend_text",
]

HISTORY_VERSION: Final = 1
"""Of the documents."""

_STANDINGS: Final = ("scenario", "last verdict", "last date", "trials", *Outcome)
_TREND: Final = (
    "date",
    "candidate build",
    "verdict",
    "baseline",
    "candidate",
    "change",
    "90% interval",
)
_SHORT: Final = 10
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_MIDDLE: Final = 3


def standings_text(standings: Sequence[Standing]) -> str:
    """A line a scenario: how it stands, and how it has come out so far."""
    rows = (
        (
            cut(each.scenario),
            each.outcome,
            _date(each.recorded_at),
            str(each.trials),
            *(str(each.counts.get(outcome, 0)) for outcome in Outcome),
        )
        for each in standings
    )
    return aligned([_STANDINGS, *rows])


def standings_json(standings: Sequence[Standing]) -> str:
    """The same for programs."""
    scenarios = [
        {
            "scenario": each.scenario,
            "outcome": each.outcome,
            "recorded_at": each.recorded_at,
            "trials": each.trials,
            "counts": {outcome: each.counts.get(outcome, 0) for outcome in Outcome},
        }
        for each in standings
    ]
    return _document(scenarios=scenarios)


def trend_text(trend: Trend) -> str:
    """A row a trial, oldest first, and the candidate's values as a line below."""
    title = f"{trend.scenario}: {trend.metric} of {trend.route}, UTC"
    table = aligned([_TREND, *(_row(point) for point in trend.points)])
    return f"{printable(title)}\n{table}{''.join(_drawn(trend))}"


def _row(point: Past) -> tuple[str, ...]:
    return (
        _date(point.recorded_at),
        point.candidate_commit[:_SHORT] or cut(point.candidate),
        point.outcome,
        *_figures(point),
    )


def _figures(point: Past) -> tuple[str, ...]:
    for each in point.estimates:
        return (
            figure(each.baseline, each.unit),
            figure(each.candidate, each.unit),
            change(each),
            interval(each),
        )
    return ("-",) * 4


def _drawn(trend: Trend) -> Iterator[str]:
    values = [_candidate(point) for point in trend.points]
    known = [value for value in values if value is not None]
    units = {each.unit for point in trend.points for each in point.estimates}
    if known and len(units) == 1:
        low, high = (figure(value, *units) for value in (min(known), max(known)))
        yield f"candidate  {sparkline(values)}  {low} to {high}\n"


def _candidate(point: Past) -> float | None:
    return next((each.candidate for each in point.estimates), None)


def sparkline(values: Sequence[float | None]) -> str:
    """A block a value, from the least to the most of them; a blank for none."""
    known = [value for value in values if value is not None]
    return "".join(
        " " if value is None else _block(value, min(known), max(known))
        for value in values
    )


def _block(value: float, low: float, high: float) -> str:
    """Halved, as the span of two large values would be none."""
    span = high / 2 - low / 2
    place = (value / 2 - low / 2) / span if span else None
    return _LEVELS[_MIDDLE if place is None else round(place * (len(_LEVELS) - 1))]


def trend_json(trend: Trend) -> str:
    """The same for programs."""
    return _document(
        scenario=trend.scenario,
        metric=trend.metric,
        route=trend.route,
        trials=[_trial(point) for point in trend.points],
    )


_OF_TRIAL: Final = (
    *("id", "recorded_at", "baseline", "candidate", "baseline_commit"),
    *("candidate_commit", "machine", "outcome", "fix", "rounds", "requests"),
    "directory",
)
_OF_FIGURE: Final = (
    *("unit", "relative", "baseline", "candidate", "change", "lower", "upper"),
    *("label", "budget"),
)


def _trial(point: Past) -> Mapping[str, Any]:
    figures = (
        {name: getattr(each, name) for name in _OF_FIGURE} for each in point.estimates
    )
    return {
        **{name: getattr(point, name) for name in _OF_TRIAL},
        "figure": next(figures, None),
    }


def _document(**content: Any) -> str:
    return json.dumps({"schema_version": HISTORY_VERSION, **content}, indent=2) + "\n"


def _date(recorded_at: str) -> str:
    """To the minute."""
    return recorded_at[:16].replace("T", " ")
