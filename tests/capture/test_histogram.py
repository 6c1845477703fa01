from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.histogram import Histogram

VALUES = st.lists(st.integers(0, 10**15), min_size=1, max_size=60)


@given(VALUES, st.sampled_from([0.01, 0.5, 0.95, 1.0]), st.integers(1, 60))
def test_quantiles(values: list[int], share: float, size: int) -> None:
    """Within 1 % of the exact one by rank, however the values came."""
    histogram = Histogram()
    for at in range(0, len(values), size):
        histogram.add(np.array(values[at : at + size]))
    exact = np.quantile(values, share, method="inverted_cdf")

    assert len(values) == len(histogram)
    assert histogram.quantile(share) == pytest.approx(exact, rel=0.01, abs=1)


def test_nothing() -> None:
    """Without a number there is no quantile."""
    histogram = Histogram()
    histogram.add(np.empty(0, np.int64))

    assert histogram.quantile(0.5) is None
