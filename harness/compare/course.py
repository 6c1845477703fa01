"""What an arm did over the time of a round, coarse enough to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.compare.measure import latencies_ns, wrong

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.compare.measure import ArmColumns

__all__ = ["Course", "course"]

_MOST: Final = 240
"""Pieces of a round, and readings of it: of more, a screen shows no more."""
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """A row for each piece of the measured slices, and for each reading, in order.

    Times are of the engine's monotonic clock, the same for both arms.

    Attributes:
        slice: in which the piece is.
        from_ns: its start.
        until_ns: its end.
        requests: that fell due in it.
        errors: how many of them went wrong.
        p95_ns: 95th percentile of their latency; NaN without one.
        read_at_ns: when the build's usage was read.
        memory_bytes: anonymous memory then.
        cores: CPU time over time since the reading before.
    """

    slice: NDArray[Any]
    from_ns: NDArray[Any]
    until_ns: NDArray[Any]
    requests: NDArray[Any]
    errors: NDArray[Any]
    p95_ns: NDArray[Any]
    read_at_ns: NDArray[Any]
    memory_bytes: NDArray[Any]
    cores: NDArray[Any]


def course(columns: ArmColumns) -> Course:
    """An arm's round in pieces of a second, or longer where it has many seconds."""
    samples = columns.samples
    kept = np.flatnonzero((samples["slice"] != 0) & (samples["sent_ns"] > 0))
    due_ns = samples["due_ns"][kept].astype(np.int64)
    slices, inside = np.unique(samples["slice"][kept], return_inverse=True)
    first_ns = np.full(len(slices), np.iinfo(np.int64).max)
    last_ns = np.zeros(len(slices), np.int64)
    np.minimum.at(first_ns, inside, due_ns)
    np.maximum.at(last_ns, inside, due_ns)
    length_ns = last_ns - first_ns + 1
    most = max(1, _MOST // max(1, len(slices)))
    pieces = np.clip(-(-length_ns // _SECOND_NS), 1, most)
    before = np.cumsum(pieces) - pieces
    total = int(pieces.sum())
    place = (
        before[inside]
        + (due_ns - first_ns[inside]) * pieces[inside] // length_ns[inside]
    )
    of = np.repeat(np.arange(len(slices)), pieces)
    number = np.arange(total) - before[of]
    return Course(
        slice=slices[of],
        from_ns=first_ns[of] + number * length_ns[of] // pieces[of],
        until_ns=first_ns[of] + (number + 1) * length_ns[of] // pieces[of],
        requests=np.bincount(place, minlength=total),
        errors=np.bincount(place[wrong(columns)[kept]], minlength=total),
        p95_ns=_p95_ns(place, latencies_ns(columns)[kept], total),
        **_readings(columns),
    )


def _p95_ns(place: NDArray[Any], latency_ns: NDArray[Any], total: int) -> NDArray[Any]:
    """The 95th percentile of each place, as `quantile` takes it."""
    ordered = latency_ns[np.lexsort((latency_ns, place))].astype(float)
    count = np.bincount(place, minlength=total)
    start = np.cumsum(count) - count
    at = start + np.maximum(0, -(-95 * count // 100) - 1)
    quantiles: NDArray[Any] = np.append(ordered, np.nan)[np.where(count > 0, at, -1)]
    return quantiles


def _readings(columns: ArmColumns) -> dict[str, NDArray[Any]]:
    usage = columns.usage
    at_ns = usage["at_ns"].astype(np.int64)
    step = max(1, -(-len(at_ns) // _MOST))
    shown = slice(None, None, step)
    at_ns, cpu_ns = at_ns[shown], usage["cpu_ns"][shown].astype(float)
    passed_ns = np.maximum(np.diff(at_ns), 1)
    cores = np.append(np.nan, np.diff(cpu_ns) / passed_ns)[: len(at_ns)]
    memory = usage["anonymous_bytes"][shown]
    return {"read_at_ns": at_ns, "memory_bytes": memory, "cores": cores}
