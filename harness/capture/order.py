"""Any number of exchanges in the order of their start, in bounded memory.

An external merge sort: exchanges are sorted a run at a time and spilled, then the runs
are merged, a limited number at once. What is spilled is already redacted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from harness.capture.credential import credential_given, credential_of
from harness.store.recording import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.model.traffic import Exchange, Request

__all__ = ["TELLING", "Sizes", "ordered"]

Key = tuple[int, int]

TELLING: Final = ("agent", "credential", "given")
"""Columns that tell users of one client apart: the user agent, the credential that was
sent, and the one that the answer gave."""

_SIDES: Final = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What bounds the memory of a sort.

    Attributes:
        run_rows: rows sorted at once.
        run_body_bytes: bodies of both ways sorted at once, roughly.
        batch_rows: rows of each run in memory while runs are merged.
        batch_bytes: the same in bytes, on average of a run.
        fan_in: runs merged at once; more are merged on several levels.
    """

    run_rows: int = 16_384
    run_body_bytes: int = 32 << 20
    batch_rows: int = 1_024
    batch_bytes: int = 1 << 20
    fan_in: int = 64


_SIZES: Final = Sizes()


def ordered(
    exchanges: Iterable[Exchange], directory: Path, sizes: Sizes = _SIZES
) -> Iterator[pa.Table]:
    """The exchanges ordered by start, those of one moment as they came.

    Args:
        exchanges: in any order.
        directory: takes the spilled runs; empty again at the end.
        sizes: bounds of memory.

    Yields:
        Tables with the columns of a recording, those of `TELLING`, and `place`, the
        place in the capture.
    """
    runs = [
        _spilled(iter((run,)), directory / f"run-{number}", sizes)
        for number, run in enumerate(_runs(exchanges, sizes))
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


def _runs(exchanges: Iterable[Exchange], sizes: Sizes) -> Iterator[pa.Table]:
    """Sorted tables of limited size."""
    pending: list[Exchange] = []
    body_bytes = place = 0
    for exchange in exchanges:
        pending.append(exchange)
        body_bytes += len(exchange.request.body)
        if exchange.response and exchange.response.body:
            body_bytes += len(exchange.response.body)
        if len(pending) == sizes.run_rows or body_bytes > sizes.run_body_bytes:
            yield _sorted_run(pending, place)
            place += len(pending)
            pending, body_bytes = [], 0
    if pending:
        yield _sorted_run(pending, place)


def _sorted_run(exchanges: Sequence[Exchange], place: int) -> pa.Table:
    places = pa.array(range(place, place + len(exchanges)), pa.int64())
    told = zip(*map(_telling, exchanges), strict=True)
    table = table_of(exchanges).append_column("place", places)
    for name, values in zip(TELLING, told, strict=True):
        table = table.append_column(name, pa.array(values, pa.string()))
    return _by_start(table)


def _telling(exchange: Exchange) -> tuple[str, str, str]:
    return *_of_request(exchange.request), credential_given(exchange.response)


@lru_cache(maxsize=8192)
def _of_request(request: Request) -> tuple[str, str]:
    return dict(request.headers).get("user-agent", ""), credential_of(request)


def _by_start(table: pa.Table) -> pa.Table:
    keys = (_numbers(table, "place"), _numbers(table, "start_ns"))
    return table.take(pa.array(np.lexsort(keys)))


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
        batches = [cursor.taken(bound) for cursor in cursors]
        yield _by_start(pa.Table.from_batches(batches).combine_chunks())
        cursors = [cursor for cursor in cursors if cursor.live]
    for run in runs:
        run.unlink()
