from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.boundary import Looks
from harness.compare.metric import METRICS
from harness.compare.paired import (
    LEVEL,
    changes,
    fail_excess,
    half_width,
    holm,
    p_value,
    pass_excess,
    rounds_needed,
    slack,
    t_statistic,
)
from harness.model.quantity import Allowance

CAP = METRICS["p95"].cap
TEN_PERCENT = Allowance.parse("10%", "ns")
SEED = 20_261_123


def critical(level: float, rounds: int) -> float:
    """Of a trial with one look."""
    return Looks(rounds, rounds).critical(level, rounds)


_levels = st.lists(st.floats(1, 1e9), min_size=2, max_size=8)
_p_values = st.lists(st.floats(0, 1), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("level", "rounds", "expected"),
    [(0.05, 4, 2.3534), (0.025, 4, 3.1824), (0.05, 8, 1.8946), (0.005, 4, 5.8409)],
)
def test_critical_values_are_those_of_the_t_table(
    level: float, rounds: int, expected: float
) -> None:
    """R rounds have R - 1 degrees of freedom."""
    assert critical(level, rounds) == pytest.approx(expected, abs=5e-4)
    assert p_value(critical(level, rounds), rounds) == pytest.approx(level)


def test_the_interval_ends_are_the_one_sided_bounds() -> None:
    """Four changes of 1, 2, 3, 4: half width 2.3534 times 1.2910 / 2."""
    assert half_width(
        np.array([1.0, 2.0, 3.0, 4.0]), critical(LEVEL, 4)
    ) == pytest.approx(1.5191, abs=1e-4)


@given(levels=_levels, seed=st.integers(0, 2**32))
@pytest.mark.parametrize("relative", [True, False])
def test_swapping_the_arms_flips_every_sign(
    levels: list[float], seed: int, *, relative: bool
) -> None:
    """Neither arm is favoured: the change is exactly the opposite."""
    baseline = np.array(levels)
    candidate = np.random.default_rng(seed).permutation(baseline) * 1.07

    there = changes(baseline, candidate, relative=relative)
    back = changes(candidate, baseline, relative=relative)

    assert np.array_equal(there, -back)


@pytest.mark.parametrize(
    ("baseline", "text", "relative", "expected"),
    [
        (100e6, "10% or 5ms", True, log(1.1)),
        (10e6, "10% or 5ms", True, log(1.5)),
        (10e6, "5ms", True, log(1.5)),
        (0.0, "0.1%", False, 0.001),
    ],
)
def test_either_part_of_a_budget_suffices(
    baseline: float, text: str, *, relative: bool, expected: float
) -> None:
    """The limit is the larger of both parts; for rates it is percentage points."""
    allowance = Allowance.parse(text, "ns")

    allowed = slack(np.array([baseline]), allowance, relative=relative)

    assert allowed[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.2] * 4, 1e6),
        ([-0.2] * 4, -1e6),
        ([0.0] * 4, 0.0),
        ([0.1 + 0.2, 0.3, 0.3], 1e6),
        ([0.1 - 0.1, 1e-17, -1e-17], 0.0),
        ([1.0, 2.0, 3.0, 4.0], 3.8730),
    ],
)
def test_t_is_finite_even_without_deviation(
    values: list[float], expected: float
) -> None:
    """Rounds that all say the same say it by the sign of their mean."""
    assert t_statistic(np.array(values)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("p_values", "shares", "expected"),
    [
        ([0.001, 0.02, 0.02], [1 / 3] * 3, {0, 1, 2}),
        ([0.001, 0.03, 0.04], [1 / 3] * 3, {0}),
        ([0.02, 0.001], [1 / 2] * 2, {0, 1}),
        ([0.02, 0.001], [1 / 8] * 2, {1}),
        ([0.02, 0.03], [1 / 3] * 2, set()),
        ([0.02, 0.02], [1 / 2, 1 / 6], {0}),
        ([0.02, 0.012], [1 / 2, 1 / 6], {0, 1}),
        ([], [], set()),
    ],
)
def test_holm_goes_on_until_the_first_miss(
    p_values: list[float], shares: list[float], expected: set[int]
) -> None:
    """What is rejected leaves its share; undefined hypotheses keep theirs."""
    assert holm(p_values, shares, float) == expected


