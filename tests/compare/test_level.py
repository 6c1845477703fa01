from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.boundary import Looks
from harness.compare.level import Levels, levels, overdispersion, rate_bounds
from harness.compare.paired import LEVEL
from harness.model.symptom import Symptom

if TYPE_CHECKING:
    from harness.compare.measure import ArmMeasures
    from tests.compare.conftest import Make


def _upper(found: int, trials: int) -> float:
    return rate_bounds([(trials, found)], 1.0, LEVEL).upper


@pytest.mark.parametrize(
    ("found", "trials", "expected"),
    [
        (0, 59, 0.0495),
        (0, 149, 0.0199),
        (0, 12, 0.2209),
        (1, 10, 0.3942),
        (5, 20, 0.4556),
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_upper_bound(found: int, trials: int, expected: float) -> None:
    """The bound is that of Clopper and Pearson's tables, one-sided at 95 %."""
    assert expected == pytest.approx(_upper(found, trials), abs=5e-5)


@given(st.integers(1, 200), st.integers(0, 200))
def test_upper_bound_covers(trials: int, found: int) -> None:
    """More trials without a find lower the bound, more finds raise it."""
    found = min(found, trials)

    bound = _upper(found, trials)

    assert found / trials <= bound <= 1
    assert _upper(found, trials + 1) <= bound
    assert bound <= _upper(found + 1, trials)


@pytest.mark.parametrize(("errors", "upper"), [(0, 0.0295), (1, 0.0466), (10, 0.1637)])
def test_clopper_pearson(errors: int, upper: float) -> None:
    """The known upper 95 % bounds of so many of 100."""
    bounds = rate_bounds([(100, errors)], 1.0, 0.05)

    assert bounds.upper == pytest.approx(upper, abs=1e-4)
    assert bounds.lower <= errors / 100 <= bounds.upper


@given(st.lists(st.integers(0, 100), min_size=2, max_size=12), st.floats(1, 5))
def test_bursts_widen(errors: list[int], spread: float) -> None:
    """Errors in bursts are fewer observations: the bounds never get narrower."""
    counts = [(100, each) for each in errors]
    plain, wider = rate_bounds(counts, 1.0, 0.05), rate_bounds(counts, spread, 0.05)

    assert overdispersion(counts) >= 1.0
    assert wider.lower <= plain.lower + 1e-12
    assert wider.upper >= plain.upper - 1e-12


def test_overdispersion() -> None:
    """Evenly spread errors have none; all in one slice of ten have 10."""
    assert overdispersion([(1_000, 10)] * 10) == 1.0
    burst = [(1_000, 100), *[(1_000, 0)] * 9]
    assert overdispersion(burst) == pytest.approx(101, rel=0.01)


def test_starts_that_vary_widen_too(make: Make) -> None:
    """Rounds of 0.4 and 1.2 % by turns, even in themselves, may well be beyond 1 %."""
    rounds = [
        make.round(
            index,
            _arm_of(make, 21),
            _arm_of(make, 3 if index % 2 else 8),
        )
        for index in range(1, 11)
    ]

    found = levels(
        Symptom.model_validate({"errors": "1%"}),
        make.trial(rounds, looks=Looks(6, 20)),
    )

    assert isinstance(found, Levels)
    assert found.candidate.upper > found.threshold


def _arm_of(make: Make, errors: int) -> ArmMeasures:
    """Six slices of 700 requests, each with so many errors."""
    return make.arm(
        requests={"GET /0": 6 * 700},
        errors=6 * errors,
        by_slice={"GET /0": ((700, errors),) * 6},
    )
