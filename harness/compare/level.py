"""Bounds of a rate or level on each arm, against a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import betaincinv

from harness.compare.figure import figure
from harness.compare.hypothesis import Hypothesis, Pair, pair
from harness.compare.metric import METRICS, Undefined
from harness.compare.paired import FEWEST, LEVEL, half_width, ratio
from harness.model.result import Arm
from harness.model.route import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from harness.compare.evidence import RoundEvidence, TrialEvidence
    from harness.compare.metric import Metric
    from harness.model.symptom import Symptom

    Floats = NDArray[np.float64]
    Counts = Sequence[tuple[int, int]]

__all__ = ["Bounds", "Levels", "levels", "overdispersion", "rate_bounds"]

_FEWEST_ROUNDS: Final = 6
_FEWEST_REQUESTS: Final = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """One-sided bounds, each at 95 % over all looks; more is worse."""

    lower: float
    upper: float

    def widened(self, other: Bounds) -> Bounds:
        """Bounds that hold where either pair does."""
        return Bounds(
            lower=min(self.lower, other.lower), upper=max(self.upper, other.upper)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A rate or level over the rounds, on a scale on which more is worse.

    Attributes:
        threshold: where the symptom begins.
        baseline: bounds of that arm.
        candidate: likewise.
        change: candidate - baseline.
        too_thin: why this is not enough for a proof, empty if it is.
        text: both arms in words.
        per_round: as measured.
    """

    threshold: float
    baseline: Bounds
    candidate: Bounds
    change: Bounds
    too_thin: str
    text: str
    per_round: tuple[tuple[float, float], ...]


def levels(symptom: Symptom, trial: TrialEvidence) -> Levels | Undefined:
    """Both arms of the sound rounds against the symptom's threshold.

    A candidate's rate of errors is bounded by Clopper and Pearson, The Use of
    Confidence or Fiducial Limits, Biometrika 26 (1934), on requests and errors divided
    by their overdispersion, since errors come in bursts; and over its rounds as any
    other level, since starts vary. The wider of the two holds.
    """
    metric, rounds = METRICS[symptom.kind], trial.sound
    pairs: list[Pair] = []
    for each in rounds:
        values = pair(_as_hypothesis(symptom, metric, each), each)
        if isinstance(values, Undefined):
            return values
        pairs.append(values)
    if len(pairs) < FEWEST:
        return Undefined("too few rounds")
    baseline, candidate = (_scaled(metric, arm) for arm in np.array(pairs).T)
    critical = trial.looks.critical(LEVEL, len(pairs))
    after = _bounds(candidate, critical)
    too_thin = ""
    if metric.name == "errors":
        counts = {arm: _counts(symptom, rounds, arm) for arm in Arm}
        level = trial.looks.nominal(LEVEL, len(pairs))
        spread = max(overdispersion(each) for each in counts.values())
        of_slices = rate_bounds(counts[Arm.CANDIDATE], spread, level)
        after = after.widened(of_slices)
        too_thin = _too_thin(len(pairs), counts.values())
    before = _bounds(baseline, critical)
    shown = (_shown(metric, baseline, before), _shown(metric, candidate, after))
    return Levels(
        threshold=float(
            _scaled(metric, np.array([float(getattr(symptom, symptom.kind))]))[0]
        ),
        baseline=before,
        candidate=after,
        change=_bounds(candidate - baseline, critical),
        too_thin=too_thin,
        text=f"baseline {shown[0]}, candidate {shown[1]}{too_thin}",
        per_round=tuple(pairs),
    )


def _as_hypothesis(
    symptom: Symptom, metric: Metric, evidence: RoundEvidence
) -> Hypothesis:
    return Hypothesis(
        metric=metric,
        route=symptom.route or SERVICE,
        routes=_routes(symptom, evidence),
        allowance=None,
    )


def _routes(symptom: Symptom, evidence: RoundEvidence) -> frozenset[str]:
    if symptom.route:
        return frozenset({symptom.route})
    return evidence.baseline.routes | evidence.candidate.routes


def _scaled(metric: Metric, values: Floats) -> Floats:
    return metric.worse * (np.log(values) if metric.relative else values)


def _bounds(values: Floats, critical: float) -> Bounds:
    centre, half = float(np.mean(values)), half_width(values, critical)
    return Bounds(lower=centre - half, upper=centre + half)


def _shown(metric: Metric, values: Floats, bounds: Bounds) -> str:
    centre, *ends = (
        figure(_back(metric, each), metric.unit)
        for each in (float(np.mean(values)), bounds.lower, bounds.upper)
    )
    return f"{centre} ({' to '.join(ends[:: metric.worse])})"


def _back(metric: Metric, value: float) -> float:
    unsigned = metric.worse * value
    return ratio(unsigned) if metric.relative else unsigned


def _counts(
    symptom: Symptom, rounds: Sequence[RoundEvidence], arm: Arm
) -> list[tuple[int, int]]:
    """Requests and errors, a pair a slice of each round."""
    return [
        tuple(np.sum(of_slice, axis=0).tolist())
        for each in rounds
        for of_slice in zip(
            *(
                each.arm(arm).by_slice[route]
                for route in sorted(
                    _routes(symptom, each) & each.arm(arm).by_slice.keys()
                )
            ),
            strict=True,
        )
    ]


def _too_thin(rounds: int, arms: Iterable[Counts]) -> str:
    requests = min(sum(asked for asked, _ in each) for each in arms)
    if rounds >= _FEWEST_ROUNDS and requests >= _FEWEST_REQUESTS:
        return ""
    return (
        f"; a proof takes {_FEWEST_ROUNDS} rounds and {_FEWEST_REQUESTS:,} requests an"
        f" arm, here {rounds} and {requests:,}"
    )


def overdispersion(counts: Counts) -> float:
    """How much more the errors of slices vary than independent ones would, at least 1.

    Pearson's chi-square over its degrees of freedom.
    """
    asked, wrong = np.array(counts, float).reshape(-1, 2).T
    rate = float(wrong.sum() / asked.sum()) if asked.sum() else 0.0
    full = asked > 0
    if not 0 < rate < 1 or full.sum() <= 1:
        return 1.0
    expected = asked[full] * rate
    chi = float(np.sum((wrong[full] - expected) ** 2 / (expected * (1 - rate))))
    return max(1.0, chi / (int(full.sum()) - 1))


def rate_bounds(counts: Counts, spread: float, level: float) -> Bounds:
    """Of the rate of errors, where slices vary `spread` times as much as chance."""
    asked, wrong = np.array(counts, float).reshape(-1, 2).sum(axis=0) / spread
    right = asked - wrong
    return Bounds(
        lower=float(betaincinv(wrong, right + 1, level)) if wrong > 0 else 0.0,
        upper=float(betaincinv(wrong + 1, right, 1 - level)) if right > 0 else 1.0,
    )
