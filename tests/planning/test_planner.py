from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.scenario import Replay, Rounds
from harness.model.traffic import Exchange, Request
from harness.planning.planner import closed_shots, open_shots, planned_request
from harness.store.timeline import Timeline

SECOND = 1_000_000_000


def timeline(exchanges: list[tuple[int, int]]) -> Timeline:
    """Of (start in ms, session), sessions numbered as they come."""
    exchanges = sorted(exchanges)
    numbers: dict[int, int] = {}
    return Timeline(
        start_ns=np.array([start * 10**6 for start, _ in exchanges], "i8"),
        duration_ns=np.full(len(exchanges), 10**6, "i8"),
        session=np.array(
            [numbers.setdefault(each, len(numbers)) for _, each in exchanges], "i8"
        ),
    )


TIMELINES = st.lists(
    st.tuples(st.integers(0, 50).map(lambda n: n * 100), st.integers(0, 4)),
    min_size=1,
    max_size=30,
).map(timeline)


def rounds(total_s: int) -> Rounds:
    return Rounds.model_validate(
        {"warmup": "1s", "ramp": "1s", "slices": 1, "slice": f"{total_s - 1}s"}
    )


@given(TIMELINES, st.sampled_from([0.5, 1.0, 4.0]), st.sampled_from([0.5, 1.0, 2.5]))
def test_open(recorded: Timeline, speed: float, scale: float) -> None:
    """Each user plays one session from its start, in order and inside the round."""
    shots = open_shots(
        recorded, Replay(speed=speed, scale=scale), total_ns=8 * SECOND, seed=3
    )

    for user in np.unique(shots["user"]):
        mine = shots["user"] == user
        rows = shots["row"][mine]
        (session,) = np.unique(recorded.session[rows])
        recorded_rows = np.flatnonzero(recorded.session == session)
        assert recorded_rows[: len(rows)].tolist() == rows.tolist()
        gaps = np.diff(shots["due_ns"][mine])
        expected = np.diff(recorded.start_ns[rows]) / speed
        assert np.all(np.abs(gaps - expected) <= 1)
        assert [True] + [False] * (len(rows) - 1) == shots["fresh"][mine].tolist()
    assert np.all((shots["due_ns"] >= 0) & (shots["due_ns"] < 8 * SECOND))


@given(TIMELINES)
def test_open_first_pass(recorded: Timeline) -> None:
    """At scale 1 every recorded exchange is due once at its recorded moment."""
    end_ns = int(recorded.start_ns[-1]) + 1

    shots = open_shots(recorded, Replay(), total_ns=end_ns, seed=1)

    first_pass = shots["due_ns"][np.argsort(shots["due_ns"], kind="stable")]
    assert recorded.start_ns.tolist() == first_pass.tolist()
    assert sorted(shots["row"].tolist()) == list(range(len(recorded.start_ns)))


@given(TIMELINES, st.integers(1, 5))
def test_closed(recorded: Timeline, users: int) -> None:
    """Users arrive over the ramp, play whole sessions in order, and never run dry."""
    shots = closed_shots(recorded, users, rounds(5), seed=3)

    assert list(range(users)) == np.unique(shots["user"]).tolist()
    for user in range(users):
        mine = shots["user"] == user
        thinks, rows = shots["think_ns"][mine], shots["row"][mine]
        at_ns = np.maximum(thinks, 10**6).cumsum()
        assert at_ns.tolist() == shots["at_ns"][mine].tolist()
        assert at_ns[-1] < 5 * SECOND
        assert SECOND * user // users == thinks[0]
        starts = [*np.flatnonzero(shots["fresh"][mine]).tolist(), len(rows)]
        assert 0 == starts[0]
        for begin, end in pairwise(starts):
            part = rows[begin:end]
            (session,) = np.unique(recorded.session[part])
            whole = np.flatnonzero(recorded.session == session)
            assert whole[: len(part)].tolist() == part.tolist()
            pauses = np.diff(recorded.start_ns[part]) - 10**6
            assert pauses.clip(0).tolist() == thinks[begin + 1 : end].tolist()


@pytest.mark.parametrize("seed", [1, 2])
def test_same_seed_same_plan(seed: int) -> None:
    """The same recording, load and seed give the same shots; another seed others."""
    recorded = timeline([(37 * n, n % 7) for n in range(200)])
    plans = [
        closed_shots(recorded, 5, rounds(5), seed=each)
        for each in (seed, seed, seed + 1)
    ]

    assert plans[0]["row"].tolist() == plans[1]["row"].tolist()
    assert plans[0]["row"].tolist() != plans[2]["row"].tolist()


def test_scale_multiplies_sessions() -> None:
    """Scale 3 plays each whole session three times, the copies a little later."""
    recorded = timeline([(37 * n, n % 7) for n in range(200)])
    total_ns = int(recorded.start_ns[-1]) + 10 * SECOND

    shots = open_shots(recorded, Replay(scale=3), total_ns=total_ns, seed=1)

    first = shots["due_ns"] <= recorded.start_ns[-1]
    assert 2 * 200 < first.sum() <= 3 * 200


def test_cookies_apart() -> None:
    """Recorded cookies leave the headers, so that live ones can take their place."""
    request = Request(
        method="GET", target="/1", headers=(("cookie", "a=1; b=x=y"), ("accept", "*"))
    )

    exchange = Exchange(start_ns=0, client="c", request=request)

    planned = planned_request(exchange, cookies_recorded=True)

    assert (("a", "1"), ("b", "x=y")) == planned.cookies
    assert (("accept", "*"),) == planned.request.headers
    assert "GET /{id}" == planned.route
    assert planned_request(exchange, cookies_recorded=False).cookies is None
