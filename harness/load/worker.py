"""The load worker: one process that plays its share of one arm's users.

    python -m harness.load.worker CHANNEL_FD

Locust runs every virtual user; the plan says what each sends and when; nothing of
Locust's statistics is read. The engine's messages come as lines over the channel.
Importing locust patches the process, so nothing imports this one.
"""

from __future__ import annotations

import gc
import os
import resource
import ssl
import sys
from array import array
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
import locust
import numpy as np
from gevent.socket import socket, wait_read
from locust.env import Environment
from locust.exception import StopUser

from harness.load.client import Client, Endpoint
from harness.load.keeper import Keeper
from harness.load.message import (
    BEAT_S,
    Assignment,
    Finish,
    Go,
    Ready,
    Set,
    Slice,
    parse,
    the,
)
from harness.load.stage import Stage
from harness.load.wire import Wire
from harness.model.plan import LOCUSTFILE
from harness.model.session import Session
from harness.store.plan import digest_of, read_requests, read_shots

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["Cast", "Troupe", "main", "visitor_of"]

_NEVER = -1
_SPOOL_BYTES = 1 << 20
_ANSWERS_BYTES = 1 << 17
"""Written at once, and so often, that nobody waits for it."""
_BATCH = 500


class Cast:
    """The plan as the worker needs it: whose turn, when, with what.

    Attributes:
        digest: of the whole plan that was read.
        number: of each shot of this worker's users, its place in the plan.
        first: of each user, its first shot; one more entry ends the last user.
        time_ns: of each shot, its due time or its think time.
        leaves_ns: of each shot of a closed population, when its user leaves; -1: never.
        fresh: of each shot, whether a session starts with it.
        entrances: users in the order in which they come on stage, with that arm time.
    """

    def __init__(self, order: Assignment) -> None:
        shots = read_shots(Path(order.shots))
        requests = read_requests(Path(order.requests))
        self.digest = digest_of(shots, requests)
        mine = np.flatnonzero(shots["user"] % order.workers == order.index)
        users, due_ns, think_ns = (
            shots[name][mine] for name in ("user", "due_ns", "think_ns")
        )
        starts = np.flatnonzero(np.diff(users.astype("i8"), prepend=-1))
        times = due_ns if order.open_loop else think_ns
        entrance = times[starts]
        by_entrance = np.argsort(entrance, kind="stable")
        host = f"{order.host}:{order.port}"
        self.number = array("I", mine.astype("u4").tobytes())
        self.first: list[int] = [*starts.tolist(), len(users)]
        self.time_ns = array("q", times.astype("i8").tobytes())
        leaves_ns = np.full_like(due_ns, _NEVER) if order.open_loop else due_ns
        self.leaves_ns = array("q", leaves_ns.astype("i8").tobytes())
        self.fresh = shots["fresh"][mine].tobytes()
        self._wires = [Wire(each, host, order.authority) for each in requests]
        self._request = array("I", shots["request"][mine].astype("u4").tobytes())
        self.entrances = deque(
            zip(entrance[by_entrance].tolist(), by_entrance.tolist(), strict=True)
        )

    def wire(self, shot: int) -> Wire:
        """What a shot sends."""
        return self._wires[self._request[shot]]


