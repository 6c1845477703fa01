from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.plan import Plan
from harness.model.route import Routes
from harness.model.scenario import Replay, Rounds, Scenario
from harness.model.traffic import Exchange, Recording, Request
from harness.planning.curve import Curve, Stays
from harness.planning.planner import (
    Shots,
    closed_shots,
    make_plan,
    open_shots,
    shaped_shots,
)
from harness.planning.request import planned_request
from harness.store.plan import read_requests, read_shots
from harness.store.recording import Provenance, table_of, write_recording
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
        names=tuple(map(str, numbers)),
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


def population(users: int, curve: Curve | None = None) -> Stays:
    """So many users, arriving over the ramp of a second; or as a curve says."""
    level = Curve.of([(0, users)]) if curve is None else curve
    return level.between(SECOND, 5 * SECOND).stays(SECOND)


@given(TIMELINES, st.integers(1, 5))
def test_closed(recorded: Timeline, users: int) -> None:
    """Users arrive over the ramp, play whole sessions in order, and never run dry."""
    shots = closed_shots(recorded, population(users), 5 * SECOND, seed=3)

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
        closed_shots(recorded, population(5), 5 * SECOND, seed=each)
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


def sessions_are_whole(shots: Shots, recorded: Timeline) -> None:
    """Every user plays one recorded session in its order, cut only at the end."""
    for user in np.unique(shots["user"]):
        rows = shots["row"][shots["user"] == user]
        whole = np.flatnonzero(recorded.session == recorded.session[rows[0]])
        assert whole[: len(rows)].tolist() == rows.tolist()


@given(TIMELINES, st.sampled_from([0.5, 1.0, 2.5]), st.sampled_from([0.7, 1, 10]))
def test_scale_keeps_the_order_within_sessions(
    recorded: Timeline, speed: float, scale: float
) -> None:
    """Whatever the speed and scale, no session's requests are shuffled or mixed."""
    replay = Replay(speed=speed, scale=scale)

    shots = open_shots(recorded, replay, total_ns=20 * SECOND, seed=1)

    sessions_are_whole(shots, recorded)
    first = np.diff(shots["user"], prepend=-1) != 0
    assert np.all(np.diff(shots["due_ns"])[~first[1:]] >= 0)


@given(
    TIMELINES,
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 9)), min_size=1, max_size=6),
)
def test_shaped_sessions(recorded: Timeline, points: list[tuple[float, float]]) -> None:
    """Sessions start as often as the curve says, one by one, each of them whole."""
    at_s = sorted({at for at, _ in points})
    levels = [level / SECOND for _, level in points[: len(at_s)]]
    curve = Curve.of(zip(np.array(at_s) * SECOND, levels, strict=True))
    over = curve.between(SECOND, 30 * SECOND)

    shots = shaped_shots(recorded, over, 1.0, 10**15, seed=2)

    sessions_are_whole(shots, recorded)
    starts_ns = shots["due_ns"][shots["fresh"]]
    assert abs(len(starts_ns) - over.areas[-1]) <= 1
    reached = np.interp(np.sort(starts_ns), over.at_ns, over.areas)
    if len(over.at_ns) == 2:
        assert np.all(np.abs(reached - np.arange(len(reached))) <= 1 + 1e-6)


def test_users_that_leave() -> None:
    """A population that halves sends its leavers nothing after their moment."""
    recorded = timeline([(37 * n, n % 7) for n in range(200)])
    falling = Curve.of([(0, 8), (2 * SECOND, 8), (3 * SECOND, 4)])

    shots = closed_shots(recorded, population(8, falling), 5 * SECOND, seed=1)

    leavers = shots["due_ns"] >= 0
    assert 4 == len(np.unique(shots["user"][leavers]))
    assert np.all(shots["at_ns"][leavers] < shots["due_ns"][leavers])
    assert 8 == len(np.unique(shots["user"]))


def test_cookies_apart() -> None:
    """Recorded cookies leave the headers, so that live ones can take their place."""
    request = Request(
        method="GET", target="/1", headers=(("cookie", "a=1; b=x=y"), ("accept", "*"))
    )

    exchange = Exchange(start_ns=0, client="c", request=request)

    planned = planned_request(exchange, Routes(), cookies_recorded=True)

    assert (("a", "1"), ("b", "x=y")) == planned.cookies
    assert (("cookie", ""), ("accept", "*")) == planned.request.headers
    assert "GET /{id}" == planned.route
    assert planned_request(exchange, Routes(), cookies_recorded=False).cookies is None


