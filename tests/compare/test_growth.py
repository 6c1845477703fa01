from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.growth import growth
from harness.model.result import SAMPLE_FIELDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MS = 1_000_000
S = 1_000 * MS


def _samples(slices: int, *, apart_s: int = 3) -> dict[str, NDArray[np.int64]]:
    """A request each 10 ms in slices of a second, the arm at rest between them."""
    starts = np.arange(slices) * apart_s * S
    sent = (starts[:, None] + np.arange(100) * 10 * MS).ravel()
    columns = {name: np.zeros(len(sent), np.int64) for name in SAMPLE_FIELDS}
    columns["slice"] = np.repeat(np.arange(1, slices + 1), 100)
    return {**columns, "sent_ns": sent, "done_ns": sent + MS}


def _usage(
    samples: dict[str, NDArray[np.int64]], slope: float, start: float
) -> dict[str, NDArray[np.int64]]:
    """A reading each 100 ms, growing by `slope` with every answer."""
    at_ns = np.arange(0, int(samples["done_ns"].max()), 100 * MS)
    answered = np.searchsorted(samples["done_ns"], at_ns, side="right")
    memory = (start + slope * answered).astype(np.int64)
    return {"at_ns": at_ns, "anonymous_bytes": memory}


@given(st.integers(-5_000, 5_000), st.integers(10**7, 10**9), st.integers(2, 6))
def test_slope(slope: int, start: int, slices: int) -> None:
    """What grows by so much an answer grows by 1,000 times that in 1,000."""
    samples = _samples(slices)

    found = growth(samples, _usage(samples, slope, start))

    assert found == pytest.approx(1_000 * slope, abs=1)


def test_still() -> None:
    """Memory that stays where it is grows by nothing at all."""
    samples = _samples(4)

    assert growth(samples, _usage(samples, 0, 10_579_968)) == 0


def test_rest_is_no_growth() -> None:
    """What the resting arm's memory does meanwhile does not count."""
    samples = _samples(4)
    usage = _usage(samples, 100, 10**8)
    offset = usage["at_ns"] % (3 * S)
    usage["anonymous_bytes"][offset > S + 100 * MS] += 10**9

    assert growth(samples, usage) == pytest.approx(100_000, abs=1)


def test_settled() -> None:
    """A cache that has filled by half of the requests does not grow after them."""
    samples = _samples(8)
    usage = _usage(samples, 100, 10**8)
    full = usage["anonymous_bytes"].searchsorted(10**8 + 100 * 380)
    usage["anonymous_bytes"][full:] = usage["anonymous_bytes"][full]

    whole, late = growth(samples, usage), growth(samples, usage, after=0.5)

    assert whole is not None
    assert whole > 10_000
    assert late == 0


@pytest.mark.parametrize("readings", [0, 9])
def test_too_little(readings: int) -> None:
    """Too few readings, or none, give no slope."""
    samples = _samples(2)
    usage = {name: each[:readings] for name, each in _usage(samples, 1, 1).items()}

    assert growth(samples, usage) is None


def test_no_answers() -> None:
    """Without an answer there is nothing to grow with."""
    samples = {name: each[:0] for name, each in _samples(1).items()}

    assert growth(samples, _usage(_samples(2), 1, 1)) is None


def test_what_is_not_measured() -> None:
    """Readings below 0 are none: of the others alone the slope is taken."""
    samples = _samples(4)
    usage = _usage(samples, 1, 50)
    files = np.where(usage["at_ns"] % (200 * MS), usage["anonymous_bytes"], -1)

    found = growth(samples, {**usage, "descriptors": files}, "descriptors")
    nothing = growth(samples, {**usage, "threads": files * 0 - 1}, "threads")

    assert found == pytest.approx(1_000, abs=1)
    assert nothing is None
