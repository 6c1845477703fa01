"""Scenario and recording to plan: the same input and seed give the same shots.

`replay` is an open population: sessions start when they did, divided by the speed, and
a recording that ends early starts over with fresh sessions; with a shape, they start as
often as it says, in the recorded order. `users` is a closed population: each user draws
whole sessions with replacement and thinks as recorded.
"""

from __future__ import annotations

import difflib
import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import InputError
from harness.model.plan import LOCUSTFILE, PlannedRequest
from harness.model.route import Routes
from harness.model.traffic import Request
from harness.planning.holdout import held_out
from harness.planning.login import with_logins
from harness.planning.openapi import documented_paths
from harness.planning.request import distinct_requests
from harness.planning.rule import same_route, token_of
from harness.planning.shape import period_ns, session_curve, user_curve
from harness.store.plan import write_plan
from harness.store.timeline import read_timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.model.plan import Plan
    from harness.model.scenario import Replay, Scenario
    from harness.model.traffic import Recording
    from harness.planning.curve import Curve, Stays
    from harness.store.timeline import Timeline

__all__ = [
    "closed_shots",
    "make_plan",
    "open_shots",
    "shaped_shots",
]

_JITTER_NS = 5_000_000_000
_LEAST_STEP_NS = 1_000_000
_MOST_PASSES = 100_000
_MOST_SHOTS = 20_000_000
_NONE = np.empty(0, "i8")

Shots = dict[str, "NDArray[Any]"]
"""The columns of a plan's shots, but `row` of the recording instead of `request`, and
`at_ns`: the arm time of the shot if every answer comes at once."""


def make_plan(scenario: Scenario, recording: Recording | None, directory: Path) -> Plan:
    """Plan what one arm is sent in one round, and store it in a directory.

    Args:
        scenario: whose load and rounds.
        recording: the traffic; `None` where a locustfile is the load.
        directory: gets the plan's files.

    Raises:
        InputError: the plan would be empty or too large.
    """
    if recording is None:
        return _guests(scenario, directory)
    with _nothing_collected():
        return _planned(scenario, recording, directory)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """A plan is many objects that stay: to look for garbage is a third of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _planned(scenario: Scenario, recording: Recording, directory: Path) -> Plan:
    rounds, timeline = scenario.rounds, read_timeline(recording)
    total_ns = rounds.warmup + rounds.slices * rounds.slice
    shots = _shots(scenario, timeline, total_ns)
    if not len(shots["row"]):
        raise InputError(
            f"{recording.path}: no request falls into a round's {total_ns / 1e9:g} s",
            hint="raise load.replay.speed or the shape's level, or lengthen the slices",
        )
    held = held_out(timeline.names, scenario.load.held_out, scenario.seed)
    shots["held_out"] = held[timeline.session[shots["row"]]]
    shots, requests = _with_requests(shots, scenario, recording, timeline)
    measured = np.array([each.measured for each in requests])[shots["request"]]
    after_warmup = shots["at_ns"] >= rounds.warmup
    return write_plan(
        directory,
        shots,
        requests,
        open_loop=scenario.load.replay is not None,
        warmup_ns=rounds.warmup,
        slice_ns=rounds.slice,
        slices=rounds.slices,
        planned=int((after_warmup & measured).sum()),
        peak_users=_peak_users(shots),
        planned_held_out=int((after_warmup & measured & shots["held_out"]).sum()),
    )


def _with_requests(
    shots: Shots, scenario: Scenario, recording: Recording, timeline: Timeline
) -> tuple[Shots, list[PlannedRequest]]:
    """The shots with what each sends, logins included."""
    rules, login = scenario.extract, scenario.session.login
    routes = Routes(
        slugs=frozenset(recording.slugs), paths=documented_paths(scenario.openapi)
    )
    number, requests = distinct_requests(
        recording, shots["row"], timeline.session, routes, rules=rules, login=login
    )
    _refuse_unknown_routes(scenario, requests)
    shots = {**shots, "request": number}
    if login is None:
        return shots, requests
    token = token_of(login, len(rules))
    given = token[:1] if token else ()
    open_loop = scenario.load.replay is not None
    return with_logins(shots, requests, login, given, open_loop=open_loop)


def _guests(scenario: Scenario, directory: Path) -> Plan:
    """A plan that says when a locustfile's users enter, and carries the file."""
    path, users, rounds = (
        scenario.load.locustfile,
        scenario.load.users or 0,
        scenario.rounds,
    )
    assert path is not None, "without a recording there is a locustfile"
    _refuse_more_than_fit(users)
    numbers = np.arange(users)
    return write_plan(
        directory,
        {
            "user": numbers,
            "due_ns": np.full(users, -1),
            "think_ns": rounds.ramp * numbers // users,
            "fresh": np.ones(users, bool),
            "request": np.zeros(users),
        },
        [
            PlannedRequest(
                request=Request(method=LOCUSTFILE, target="/", body=path.read_bytes()),
                route="locustfile",
                cookies=(),
                recorded_status=0,
            )
        ],
        open_loop=False,
        warmup_ns=rounds.warmup,
        slice_ns=rounds.slice,
        slices=rounds.slices,
        planned=0,
        peak_users=users,
    )


