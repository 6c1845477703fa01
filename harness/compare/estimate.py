"""One hypothesis over the rounds: its tests, its interval, its label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp
from typing import TYPE_CHECKING

import numpy as np

from harness.compare.figure import significant
from harness.compare.hypothesis import has_plenty, pair
from harness.compare.metric import QUANTILES, Undefined
from harness.compare.paired import (
    FEWEST,
    LEVEL,
    changes,
    fail_excess,
    half_width,
    pass_excess,
    ratio,
    requests_needed,
    slack,
    t_statistic,
)
from harness.model.result import Arm
from harness.model.verdict import Estimate, Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.compare.boundary import Looks
    from harness.compare.evidence import RoundEvidence
    from harness.compare.hypothesis import Hypothesis, Pair
    from harness.model.quantity import Allowance

    Floats = NDArray[np.float64]

__all__ = [
    "Comparison",
    "Tests",
    "compared",
    "estimate",
    "exceeds",
    "label",
    "where_defined",
]


_FEWER = 0.95
"""Requests of one arm over the other's that are no chance any more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tests:
    """A gated hypothesis tested.

    Attributes:
        excess: over the budget in each round, uncapped.
        allowed: the budget in each round.
        fail_t: mean excess in standard errors, as the FAIL test takes it.
        pass_t: likewise for PASS.
        critical: what that must exceed, with the other sign, for PASS.
        lacking: requests that a share lacks before it could show its budget exceeded:
            of fewer, none goes wrong in more than 5 of 100 trials of what is beyond it.
    """

    excess: Floats
    allowed: Floats
    fail_t: float
    pass_t: float
    critical: float
    lacking: int = 0

    @property
    def passes(self) -> bool:
        """Whether the one-sided 95 % bound is below the budget, at this look."""
        return self.seems_within and not self.lacking

    @property
    def seems_within(self) -> bool:
        """The same, whatever may be lacking."""
        return self.pass_t < -self.critical

    @property
    def mean_allowed(self) -> float:
        """The budget over all rounds."""
        return float(np.mean(self.allowed))

    @property
    def t(self) -> float:
        """Mean excess in standard errors, nothing capped: how far it stands out."""
        return t_statistic(self.excess)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """A hypothesis and what its rounds say.

    Attributes:
        hypothesis: which.
        rounds: indices of the rounds that it rests on.
        pairs: their values; empty if undefined.
        critical: t value of the bounds, 0 below two rounds.
        tests: if gated, defined and of at least two rounds.
        undefined: why there are no values.
        blocks: whether that withholds a PASS.
    """

    hypothesis: Hypothesis
    rounds: tuple[int, ...] = ()
    pairs: tuple[Pair, ...] = ()
    critical: float = 0.0
    tests: Tests | None = None
    undefined: str = ""
    blocks: bool = False


def compared(
    hypothesis: Hypothesis, rounds: Sequence[RoundEvidence], looks: Looks
) -> Comparison:
    """The hypothesis over rounds; undefined where one of them has no value for it."""
    pairs: list[Pair] = []
    for each in rounds:
        values = pair(hypothesis, each)
        if isinstance(values, Undefined):
            return Comparison(
                hypothesis=hypothesis,
                undefined=values.reason,
                blocks=_blocks(hypothesis, rounds),
            )
        pairs.append(values)
    several = len(pairs) >= FEWEST
    critical = looks.critical(LEVEL, len(pairs)) if several else 0.0
    return Comparison(
        hypothesis=hypothesis,
        rounds=tuple(each.round.index for each in rounds),
        pairs=tuple(pairs),
        critical=critical,
        tests=_tests(hypothesis, rounds, pairs, critical) if several else None,
    )


def where_defined(
    hypothesis: Hypothesis, rounds: Sequence[RoundEvidence]
) -> list[RoundEvidence]:
    """The rounds in which it has a value on both arms."""
    return [
        each for each in rounds if not isinstance(pair(hypothesis, each), Undefined)
    ]


def _blocks(hypothesis: Hypothesis, rounds: Sequence[RoundEvidence]) -> bool:
    """Whether a missing value is more than thin traffic or an unmeasured environment.

    A quantile may be short of requests by chance, where the baseline has hardly enough
    for it and the candidate hardly less; anything else that the baseline has in some
    round can be measured here.
    """
    if hypothesis.allowance is None:
        return False
    if hypothesis.required:
        return True
    read, routes = hypothesis.metric.read, hypothesis.routes
    if hypothesis.metric.name in QUANTILES:
        return all(
            has_plenty(hypothesis, each.baseline) for each in rounds
        ) or _lacks_alone(hypothesis, rounds)
    return not all(
        isinstance(read(each.baseline, routes), Undefined) for each in rounds
    )


def _lacks_alone(hypothesis: Hypothesis, rounds: Sequence[RoundEvidence]) -> bool:
    """Whether the baseline always has the quantile and far more requests for it."""
    read, routes = hypothesis.metric.read, hypothesis.routes
    baseline, candidate = (
        sum(len(each.arm(arm).latencies_ns(routes)) for each in rounds) for arm in Arm
    )
    return candidate < _FEWER * baseline and not any(
        isinstance(read(each.baseline, routes), Undefined) for each in rounds
    )


