"""Paired statistics over rounds: plain arrays in, plain numbers out.

The unit is the round, so inference has R - 1 degrees of freedom, always. All tests
are one-sided t tests of the mean excess over the budget against 0.
"""

from __future__ import annotations

from math import ceil, exp, inf, log, log1p, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import stdtr, stdtrit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.model.quantity import Allowance

    Floats = NDArray[np.float64]

__all__ = [
    "FEWEST",
    "LEVEL",
    "changes",
    "fail_excess",
    "half_width",
    "holm",
    "p_value",
    "pass_excess",
    "ratio",
    "requests_needed",
    "rounds_needed",
    "slack",
    "t_statistic",
]

FEWEST: Final = 2
"""Rounds below which nothing has a deviation."""

LEVEL: Final = 0.05
"""One-sided, a hypothesis for PASS and the family for FAIL."""

_T_LIMIT: Final = 1e6
_FARTHEST: Final = log(1e18)
_NEGLIGIBLE: Final = 1e-12
_MOST_ROUNDS: Final = 100
_POWER: Final = 0.9
_LAST_LOOK: Final = 0.55


def changes(baseline: Floats, candidate: Floats, *, relative: bool) -> Floats:
    """Of each round: log ratio, or difference."""
    if relative:
        return np.log(candidate) - np.log(baseline)
    return candidate - baseline


def ratio(change: float) -> float:
    """The ratio of a log ratio, up to 1e18: of two rounds an interval has no end."""
    return exp(min(change, _FARTHEST))


def slack(baseline: Floats, allowance: Allowance, *, relative: bool) -> Floats:
    """How much change for the worse each round's budget allows: either part suffices.

    It comes from the round's own baseline; a limit from the mean baseline would share
    the data's noise.
    """
    if not relative:
        return np.full_like(baseline, allowance.larger)
    allowed = np.maximum(
        baseline * (1 + allowance.relative), baseline + allowance.absolute
    )
    return np.log(allowed) - np.log(baseline)


def fail_excess(worsening: Floats, allowed: Floats, cap: float) -> Floats:
    """Excess over the budget of each round, as the FAIL test takes it."""
    return np.minimum(worsening - allowed, cap)


def pass_excess(worsening: Floats, allowed: Floats, cap: float) -> Floats:
    """Excess over the budget of each round, as the PASS test takes it."""
    return np.maximum(worsening, -cap) - allowed


def _mean_and_error(values: Floats) -> tuple[float, float]:
    """The mean with its standard error; of a few values, for which `np.std` is slow."""
    mean = float(values.sum()) / len(values)
    apart = values - mean
    variance = float((apart * apart).sum()) / (len(values) - 1)
    return mean, sqrt(variance / len(values))


def t_statistic(values: Floats) -> float:
    """The mean in standard errors, within ±1e6, also where all values are equal."""
    mean, error = _mean_and_error(values)
    if abs(mean) < _NEGLIGIBLE:
        return 0.0
    ratio = mean / error if error > _NEGLIGIBLE else inf * mean
    return min(max(ratio, -_T_LIMIT), _T_LIMIT)


def half_width(values: Floats, critical: float) -> float:
    """Of the interval of the mean that a test with that critical value goes with."""
    return critical * _mean_and_error(values)[1]


def p_value(t: float, rounds: int) -> float:
    """The chance of a t value at least this large where the mean is 0."""
    return float(stdtr(rounds - 1, -t))


def holm(
    p_values: Sequence[float],
    shares: Sequence[float],
    nominal: Callable[[float], float],
) -> frozenset[int]:
    """Places of the p-values rejected at 5 % for the whole family.

    Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal
    of Statistics 6 (1979), with its weights: each against its share of the 5 %, and
    whatever share the rejected had goes to the others in proportion, until none more
    is rejected.

    Args:
        p_values: of the hypotheses that have one.
        shares: of each; what is missing from 1 is of those without a value.
        nominal: the p-value at which this look rejects a hypothesis, by its level.
    """
    rejected: frozenset[int] = frozenset()
    while True:
        left = 1.0 - sum(shares[place] for place in rejected)
        more = frozenset(
            place
            for place, (p, share) in enumerate(zip(p_values, shares, strict=True))
            if place not in rejected and p < nominal(min(LEVEL, LEVEL * share / left))
        )
        if not more:
            return rejected
        rejected |= more


def requests_needed(allowed: float) -> int:
    """Requests of which at least one fails in 95 of 100 trials, at that share or more.

    Where none of fewer fails, that may be chance. The rule of three, exactly: Hanley
    and Lippman-Hand, If Nothing Goes Wrong, Is Everything All Right?, Journal of the
    American Medical Association 249 (1983). 0 where no number would do.
    """
    return ceil(log(LEVEL) / log1p(-allowed)) if 0 < allowed < 1 else 0


def rounds_needed(excess: Floats, share: float) -> int | None:
    """Rounds after which 9 of 10 such trials would be clear; `None` beyond 100.

    Clear is PASS where the mean is below the budget, FAIL where it is above. The
    estimate takes this trial's mean and deviation for the truth, and about half of the
    level for what a last look is left with.
    """
    mean, deviation = float(np.mean(excess)), float(np.std(excess, ddof=1))
    level = (LEVEL if mean < 0 else LEVEL * share) * _LAST_LOOK
    for rounds in range(len(excess) + 1, _MOST_ROUNDS + 1):
        margin = float(np.sum(stdtrit(rounds - 1, (1 - level, _POWER))))
        if margin * deviation / sqrt(rounds) < abs(mean):
            return rounds
    return None
