"""How likely it is that only one of two equal builds shows something."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from scipy.special import bdtrc
from scipy.stats import hypergeom

__all__ = ["LIKELY", "chance", "more_often"]

LIKELY: Final = 0.05
"""Chance that is too small for a PASS, though it proves nothing."""

_SHARES: Final = np.linspace(0, 1, 1_001)


@lru_cache(maxsize=1_024)
def chance(shown: int, rounds: int, against: int) -> float:
    """That so many of some rounds show what none of the others does.

    At the share of rounds for which that is likeliest (the unconditional test of
    Barnard, Significance Tests for 2 x 2 Tables, Biometrika 34 (1947)). Rounds count,
    not slices or requests: what a start lacks, all of its slices lack.

    Args:
        shown: rounds that show it.
        rounds: of those, in all.
        against: rounds that could have shown it as well, and do not.
    """
    at_least = bdtrc(shown - 1, rounds, _SHARES)
    return float(np.max(at_least * (1 - _SHARES) ** against))


def more_often(candidate: int, baseline: int, rounds: int) -> float:
    """That of equal builds one shows something in so many more of its rounds.

    Where the other shows it as well, by the exact test of Fisher, The Design of
    Experiments (1935), given in how many rounds both show it together.
    """
    if not baseline:
        return chance(candidate, rounds, rounds)
    shown = candidate + baseline
    return float(hypergeom.sf(candidate - 1, 2 * rounds, shown, rounds))