def _tests(
    hypothesis: Hypothesis,
    rounds: Sequence[RoundEvidence],
    pairs: Sequence[Pair],
    critical: float,
) -> Tests | None:
    if hypothesis.allowance is None:
        return None
    worsening, allowed = _against_budget(hypothesis, hypothesis.allowance, pairs)
    cap = hypothesis.metric.cap
    return Tests(
        excess=worsening - allowed,
        allowed=allowed,
        fail_t=t_statistic(fail_excess(worsening, allowed, cap)),
        pass_t=t_statistic(pass_excess(worsening, allowed, cap)),
        critical=critical,
        lacking=_lacking(hypothesis, rounds, pairs, float(np.mean(allowed))),
    )


def _lacking(
    hypothesis: Hypothesis,
    rounds: Sequence[RoundEvidence],
    pairs: Sequence[Pair],
    allowed: float,
) -> int:
    of = hypothesis.metric.of
    if of is None:
        return 0
    requests = sum(of(each.candidate, hypothesis.routes) for each in rounds)
    before = sum(value for value, _ in pairs) / len(pairs)
    bad = before if hypothesis.metric.worse > 0 else 1 - before
    return max(0, requests_needed(bad + allowed) - requests)


def _against_budget(
    hypothesis: Hypothesis, allowance: Allowance, pairs: Sequence[Pair]
) -> tuple[Floats, Floats]:
    """How much worse each round is, and how much worse it may be."""
    metric = hypothesis.metric
    baseline, candidate = np.array(pairs).T
    worsening = metric.worse * changes(baseline, candidate, relative=metric.relative)
    return worsening, slack(baseline, allowance, relative=metric.relative)


def exceeds(hypothesis: Hypothesis, evidence: RoundEvidence) -> bool:
    """Whether a single round is beyond the budget, if it has a value and a budget."""
    values = pair(hypothesis, evidence)
    if hypothesis.allowance is None or isinstance(values, Undefined):
        return False
    worsening, allowed = _against_budget(hypothesis, hypothesis.allowance, [values])
    return bool(worsening[0] > allowed[0])


def estimate(comparison: Comparison, *, regressed: bool, looked: bool) -> Estimate:
    """What is reported of a comparison.

    Args:
        comparison: which.
        regressed: whether the family's test rejected it.
        looked: whether the rounds are as many as at a look, without which no gated
            hypothesis is more than unclear.
    """
    hypothesis = comparison.hypothesis
    bare = Estimate(
        metric=hypothesis.metric.name,
        route=hypothesis.route,
        unit=hypothesis.metric.unit,
        relative=hypothesis.metric.relative,
        budget=hypothesis.budget,
        label=label(comparison, regressed=regressed, looked=looked),
        undefined=comparison.undefined or "no rounds",
    )
    return _filled(bare, comparison) if comparison.pairs else bare


def _filled(bare: Estimate, comparison: Comparison) -> Estimate:
    tests, relative = comparison.tests, bare.relative
    baseline, candidate = np.array(comparison.pairs).T
    change = changes(baseline, candidate, relative=relative)
    lower, upper = _interval(change, comparison.critical)
    worse = comparison.hypothesis.metric.worse
    worst = int(np.argmax(worse * change))
    return replace(
        bare,
        undefined="",
        baseline=_centre(baseline, relative=relative),
        candidate=_centre(candidate, relative=relative),
        change=_shown(float(np.mean(change)), relative=relative),
        lower=None if lower is None else _shown(lower, relative=relative),
        upper=None if upper is None else _shown(upper, relative=relative),
        rounds=len(comparison.rounds),
        t=None if tests is None else significant(tests.t),
        allowed=None
        if tests is None
        else _shown(worse * tests.mean_allowed, relative=relative),
        worst_round=comparison.rounds[worst],
        per_round=tuple(
            (significant(before), significant(after))
            for before, after in comparison.pairs
        ),
    )


def _shown(change: float, *, relative: bool) -> float:
    return significant(ratio(change) if relative else change)


def _interval(change: Floats, critical: float) -> tuple[float | None, float | None]:
    if len(change) < FEWEST:
        return None, None
    centre, half = float(np.mean(change)), half_width(change, critical)
    return centre - half, centre + half


def _centre(values: Floats, *, relative: bool) -> float:
    mean = exp(float(np.mean(np.log(values)))) if relative else float(np.mean(values))
    return significant(mean)


def label(comparison: Comparison, *, regressed: bool, looked: bool) -> Label:
    """What an estimate says by itself; the arguments are those of `estimate`.

    Improved: the whole 90 % interval is on the better side of no change. Equivalent:
    it lies within half the budget to both sides. Within budget: its worse end is below
    the budget, which is what PASS asks of all.
    """
    tests = comparison.tests
    if not comparison.pairs:
        return Label.UNCLEAR if comparison.blocks else Label.SHOWN
    if not comparison.hypothesis.budget:
        return Label.SHOWN
    if regressed:
        return Label.REGRESSED
    if not looked or tests is None or not tests.passes:
        return Label.UNCLEAR
    best, worst = _interval(tests.excess + tests.allowed, tests.critical)
    half = tests.mean_allowed / 2
    if worst is None or best is None or worst < 0:
        return Label.IMPROVED
    return Label.EQUIVALENT if -half < best and worst < half else Label.WITHIN
