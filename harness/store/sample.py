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

from harness.model.result import SAMPLE_FIELDS, USAGE_FIELDS
from harness.store.disk import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["RECORD", "read_columns", "read_spool", "write_columns", "write_usage"]

_CODES = {"u1": "B", "u2": "H", "u4": "I", "u8": "Q", "i8": "q"}
RECORD = struct.Struct("<" + "".join(_CODES[kind] for kind in SAMPLE_FIELDS.values()))
"""One record of the spool, little-endian, without padding."""

_DTYPE = np.dtype([(name, f"<{kind}") for name, kind in SAMPLE_FIELDS.items()])


def read_spool(path: Path) -> NDArray[Any]:
    """The spool's records; a last one that was cut short is left out."""
    count = path.stat().st_size // RECORD.size
    return np.fromfile(path, _DTYPE, count)


def write_columns(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Store columns as one Parquet file."""
    table = pa.table(
        {name: np.ascontiguousarray(column) for name, column in columns.items()}
    )
    with writing(path):
        pq.write_table(table, path, compression="zstd")


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """The columns of a file that `write_columns` made.

    Raises:
        ComparisonError: the file is missing or broken.
    """
    with reading(path):
        table = pq.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}


def write_usage(path: Path, readings: Iterable[Mapping[str, int]]) -> None:
    """Store usage readings in the order they were taken."""
    rows = list(readings)
    write_columns(
        path,
        {
            name: np.array([row[name] for row in rows], kind)
            for name, kind in USAGE_FIELDS.items()
        },
    )
