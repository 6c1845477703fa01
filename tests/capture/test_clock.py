from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.clock import spread

SECOND_NS = 1_000_000_000


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
