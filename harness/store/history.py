"""The history: an SQLite file that remembers trials, for many writers at once."""

from __future__ import annotations

import math
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from harness.errors import InputError
from harness.model.history import Past, Standing, Trend
from harness.model.verdict import Estimate, Label, Outcome
from harness.store.historyfile import TIMEOUT_S, readable, writable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["HISTORY_FILE", "read_standings", "read_trend", "record"]

HISTORY_FILE: Final = "history.sqlite"
"""What it is called where nobody says otherwise."""

_NAMED: Final = 40


def record(path: Path, pasts: Iterable[Past], *, timeout_s: float = TIMEOUT_S) -> None:
    """Remember trials, all of them or none; one that is remembered stays as it is.

    Args:
        path: the history; it is made if it is not there.
        pasts: the trials.
        timeout_s: how long other writers are waited for.

    Raises:
        SeatrialError: it cannot be written, or is no history that is known here.
    """
    with writable(path, timeout_s) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for past in pasts:
            _insert(connection, past)
        connection.execute("COMMIT")


def read_standings(path: Path) -> tuple[Standing, ...]:
    """Where each scenario stands, in order of name.

    Raises:
        InputError: there is no such file.
        SeatrialError: it cannot be read.
    """
    with readable(path) as connection:
        rows = connection.execute(
            "SELECT scenario, recorded_at, outcome FROM trial"
            " ORDER BY scenario, recorded_at, key"
        )
        return tuple(
            _standing(scenario, list(trials))
            for scenario, trials in groupby(rows, key=lambda row: row["scenario"])
        )


def _standing(scenario: str, trials: list[sqlite3.Row]) -> Standing:
    return Standing(
        scenario=scenario,
        outcome=Outcome(trials[-1]["outcome"]),
        recorded_at=trials[-1]["recorded_at"],
        counts=Counter(Outcome(row["outcome"]) for row in trials),
    )


def read_trend(
    path: Path, scenario: str, *, metric: str, route: str, last: int
) -> Trend:
    """One figure of a scenario's last trials.

    Args:
        path: the history.
        scenario: its name.
        metric: of the figure.
        route: likewise.
        last: at most so many trials.

    Raises:
        InputError: there is no such file, scenario or figure; it names what there is.
        SeatrialError: it cannot be read.
    """
    with readable(path) as connection:
        rows = connection.execute(
            "SELECT * FROM trial WHERE scenario = ?"
            " ORDER BY recorded_at DESC, key DESC LIMIT ?",
            (_clean(scenario), last),
        ).fetchall()
        points = tuple(
            Past(
                **_values(row, _TRIAL),
                estimates=_figure(connection, row["key"], metric, route),
            )
            for row in reversed(rows)
        )
        if not any(point.estimates for point in points):
            _refuse_unknown(connection, path, scenario, metric, route)
    return Trend(scenario=scenario, metric=metric, route=route, points=points)


def _figure(
    connection: sqlite3.Connection, trial: int, metric: str, route: str
) -> tuple[Estimate, ...]:
    rows = connection.execute(
        "SELECT * FROM estimate WHERE trial = ? AND metric = ? AND route = ?",
        (trial, _clean(metric), _clean(route)),
    )
    return tuple(_estimate(row) for row in rows)


def _estimate(row: sqlite3.Row) -> Estimate:
    undefined = "" if row["change"] is not None else "it was undefined"
    return Estimate(**_values(row, _ESTIMATE), undefined=undefined)


def _refuse_unknown(
    connection: sqlite3.Connection, path: Path, scenario: str, metric: str, route: str
) -> None:
    """Name what there is, unless the figure is only older than what was asked for."""
    where = f"{path}: SCENARIO"
    _known(connection, where, scenario, "SELECT DISTINCT scenario FROM trial", ())
    figures = (
        "FROM trial JOIN estimate ON estimate.trial = trial.key WHERE scenario = ?"
    )
    _known(
        connection,
        f"--metric of {scenario}",
        metric,
        f"SELECT DISTINCT metric {figures}",
        (_clean(scenario),),
    )
    _known(
        connection,
        f"--route of {metric} of {scenario}",
        route,
        f"SELECT DISTINCT route {figures} AND metric = ?",
        (_clean(scenario), _clean(metric)),
    )


def _known(
    connection: sqlite3.Connection,
    what: str,
    asked: str,
    query: str,
    given: tuple[str, ...],
) -> None:
    known = sorted(name for (name,) in connection.execute(query, given))
    if _clean(asked) not in known:
        raise InputError(f"{what}: {asked!r} is not there", hint=_named(known))


def _named(names: list[str]) -> str:
    """So many of them as somebody may read; routes come from captured traffic."""
    shown = [name if name.isprintable() else repr(name) for name in names[:_NAMED]]
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return f"there is: {', '.join([*shown, *more]) or 'nothing yet'}"


def _insert(connection: sqlite3.Connection, past: Past) -> None:
    values = [_clean(getattr(past, name)) for name in _TRIAL]
    made = connection.execute(_INSERT_TRIAL, values)
    if made.rowcount:
        connection.executemany(
            _INSERT_ESTIMATE,
            (
                (made.lastrowid, *(_clean(getattr(each, name)) for name in _ESTIMATE))
                for each in past.estimates
            ),
        )


def _clean(value: Any) -> Any:
    """What SQLite takes: of a text that is not UTF-8, such as a path's, what is."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _number(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return value


_TRIAL: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("id", "scenario", "recorded_at", "baseline", "candidate"), str),
    **dict.fromkeys(("baseline_commit", "candidate_commit", "machine"), str),
    "outcome": Outcome,
    "fix": str,
    **dict.fromkeys(("rounds", "requests"), int),
    "directory": str,
}
"""Columns of a trial, which are the attributes of a `Past`, and how each is read."""

_ESTIMATE: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("metric", "route", "unit"), str),
    "relative": bool,
    **dict.fromkeys(("baseline", "candidate", "change", "lower", "upper"), _number),
    "label": Label,
    "budget": str,
}
"""Columns of an estimate, likewise of an `Estimate`."""


def _insertion(table: str, *columns: str) -> str:
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608 - of the tables above


_INSERT_TRIAL: Final = f"{_insertion('trial', *_TRIAL)} ON CONFLICT DO NOTHING"
_INSERT_ESTIMATE: Final = _insertion("estimate", "trial", *_ESTIMATE)


def _values(
    row: sqlite3.Row, columns: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    return {name: read(row[name]) for name, read in columns.items()}
