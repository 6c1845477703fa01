"""Any number of exchanges in the order of their start, in bounded memory.

An external merge sort: exchanges are sorted a batch at a time and spilled, then these
runs are merged, a limited number at once. What is spilled is already redacted. What is
in order already, as most of a log is, is passed on as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.capture.credential import (
    TOKEN,
    credential_given,
    credential_of,
    credential_said,
    is_renewal,
    token_given,
)
from harness.store.coded import constant
from harness.store.row import table_of_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.capture.batch import Batch
    from harness.model.traffic import Request
    from harness.store.coded import Coded

__all__ = ["CREDENTIALS", "Sizes", "ordered"]

Key = tuple[int, int]

CREDENTIALS: Final = ("credential", "given")
"""Columns that tell users of one client apart: the credential that was sent, or the
session as the capture knows it; and the credential that the answer gave."""

_SIDES: Final = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What bounds the memory of a sort.

    Attributes:
        batch_rows: rows of each run in memory while runs are merged.
        batch_bytes: the same in bytes, on average of a run.
        fan_in: runs merged at once; more are merged on several levels.
    """

    batch_rows: int = 4_096
    batch_bytes: int = 1 << 19
    fan_in: int = 64


_SIZES: Final = Sizes()


def ordered(
    batches: Iterable[Batch], directory: Path, sizes: Sizes = _SIZES
) -> Iterator[pa.Table]:
    """The exchanges ordered by start, those of one moment as they came.

    Args:
        batches: of exchanges in any order; each is sorted at once.
        directory: takes the spilled runs; empty again at the end.
        sizes: bounds of memory.

    Yields:
        Tables with the columns of a recording and four more: `place`, the place in the
        capture, `agent`, a number for the user agent, and those of `CREDENTIALS`.
    """
    runs = [
        _spilled(iter((run,)), directory / f"run-{number}", sizes)
        for number, run in enumerate(_runs(batches))
    ]
    level = 0
    while len(runs) > sizes.fan_in:
        level += 1
        groups = [
            runs[at : at + sizes.fan_in] for at in range(0, len(runs), sizes.fan_in)
        ]
        runs = [
            _spilled(_merged(group), directory / f"level-{level}-{number}", sizes)
            for number, group in enumerate(groups)
        ]
    yield from _merged(runs)


def _runs(batches: Iterable[Batch]) -> Iterator[pa.Table]:
    """A sorted table of each."""
    first = 0
    for batch in batches:
        places = np.argsort(batch.starts_ns, kind="stable")
        rows = batch.taken(places)
        table = table_of_columns(
            starts_ns=rows.starts_ns,
            sessions=constant("", len(places)),
            clients=rows.clients,
            requests=rows.requests,
            responses=rows.responses,
        )
        agents = rows.requests.of_each(_agent)
        agents_by_row = np.array(agents.values, np.int64)[agents.places]
        table = table.append_column("place", pa.array(first + places))
        table = table.append_column("agent", pa.array(agents_by_row))
        said = _texts(rows.sessions.of_each(credential_said))
        sent = pc.coalesce(said, _texts(rows.requests.of_each(credential_of)))
        table = table.append_column(CREDENTIALS[0], sent)
        yield table.append_column(CREDENTIALS[1], _given(rows, sent))
        first += len(batch)


def _given(rows: Batch, sent: pa.Array) -> pa.Array:
    """Session cookies; and a token, for whoever sent one and asked to renew it."""
    cookies = _texts(rows.responses.of_each(credential_given))
    asks = rows.requests.of_each(is_renewal)
    renews = pc.and_(
        pa.array(np.array(asks.values, np.bool_)[asks.places]),
        pc.and_(pc.starts_with(sent, TOKEN), pc.equal(cookies, "")),
    )
    return pc.if_else(renews, _texts(rows.responses.of_each(token_given)), cookies)


def _texts(column: Coded[str] | Coded[str | None]) -> pa.Array:
    return pa.array(column.values, pa.string()).take(pa.array(column.places))


def _agent(request: Request) -> int:
    """A number for the user agent; two have the same less than once in 2**60."""
    agent = dict(request.headers).get("user-agent", "")
    return int.from_bytes(blake2b(agent.encode(), digest_size=7).digest())


def _by_start(table: pa.Table) -> pa.Table:
    starts, places = (_numbers(table, name) for name in ("start_ns", "place"))
    later = np.diff(starts)
    if np.all((later > 0) | ((later == 0) & (np.diff(places) > 0))):
        return table
    return table.take(pa.array(np.lexsort((places, starts))))


def _numbers(table: pa.Table | pa.RecordBatch, name: str) -> NDArray[np.int64]:
    numbers: NDArray[np.int64] = table[name].to_numpy(zero_copy_only=False)
    return numbers


def _spilled(tables: Iterator[pa.Table], path: Path, sizes: Sizes) -> Path:
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    first = next(tables)
    with pa.ipc.new_file(path, first.schema, options=options) as writer:
        for table in chain((first,), tables):
            fitting = sizes.batch_bytes * len(table) // max(1, table.nbytes)
            rows = max(1, min(sizes.batch_rows, fitting))
            writer.write_table(table, max_chunksize=rows)
    return path


class _Cursor:
    """A sorted run, of which one batch is in memory."""

    __slots__ = ("_batch", "_batches", "_file", "_next", "live")

    def __init__(self, path: Path) -> None:
        self.live = True
        self._file = pa.OSFile(str(path))
        self._batches = pa.ipc.open_file(self._file)
        self._batch = self._batches.get_batch(0)
        self._next = 1

    def _advance(self) -> None:
        self.live = self._next < self._batches.num_record_batches
        if self.live:
            self._batch = self._batches.get_batch(self._next)
            self._next += 1
        else:
            self._file.close()

    @property
    def last(self) -> Key:
        """The key of the last row in memory."""
        return self._batch["start_ns"][-1].as_py(), self._batch["place"][-1].as_py()

    def taken(self, bound: Key) -> pa.RecordBatch:
        """The rows up to `bound`, no longer held."""
        starts, places = (_numbers(self._batch, name) for name in ("start_ns", "place"))
        low, high = (np.searchsorted(starts, bound[0], side) for side in _SIDES)
        count = low + np.searchsorted(places[low:high], bound[1], "right")
        rows = self._batch.slice(0, count)
        if count == len(starts):
            self._advance()
        else:
            self._batch = self._batch.slice(count)
        return rows


def _merged(runs: Sequence[Path]) -> Iterator[pa.Table]:
    """Whatever no later batch of any run can precede, step by step."""
    cursors = [_Cursor(run) for run in runs]
    while cursors:
        bound = min(cursor.last for cursor in cursors)
        taken = [cursor.taken(bound) for cursor in cursors]
        rows = pa.Table.from_batches([each for each in taken if len(each)])
        yield _by_start(rows.combine_chunks())
        cursors = [cursor for cursor in cursors if cursor.live]
    for run in runs:
        run.unlink()
