from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.boundary import Looks
from harness.compare.estimate import compared, estimate, exceeds
from harness.compare.hypothesis import Hypothesis
from harness.compare.metric import METRICS
from harness.model.quantity import Allowance
from harness.model.verdict import Label

if TYPE_CHECKING:
    from harness.compare.estimate import Comparison
    from tests.compare.conftest import Make

MIB = 2**20
ROUTES = frozenset({"GET /0"})
ALLOWED = Allowance.parse("10%", "ns")

LOOKS = Looks(4, 4)


def _hypothesis(
    metric: str, allowance: Allowance | None = ALLOWED, *, required: bool = False
) -> Hypothesis:
    return Hypothesis(
        metric=METRICS[metric],
        route="service",
        routes=ROUTES,
        allowance=allowance,
        required=required,
    )


def _memory(
    make: Make,
    levels: list[tuple[float, float]],
    allowance: Allowance | None = ALLOWED,
) -> Comparison:
    rounds = [
        make.round(
            index,
            make.arm(memory_bytes=before * MIB),
            make.arm(memory_bytes=after * MIB),
        )
        for index, (before, after) in enumerate(levels, start=1)
    ]
    return compared(_hypothesis("memory", allowance), rounds, LOOKS)


def test_an_estimate_says_all_there_is(make: Make) -> None:
    """Geometric centres, the ratio with its interval, the worst round, all rounds."""
    comparison = _memory(make, [(50, 100), (50, 110), (50, 120), (50, 90)])

    found = estimate(comparison, regressed=True, looked=True)

    assert (found.baseline, found.candidate) == (50 * MIB, 109_472_000)
    assert found.change == pytest.approx(2.0880, abs=1e-4)
    assert (found.lower, found.upper) == pytest.approx((1.8049, 2.4157), abs=5e-4)
    assert (found.rounds, found.worst_round, found.budget) == (4, 3, "10%")
    assert found.per_round[3] == (50 * MIB, 94_371_800)
    assert found.label is Label.REGRESSED


@pytest.mark.parametrize(
    ("after", "label"),
    [
        ([50, 50.1, 49.9, 50], Label.EQUIVALENT),
        ([53, 53.2, 53.1, 52.9], Label.WITHIN),
        ([47, 47.2, 47.1, 46.9], Label.IMPROVED),
        ([55, 55.2, 55.1, 54.9], Label.UNCLEAR),
        ([40, 60, 45, 55], Label.UNCLEAR),
    ],
)
def test_labels_follow_the_interval(
    make: Make, after: list[float], label: Label
) -> None:
    """Half the budget both ways is equivalent; better than no change is improved."""
    comparison = _memory(make, [(50.0, each) for each in after])

    assert estimate(comparison, regressed=False, looked=True).label is label


def test_before_all_rounds_are_in_everything_gated_is_unclear(make: Make) -> None:
    """One look at the planned number of rounds, none before."""
    comparison = _memory(make, [(50, 50), (50, 50)])

    assert estimate(comparison, regressed=False, looked=False).label is Label.UNCLEAR


def test_what_has_no_budget_is_only_shown(make: Make) -> None:
    """It has an interval but no test."""
    found = estimate(_memory(make, [(50, 90)] * 4, None), regressed=False, looked=True)

    assert (found.label, found.t, found.budget) == (Label.SHOWN, None, "")
    assert found.change == 1.8


def test_a_single_round_has_a_value_but_no_interval(make: Make) -> None:
    """One round has no deviation."""
    found = estimate(_memory(make, [(50, 55)]), regressed=False, looked=False)

    assert (found.change, found.lower, found.upper, found.t) == (1.1, None, None, None)


def test_without_rounds_there_is_no_value(make: Make) -> None:
    """Nothing measured is undefined, with the reason."""
    found = estimate(_memory(make, []), regressed=False, looked=False)

    assert (found.change, found.undefined) == (None, "no rounds")


