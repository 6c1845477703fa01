"""When may a look at the rounds so far end the trial: spending of the error rate.

By round R of at most R_max, a test may have spent a·(R/R_max)² of its level a, a power
family member of Lan and DeMets, Discrete Sequential Boundaries for Clinical Trials,
Biometrika 70 (1983). The boundaries of the normal theory come by the recursion of
Armitage, McPherson and Rowe, Repeated Significance Tests on Accumulating Data, Journal
of the Royal Statistical Society A 132 (1969), and their p-levels are put on the t
distribution with R - 1 degrees of freedom. Few rounds estimate their own deviation,
which that does not know: 0.87·a is spent instead of a, 0.80·a below 2 %, so that in
simulations the whole error is a.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Looks"]

_SPENT: Final = 0.87
_SPENT_BELOW: Final = 0.80
_SMALL_LEVEL: Final = 0.02
_GRID: Final = 400
_FAR: Final = 8.0


@dataclass(frozen=True, slots=True)
class Looks:
    """The rounds at which a trial is looked at, fixed before its start.

    Attributes:
        first: rounds before the first look.
        last: rounds at the last, the trial's maximum.
    """

    first: int
    last: int

    def __contains__(self, rounds: int) -> bool:
        return self.first <= rounds <= self.last

    def nominal(self, level: float, rounds: int) -> float:
        """The p-value below which a test at `level` ends the trial at that look.

        Rounds outside the looks count as the nearest of them.
        """
        place = min(max(rounds, self.first), self.last) - self.first
        return _nominal(self, level)[place]

    def critical(self, level: float, rounds: int) -> float:
        """The same as a t value with `rounds` - 1 degrees of freedom."""
        return _critical(self, level, rounds)


@lru_cache(maxsize=4096)
def _critical(looks: Looks, level: float, rounds: int) -> float:
    return float(stdtrit(rounds - 1, 1 - looks.nominal(level, rounds)))


@lru_cache(maxsize=512)
def _nominal(looks: Looks, level: float) -> tuple[float, ...]:
    """Of each look: the increments of a sum of rounds, and what has not ended yet."""
    if looks.first == looks.last:
        return (level,)
    whole = level * (_SPENT if level >= _SMALL_LEVEL else _SPENT_BELOW)
    sums, weights, before, spent = np.zeros(1), np.ones(1), 0, 0.0
    levels = []
    for rounds in range(looks.first, looks.last + 1):
        step = sqrt(rounds - before)
        spending = whole * (rounds / looks.last) ** 2 - spent
        bound = _bound(sums, weights, step, spending)
        levels.append(float(ndtr(-bound / sqrt(rounds))))
        inside = np.linspace(-_FAR * sqrt(rounds), bound, _GRID + 1)
        steps = (inside[:, None] - sums) / step
        weights = np.exp(-(steps**2) / 2) @ weights * (inside[1] - inside[0])
        weights /= step * sqrt(2 * pi)
        weights[[0, -1]] /= 2
        sums, before, spent = inside, rounds, spent + spending
    return tuple(levels)


def _bound(sums: Floats, weights: Floats, step: float, spending: float) -> float:
    """What the next sum exceeds with that probability."""
    return float(
        brentq(
            lambda bound: float(weights @ ndtr((sums - bound) / step)) - spending,
            0.0,
            _FAR * sqrt(step**2 + sums[-1] ** 2) + _FAR * step,
        )
    )