class Troupe(Stage):
    """A worker's users, each with its part of the plan."""

    def __init__(self, order: Assignment, spool: BinaryIO, keeper: Keeper) -> None:
        super().__init__(spool, order.deadline_ns)
        self._keeper = keeper
        tls = ssl.create_default_context() if order.tls else None
        self._endpoint = Endpoint(order.host, order.port, order.deadline_ns, tls)
        self._cast = Cast(order)
        self.ready = Ready(plan_digest=self._cast.digest)
        self._open_loop = order.open_loop
        self._entering: deque[int] = deque()
        self._visitor = visitor_of(self)
        environment = Environment(user_classes=[self._visitor], catch_exceptions=False)
        environment.events.user_error.add_listener(self.note_fault)  # type: ignore[no-untyped-call] # locust's
        self.runner = environment.create_local_runner()

    @property
    def connections(self) -> tuple[int, int]:
        """As the endpoint counted them."""
        return self._endpoint.opened, self._endpoint.closed

    def call_on_stage(self, until_ns: int) -> None:
        """Spawn the users whose first shot comes before that arm time, in batches."""
        entrances = self._cast.entrances
        while entrances and entrances[0][0] < until_ns:
            while len(self._entering) < _BATCH and entrances[0][0] < until_ns:
                self._entering.append(entrances.popleft()[1])
                if not entrances:
                    break
            self.runner.spawn_users({self._visitor.__name__: len(self._entering)})
            while self._entering:
                gevent.sleep(0)

    def play_next(self) -> None:
        """Play the part of the next user to enter; called by that user's greenlet."""
        user = self._entering.popleft()
        cast, clock = self._cast, self.clock
        client, session = Client(self._endpoint), Session()
        answered_ns, last_slice = 0, _NEVER
        try:
            for shot in range(cast.first[user], cast.first[user + 1]):
                if cast.fresh[shot]:
                    session.clear()
                due_ns = cast.time_ns[shot] + (0 if self._open_loop else answered_ns)
                eligible_ns = max(due_ns, answered_ns)
                if _NEVER < cast.leaves_ns[shot] < due_ns:
                    return
                self.wait_until(due_ns, eligible_ns)
                returning = _NEVER < last_slice < self.slice
                last_slice = self.slice
                done_ns = self._fire(
                    shot, due_ns, eligible_ns, client, session, returning=returning
                )
                answered_ns = clock.arm_time(done_ns)
        finally:
            client.close()

    def _fire(
        self,
        shot: int,
        due_ns: int,
        eligible_ns: int,
        client: Client,
        session: Session,
        *,
        returning: bool,
    ) -> int:
        wire, place = self._cast.wire(shot), self.clock.monotonic_time
        if wire.fills:
            wire, missing = wire.with_values(session.values)
            self.note_unfilled(missing)
        due_ns, eligible_ns = place(due_ns), place(eligible_ns)
        sent_ns = self.begin()
        if due_ns == eligible_ns:
            self.note_lag(sent_ns - due_ns)
        number = self._cast.number[shot]
        keep = self.slice != 0 and wire.measured and self._keeper.wants(number)
        outcome = client.exchange(wire, session.jar, keep=keep)
        done_ns = self.end()
        for set_cookie in outcome.set_cookies:
            session.jar.store(set_cookie)
        if outcome.said is not None and wire.extracts:
            session.learn(wire.extracts, outcome.said.content())
        if outcome.said is not None and keep and not outcome.cause:
            self._keeper.keep(number, outcome.said)
        self.record(
            number,
            (due_ns, eligible_ns, sent_ns, done_ns),
            outcome,
            reconnected=returning and outcome.opened,
            measured=wire.measured,
        )
        return done_ns


def visitor_of(troupe: Troupe) -> type[locust.User]:
    """A Locust user class whose users play that troupe's parts."""

    class Visitor(locust.User):
        """One virtual user; Locust spawns it, the troupe tells it what to do."""

        @locust.task
        def visit(self) -> None:
            """Play the whole part and leave."""
            troupe.play_next()
            raise StopUser

    return Visitor


def _beat(troupe: Stage, channel: socket) -> None:
    while True:
        channel.sendall(troupe.beat().line())
        gevent.sleep(BEAT_S)


def _end_with_the_engine(channel: socket) -> None:
    """The engine says nothing while a slice runs; the end of its channel is its end."""
    wait_read(channel.fileno())
    os._exit(1)


def _open_as_many_files_as_allowed() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _appending(path: str, buffered_bytes: int) -> BinaryIO:
    return Path(path).open("ab", buffering=buffered_bytes)


def _stage(order: Assignment, spool: BinaryIO, keeper: Keeper) -> Stage:
    first, *_ = read_requests(Path(order.requests))
    if first.request.method != LOCUSTFILE:
        return Troupe(order, spool, keeper)
    from harness.load.locustfile import Guests  # noqa: PLC0415 - it changes Locust

    cast = Cast(order)
    return Guests(
        order,
        spool,
        source=first.request.body,
        digest=cast.digest,
        entrances_ns=[at_ns for at_ns, _ in cast.entrances],
    )


def main(channel_fd: int) -> None:
    """Serve one engine until it says `Finish` or is gone."""
    channel = socket(fileno=channel_fd)
    lines = channel.makefile("rb")
    order = the(Assignment, parse(lines.readline()))
    if order.cores:
        os.sched_setaffinity(0, order.cores)
    _open_as_many_files_as_allowed()
    gc.disable()
    with _appending(order.spool, _SPOOL_BYTES) as spool, ExitStack() as stack:
        kept = None
        if order.answers:
            kept = stack.enter_context(_appending(order.answers, _ANSWERS_BYTES))
        troupe = _stage(order, spool, Keeper(kept))
        channel.sendall(troupe.ready.line())
        while not isinstance(message := parse(lines.readline()), Finish):
            slice_ = the(Slice, message)
            beating = gevent.spawn(_beat, troupe, channel)
            troupe.prepare(slice_)
            channel.sendall(Set().line())
            start_ns = the(Go, parse(lines.readline())).start_ns
            watch = gevent.spawn(_end_with_the_engine, channel)
            report = troupe.play(slice_, start_ns)
            gevent.killall([watch, beating])
            channel.sendall(report.line())
    channel.sendall(troupe.totals.line())


if __name__ == "__main__":
    main(int(sys.argv[1]))
