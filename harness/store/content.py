"""What a recording's answers said, and nothing else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from harness.model.link import Content
from harness.store.recording import columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from harness.model.traffic import Recording

__all__ = ["has_contents", "read_contents"]

_NAMES = ("response_headers", "response_body")


def has_contents(recording: Recording) -> bool:
    """Whether what was answered is recorded at all; most captures do not tell."""
    footer = pq.read_metadata(recording.path)
    chunks = (
        footer.row_group(group).column(place)
        for group in range(footer.num_row_groups)
        for place in range(footer.num_columns)
    )
    return any(
        chunk.path_in_schema.startswith(_NAMES)
        and (chunk.statistics is None or chunk.statistics.num_values > 0)
        for chunk in chunks
    )


def read_contents(
    recording: Recording, rows: NDArray[np.int64] | None = None
) -> Iterator[Content | None]:
    """Of each row what it was answered; `None` where that is not recorded.

    Args:
        recording: one that has them.
        rows: ascending row numbers of those that are wanted; `None` for all.

    Raises:
        RecordingError: the file is missing or damaged.
    """
    for table in columns(recording, _NAMES, rows):
        for batch in table.to_batches(max_chunksize=1024):
            yield from map(_content, *(batch[name].to_pylist() for name in _NAMES))


def _content(
    headers: list[dict[str, str]] | None, body: bytes | None
) -> Content | None:
    if not headers and body is None:
        return None
    pairs = tuple((pair["name"], pair["value"]) for pair in headers or ())
    return Content(pairs, body or b"")
