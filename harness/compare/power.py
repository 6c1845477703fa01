"""How likely a trial is to find a change, from the noise of a build against itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.paired import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.compare.boundary import Looks

    Floats = NDArray[np.float64]

__all__ = ["Gate", "power", "smallest_change"]

_TRIALS: Final = 4_000
_SEED: Final = 1
_HALVINGS: Final = 30
_NEGLIGIBLE: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gated hypothesis, as a trial will test it.

    Attributes:
        deviation: of the rounds, where nothing has changed.
        allowed: what the budget allows, on the same scale.
        cap: how far one round counts beyond the budget.
        share: of the level that the family has.
        looks: at which rounds.
        only_fails: whether others can end the trial, which counts as the first look.
        every: whether every round must be over the budget, as in a soak.
    """

    deviation: float
    allowed: float
    cap: float
    share: float
    looks: Looks
    only_fails: bool = False
    every: bool = False


def power(gate: Gate, worsening: float) -> float:
    """The chance that a trial ends in FAIL by this hypothesis alone.

    Of 4,000 trials drawn by a fixed seed, with normal noise about the change. A trial
    that this hypothesis would let pass counts as over, although all of them must pass
    at the same look, and Holm's later steps do not help: both make the chance smaller.
    """
    rounds = gate.looks.last
    excess = worsening - gate.allowed + gate.deviation * _noise(rounds)
    if gate.every:
        return float(np.mean((excess > 0).all(axis=1)))
    last = gate.looks.first if gate.only_fails else rounds
    looks = np.arange(gate.looks.first, last + 1)
    level = LEVEL * gate.share
    fails = _t(np.minimum(excess, gate.cap), looks) > _critical(gate, level, looks)
    low = np.maximum(excess, -gate.cap - gate.allowed)
    passes = _t(low, looks) < -_critical(gate, LEVEL, looks)
    found = _first(fails) <= _first(passes)
    return float(np.mean(found & fails.any(axis=1)))


def smallest_change(gate: Gate, wanted: float) -> float:
    """The smallest change for the worse that is found with at least that chance.

    Only what is over its budget can be found; where nothing varies, that suffices.
    """
    low, step = gate.allowed, gate.deviation
    if step <= _NEGLIGIBLE:
        return low
    while power(gate, low + step) < wanted:
        step *= 2
    high = low + step
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if power(gate, middle) >= wanted else (middle, high)
    return high


def _critical(gate: Gate, level: float, looks: NDArray[np.int64]) -> Floats:
    return np.array([gate.looks.critical(level, rounds) for rounds in looks.tolist()])


@lru_cache(maxsize=8)
def _noise(rounds: int) -> Floats:
    """The same for every change and deviation, so that more is never less by luck."""
    return np.random.default_rng(_SEED).standard_normal((_TRIALS, rounds))


def _t(values: Floats, looks: NDArray[np.int64]) -> Floats:
    """The t value of each trial at each look."""
    centre = values.mean()
    sums = np.cumsum(values - centre, axis=1)[:, looks - 1]
    squares = np.cumsum((values - centre) ** 2, axis=1)[:, looks - 1]
    spread = np.maximum(squares - sums**2 / looks, 0.0) / (looks - 1)
    error = np.maximum(np.sqrt(spread / looks), _NEGLIGIBLE)
    t: Floats = (sums / looks + centre) / error
    return t


def _first(found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The place of each row's first find, beyond the last where there is none."""
    places: NDArray[np.int64] = np.where(
        found.any(axis=1), found.argmax(axis=1), found.shape[1]
    )
    return places