def _shots(scenario: Scenario, timeline: Timeline, total_ns: int) -> Shots:
    load, rounds, seed = scenario.load, scenario.rounds, scenario.seed
    if load.replay is None:
        _refuse_more_than_fit(load.users or 0)
        curve = user_curve(load.shape, load.users or 0, rounds, timeline)
        _refuse_more_than_fit(curve.comings)
        return closed_shots(timeline, curve.stays(rounds.ramp), total_ns, seed)
    if load.shape == "recorded":
        return open_shots(timeline, load.replay, total_ns, seed)
    curve = session_curve(load.shape, load.replay, rounds, timeline)
    return shaped_shots(timeline, curve, load.replay.speed, total_ns, seed)


def open_shots(timeline: Timeline, replay: Replay, total_ns: int, seed: int) -> Shots:
    """Shots of an open population up to an arm time.

    Extra copies of a session (`scale`) start up to 5 s of recorded time after it. A
    recording starts over one mean gap after its last request, but not before 1 s of
    recorded time.
    """
    random = np.random.default_rng(seed)
    start_ns, session = timeline.start_ns, timeline.session
    sessions = int(session.max()) + 1
    over_ns = period_ns(timeline)
    passes = int(total_ns * replay.speed / over_ns) + 1
    _refuse_more_than_fit(passes * len(start_ns) * replay.scale)
    times = passes * max(1.0, replay.scale)
    if times > _MOST_PASSES:
        raise InputError(
            f"the recording would be played {times:,.0f} times in a round; "
            f"{_MOST_PASSES:,} is the most",
            hint="lower load.replay, or record more traffic",
        )
    parts = []
    for number in range(passes):
        left = replay.scale
        jitter = np.zeros(sessions)
        while left > 0:
            played = random.random(sessions) < left
            due_ns = (start_ns + number * over_ns + jitter[session]) / replay.speed
            rows = np.flatnonzero(played[session] & (due_ns < total_ns))
            parts.append((rows, due_ns[rows].astype("i8"), session[rows]))
            jitter = random.random(sessions) * min(_JITTER_NS, over_ns)
            left -= 1
    return _by_user(parts)


def shaped_shots(
    timeline: Timeline, curve: Curve, speed: float, total_ns: int, seed: int
) -> Shots:
    """Shots of an open population whose sessions start as often as a curve says.

    The recording's sessions follow each other in its order, over and over; inside each
    the recorded times hold, divided by the speed.

    Args:
        timeline: of the recording.
        curve: sessions a nanosecond of the arm's clock.
        speed: how much faster than recorded.
        total_ns: no shot falls due later.
        seed: of the jitter.
    """
    rows, bounds = _by_session(timeline)
    first_row = rows[bounds[:-1]]
    in_order = np.argsort(timeline.start_ns[first_row], kind="stable")
    _refuse_more_than_fit(curve.areas[-1] * len(rows) / len(in_order))
    starts_ns = curve.moments(np.random.default_rng(seed))
    session = in_order[np.arange(len(starts_ns)) % len(in_order)]
    user, within = _ranges(np.diff(bounds)[session])
    row = rows[bounds[session][user] + within]
    since_ns = timeline.start_ns[row] - timeline.start_ns[first_row[session]][user]
    due_ns = (starts_ns[user] + since_ns / speed).astype("i8")
    kept = np.flatnonzero(due_ns < total_ns)
    return {
        "user": user[kept],
        "due_ns": due_ns[kept],
        "think_ns": np.zeros(len(kept), "i8"),
        "fresh": within[kept] == 0,
        "row": row[kept],
        "at_ns": due_ns[kept],
    }


