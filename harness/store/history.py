"""The history: an SQLite file that remembers trials, for many writers at once.

Its version is `PRAGMA user_version`: how many of `MIGRATIONS` it has been through.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections import Counter
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from harness.errors import InputError, SeatrialError
from harness.model.history import Past, Standing, Trend
from harness.model.verdict import Estimate, Label, Outcome
from harness.store.disk import writing
from harness.store.document import newer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["HISTORY_FILE", "MIGRATIONS", "read_standings", "read_trend", "record"]

HISTORY_FILE: Final = "history.sqlite"
"""What it is called where nobody says otherwise."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE trial (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            scenario TEXT NOT NULL,
            recorded_at TEXT NOT NULL,
            baseline TEXT NOT NULL,
            candidate TEXT NOT NULL,
            baseline_commit TEXT NOT NULL,
            candidate_commit TEXT NOT NULL,
            machine TEXT NOT NULL,
            outcome TEXT NOT NULL,
            fix TEXT NOT NULL,
            rounds INTEGER NOT NULL,
            requests INTEGER NOT NULL,
            directory TEXT NOT NULL,
            UNIQUE (id, directory)
        )""",
        """CREATE TABLE estimate (
            trial INTEGER NOT NULL REFERENCES trial (key),
            metric TEXT NOT NULL,
            route TEXT NOT NULL,
            unit TEXT NOT NULL,
            relative INTEGER NOT NULL,
            baseline REAL,
            candidate REAL,
            change REAL,
            lower REAL,
            upper REAL,
            label TEXT NOT NULL,
            budget TEXT NOT NULL,
            PRIMARY KEY (trial, metric, route)
        ) WITHOUT ROWID""",
        "CREATE INDEX trial_in_order ON trial (scenario, recorded_at, outcome)",
    ),
)
"""What makes each version of the one before it. Only ever added to."""

_OWNER: Final = 0x5EA7_41A1
"""`PRAGMA application_id`: that the file is a history and nothing else."""

_TIMEOUT_S: Final = 10.0
_PRIMARY: Final = 0xFF
_NAMED: Final = 40
_ANOTHER: Final = "name another file with --history"
_ANEW: Final = (
    "move it away, and the next night begins a new one; the trials' own files are whole"
)
_BROKEN: Final = ("is no history, or a broken one", _ANEW)
_UNWRITABLE: Final = ("cannot be written", f"make it writable, or {_ANOTHER}")
_LOCKED: Final = (
    "is locked by another process",
    f"try again when that has ended, or {_ANOTHER}",
)
_FAULTS: Final[Mapping[int, tuple[str, str]]] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        f"it must be a file, in a folder that can be written; or {_ANOTHER}",
    ),
    sqlite3.SQLITE_FULL: ("cannot be written", f"make room, or {_ANOTHER}"),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written",
        f"look after the disk, or {_ANOTHER}",
    ),
}
"""By SQLite's primary code: what is wrong with the file, and the remedy."""


def record(path: Path, pasts: Iterable[Past], *, timeout_s: float = _TIMEOUT_S) -> None:
    """Remember trials, all of them or none; one that is remembered stays as it is.

    Args:
        path: the history; it is made if it is not there.
        pasts: the trials.
        timeout_s: how long other writers are waited for.

    Raises:
        SeatrialError: it cannot be written, or is no history that is known here.
    """
    with _writable(path, timeout_s) as connection:
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
    with _readable(path) as connection:
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
    with _readable(path) as connection:
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


@contextmanager
def _readable(path: Path) -> Iterator[sqlite3.Connection]:
    """The history as of one moment; an older one is brought up to date first."""
    if not os.path.exists(path):  # noqa: PTH110 - never raises
        raise InputError(
            f"{path}: there is no history",
            hint="`seatrial nightly` writes one; --history names another file",
        )
    with _connected(path, "mode=ro&immutable=1" if _sealed(path) else "mode=rw") as one:
        if _version(one, path) == len(MIGRATIONS):
            one.execute("BEGIN")
            yield one
            return
    with _writable(path, _TIMEOUT_S) as migrated:
        yield migrated


def _sealed(path: Path) -> bool:
    """Nobody writes it, and no lock can be put beside it."""
    log = path.with_name(f"{path.name}-wal")
    return not (os.access(path.parent, os.W_OK) or os.path.exists(log))  # noqa: PTH110 - never raises


@contextmanager
def _writable(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _connected(path, "mode=rwc", timeout_s) as connection:
        if _version(connection, path) < len(MIGRATIONS):
            _migrate(connection, path)
        _log_ahead(connection)
        yield connection


@contextmanager
def _connected(
    path: Path, mode: str, timeout_s: float = _TIMEOUT_S
) -> Iterator[sqlite3.Connection]:
    """What goes wrong inside with the file is said as one clear error.

    Transactions are begun by hand; one that is not committed has not been.
    """
    address = f"file:{quote(os.fsencode(path.absolute()))}?{mode}"
    try:
        with closing(
            sqlite3.connect(address, uri=True, timeout=timeout_s, isolation_level=None)
        ) as connection:
            connection.row_factory = sqlite3.Row
            yield connection
    except (sqlite3.Error, ValueError, TypeError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        what, remedy = _FAULTS.get(code, _BROKEN)
        raise SeatrialError(f"{path}: {what}: {error}", hint=remedy) from error


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """How many migrations it has been through, as of one moment.

    Raises:
        SeatrialError: it is of something else, or of a newer Seatrial.
    """
    version, owner, holds = connection.execute(
        "SELECT (SELECT user_version FROM pragma_user_version),"
        " (SELECT application_id FROM pragma_application_id),"
        " (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if owner != _OWNER and (version or holds):
        raise SeatrialError(f"{path}: is a database of something else", hint=_ANOTHER)
    newest = len(MIGRATIONS)
    if version > newest:
        raise SeatrialError(
            newer(path, version, newest), hint=f"update Seatrial, or {_ANOTHER}"
        )
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Through what is missing, unless another process has just done it."""
    connection.execute("BEGIN IMMEDIATE")
    for statements in MIGRATIONS[_version(connection, path) :]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_OWNER}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Readers and a writer at once; where others are at it now, the next one does."""
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")
