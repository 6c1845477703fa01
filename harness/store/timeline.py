"""The times of a recording without its contents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from harness.store.recording import columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.model.traffic import Recording

__all__ = ["Timeline", "read_timeline"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """Columns, a row an exchange, ordered by start.

    Attributes:
        start_ns: since the recording's first request.
        duration_ns: of the answer, 0 where the capture does not tell.
        session: number of the session, counted from 0 in order of their first request.
        names: of the sessions, by number.
    """

    start_ns: NDArray[np.int64]
    duration_ns: NDArray[np.int64]
    session: NDArray[np.int64]
    names: tuple[str, ...]


def read_timeline(recording: Recording) -> Timeline:
    """The times and sessions of a whole recording."""
    names = ("start_ns", "duration_ns", "session")
    table = pa.concat_tables(columns(recording, names))
    codes, names = table["session"].to_pandas().factorize()
    return Timeline(
        start_ns=table["start_ns"].to_numpy(),
        duration_ns=table["duration_ns"].to_pandas().fillna(0).to_numpy("i8"),
        session=codes.astype("i8"),
        names=tuple(names),
    )
