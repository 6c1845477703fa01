"""The times of a recording without its contents, and the contents of chosen rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from harness.model.traffic import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from harness.model.traffic import Recording

__all__ = ["Timeline", "read_requests", "read_timeline"]

_CONTENT = ["method", "target", "headers", "body", "status"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """Columns, a row an exchange, ordered by start.

    Attributes:
        start_ns: since the recording's first request.
        duration_ns: of the answer, 0 where the capture does not tell.
        session: number of the session, counted from 0 in order of their first request.
    """

    start_ns: NDArray[np.int64]
    duration_ns: NDArray[np.int64]
    session: NDArray[np.int64]


def read_timeline(recording: Recording) -> Timeline:
    """The times and sessions of a whole recording."""
    table = pq.read_table(
        recording.path, columns=["start_ns", "duration_ns", "session"]
    )
    durations = table["duration_ns"].to_pandas().fillna(0)
    codes, _ = table["session"].to_pandas().factorize()
    return Timeline(
        start_ns=table["start_ns"].to_numpy(),
        duration_ns=durations.to_numpy("i8"),
        session=codes.astype("i8"),
    )


def read_requests(
    recording: Recording, rows: NDArray[np.int64]
) -> Iterator[tuple[int, Request, int]]:
    """Row, request and recorded status (0 for none) of ascending rows."""
    file = pq.ParquetFile(recording.path)
    start = 0
    for group in range(file.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        wanted = rows[(rows >= start) & (rows < end)]
        if len(wanted):
            table = file.read_row_group(group, columns=_CONTENT).take(wanted - start)
            for row, content in zip(wanted.tolist(), table.to_pylist(), strict=True):
                yield row, _request(content), content["status"] or 0
        start = end


def _request(content: dict[str, Any]) -> Request:
    return Request(
        method=content["method"],
        target=content["target"],
        headers=tuple((each["name"], each["value"]) for each in content["headers"]),
        body=content["body"] or b"",
    )
