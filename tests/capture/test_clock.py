from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.clock import epoch_ns, moments_ns, since_epoch, spread

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize("year", [1, 1969, 2117, 9999])
def test_a_time_that_was_never_set(year: int) -> None:
    """A moment that no capture can hold is no number of nanoseconds."""
    assert epoch_ns(datetime(year, 6, 1, tzinfo=UTC)) is None


@given(st.integers(0, 1 << 51))
def test_microseconds_are_kept(since_us: int) -> None:
    """Nanoseconds since the epoch are exact."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=since_us)
    assert since_us * 1_000 == epoch_ns(moment)


@given(st.lists(st.integers(0, 9), max_size=60).map(sorted))
def test_starts_stay_in_their_tick_and_order(ticks: list[int]) -> None:
    """Spreading moves a start inside its second and past no other."""
    given_ns = np.array(ticks, np.int64) * SECOND_NS
    moved = spread(given_ns, SECOND_NS)
    assert (moved // SECOND_NS * SECOND_NS).tolist() == given_ns.tolist()
    assert sorted(moved.tolist()) == moved.tolist()
    assert moved.tolist() == spread(given_ns, SECOND_NS).tolist()


def test_a_full_second_is_filled_evenly() -> None:
    """Of n starts in a second each has an n-th of it to itself."""
    moved = spread(np.zeros(100, np.int64), SECOND_NS)
    assert (moved // (SECOND_NS // 100)).tolist() == list(range(100))
    assert len(set((moved % (SECOND_NS // 100)).tolist())) > 90


@given(st.lists(st.integers(-(1 << 40), 1 << 40)))
def test_many_seconds_are_the_seconds_one_by_one(since_s: list[int]) -> None:
    """What is no moment is -1."""
    expected = [since_epoch(each * SECOND_NS) for each in since_s]

    assert [-1 if each is None else each for each in expected] == (
        moments_ns(np.array(since_s, np.int64)).tolist()
    )
