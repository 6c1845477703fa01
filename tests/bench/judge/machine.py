"""What a machine does to both arms: the luck of each start, and its moods in time.

Everything is a factor on latencies, as its logarithm. A mood has a value for each slice
of each round in the order of time: the arms alternate, the first of them balanced.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from harness.model.result import Arm
from harness.rounds import first_arms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SLICES = 6
"""Of an arm in each round."""

_PERSISTENCE = 0.8
_COMES, _LEAVES = 0.02, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How a machine varies.

    Attributes:
        deviation: SD of `d_r`, the paired log ratio of one round, of the service's p95,
            what comes from the requests themselves included.
        own: the share of a start's luck that each route has to itself; the service's
            p95 then varies less.
        load: SD of the log of an autoregressive load, slice by slice.
        drift: by how much it gets slower in each round, as a logarithm.
        neighbour: how much slower everything is while a noisy neighbour is there: it
            comes in 2 % of the slices and stays for ten.
    """

    deviation: float = 0.05
    own: float = 0.0
    load: float = 0.0
    drift: float = 0.0
    neighbour: float = 1.0

    def luck(
        self, random: np.random.Generator, rounds: int, routes: int, sampling: float
    ) -> Floats:
        """Of each start: by round, arm, route and slice.

        Args:
            random: where it comes from.
            rounds: how many.
            routes: how many.
            sampling: the SD of `d_r` that the requests bring along.
        """
        of_start = sqrt(max(self.deviation**2 - sampling**2, 0.0) / 2)
        shared = random.standard_normal((rounds, 2, 1, 1))
        if not self.own:
            return of_start * shared
        own = random.standard_normal((rounds, 2, routes, 1))
        return of_start * (sqrt(1 - self.own) * shared + sqrt(self.own) * own)

    def moods(self, random: np.random.Generator, rounds: int) -> Floats:
        """Of each time: by round, arm, route (one for all) and slice."""
        moments = rounds * SLICES * 2
        moods = self.drift * np.arange(moments) / (SLICES * 2)
        if self.load:
            moods = moods + self.load * _autoregressive(random, moments)
        if self.neighbour != 1:
            moods = moods + np.log(self.neighbour) * _visits(random, moments)
        return _by_arm(random, moods.reshape(rounds, SLICES, 2))


def _autoregressive(random: np.random.Generator, moments: int) -> Floats:
    """Of unit deviation from the first value on."""
    shocks = random.standard_normal(moments)
    shocks[1:] *= np.sqrt(1 - _PERSISTENCE**2)
    ages = np.subtract.outer(np.arange(moments), np.arange(moments))
    return np.where(ages >= 0, _PERSISTENCE ** np.maximum(ages, 0), 0.0) @ shocks


def _visits(random: np.random.Generator, moments: int) -> Floats:
    draws = random.random(moments)
    here, visits = False, np.zeros(moments)
    for moment, draw in enumerate(draws):
        here = draw >= _LEAVES if here else draw < _COMES
        visits[moment] = here
    return visits


def _by_arm(random: np.random.Generator, moods: Floats) -> Floats:
    """From the order of time to baseline and candidate."""
    firsts = first_arms(int(random.integers(2**32)))
    turned = np.array([next(firsts) is Arm.CANDIDATE for _ in moods])
    moods[turned] = moods[turned, :, ::-1]
    return moods.transpose(0, 2, 1)[:, :, None, :]