def closed_shots(timeline: Timeline, stays: Stays, total_ns: int, seed: int) -> Shots:
    """Shots of a closed population, enough for a build that answers at once.

    Args:
        timeline: of the recording.
        stays: who is on stage when; each is a user of its own.
        total_ns: the end of the round.
        seed: draws each user's sessions.
    """
    rows, bounds = _by_session(timeline)
    lengths = np.diff(bounds)
    ended_ns = timeline.start_ns + timeline.duration_ns
    pause_ns = np.zeros(len(rows), "i8")
    pause_ns[1:] = (timeline.start_ns[rows][1:] - ended_ns[rows][:-1]).clip(0)
    inside = np.ones(len(rows), bool)
    inside[bounds[:-1]] = False
    between_ns = pause_ns[inside] if inside.any() else np.array([1_000_000_000])
    leaves_ns = stays.leaves_ns
    end_ns = np.where(leaves_ns < 0, total_ns, leaves_ns).clip(max=total_ns)
    clock_ns, think_ns = np.zeros_like(end_ns), stays.enters_ns.copy()
    turns: list[Shots] = []
    planned = 0
    while len(on_stage := np.flatnonzero(clock_ns < end_ns)):
        luck = np.random.default_rng((seed, len(turns))).random((len(end_ns), 2))
        session, pause = (
            (luck[on_stage] * (len(lengths), len(between_ns))).astype(int).T
        )
        place, within = _ranges(lengths[session])
        user, at = on_stage[place], bounds[session][place] + within
        thinks_ns = np.where(within == 0, think_ns[user], pause_ns[at])
        steps_ns = np.maximum(thinks_ns, _LEAST_STEP_NS).cumsum()
        last = np.flatnonzero(np.diff(place, append=-1))
        before_ns = np.concatenate(([0], steps_ns[last][:-1]))[place]
        reached_ns = clock_ns[user] + steps_ns - before_ns
        fitting = reached_ns < end_ns[user]
        turn = {
            "user": user,
            "due_ns": leaves_ns[user],
            "think_ns": thinks_ns,
            "fresh": within == 0,
            "row": rows[at],
            "at_ns": reached_ns,
        }
        turns.append({name: column[fitting] for name, column in turn.items()})
        clock_ns[on_stage] = reached_ns[last]
        think_ns[on_stage] = between_ns[pause]
        planned += int(fitting.sum())
        _refuse_more_than_fit(planned / (clock_ns / end_ns).clip(max=1).mean())
    return _turn_by_turn(turns)


def _ranges(lengths: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of each element of ranges of these lengths, which range it is in, and where."""
    place = np.repeat(np.arange(len(lengths)), lengths)
    return place, np.arange(len(place)) - (lengths.cumsum() - lengths)[place]


def _by_user(parts: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]) -> Shots:
    """Number the sessions of all passes as users, in the order of their first shot."""
    rows = np.concatenate([part[0] for part in parts])
    due_ns = np.concatenate([part[1] for part in parts])
    part_of = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    session = np.concatenate([part[2] for part in parts])
    key = part_of * (int(session.max(initial=0)) + 1) + session
    order = np.argsort(due_ns, kind="stable")
    user = np.empty(len(rows), "i8")
    distinct, first, inverse = np.unique(
        key[order], return_index=True, return_inverse=True
    )
    rank = np.empty(len(distinct), "i8")
    rank[np.argsort(first)] = np.arange(len(distinct))
    user[order] = rank[inverse]
    order = np.lexsort((due_ns, user))
    user = user[order]
    return {
        "user": user,
        "due_ns": due_ns[order],
        "think_ns": np.zeros(len(rows), "i8"),
        "fresh": np.diff(user, prepend=-1) != 0,
        "row": rows[order],
        "at_ns": due_ns[order],
    }


def _peak_users(shots: Shots) -> int:
    """The most users between their first and last shot at once."""
    at_ns, user = shots["at_ns"], shots["user"]
    first = np.flatnonzero(np.diff(user, prepend=-1))
    last = np.flatnonzero(np.diff(user, append=-1))
    moments_ns = np.concatenate([at_ns[first], at_ns[last]])
    steps = np.concatenate([np.ones(len(first), "i8"), -np.ones(len(last), "i8")])
    order = np.lexsort((-steps, moments_ns))
    return int(steps[order].cumsum().max())


def _turn_by_turn(turns: list[Shots]) -> Shots:
    """The shots of each user in the order of the turns."""
    if not turns:
        return dict.fromkeys(("user", "due_ns", "think_ns", "row", "at_ns"), _NONE) | {
            "fresh": _NONE.astype(bool)
        }
    order = np.argsort(np.concatenate([turn["user"] for turn in turns]), kind="stable")
    return {
        name: np.concatenate([turn[name] for turn in turns])[order] for name in turns[0]
    }


def _by_session(timeline: Timeline) -> tuple[NDArray[Any], NDArray[Any]]:
    """The recording's rows session by session, and where each begins."""
    rows = np.argsort(timeline.session, kind="stable")
    bounds = np.flatnonzero(np.diff(timeline.session[rows], prepend=-1, append=-1))
    return rows, bounds


def _refuse_unknown_routes(
    scenario: Scenario, requests: Sequence[PlannedRequest]
) -> None:
    routes = {each.route for each in requests}
    named = [("budgets.by_route", route) for route in scenario.budgets.by_route]
    for rule in scenario.extract:
        named.append(("extract.from", rule.from_))
        named += [("extract.use.route", use.route) for use in rule.use if use.route]
    for place, route in named:
        if not any(same_route(route, each) for each in routes):
            near = difflib.get_close_matches(route, routes, n=3)
            raise InputError(
                f"{place}: the plan has no route {route!r}",
                hint=f"it has {', '.join(near or sorted(routes)[:5])}",
            )


def _refuse_more_than_fit(shots: float) -> None:
    if shots > _MOST_SHOTS:
        raise InputError(
            f"the plan would have about {shots:,.0f} requests an arm and round; "
            f"{_MOST_SHOTS:,} is the most",
            hint="lower load.users or load.replay, or shorten the round",
        )
