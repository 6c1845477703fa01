from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.measure import measured, needed, quantile
from harness.model.result import CAUSES

if TYPE_CHECKING:
    from tests.compare.conftest import Make

MS = 1_000_000
TIMEOUT = CAUSES.index("timeout")
NOT_SENT = CAUSES.index("not sent")


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 99))
def test_quantile_is_the_smallest_value_with_enough_below(
    values: list[int], percent: int
) -> None:
    """A quantile is the smallest value with at least that share at or below it."""
    enough = ceil(percent * len(values) / 100)
    expected = min(
        value for value in values if sum(each <= value for each in values) >= enough
    )

    assert quantile(np.array(values), percent) == expected


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 60), (90, 300), (95, 600), (99, 3_000)]
)
def test_a_quantile_needs_thirty_requests_beyond_it(
    percent: int, expected: int
) -> None:
    """The counts of the design: 60 for p50, 600 for p95, 3,000 for p99."""
    assert needed(percent) == expected


def test_the_warm_up_is_left_out_of_everything(make: Make) -> None:
    """Slice 0 moves neither quantiles nor rates nor counts."""
    arm = measured(make.columns([900, 5], slice=[0, 1], status=[500, 200]))

    assert arm.latencies_ns(arm.routes).tolist() == [5 * MS]
    assert (arm.requests, arm.errors) == ({"GET /a": 1}, {})
    assert (arm.answered, arm.correct) == (1, 1)


def test_latency_counts_from_the_due_time(make: Make) -> None:
    """A request that had to wait for its turn is late by its wait, too."""
    arm = measured(make.columns([30], due_ns=10 * MS, sent_ns=25 * MS))

    assert arm.latencies_ns({"GET /a"}).tolist() == [20 * MS]


def test_an_unanswered_request_counts_as_its_deadline(make: Make) -> None:
    """A quick refusal is no quick answer, and a late failure is as late as it was."""
    arm = measured(make.columns([1, 1_500], cause=TIMEOUT, status=0))

    assert arm.latencies_ns({"GET /a"}).tolist() == [1_000 * MS, 1_500 * MS]
    assert (arm.errors, arm.answered, arm.correct) == ({"GET /a": 2}, 0, 0)


@pytest.mark.parametrize(
    ("open_loop", "latencies", "requests"),
    [(True, [5 * MS, 1_000 * MS], 2), (False, [5 * MS], 1)],
)
def test_a_shot_never_sent_counts_where_it_was_due(
    make: Make, *, open_loop: bool, latencies: list[int], requests: int
) -> None:
    """In an open population it is a deadline missed; in a closed one nobody asked."""
    columns = make.columns(
        [5, 0], cause=[0, NOT_SENT], status=[200, 0], open_loop=open_loop
    )
    arm = measured(columns)

    assert arm.latencies_ns({"GET /a"}).tolist() == latencies
    assert arm.requests == {"GET /a": requests}


def test_reconnected_answers_count_in_rates_only(make: Make) -> None:
    """The pause between slices closed the connection: not a latency of the build."""
    columns = make.columns(
        [7, 8, 9], reconnected=[1, 1, 0], cause=[0, TIMEOUT, 0], status=[500, 0, 200]
    )
    arm = measured(columns)

    assert arm.latencies_ns({"GET /a"}).tolist() == [1_000 * MS, 9 * MS]
    assert arm.error_rate({"GET /a"}) == 2 / 3
    assert arm.reconnected == 2


@pytest.mark.parametrize(
    ("status", "recorded", "error"),
    [
        (200, 200, False),
        (404, 404, False),
        (404, 200, True),
        (404, 0, False),
        (500, 500, True),
        (503, 0, True),
        (302, 200, False),
    ],
)
def test_an_error_is_a_500_or_a_new_400(
    make: Make, *, status: int, recorded: int, error: bool
) -> None:
    """What the recording already answered with 4xx is no error of the build."""
    arm = measured(make.columns([1], status=status, recorded_status=recorded))

    assert arm.errors == ({"GET /a": 1} if error else {})
    assert arm.correct == (not error)


@pytest.mark.parametrize(
    ("status", "recorded", "denied"),
    [(401, 200, 1), (403, 0, 1), (401, 401, 0), (404, 200, 0)],
)
def test_denied_is_what_the_recording_was_not(
    make: Make, status: int, recorded: int, denied: int
) -> None:
    """401 and 403 count as expired credentials unless the recording had them."""
    arm = measured(make.columns([1], status=status, recorded_status=recorded))

    assert arm.denied == denied


def test_routes_are_kept_apart_and_join_again(make: Make) -> None:
    """Latencies and errors belong to their route; several routes pool exactly."""
    columns = make.columns(
        [1, 2, 3, 4],
        route=[2, 0, 2, 0],
        routes=("GET /a", "GET /never", "GET /b"),
        status=[200, 200, 500, 200],
    )
    arm = measured(columns)

    assert arm.routes == {"GET /a", "GET /b"}
    assert arm.latencies_ns({"GET /b"}).tolist() == [1 * MS, 3 * MS]
    assert sorted(arm.latencies_ns(arm.routes)) == [1 * MS, 2 * MS, 3 * MS, 4 * MS]
    assert arm.error_rate({"GET /b"}) == 1 / 2
    assert arm.error_rate(arm.routes) == 1 / 4
    assert arm.error_rate({"GET /never"}) is None


def test_memory_level_is_the_median_of_the_last_third(make: Make) -> None:
    """Growing and starting up count less than where memory ends."""
    columns = make.columns([1], anonymous_bytes=[1, 1, 1, 1, 1, 1, 50, 90, 60, 70])

    assert measured(columns).memory_bytes == 65.0


def test_memory_at_rest_is_no_level(make: Make) -> None:
    """What is held under load counts, whatever is given back while the other plays."""
    columns = make.columns(
        [1, 1], sent_ns=[0, 8], done_ns=[2, 9], slice=[1, 2], anonymous_bytes=[9] * 10
    )
    levels = np.array([80, 80, 80, 5, 5, 5, 5, 5, 90, 90])

    arm = measured(replace(columns, usage={**columns.usage, "anonymous_bytes": levels}))

    assert arm.memory_bytes == 90.0


def test_an_arm_without_samples_or_readings_measures_nothing(make: Make) -> None:
    """Nothing in, nothing out, and no value made up."""
    arm = measured(make.columns([]))

    assert (arm.requests, arm.memory_bytes, arm.cpu_ns) == ({}, None, None)
    assert arm.latencies_ns({"GET /a"}).tolist() == []


def test_what_an_answer_takes(make: Make) -> None:
    """Of what only rises, the last reading less the first, by the answer."""
    columns = make.columns([1.0] * 10, anonymous_bytes=[5, 5, 5])
    usage = {**columns.usage, "faults": np.array([100, 120, 140])}
    usage["sent_bytes"] = np.array([-1, -1, -1])

    spent = measured(replace(columns, usage=usage)).spent

    assert 4.0 == spent["faults"]
    assert "sent_bytes" not in spent
