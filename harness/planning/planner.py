"""Scenario and recording to plan: the same input and seed give the same shots.

`replay` is an open population: sessions start when they did, divided by the speed, and
a recording that ends early starts over with fresh sessions. `users` is a closed
population: each user draws whole sessions with replacement and thinks as recorded.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import InputError
from harness.model.plan import PlannedRequest
from harness.model.route import route_of
from harness.model.traffic import Request
from harness.store.plan import write_plan
from harness.store.recording import exchanges
from harness.store.timeline import read_timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.model.plan import Plan
    from harness.model.scenario import Replay, Rounds, Scenario
    from harness.model.traffic import Exchange, Recording
    from harness.store.timeline import Timeline

__all__ = ["closed_shots", "make_plan", "open_shots", "planned_request"]

_JITTER_NS = 5_000_000_000
_LEAST_STEP_NS = 1_000_000
_LEAST_PERIOD_NS = 1_000_000_000
_MOST_SHOTS = 20_000_000

Shots = dict[str, "NDArray[Any]"]
"""The columns of a plan's shots, but `row` of the recording instead of `request`, and
`at_ns`: the arm time of the shot if every answer comes at once."""


def make_plan(scenario: Scenario, recording: Recording, directory: Path) -> Plan:
    """Plan what one arm is sent in one round, and store it in a directory.

    Raises:
        InputError: the plan would be empty or too large.
    """
    rounds, timeline = scenario.rounds, read_timeline(recording)
    total_ns = rounds.warmup + rounds.slices * rounds.slice
    if scenario.load.replay is not None:
        shots = open_shots(timeline, scenario.load.replay, total_ns, scenario.seed)
    else:
        users = scenario.load.users or 0
        shots = closed_shots(timeline, users, rounds, scenario.seed)
    if not len(shots["row"]):
        raise InputError(
            f"{recording.path}: no request falls into a round's {total_ns / 1e9:g} s",
            hint="raise load.replay.speed, or make the slices longer",
        )
    peak_users = _peak_users(shots)
    after_warmup = shots.pop("at_ns") >= rounds.warmup
    shots["request"], requests = _distinct_requests(recording, shots.pop("row"))
    _refuse_unknown_routes(scenario, requests)
    return write_plan(
        directory,
        shots,
        requests,
        open_loop=scenario.load.replay is not None,
        warmup_ns=rounds.warmup,
        slice_ns=rounds.slice,
        slices=rounds.slices,
        planned=int(after_warmup.sum()),
        peak_users=peak_users,
    )


def open_shots(timeline: Timeline, replay: Replay, total_ns: int, seed: int) -> Shots:
    """Shots of an open population up to an arm time.

    Extra copies of a session (`scale`) start up to 5 s of recorded time after it. A
    recording starts over one mean gap after its last request, but not before 1 s of
    recorded time.
    """
    random = np.random.default_rng(seed)
    start_ns, session = timeline.start_ns, timeline.session
    sessions = int(session.max()) + 1
    mean_gap_ns = int(start_ns[-1]) // max(1, len(start_ns) - 1)
    period_ns = max(int(start_ns[-1]) + mean_gap_ns, _LEAST_PERIOD_NS)
    passes = int(total_ns * replay.speed / period_ns) + 1
    _refuse_more_than_fit(passes * len(start_ns) * replay.scale)
    parts = []
    for number in range(passes):
        left = replay.scale
        jitter = np.zeros(sessions)
        while left > 0:
            played = random.random(sessions) < left
            due_ns = (start_ns + number * period_ns + jitter[session]) / replay.speed
            rows = np.flatnonzero(played[session] & (due_ns < total_ns))
            parts.append((rows, due_ns[rows].astype("i8"), session[rows]))
            jitter = random.random(sessions) * min(_JITTER_NS, period_ns)
            left -= 1
    return _by_user(parts)


def closed_shots(timeline: Timeline, users: int, rounds: Rounds, seed: int) -> Shots:
    """Shots of a closed population, enough for a build that answers at once."""
    rows = np.argsort(timeline.session, kind="stable")
    bounds = np.flatnonzero(np.diff(timeline.session[rows], prepend=-1, append=-1))
    ended_ns = timeline.start_ns + timeline.duration_ns
    pause_ns = np.zeros(len(rows), "i8")
    pause_ns[1:] = (timeline.start_ns[rows][1:] - ended_ns[rows][:-1]).clip(0)
    inside = np.ones(len(rows), bool)
    inside[bounds[:-1]] = False
    between_ns = pause_ns[inside] if inside.any() else np.array([1_000_000_000])
    total_ns = rounds.warmup + rounds.slices * rounds.slice
    parts = []
    count = 0
    for user in range(users):
        random = np.random.default_rng((seed, user))
        clock_ns, think_ns = 0, rounds.ramp * user // users
        while clock_ns < total_ns:
            drawn = random.integers(len(bounds) - 1)
            chosen = slice(bounds[drawn], bounds[drawn + 1])
            thinks = pause_ns[chosen].copy()
            thinks[0] = think_ns
            reached = clock_ns + np.maximum(thinks, _LEAST_STEP_NS).cumsum()
            fitting = int((reached < total_ns).sum())
            parts.append(
                (user, rows[chosen][:fitting], thinks[:fitting], reached[:fitting])
            )
            count += fitting
            clock_ns, think_ns = int(reached[-1]), int(random.choice(between_ns))
        _refuse_more_than_fit(count * users / (user + 1))
    return _thinking(parts)


def planned_request(exchange: Exchange, *, cookies_recorded: bool) -> PlannedRequest:
    """A recorded request as it will be sent, its cookies apart."""
    request = exchange.request
    pairs = tuple(
        (name.strip(), value.strip())
        for header, line in request.headers
        if header == "cookie"
        for name, _, value in (pair.partition("=") for pair in line.split(";"))
        if name.strip()
    )
    headers = tuple(pair for pair in request.headers if pair[0] != "cookie")
    return PlannedRequest(
        request=Request(
            method=request.method,
            target=request.target,
            headers=headers,
            body=request.body,
        ),
        route=route_of(request.method, request.target),
        cookies=pairs if cookies_recorded else None,
        recorded_status=exchange.response.status if exchange.response else 0,
    )


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


def _thinking(
    parts: list[tuple[int, NDArray[Any], NDArray[Any], NDArray[Any]]],
) -> Shots:
    lengths = [len(part[1]) for part in parts]
    fresh = np.zeros(sum(lengths), bool)
    starts = np.cumsum([0, *lengths[:-1]])
    fresh[starts[np.array(lengths) > 0]] = True
    return {
        "user": np.repeat([part[0] for part in parts], lengths),
        "due_ns": np.full(len(fresh), -1, "i8"),
        "think_ns": np.concatenate([part[2] for part in parts]),
        "fresh": fresh,
        "row": np.concatenate([part[1] for part in parts]),
        "at_ns": np.concatenate([part[3] for part in parts]),
    }


def _distinct_requests(
    recording: Recording, rows: NDArray[Any]
) -> tuple[NDArray[Any], list[PlannedRequest]]:
    wanted, place = np.unique(rows, return_inverse=True)
    numbers: dict[PlannedRequest, int] = {}
    number_of = np.empty(len(wanted), "u4")
    known = recording.cookies_recorded
    for index, exchange in enumerate(exchanges(recording, wanted)):
        planned = planned_request(exchange, cookies_recorded=known)
        number_of[index] = numbers.setdefault(planned, len(numbers))
    return number_of[place], list(numbers)


def _refuse_unknown_routes(
    scenario: Scenario, requests: Sequence[PlannedRequest]
) -> None:
    routes = {each.route for each in requests}
    for route in scenario.budgets.by_route:
        if route not in routes:
            near = difflib.get_close_matches(route, routes, n=3)
            raise InputError(
                f"budgets.by_route: the plan has no route {route!r}",
                hint=f"it has {', '.join(near or sorted(routes)[:5])}",
            )


def _refuse_more_than_fit(shots: float) -> None:
    if shots > _MOST_SHOTS:
        raise InputError(
            f"the plan would have about {shots:,.0f} requests an arm and round; "
            f"{_MOST_SHOTS:,} is the most",
            hint="lower load.users or load.replay, or shorten the round",
        )
