"""What the arms do by themselves: errors of both, and how the candidate differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tests.bench.judge.machine import SLICES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_EARLY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Answers 500 of one arm, on all its routes.

    Attributes:
        rate: their share of the requests, on average.
        slice_spread: how much the rates of slices vary, SD over mean.
        start_spread: how much those of starts vary, likewise.
        bursts: the chance of a burst in a slice.
        sick: the chance of a start that is sick, which shows in every slice.
        share: of the requests of a burst or a sick start that go wrong.
    """

    rate: float = 0.0
    slice_spread: float = 0.0
    start_spread: float = 0.0
    bursts: float = 0.0
    sick: float = 0.0
    share: float = 0.02

    def rates(self, random: np.random.Generator, rounds: int) -> Floats:
        """By round, route (one for all) and slice."""
        rates = np.full((rounds, 1, SLICES), self.rate)
        for spread, shape in (
            (self.slice_spread, (rounds, 1, SLICES)),
            (self.start_spread, (rounds, 1, 1)),
        ):
            if spread:
                rates = rates * random.gamma(spread**-2, spread**2, shape)
        for chance, shape in (
            (self.bursts, (rounds, 1, SLICES)),
            (self.sick, (rounds, 1, 1)),
        ):
            if chance:
                rates = rates + self.share * (random.random(shape) < chance)
        capped: Floats = np.minimum(rates, 1.0)
        return capped


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How the candidate differs from the baseline.

    Attributes:
        slower: every latency, as a factor.
        slower_route: latencies of the first route, likewise.
        memory: its level, as a factor.
        cpu: of a request, as a factor.
        timeouts: the share of requests that run into the deadline.
        slow: the share of requests that are answered after `SLOW_NS`.
        hopeless: latencies of one of the first four rounds, as a factor.
        bad: latencies of a bad round, as a factor.
        bad_chance: of such a round.
        stall: latencies of the one slice of a stalling round, as a factor.
        stall_chance: of such a round.
        stall_voids: whose generator a stall makes late: `candidate`, `both` or nobody.
    """

    slower: float = 1.0
    slower_route: float = 1.0
    memory: float = 1.0
    cpu: float = 1.0
    timeouts: float = 0.0
    slow: float = 0.0
    hopeless: float = 1.0
    bad: float = 1.0
    bad_chance: float = 0.0
    stall: float = 1.0
    stall_chance: float = 0.0
    stall_voids: str = ""

    def stalls(self, random: np.random.Generator, rounds: int) -> NDArray[np.bool_]:
        """Which rounds stall."""
        return random.random(rounds) < self.stall_chance

    def slowness(
        self, random: np.random.Generator, stalls: NDArray[np.bool_], routes: int
    ) -> Floats:
        """By round, route and slice, as a logarithm."""
        rounds = len(stalls)
        slowness = np.full((rounds, routes, SLICES), np.log(self.slower))
        slowness[:, 0] += np.log(self.slower_route)
        slowness[random.integers(_EARLY)] += np.log(self.hopeless)
        slowness[random.random(rounds) < self.bad_chance] += np.log(self.bad)
        slowness[stalls, :, random.integers(SLICES)] += np.log(self.stall)
        return slowness
