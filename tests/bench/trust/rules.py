"""Three rules that gates are made of, as a trial's own samples would have them.

Each reads the sound rounds of a trial, all of them together, as if they were one run:
none of them knows what a round is. They read latency and nothing else, from the moment
a request was due; warm-up and requests that count for no quantile are left out, as in
the verdict. What they say of a candidate with errors or a leak they say of its latency.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtri
from scipy.stats import mannwhitneyu

from harness.compare.measure import quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "RULES",
    "Pair",
    "Shift",
    "fixed_threshold",
    "kayenta",
    "p95_change",
    "shift",
    "wilcoxon",
]

_SLOWER: Final = 1.2
_LEVEL: Final = 0.05
_CONFIDENCE: Final = 0.98
_TOLERANCE: Final = 0.25
_PERCENT: Final = 95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """The latencies of one sound round in ns, an array for each slice of an arm."""

    baseline: tuple[NDArray[np.int64], ...]
    candidate: tuple[NDArray[np.int64], ...]


def _slices(pairs: Sequence[Pair]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Of each arm, the slices of all rounds that have a request."""
    return (
        [each for pair in pairs for each in pair.baseline if len(each)],
        [each for pair in pairs for each in pair.candidate if len(each)],
    )


def fixed_threshold(pairs: Sequence[Pair]) -> bool:
    """FAIL where the p95 of the candidate's requests is over 1.2 x the baseline's.

    Reads: every request of every round, one p95 an arm.
    """
    return p95_change(pairs) > _SLOWER


def p95_change(pairs: Sequence[Pair]) -> float:
    """Candidate over baseline, the p95 of every request of every round."""
    baseline, candidate = map(np.concatenate, _slices(pairs))
    return quantile(candidate, _PERCENT) / quantile(baseline, _PERCENT)


def wilcoxon(pairs: Sequence[Pair]) -> bool:
    """FAIL where Mann and Whitney's test at 5 % finds the candidate's requests slower.

    Reads: every request of every round, one latency each, as if each were independent
    of every other. One-sided, so that by its own account 5 % of A/A trials fail.
    """
    baseline, candidate = map(np.concatenate, _slices(pairs))
    found = mannwhitneyu(
        candidate, baseline, alternative="greater", method="asymptotic"
    )
    return bool(found.pvalue < _LEVEL)


def kayenta(pairs: Sequence[Pair]) -> bool:
    """FAIL where Kayenta's judge would class the candidate's p95 as High.

    Reads: the p95 of each slice, a series of one point a slice and arm, as Kayenta
    reads a metric's series from a monitoring system, where p95 is one a scrape. No
    outliers are removed, which is its default.

    `NetflixACAJudge.scala` of github.com/spinnaker/kayenta (commit a69573be) makes a
    `MannWhitneyClassifier` with a confidence of 98 % and a tolerance of 0.25. It calls
    a metric as High where the lower bound of the location shift is above 0.25 x the
    size of the shift's own estimate, and the ratio of the means is at least the allowed
    increase, 1 if not configured. Samples that are equal pass.
    """
    baseline, candidate = (
        np.array([quantile(each, _PERCENT) for each in arm], float)
        for arm in _slices(pairs)
    )
    if np.array_equal(np.sort(baseline), np.sort(candidate)):
        return False
    found = shift(candidate, baseline)
    slower = bool(candidate.mean() >= baseline.mean())
    return found.lower > _TOLERANCE * abs(found.estimate) and slower


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """By how much a sample lies above another, with its 98 % interval."""

    lower: float
    estimate: float
    upper: float


def shift(after: NDArray[Any], before: NDArray[Any]) -> Shift:
    """The location shift of Hodges and Lehmann and its 98 % confidence interval.

    Estimates of Location Based on Rank Tests, Annals of Mathematical Statistics 34
    (1963): the median of all differences between the samples. The bounds are those
    differences beyond which Mann and Whitney's test would reject the shift: by the
    normal approximation with its correction for continuity, as Kayenta's, which finds
    them by iteration.
    """
    differences = np.sort(np.subtract.outer(after, before), axis=None)
    count, both = len(differences), len(after) + len(before)
    deviation = sqrt(count * (both + 1) / 12)
    critical = float(ndtri(1 - (1 - _CONFIDENCE) / 2))
    outside = max(0, floor(count / 2 - 0.5 - critical * deviation))
    return Shift(
        lower=float(differences[outside]),
        estimate=float(np.median(differences)),
        upper=float(differences[count - 1 - outside]),
    )


RULES: Final[Mapping[str, Callable[[Sequence[Pair]], bool]]] = {
    "p95 > 1.2 x": fixed_threshold,
    "Mann-Whitney": wilcoxon,
    "Kayenta": kayenta,
}
"""What is asked of the same samples, by its heading."""
