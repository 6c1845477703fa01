from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.course import course
from harness.compare.measure import quantile
from harness.model.result import CAUSES

if TYPE_CHECKING:
    from tests.compare.conftest import Make

S = 1_000_000_000
MS = 1_000_000
TIMEOUT = CAUSES.index("timeout")


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 5_000), st.booleans()), max_size=200
    )
)
def test_nothing_is_lost(make: Make, shots: list[tuple[int, int, bool]]) -> None:
    """Every measured request and error is in one piece, and the warm-up in none."""
    slices, due_ms, failed = zip(*shots, strict=True) if shots else ((), (), ())
    due_ns = np.array(slices, int) * 10 * S + np.array(due_ms, int) * MS + S
    columns = make.columns(
        [1.0] * len(shots),
        slice=list(slices),
        due_ns=due_ns,
        sent_ns=due_ns,
        done_ns=due_ns + MS,
        status=[500 if each else 200 for each in failed],
    )

    found = course(columns)

    measured = np.array(slices, int) > 0
    assert found.requests.sum() == measured.sum()
    assert found.errors.sum() == (measured & np.array(failed, bool)).sum()
    assert set(found.slice) == set(slices) - {0}
    assert (found.from_ns < found.until_ns).all()
    assert (np.diff(found.from_ns) > 0).all()


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=100))
def test_quantiles_are_those_of_the_verdict(make: Make, took_ms: list[int]) -> None:
    """Of a piece, what `quantile` takes of its latencies."""
    due_ns = np.full(len(took_ms), S)
    done_ns = due_ns + np.array(took_ms) * MS
    columns = make.columns(took_ms, due_ns=due_ns, sent_ns=due_ns, done_ns=done_ns)

    found = course(columns)

    latency_ns = np.array(took_ms) * MS
    assert [quantile(latency_ns, 95)] == found.p95_ns.tolist()


def test_unanswered(make: Make) -> None:
    """A request without an answer took its deadline."""
    columns = make.columns([5], sent_ns=[1], cause=[TIMEOUT])

    assert [columns.deadline_ns] == course(columns).p95_ns.tolist()


def test_a_long_round(make: Make) -> None:
    """Hours are drawn in a few hundred pieces."""
    due_ns = np.arange(10_000) * S + S
    columns = make.columns(
        [1.0] * 10_000, due_ns=due_ns, sent_ns=due_ns, done_ns=due_ns + MS
    )

    found = course(columns)

    assert len(found.requests) <= 240
    assert found.requests.sum() == 10_000


def test_readings(make: Make) -> None:
    """CPU is a number of cores since the reading before; of the first none is known."""
    columns = make.columns([1.0], sent_ns=[1], anonymous_bytes=[10, 20, 30])
    usage = {**columns.usage, "at_ns": np.array([0, S, 3 * S])}
    usage["cpu_ns"] = np.array([0, S // 2, 2 * S])

    found = course(replace(columns, usage=usage))

    assert [10, 20, 30] == found.memory_bytes.tolist()
    assert pytest.approx([np.nan, 0.5, 0.75], nan_ok=True) == found.cores


def test_nothing(make: Make) -> None:
    """An arm that was asked for nothing has nothing to draw."""
    found = course(make.columns([]))

    assert not len(found.requests)
    assert not len(found.read_at_ns)
