"""What the service's own metrics say of the arms: notes, since nobody set a budget."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import stdtr

from harness.compare.exposition import MOST, exposed
from harness.compare.figure import number
from harness.compare.finding import trial_finding
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.compare.case import Case
    from harness.compare.evidence import TrialEvidence
    from harness.model.verdict import Finding

__all__ = ["ArmMetrics", "arm_metrics", "noted_metrics"]

_LEVEL: Final = 0.01
"""Of a note that only chance makes, over all series."""
_SHOWN: Final = 10
_LEAST: Final = 0.05
"""Smaller changes are not worth a note, however sure they are."""
_A_THOUSAND: Final = 1_000


class ArmMetrics(NamedTuple):
    """What one arm of one round exposed.

    Attributes:
        values: by series, its increase in 1,000 answers, or of a gauge its last value;
            without counters that fell, since something started anew.
        fault: what is wrong with the page, empty if nothing is.
    """

    values: Mapping[str, float]
    fault: str = ""


def arm_metrics(before: str, after: str, answered: int) -> ArmMetrics:
    """What two pages say of the time between them.

    Args:
        before: the page as the measured slices began.
        after: the page after them.
        answered: requests, meanwhile.
    """
    try:
        first, last = exposed(before), exposed(after)
    except ValueError as error:
        return ArmMetrics({}, str(error))
    values = {}
    for name, series in last.items():
        start = first[name].value if name in first else 0.0
        if not series.counts:
            values[name] = series.value
        elif answered and series.value >= start:
            values[name] = _A_THOUSAND * (series.value - start) / answered
    return ArmMetrics(values, _doubt(len(last)))


def _doubt(series: int) -> str:
    if not series:
        return "the page is empty"
    return f"over {MOST:,} series; the first are compared" if series == MOST else ""


class _Moved(NamedTuple):
    size: float
    name: str
    baseline: float
    candidate: float


def _moved(trial: TrialEvidence) -> list[_Moved]:
    """Series that changed by more than chance, the largest change first."""
    rounds = [each.metrics for each in trial.sound if len(each.metrics) == len(Arm)]
    if len(rounds) < trial.looks.first:
        return []
    shared = set.intersection(
        *(set(metrics[arm].values) for metrics in rounds for arm in Arm)
    )
    found = []
    for name in sorted(shared):
        values = np.array([[each[arm].values[name] for arm in Arm] for each in rounds])
        baseline, candidate = values.mean(axis=0).tolist()
        size = abs(candidate - baseline) / max(abs(baseline), abs(candidate), 1e-12)
        if size > _LEAST and _p_value(values) < _LEVEL / len(shared):
            found.append(_Moved(size, name, baseline, candidate))
    return sorted(found, key=lambda each: (-each.size, each.name))


def _p_value(values: np.ndarray) -> float:
    """Two-sided, of a paired t test."""
    difference = values[:, 1] - values[:, 0]
    rounds = len(difference)
    error = float(difference.std(ddof=1)) / sqrt(rounds)
    if not error:
        return 0.0
    return 2 * float(stdtr(rounds - 1, -abs(float(difference.mean())) / error))


def noted_metrics(case: Case) -> Iterator[Finding]:
    """Series that moved, and pages that are none, each named once."""
    moved = _moved(case.trial)
    for each in moved[:_SHOWN]:
        before, after = number(each.baseline), number(each.candidate)
        yield trial_finding(
            "note", "metrics", f"metrics: {each.name}: {before} → {after}"
        )
    if len(moved) > _SHOWN:
        message = f"metrics: {len(moved) - _SHOWN:,} more series changed"
        yield trial_finding("note", "metrics", message)
    faults = {
        f"metrics of the {arm}: {of.fault}": None
        for each in case.trial.rounds
        for arm, of in each.metrics.items()
        if of.fault
    }
    for fault in list(faults)[:_SHOWN]:
        yield trial_finding("note", "metrics", fault)
