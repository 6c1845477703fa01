"""Levels over time: where their area and their height pass a number."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.planning.curve import Curve

SECOND = 1_000_000_000

CURVES = st.lists(
    st.tuples(st.integers(0, 20), st.floats(0, 50)),
    min_size=1,
    max_size=8,
    unique_by=lambda point: point[0],
).map(lambda points: Curve.of((at * SECOND, level) for at, level in sorted(points)))


@given(CURVES, st.integers(1, 500))
def test_moments_follow_the_area(curve: Curve, scale: int) -> None:
    """The k-th moment lies where the area is between k and k + 1."""
    rate = curve.times(scale / SECOND / 20).between(SECOND, 21 * SECOND)

    moments_ns = rate.moments(np.random.default_rng(1))

    assert abs(len(moments_ns) - rate.areas[-1]) <= 1
    for place in range(len(rate.level) - 1):
        begin_ns, end_ns = rate.at_ns[place], rate.at_ns[place + 1]
        inside = ((moments_ns >= begin_ns) & (moments_ns < end_ns)).sum()
        assert abs(inside - (rate.areas[place + 1] - rate.areas[place])) <= 2
    assert np.all((moments_ns >= 0) & (moments_ns <= 21 * SECOND))


@given(CURVES)
def test_users_on_stage_are_the_level(curve: Curve) -> None:
    """At any moment as many users are on stage as the level says, rounded."""
    seats = curve.between(SECOND, 21 * SECOND)

    stays = seats.stays(0)

    for moment_ns in np.linspace(0, 21 * SECOND - 1, 97):
        here = stays.enters_ns <= moment_ns
        here &= (stays.leaves_ns < 0) | (stays.leaves_ns > moment_ns)
        level = np.interp(moment_ns, seats.at_ns, seats.level)
        near = np.interp([moment_ns - 3e6, moment_ns + 3e6], seats.at_ns, seats.level)
        low, high = min(level, *near) - 0.51, max(level, *near) + 0.51
        assert low <= here.sum() <= high


def test_ramp_lets_users_in_one_by_one() -> None:
    """A constant population arrives evenly over the ramp and stays."""
    stays = Curve.of([(0, 4)]).between(SECOND, 9 * SECOND).stays(SECOND)

    assert [0, SECOND // 4, SECOND // 2, 3 * SECOND // 4] == stays.enters_ns.tolist()
    assert [-1] * 4 == stays.leaves_ns.tolist()


def test_warm_up_has_the_first_level() -> None:
    """The curve is laid over the measured part; before it its first level holds."""
    curve = Curve.of([(0, 2), (4 * SECOND, 6)]).between(SECOND, 5 * SECOND)

    assert [0, SECOND, 5 * SECOND] == curve.at_ns.tolist()
    assert [2, 2, 6] == curve.level.tolist()


def test_through_parts() -> None:
    """Counts become a curve through the middles of their parts."""
    curve = Curve.through([1, 3], 4 * SECOND)

    assert [SECOND, 3 * SECOND] == curve.at_ns.tolist()
    assert [1, 3] == curve.level.tolist()
