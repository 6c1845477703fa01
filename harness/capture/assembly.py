"""Ordered rows → the rows of a recording: moments inside the tick, sessions, origin."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from harness.capture.clock import spread
from harness.capture.order import CREDENTIALS
from harness.errors import RecordingError
from harness.store.recording import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.capture.sessions import Sessions
    from harness.capture.tally import Tally

__all__ = ["Assembly"]

GROUP_ROWS: Final = 16_384
_GROUP_BYTES: Final = 16 << 20
_COARSE_NS: Final = 1_000_000_000


class Assembly:
    """Finishes the rows of one import.

    Args:
        clock_ns: asked once all is read: the capture's resolution; from one second on,
            starts are spread.
        shared_clients: whether a client may stand for several users.
        sessions: gives each row its session.
        tally: takes the count of rows whose session was not drawn.

    Attributes:
        origin_ns: the first start since the Unix epoch, once there are rows.
    """

    __slots__ = ("_clock_ns", "_sessions", "_shared_clients", "_tally", "origin_ns")

    def __init__(
        self,
        *,
        clock_ns: Callable[[], int],
        shared_clients: bool,
        sessions: Sessions,
        tally: Tally,
    ) -> None:
        self.origin_ns: int | None = None
        self._clock_ns = clock_ns
        self._shared_clients = shared_clients
        self._sessions = sessions
        self._tally = tally

    @property
    def started_at(self) -> str:
        """The first start, ISO 8601 in UTC."""
        moment = datetime.fromtimestamp((self.origin_ns or 0) / 1e9, tz=UTC)
        return moment.isoformat(timespec="milliseconds")

    def rows(self, ordered: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Tables of `SCHEMA`, starts since the first, from those of `order.ordered`.

        Raises:
            RecordingError: there is no row.
        """
        for table in _whole_ticks(self._ticking(_gathered(ordered))):
            starts_ns = table["start_ns"].to_numpy()
            if self._clock_ns() >= _COARSE_NS:
                starts_ns = spread(starts_ns, self._clock_ns())
            names = self._named(table, starts_ns.tolist())
            rows = np.flatnonzero(list(map(bool, names)))
            self._tally.filter("session not drawn", len(names) - len(rows))
            if not len(rows):
                continue
            starts_ns = starts_ns[rows]
            if self.origin_ns is None:
                self.origin_ns = int(starts_ns[0])
            yield _replaced(
                table.select(SCHEMA.names).take(pa.array(rows)),
                start_ns=pa.array(starts_ns - self.origin_ns),
                session=pa.array(names, pa.string()).take(pa.array(rows)),
            )
        if self.origin_ns is None:
            raise RecordingError("no session was drawn", hint="raise --sample")

    def _ticking(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """On a coarse clock each start where its tick begins.

        Beside a capture with such a clock a finer one counts no more than its order.
        """
        for table in tables:
            clock_ns = self._clock_ns()
            if clock_ns < _COARSE_NS:
                yield table
                continue
            starts_ns = table["start_ns"].to_numpy() // clock_ns * clock_ns
            yield _replaced(table, start_ns=pa.array(starts_ns))

    def _named(self, table: pa.Table, starts_ns: list[int]) -> list[str]:
        clients = _texts(table["client"])
        if not self._shared_clients:
            alone = zip(clients, repeat(""), strict=False)
            return list(map(self._sessions.session, alone, starts_ns))
        agents = table["agent"].to_numpy().tolist()
        credentials, given = (_texts(table[name]) for name in CREDENTIALS)
        visitors = zip(clients, agents, strict=True)
        of = self._sessions.session
        return list(map(of, visitors, starts_ns, credentials, given))


def _texts(column: pa.ChunkedArray) -> list[str]:
    """The same as `to_pylist`, which would make each text once a row."""
    encoded = column.combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    return list(map(texts.__getitem__, encoded.indices.to_numpy().tolist()))


def _replaced(table: pa.Table, **columns: pa.Array) -> pa.Table:
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _gathered(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables large enough for a row group, and not much larger."""
    held: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        held.append(table)
        rows += len(table)
        size += table.nbytes
        if rows >= GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.concat_tables(held).combine_chunks()
            held, rows, size = [], 0, 0
    if held:
        yield pa.concat_tables(held).combine_chunks()


def _whole_ticks(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, cut so that no start is in two tables."""
    held: pa.Table | None = None
    for table in tables:
        rows = table if held is None else pa.concat_tables([held, table])
        starts = rows["start_ns"].to_numpy()
        cut = int(np.searchsorted(starts, starts[-1]))
        if cut:
            yield rows.slice(0, cut)
        held = rows.slice(cut)
    if held is not None:
        yield held
