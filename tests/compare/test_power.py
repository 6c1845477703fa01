from __future__ import annotations

from dataclasses import replace
from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as terms
from hypothesis import strategies as st

from harness.compare.boundary import Looks
from harness.compare.paired import LEVEL, fail_excess, pass_excess, t_statistic
from harness.compare.power import Gate, _t, power, smallest_change

GATE = Gate(
    deviation=0.05, allowed=log(1.1), cap=log(1.25), share=1 / 6, looks=Looks(4, 10)
)
DEVIATIONS = st.floats(0.001, 1.0)


@given(DEVIATIONS, DEVIATIONS)
@terms(max_examples=25)
def test_more_noise_never_detects_more(one: float, other: float) -> None:
    """The smallest detectable change never falls as the noise grows."""
    quiet, loud = sorted((one, other))

    smallest = [
        smallest_change(replace(GATE, deviation=deviation), 0.9)
        for deviation in (quiet, loud)
    ]

    assert smallest[0] <= smallest[1] + 1e-6


@given(st.integers(1, 30), st.integers(1, 30))
@terms(max_examples=10)
def test_more_hypotheses_never_detect_more(one: int, other: int) -> None:
    """A larger family shares the same 5 %, so each of it sees less."""
    small, large = sorted((one, other))

    smallest = [
        smallest_change(replace(GATE, share=1 / m), 0.9) for m in (small, large)
    ]

    assert smallest[0] <= smallest[1]


@given(DEVIATIONS)
@terms(max_examples=25)
def test_detected_is_over_budget(deviation: float) -> None:
    """What is detected is over the budget, and 9 of 10 trials find it."""
    gate = replace(GATE, deviation=deviation)

    smallest = smallest_change(gate, 0.9)

    assert gate.allowed < smallest
    assert 0.9 <= power(gate, smallest)


def test_nothing_varies() -> None:
    """Without noise, whatever exceeds the budget is found."""
    assert GATE.allowed == smallest_change(replace(GATE, deviation=0.0), 0.99)


def test_at_the_budget() -> None:
    """A change exactly at its budget fails in no more than its share of 5 %."""
    assert power(replace(GATE, share=1.0), GATE.allowed) <= LEVEL + 0.01
    assert power(GATE, 0.0) <= 0.001


def test_the_tests_are_those_of_the_judge() -> None:
    """A drawn trial is tested by the figures that a real one is tested by."""
    random = np.random.default_rng(3)
    worsening, allowed = 0.2 + 0.1 * random.standard_normal(10), np.full(10, 0.1)
    excess = worsening - allowed
    looks = np.arange(4, 11)

    fails = _t(np.minimum(excess, 0.15)[None], looks)[0]
    passes = _t(np.maximum(excess, -0.15 - 0.1)[None], looks)[0]

    for place, rounds in enumerate(looks):
        first, budget = worsening[:rounds], allowed[:rounds]
        expected = t_statistic(fail_excess(first, budget, 0.15))
        assert expected == pytest.approx(fails[place])
        expected = t_statistic(pass_excess(first, budget, 0.15))
        assert expected == pytest.approx(passes[place])


def test_power_of_a_textbook_test() -> None:
    """One look, one hypothesis, no cap: the power of a one-sided t test.

    scipy.stats.nct.sf(2.35336, 3, 3.0) = 0.7353 for 4 rounds, a change of 1.5
    deviations, which is 3 standard errors, and 5 %.
    """
    gate = Gate(deviation=1.0, allowed=0.0, cap=1e6, share=1.0, looks=Looks(4, 4))

    assert 0.7353 == pytest.approx(power(gate, 1.5), abs=0.02)


def test_what_only_fails_is_found_at_the_first_look() -> None:
    """Where others may end the trial, later looks do not count."""
    early = replace(GATE, only_fails=True)

    assert power(early, 0.2) < power(GATE, 0.2)
    assert smallest_change(GATE, 0.9) < smallest_change(early, 0.9)


def test_soak() -> None:
    """Of two rounds that must both exceed: 1.63 deviations, since 0.9487² is 0.9."""
    gate = replace(GATE, every=True, cap=inf, looks=Looks(2, 2))

    excess = smallest_change(gate, 0.9) - gate.allowed

    assert 1.63 * gate.deviation == pytest.approx(excess, rel=0.03)
