from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ComparisonError
from harness.model.link import Extract, Fill, Links
from harness.model.plan import Plan, PlannedRequest
from harness.model.traffic import Request
from harness.store.plan import digest_of, read_requests, read_shots, write_plan

REQUEST = PlannedRequest(
    request=Request(method="GET", target="/"),
    route="GET /",
    cookies=None,
    recorded_status=200,
)
TEXT = st.text(st.characters(codec="latin-1"), max_size=5)
PAIRS = st.lists(st.tuples(TEXT.map(str.lower), TEXT), max_size=3).map(tuple)

PLACES = st.integers(0, 2**31 - 1)
FILLS = st.lists(
    st.builds(
        Fill,
        slot=PLACES,
        part=st.sampled_from(["target", "header", "body"]),
        header=PLACES,
        start=PLACES,
        end=PLACES,
        coding=st.sampled_from(["plain", "string"]),
    ),
    max_size=2,
).map(tuple)
EXTRACTS = st.lists(
    st.builds(
        Extract,
        slot=PLACES,
        kind=st.sampled_from(["json", "text"]),
        name=TEXT,
        pattern=TEXT,
    ),
    max_size=2,
).map(tuple)


@st.composite
def planned(draw: st.DrawFn) -> PlannedRequest:
    name = st.sampled_from(["accept", "x-y"])
    request = Request(
        method=draw(st.sampled_from(["GET", "POST"])),
        target="/" + draw(st.text("ab?=", max_size=5)),
        headers=tuple(draw(st.lists(st.tuples(name, TEXT), max_size=3))),
        body=draw(st.binary(max_size=5)),
    )
    return PlannedRequest(
        request=request,
        route=draw(TEXT),
        cookies=draw(st.none() | PAIRS),
        recorded_status=draw(st.integers(0, 599)),
        links=draw(st.builds(Links, fills=FILLS, extracts=EXTRACTS)),
    )


def stored(directory: Path, requests: list[PlannedRequest], **terms: Any) -> Plan:
    shots = {
        "user": np.array([0, 0, 1]),
        "due_ns": np.array([1, 5, 2]),
        "think_ns": np.zeros(3),
        "fresh": np.array([True, False, True]),
        "request": np.zeros(3),
    }
    known: dict[str, Any] = {
        "open_loop": True,
        "warmup_ns": 1,
        "slice_ns": 2,
        "slices": 3,
        "planned": 3,
        "peak_users": 3,
    }
    return write_plan(directory, shots, requests, **{**known, **terms})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(planned(), min_size=1, max_size=4))
def test_round_trip(tmp_path: Path, requests: list[PlannedRequest]) -> None:
    """What is planned reads back as it was."""
    plan = stored(tmp_path, requests)

    shots = read_shots(plan.shots_path)

    assert requests == read_requests(plan.requests_path)
    assert [0, 0, 1] == shots["user"].tolist()
    assert [1, 5, 2] == shots["due_ns"].tolist()
    assert [True, False, True] == shots["fresh"].tolist()
    assert (3, 2, 7) == (plan.shots, plan.users, plan.total_ns)


def test_digest(tmp_path: Path) -> None:
    """The digest is of the content: any change of a plan changes it."""
    request = Request(method="GET", target="/")
    one = PlannedRequest(request=request, route="r", cookies=None, recorded_status=0)
    other = PlannedRequest(request=request, route="r", cookies=(), recorded_status=0)
    extract = Extract(slot=0, kind="json", name="$.id")
    tied = replace(one, links=Links(extracts=(extract,)))

    plans = [stored(tmp_path, each) for each in ([one], [one], [other], [tied])]

    digests = [plan.digest for plan in plans]
    assert digests[0] == digests[1]
    assert 3 == len(set(digests))
    plans[2] = stored(tmp_path, [other])
    shots = read_shots(plans[2].shots_path)
    assert digests[2] == digest_of(shots, read_requests(plans[2].requests_path))
    assert digests[2] != digest_of({**shots, "user": shots["user"] + 1}, [other])


def test_a_plan_that_knows_of_nothing_held_out(tmp_path: Path) -> None:
    """One stored before there was such a column reads as held out in no part."""
    plan = stored(tmp_path, [REQUEST])
    old = pq.read_table(plan.shots_path).drop_columns("held_out")
    pq.write_table(old, plan.shots_path)

    shots = read_shots(plan.shots_path)

    assert [False] * 3 == shots["held_out"].tolist()
    assert plan.digest == digest_of(shots, [REQUEST])
    marked = {**shots, "held_out": np.array([False, True, False])}
    assert plan.digest != digest_of(marked, [REQUEST])


def test_a_plan_without_a_column(tmp_path: Path) -> None:
    """Any other column that is missing is named."""
    plan = stored(tmp_path, [REQUEST])
    broken = pq.read_table(plan.shots_path).drop_columns("think_ns")
    pq.write_table(broken, plan.shots_path)

    with pytest.raises(
        ComparisonError, match=r"plan\.parquet: broken: it has no column think_ns"
    ):
        read_shots(plan.shots_path)
