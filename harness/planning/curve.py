"""A level over time, in straight pieces: where its area or its height passes a number.

Nothing here rounds time to seconds: a load that rises smoothly starts its sessions and
its users one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["Curve", "Stays"]

_LEAST_STAY_NS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stays:
    """Visits of users to the stage, in the order of their entrance.

    Attributes:
        enters_ns: when, on the arm's clock.
        leaves_ns: when, or -1 where the user stays to the end.
    """

    enters_ns: NDArray[np.int64]
    leaves_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A level over time, linear between its points and constant outside of them.

    Attributes:
        at_ns: the points' times, ascending.
        level: the level at each, never negative.
    """

    at_ns: NDArray[np.float64]
    level: NDArray[np.float64]

    @classmethod
    def of(cls, points: Iterable[tuple[float, float]]) -> Curve:
        """The curve through points of (time, level)."""
        at_ns, level = zip(*points, strict=True)
        return cls(np.array(at_ns, np.float64), np.array(level, np.float64))

    @classmethod
    def through(cls, levels: Sequence[float], length_ns: float) -> Curve:
        """The curve through the middles of equal parts, its area the sum of theirs."""
        part_ns = length_ns / len(levels)
        middles_ns = np.asarray((np.arange(len(levels)) + 0.5) * part_ns, np.float64)
        return cls(middles_ns, np.array(levels, np.float64))

    def times(self, factor: float) -> Curve:
        """The curve that is so many times as high."""
        return Curve(self.at_ns, self.level * factor)

    def between(self, warmup_ns: int, total_ns: int) -> Curve:
        """The curve after a warm-up at its first level, up to the end of a round."""
        inside = (self.at_ns > 0) & (self.at_ns < total_ns - warmup_ns)
        at_ns = np.array([0, *self.at_ns[inside], total_ns - warmup_ns])
        level = np.interp(at_ns, self.at_ns, self.level)
        return Curve(np.array([0, *(at_ns + warmup_ns)]), np.array([level[0], *level]))

    @property
    def areas(self) -> NDArray[np.float64]:
        """The area up to each point."""
        pieces = np.diff(self.at_ns) * (self.level[1:] + self.level[:-1]) / 2
        return np.concatenate([[0], pieces.cumsum()])

    @property
    def seats(self) -> NDArray[np.int64]:
        """Users at each point: the level, rounded half up."""
        return np.floor(self.level + 0.5).astype("i8")

    @property
    def comings(self) -> float:
        """How many entrances `stays` has at most."""
        rises = np.diff(self.level).clip(0).sum()
        return float(self.level[0] + rises + len(self.level))

    def moments(self, random: np.random.Generator) -> NDArray[np.int64]:
        """When the area reaches k + a jitter in [0, 1), for k = 0, 1, … to the end."""
        areas = self.areas
        reached = np.arange(np.ceil(areas[-1]))
        reached += random.random(len(reached))
        reached = reached[reached < areas[-1]]
        piece = np.searchsorted(areas, reached, side="right") - 1
        width_ns, height = np.diff(self.at_ns), np.diff(self.level)
        level, rest = self.level[piece], reached - areas[piece]
        # rest = level * t + slope / 2 * t^2, in the form that survives a slope of 0
        square = level**2 + 2 * height[piece] / width_ns[piece] * rest
        divisor = level + np.sqrt(square.clip(0))
        after_ns = 2 * rest / np.where(divisor > 0, divisor, 1)
        moments_ns = self.at_ns[piece] + np.minimum(after_ns, width_ns[piece])
        whole_ns: NDArray[np.int64] = moments_ns.astype("i8")
        return whole_ns

    def stays(self, ramp_ns: int) -> Stays:
        """Who is on stage while the level is the number of users there.

        Seat k is taken while the level is k + 1/2 or more; the first ones fill one by
        one over a ramp at the start. Whoever takes a seat again is another user.
        """
        seat, at_ns, entering = self._crossings(ramp_ns)
        order = np.argsort(seat, kind="stable")
        seat, at_ns, entering = seat[order], at_ns[order], entering[order]
        last = np.diff(seat, append=-1) != 0
        enters_ns = at_ns[entering]
        leaves_ns = np.where(last, -1, np.roll(at_ns, -1))[entering]
        long = enters_ns.clip(_LEAST_STAY_NS) < leaves_ns
        kept = np.flatnonzero(long | (leaves_ns < 0))
        kept = kept[np.argsort(enters_ns[kept], kind="stable")]
        return Stays(enters_ns=enters_ns[kept], leaves_ns=leaves_ns[kept])

    def _crossings(
        self, ramp_ns: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Each seat that is taken or left, when, and whether it is taken."""
        seats = self.seats
        first = np.arange(seats[0])
        parts: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = [
            (first, ramp_ns * first // max(1, seats[0]), np.ones(seats[0], bool))
        ]
        for piece in np.flatnonzero(np.diff(seats)):
            before, after = seats[piece], seats[piece + 1]
            seat = np.arange(min(before, after), max(before, after))
            at_ns = np.interp(
                seat + 0.5, *self._rising(slice(piece, piece + 2))
            ).astype("i8")
            parts.append((seat, at_ns, np.full(len(seat), after > before)))
        seat, at_ns, entering = (
            np.concatenate(each) for each in zip(*parts, strict=True)
        )
        return seat, at_ns, entering

    def _rising(self, piece: slice) -> tuple[NDArray[Any], NDArray[Any]]:
        level, at_ns = self.level[piece], self.at_ns[piece]
        step = 1 if level[1] > level[0] else -1
        return level[::step], at_ns[::step]
