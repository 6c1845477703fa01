"""Samples on disk: a spool of fixed-width records, then Parquet.

The worker appends to the spool, since its first Parquet write would stall it for half a
second; the Parquet is written once the arm is at rest.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.model.result import CAUSES, SAMPLE_FIELDS, USAGE_FIELDS
from harness.store.disk import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "RECORD",
    "read_columns",
    "read_samples",
    "read_spool",
    "read_usage",
    "set_back",
    "write_columns",
    "write_usage",
]

_CODES = {"u1": "B", "u2": "H", "u4": "I", "u8": "Q", "i8": "q"}
RECORD = struct.Struct("<" + "".join(_CODES[kind] for kind in SAMPLE_FIELDS.values()))
"""One record of the spool, little-endian, without padding."""

_DTYPE = np.dtype([(name, f"<{kind}") for name, kind in SAMPLE_FIELDS.items()])
_TIMES = tuple(name for name in SAMPLE_FIELDS if name.endswith("_ns"))
_ALWAYS = ("at_ns", "working_set_bytes", "anonymous_bytes", "cpu_ns")
"""Columns of usage that trials have always had."""
_NOT_SENT = CAUSES.index("not sent")


def read_spool(path: Path) -> NDArray[Any]:
    """The spool's records; a last one that was cut short is left out."""
    count = path.stat().st_size // RECORD.size
    return np.fromfile(path, _DTYPE, count)


def set_back(path: Path, by_ns: int) -> None:
    """Put a spool's times on a clock that is so far behind the one they are of."""
    records = read_spool(path)
    for name in _TIMES:
        records[name] -= by_ns
    records.tofile(path)


def write_columns(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Store columns as one Parquet file."""
    table = pa.table(
        {name: np.ascontiguousarray(column) for name, column in columns.items()}
    )
    with writing(path):
        pq.write_table(table, path, compression="zstd")


def read_columns(
    path: Path, fields: Mapping[str, str] = SAMPLE_FIELDS
) -> dict[str, NDArray[Any]]:
    """The columns of a file that `write_columns` made.

    Args:
        path: the file.
        fields: their names and numpy types, as they were written.

    Raises:
        ComparisonError: the file is missing or broken, or has not all of them.
    """
    with reading(path):
        table = pq.read_table(path)
        return {name: _column(table, name, kind) for name, kind in fields.items()}


def _column(table: pa.Table, name: str, kind: str) -> NDArray[Any]:
    if name not in table.column_names:
        raise ValueError(f"it has no column {name}")
    column = table[name]
    if column.type != pa.from_numpy_dtype(kind) or column.null_count:
        raise ValueError(f"column {name} is not as it was written")
    values: NDArray[Any] = column.to_numpy()
    return values


def read_samples(
    path: Path, *, shots: int, slices: int, settled: int
) -> dict[str, NDArray[Any]]:
    """The samples of an arm's round.

    Args:
        path: the file.
        shots: how many are numbered.
        slices: how many were played after the warm-up.
        settled: how many requests were answered or failed, by the books.

    Raises:
        ComparisonError: the file is missing or broken, or tells of what cannot be.
    """
    samples = read_columns(path)
    with reading(path):
        _refuse(_impossible_samples(samples, shots, slices), "sample")
        sent = int(np.count_nonzero(samples["sent_ns"]))
        if sent != settled:
            raise ValueError(f"it holds {sent:,} requests, the books {settled:,}")
    return samples


def read_usage(path: Path) -> dict[str, NDArray[Any]]:
    """Usage readings in the order they were taken; raises what `read_samples` does.

    What an older trial did not look at is -1: not measured.
    """
    with reading(path):
        stored = pq.read_schema(path).names
    fields = {name: kind for name, kind in USAGE_FIELDS.items() if name in stored}
    usage = read_columns(path, {**dict.fromkeys(_ALWAYS, "i8"), **fields})
    for name in USAGE_FIELDS.keys() - fields.keys():
        usage[name] = np.full(len(usage["at_ns"]), -1, "i8")
    with reading(path):
        before_ns = np.concatenate([[1], usage["at_ns"][:-1]])[: len(usage["at_ns"])]
        backwards = usage["at_ns"] < before_ns
        _refuse([("is before the one before it", backwards)], "reading")
    return usage


def _refuse(impossible: Iterable[tuple[str, NDArray[np.bool_]]], named: str) -> None:
    for what, rows in impossible:
        if rows.any():
            raise ValueError(f"{named} {int(np.argmax(rows))} {what}")


def _impossible_samples(
    samples: Mapping[str, NDArray[Any]], shots: int, slices: int
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """What no worker can have seen, and where it stands; a clock does not go back."""
    sent = samples["sent_ns"] != 0
    yield "is of a shot that there is not", samples["shot"] >= shots
    yield "is of a slice that was not played", samples["slice"] > slices
    yield "has a cause that nobody knows", samples["cause"] >= len(CAUSES)
    yield "has no times", ~sent & (samples["cause"] != _NOT_SENT)
    yield "was sent before it was due", sent & (samples["sent_ns"] < samples["due_ns"])
    yield "ended before it was sent", sent & (samples["done_ns"] < samples["sent_ns"])


def write_usage(path: Path, readings: Iterable[Mapping[str, int]]) -> None:
    """Store usage readings in the order they were taken; what one lacks is -1."""
    rows = list(readings)
    write_columns(
        path,
        {
            name: np.array([row.get(name, -1) for row in rows], kind)
            for name, kind in USAGE_FIELDS.items()
        },
    )