@given(_p_values, st.data())
def test_holm_never_loses_by_stronger_evidence(
    p_values: list[float], data: st.DataObject
) -> None:
    """Halving one p-value keeps every rejection; smaller shares add none."""
    weights = data.draw(
        st.lists(st.integers(1, 9), min_size=len(p_values), max_size=len(p_values))
    )
    shares = [each / sum(weights) for each in weights]
    place = data.draw(st.integers(0, len(p_values) - 1))
    stronger = [*p_values]
    stronger[place] /= 2
    smaller = [each / 2 for each in shares]

    assert holm(p_values, shares, float) <= holm(stronger, shares, float)
    assert holm(p_values, smaller, float) <= holm(p_values, shares, float)


def test_the_family_is_wrong_in_5_of_100_at_most() -> None:
    """Where nothing has changed, unequal shares spend no more than equal ones do."""
    random = np.random.default_rng(SEED)
    shares = [0.5, *[0.1] * 5]
    wrong = [bool(holm(p, shares, float)) for p in random.random((20_000, 6)).tolist()]

    assert np.mean(wrong) == pytest.approx(1 - 0.975 * 0.995**5, abs=0.005)


def test_one_catastrophic_round_cannot_hide_a_fail() -> None:
    """Four rounds far over the budget, one of them thirtyfold, are still a FAIL."""
    worsening = np.array([log(1.5), log(1.45), log(1.55), log(30)])
    allowed = np.full(4, log(1.1))

    plain = p_value(t_statistic(worsening - allowed), 4)
    capped = p_value(t_statistic(fail_excess(worsening, allowed, CAP)), 4)

    assert plain > 0.05
    assert capped < 0.05 / 8


def test_one_lucky_round_cannot_buy_a_pass() -> None:
    """For PASS a round counts at most a quarter better than the baseline."""
    worsening = np.array([log(1.2), log(1.2), log(1.2), log(0.01)])
    allowed = np.full(4, log(1.1))

    excess = pass_excess(worsening, allowed, CAP)

    assert excess.min() == pytest.approx(-CAP - log(1.1))
    assert t_statistic(excess) > -critical(LEVEL, 4)


@pytest.mark.parametrize(
    ("excess", "expected"),
    [
        ([-0.03, -0.06, 0.0, -0.03], 9),
        ([0.0, 0.001, -0.001, 0.0], None),
        ([-0.2, -0.21, -0.2, -0.2], 5),
    ],
)
def test_rounds_needed_grow_with_the_noise(
    excess: list[float], expected: int | None
) -> None:
    """A mean close to the budget is beyond any number of rounds."""
    assert rounds_needed(np.array(excess), 1 / 8) == expected


def _trials(change: float, deviation: float, metrics: int) -> tuple[float, float]:
    """Shares of FAIL and PASS of 2,000 seeded trials of 4 rounds at 10 % budgets."""
    random = np.random.default_rng(SEED)
    drawn = random.normal(log(1 + change), deviation, (2_000, metrics, 4))
    allowed = np.full(4, log(1.1))
    fails = passes = 0
    for trial in drawn:
        p_values = [
            p_value(t_statistic(fail_excess(each, allowed, CAP)), 4) for each in trial
        ]
        fails += bool(holm(p_values, [1 / metrics] * metrics, float))
        passes += all(
            t_statistic(pass_excess(each, allowed, CAP)) < -critical(LEVEL, 4)
            for each in trial
        )
    return fails / len(drawn), passes / len(drawn)


def test_equal_builds_hardly_ever_fail() -> None:
    """A/A at a deviation of 5 % and 8 metrics: at most 1 % false FAIL."""
    fails, _ = _trials(0.0, 0.05, 8)

    assert fails <= 0.01


def test_twice_the_budget_never_passes() -> None:
    """One metric at +20 % where 10 % are allowed, at a deviation of 5 %."""
    _, passes = _trials(0.2, 0.05, 1)

    assert passes == 0.0


def test_exactly_the_budget_is_wrong_no_more_than_it_may() -> None:
    """At the budget itself FAIL and PASS are each wrong in at most 5.5 %."""
    fails, passes = _trials(0.1, 0.05, 1)

    assert max(fails, passes) <= 0.055
