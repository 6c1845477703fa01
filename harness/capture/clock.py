"""Moments since the epoch, and inside the tick of a coarse clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["epoch_ns", "moments_ns", "since_epoch", "spread"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS: Final = 1_000_000_000
_LAST_NS: Final = 1 << 62


def epoch_ns(moment: datetime) -> int | None:
    """Nanoseconds since 1970, as `since_epoch` takes them."""
    return since_epoch((moment - _EPOCH) // timedelta(microseconds=1) * 1_000)


def since_epoch(moment_ns: int) -> int | None:
    """The same; `None` for a moment before 1970 or after 2116.

    Such a time was never set: it is the year 1 where .NET or Go wrote the capture.
    """
    return moment_ns if 0 <= moment_ns <= _LAST_NS else None


def moments_ns(since_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of whole seconds since 1970; -1 for what `since_epoch` does not take."""
    taken = (since_s >= 0) & (since_s <= _LAST_NS // _SECOND_NS)
    moments: NDArray[np.int64] = np.where(taken, since_s, 0) * _SECOND_NS
    return np.where(taken, moments, -1)


def spread(ticks_ns: NDArray[np.int64], clock_ns: int) -> NDArray[np.int64]:
    """Starts spread evenly, with jitter, inside each tick; their order is kept.

    Of n starts in a tick the i-th falls at (i + u) / n of it, u in [0, 1) drawn from a
    hash of the tick and i: the same capture gives the same moments.

    Args:
        ticks_ns: starts as recorded, ascending, each tick complete.
        clock_ns: the length of a tick.
    """
    if not len(ticks_ns):
        return ticks_ns
    _, first, of_tick, sizes = np.unique(
        ticks_ns, return_index=True, return_inverse=True, return_counts=True
    )
    place = np.arange(len(ticks_ns)) - first[of_tick]
    share = (place + _jitter(ticks_ns, place)) / sizes[of_tick]
    inside = np.minimum((share * clock_ns).astype(np.int64), clock_ns - 1)
    moved: NDArray[np.int64] = ticks_ns + inside
    return moved


def _jitter(
    ticks_ns: NDArray[np.int64], place: NDArray[np.int64]
) -> NDArray[np.float64]:
    """SplitMix64 (Steele, Lea, Flood 2014) of both, as a fraction."""
    bits = ticks_ns.astype(np.uint64) + (place.astype(np.uint64) + np.uint64(1)) * (
        np.uint64(0x9E3779B97F4A7C15)
    )
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    fraction: NDArray[np.float64] = (bits >> np.uint64(11)) / float(1 << 53)
    return fraction
