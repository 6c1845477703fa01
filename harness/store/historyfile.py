"""The history's file: opened, brought up to date, and what can go wrong with it.

Its version is `PRAGMA user_version`: how many of `MIGRATIONS` it has been through.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from harness.errors import InputError, SeatrialError
from harness.store.disk import writing
from harness.store.document import newer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["MIGRATIONS", "TIMEOUT_S", "readable", "writable"]

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

TIMEOUT_S: Final = 10.0
"""How long other writers are waited for."""

_PRIMARY: Final = 0xFF
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


@contextmanager
def readable(path: Path) -> Iterator[sqlite3.Connection]:
    """The history as of one moment; an older one is brought up to date first.

    Raises:
        InputError: there is no such file.
        SeatrialError: it cannot be read, or holds what no history does.
    """
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
    with writable(path, TIMEOUT_S) as migrated:
        yield migrated


def _sealed(path: Path) -> bool:
    """Nobody writes it, and no lock can be put beside it."""
    logged = os.path.exists(f"{path}-wal")  # noqa: PTH110 - likewise
    return not (logged or os.access(path.parent, os.W_OK))


@contextmanager
def writable(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """The history, made if it is not there; transactions are the caller's.

    Args:
        path: of its file.
        timeout_s: how long other writers are waited for.

    Raises:
        SeatrialError: it cannot be written, or is no history that is known here.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _connected(path, "mode=rwc", timeout_s) as connection:
        if _version(connection, path) < len(MIGRATIONS):
            _migrate(connection, path)
        _log_ahead(connection)
        yield connection


@contextmanager
def _connected(
    path: Path, mode: str, timeout_s: float = TIMEOUT_S
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
