"""The study's figures and their bounds, from the trials that are kept."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from scipy.stats import binomtest

from harness.model.verdict import Outcome
from tests.bench.trust.noise import (
    CHOSEN_BY,
    PERCENTS,
    between,
    choices,
    law,
    recommended,
)
from tests.bench.trust.rules import RULES, p95_change
from tests.bench.trust.study import KINDS, NOISE, SAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.trust.noise import Choice, Law
    from tests.bench.trust.stored import Played

__all__ = ["Noise", "Rate", "Recommendation", "Row", "noise", "rows"]

_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many of so many, and the rate's 95 % bounds by Clopper and Pearson."""

    count: int
    of: int
    lower: float
    upper: float

    @classmethod
    def among(cls, count: int, of: int) -> Rate:
        """Of no trials, nothing is known: 0 to 1."""
        if not of:
            return cls(count=0, of=0, lower=0.0, upper=1.0)
        bounds = binomtest(count, of).proportion_ci(_LEVEL, method="exact")
        return cls(count=count, of=of, lower=bounds.low, upper=bounds.high)

    def __str__(self) -> str:
        if not self.of:
            return "-"
        return f"{self.count} ({self.lower * 100:.0f}-{self.upper * 100:.0f}%)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one kind of trial came to.

    Attributes:
        kind: which.
        trials: how many.
        outcomes: by verdict.
        rules: FAILs by rule, of the trials with a sound round.
        minutes: to the verdict, median; `None` without a trial.
        minutes_to_pass: likewise, of those that passed.
        change: of p95, candidate over baseline, median; `None` without a sound round.
        named: of the FAILs, how many named a metric.
    """

    kind: str
    trials: int
    outcomes: Mapping[str, Rate]
    rules: Mapping[str, Rate]
    minutes: float | None
    minutes_to_pass: float | None
    change: float | None
    named: Mapping[str, int]


def rows(played: Sequence[Played]) -> tuple[Row, ...]:
    """A row for each kind of trial, in the order of the study."""
    return tuple(
        _row(kind, [each for each in played if each.kind == kind]) for kind in KINDS
    )


def _row(kind: str, played: Sequence[Played]) -> Row:
    sound = [each.pairs for each in played if each.pairs]
    passed = [each.minutes for each in played if each.outcome is Outcome.PASS]
    outcomes = [each.outcome for each in played]
    named = [name for each in played for name in each.named]
    return Row(
        kind=kind,
        trials=len(played),
        outcomes={
            each: Rate.among(outcomes.count(each), len(played)) for each in Outcome
        },
        rules={
            name: Rate.among(sum(map(rule, sound)), len(sound))
            for name, rule in RULES.items()
        },
        minutes=_median([each.minutes for each in played]),
        minutes_to_pass=_median(passed),
        change=_median(list(map(p95_change, sound))),
        named={name: named.count(name) for name in dict.fromkeys(named)},
    )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What the noise is like, and which rounds that speaks for.

    Attributes:
        laws: a row for each quantile.
        choice: of rounds; `None` without A/A trials.
    """

    laws: tuple[Law, ...]
    choice: Recommendation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """Which rounds to have, by the quantile that varies more.

    Attributes:
        percent: which quantile.
        between: its deviation by the luck of a start.
        choices: of rounds; those of the A/A trials come first.
        best: of them.
    """

    percent: int
    between: float
    choices: tuple[Choice, ...]
    best: Choice


def noise(played: Sequence[Played]) -> Noise | None:
    """Of the trial of the noise, and of the A/A trials; `None` without the first."""
    cut = [pair for each in played if each.kind == NOISE for pair in each.pairs]
    same = [each for each in played if each.kind == SAME and each.pairs]
    if not cut:
        return None
    laws = tuple(law(cut, percent) for percent in PERCENTS)
    candidates = [each for each in laws if each.percent in CHOSEN_BY]
    found = [_recommendation(same, each) for each in candidates] if same else []
    noisier = max(found, key=lambda each: each.choices[0].deviation, default=None)
    return Noise(laws=laws, choice=noisier)


def _recommendation(same: Sequence[Played], found: Law) -> Recommendation:
    offered = choices(same, found)
    return Recommendation(
        percent=found.percent,
        between=between(same, found),
        choices=offered,
        best=recommended(offered),
    )
