from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.sample import Sample
from harness.capture.tally import Tally

NAMES = [f"s{number}" for number in range(10_000)]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_share_is_kept(share: float) -> None:
    """So many sessions, as near as a fair lot comes to it."""
    sample = Sample(share, Tally())
    kept = len(sample.rows(NAMES))

    deviation = (share * (1 - share) * len(NAMES)) ** 0.5
    assert abs(kept - share * len(NAMES)) < 4 * deviation
    assert kept == sample.sessions


def test_all_are_kept() -> None:
    """A share of one leaves nothing out."""
    tally = Tally()
    sample = Sample(1.0, tally)

    assert len(NAMES) == len(sample.rows(NAMES)) == sample.sessions
    assert () == tally.filtered()


@given(st.lists(st.sampled_from(NAMES[:20]), max_size=40), st.integers(1, 40))
def test_sessions_are_whole(names: list[str], size: int) -> None:
    """However the rows are cut, a session is kept with all its rows or not at all."""
    tally = Tally()
    sample = Sample(0.5, tally)
    kept = [
        name
        for at in range(0, len(names), size)
        for name in np.array(names[at : at + size])[sample.rows(names[at : at + size])]
    ]

    assert [name for name in names if name in set(kept)] == kept
    assert len(set(kept)) == sample.sessions
    assert len(names) - len(kept) == sum(each.count for each in tally.filtered())