def test_nobody_on_stage() -> None:
    """A level that never reaches half a user plans nothing."""
    recorded = timeline([(37 * n, n % 7) for n in range(200)])

    shots = closed_shots(recorded, population(0, Curve.of([(0, 0.4)])), SECOND, seed=1)

    assert {0} == {len(column) for column in shots.values()}


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Fifty sessions of four requests, each with a path of its own."""
    exchanges = [
        Exchange(
            start_ns=(500 * step + 40 * session) * 10**6,
            client="c",
            session=f"s{session}",
            request=Request(method="GET", target=f"/visitor-{session}/{step}"),
        )
        for session in range(50)
        for step in range(4)
    ]
    provenance = Provenance(
        source_format="har",
        started_at="",
        sessions=50,
        clock_ns=1,
        cookies_recorded=True,
    )
    table = table_of(sorted(exchanges, key=lambda each: each.start_ns))
    return write_recording(iter([table]), tmp_path / "r.parquet", lambda: provenance)


def planned(
    load: dict[str, Any],
    recording: Recording | None,
    directory: Path,
    seed: int = 1,
    session: dict[str, Any] | None = None,
) -> Plan:
    directory.mkdir()
    return make_plan(
        Scenario.model_validate(
            {
                "name": "x",
                **({"recording": "r.parquet"} if recording else {}),
                "service": {"image": "i"},
                "load": load,
                "rounds": {"warmup": "1s", "ramp": "1s", "slices": 2, "slice": "2s"},
                "seed": seed,
                "session": session or {},
            }
        ),
        recording,
        directory,
    )


LOADS = [
    {"users": 20},
    {"replay": {"speed": 2, "scale": 3}},
    {"replay": {}, "shape": {"spike": {"factor": 3, "at": "1s", "for": "1s"}}},
]


@pytest.mark.parametrize("load", LOADS)
def test_held_out_changes_no_shot(
    tmp_path: Path, recording: Recording, load: dict[str, Any]
) -> None:
    """Whatever is held out, the same is sent at the same moments but for the mark."""
    plans = [
        planned({**load, "held_out": share}, recording, tmp_path / share)
        for share in ("0%", "20%", "70%")
    ]

    shots = [read_shots(plan.shots_path) for plan in plans]
    marks = [each.pop("held_out") for each in shots]

    for each in shots[1:]:
        assert all(np.array_equal(shots[0][name], each[name]) for name in shots[0])
    assert plans[0].planned == plans[1].planned == plans[2].planned
    assert 0 == plans[0].planned_held_out < plans[1].planned_held_out
    assert not marks[0].any()
    assert np.all(marks[1] <= marks[2])
    assert 3 == len({plan.digest for plan in plans})


@pytest.mark.parametrize("load", LOADS)
def test_held_out_by_session(
    tmp_path: Path, recording: Recording, load: dict[str, Any]
) -> None:
    """The same seed holds out the same sessions, each of them whole, another others."""
    plans = [
        planned({**load, "held_out": "40%"}, recording, tmp_path / name, seed)
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]

    held, again, others = (_sessions(plan, held=True) for plan in plans)

    assert held == again != others
    assert not held & _sessions(plans[0], held=False)
    assert 10 <= len(held) <= 30


def _sessions(plan: Plan, *, held: bool) -> set[str]:
    """Of which sessions there are shots that are, or are not, held out."""
    shots, requests = read_shots(plan.shots_path), read_requests(plan.requests_path)
    wanted = np.unique(shots["request"][shots["held_out"] == held])
    return {requests[each].request.target.split("/")[1] for each in wanted}


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ({}, ()),
        ({"login": {"post": "/l", "then": {"json": "$.t"}}}, ()),
        ({"login": {"post": "/l", "then": "cookies"}}, None),
        ({"login": {"post": "/l"}}, None),
    ],
)
def test_cookies_after_a_login(
    tmp_path: Path,
    recording: Recording,
    session: dict[str, Any],
    expected: tuple[()] | None,
) -> None:
    """Where none were recorded none are sent, unless a login is by cookies."""
    plan = planned({"users": 5}, recording, tmp_path / "plan", session=session)

    requests = read_requests(plan.requests_path)
    assert {expected} == {each.cookies for each in requests if each.measured}


def test_nothing_of_a_locustfile_is_held_out(tmp_path: Path) -> None:
    """What it sends is in no recording."""
    path = tmp_path / "locustfile.py"
    path.write_text("")

    plan = planned({"users": 3, "locustfile": path}, None, tmp_path / "plan")

    assert not read_shots(plan.shots_path)["held_out"].any()
    assert 0 == plan.planned_held_out