@given(st.lists(st.floats(1, 1e4), min_size=4, max_size=4))
def test_swapping_the_arms_inverts_the_change(make: Make, levels: list[float]) -> None:
    """What is a ratio one way is its inverse the other way, interval included."""
    pairs = list(zip(levels, reversed(levels), strict=True))
    pairs[0] = (levels[0], levels[0] * 1.5)
    there = estimate(_memory(make, pairs), regressed=False, looked=True)
    swapped = [(after, before) for before, after in pairs]
    back = estimate(_memory(make, swapped), regressed=False, looked=True)

    assert there.change is not None
    assert back.change is not None
    assert log(there.change) == pytest.approx(-log(back.change), abs=2e-5)
    assert there.lower is not None
    assert back.upper is not None
    assert log(there.lower) == pytest.approx(-log(back.upper), abs=2e-5)


def test_less_goodput_is_worse(make: Make) -> None:
    """The test looks to the worse side, wherever that is."""
    rounds = [make.round(index, make.arm(), make.arm(errors=70)) for index in (1, 2)]
    hypothesis = _hypothesis("goodput", Allowance.parse("1%", "ratio"))

    found = estimate(compared(hypothesis, rounds, LOOKS), regressed=False, looked=True)

    assert (found.change, found.t, found.label) == (-0.1, 1e6, Label.UNCLEAR)
    assert (found.budget, found.unit) == ("1 point", "ratio")


@pytest.mark.parametrize(
    ("baseline", "candidate", "blocks"),
    [(None, 1.0, False), (None, None, False), (1.0, None, True)],
)
def test_what_only_the_candidate_lacks_withholds_a_pass(
    make: Make, baseline: float | None, candidate: float | None, *, blocks: bool
) -> None:
    """An environment that cannot measure is no fault; a missing candidate is."""
    evidence = make.round(
        1, make.arm(memory_bytes=baseline), make.arm(memory_bytes=candidate)
    )

    comparison = compared(_hypothesis("memory"), [evidence], LOOKS)
    found = estimate(comparison, regressed=False, looked=True)

    assert comparison.blocks == blocks
    assert found.undefined == "memory is not measured here"
    assert found.label is (Label.UNCLEAR if blocks else Label.SHOWN)


@pytest.mark.parametrize("required", [True, False])
def test_a_thin_quantile_blocks_only_if_asked_for_by_name(
    make: Make, *, required: bool
) -> None:
    """Thin traffic is nobody's fault, but a named budget must be judged."""
    evidence = make.round(1, make.arm(), make.arm())

    comparison = compared(_hypothesis("p99", required=required), [evidence], LOOKS)

    assert comparison.blocks == required


@pytest.mark.parametrize(
    ("after", "expected"), [(109.0, False), (111.0, True), (None, False)]
)
def test_a_single_round_exceeds_its_own_budget(
    make: Make, after: float | None, *, expected: bool
) -> None:
    """Without statistics: that round's value against that round's limit."""
    level = None if after is None else after * MIB
    evidence = make.round(1, make.arm(), make.arm(memory_bytes=level))

    assert exceeds(_hypothesis("memory"), evidence) == expected
    assert not exceeds(_hypothesis("memory", None), evidence)


@pytest.mark.parametrize(
    ("baseline", "candidate", "blocks"),
    [
        (3_200, 2_900, True),
        (3_100, 2_980, False),
        (2_990, 2_000, False),
        (3_400, 2_999, True),
    ],
)
def test_a_quantile_that_the_candidate_alone_lacks(
    make: Make, baseline: int, candidate: int, *, blocks: bool
) -> None:
    """Hanging up on its clients takes no candidate's p99 out of the verdict."""
    arms = [make.arm(np.arange(1, n + 1) * 1_000) for n in (baseline, candidate)]
    rounds = [make.round(index, *arms) for index in range(1, 5)]

    found = compared(_hypothesis("p99"), rounds, LOOKS)

    assert found.blocks is blocks
