"""The load worker: one process that plays its share of one arm's users.

    python -m harness.load.worker CHANNEL_FD

Locust runs every virtual user; the plan says what each sends and when; nothing of
Locust's statistics is read. The engine's messages come as lines over the channel. This
module and `client` are the only places where locust and gevent are imported: importing
locust patches the process.
"""

from __future__ import annotations

import gc
import os
import resource
import ssl
import sys
from array import array
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from time import monotonic_ns, process_time_ns
from typing import TYPE_CHECKING, Any

import gevent
import locust
import numpy as np
from gevent.event import Event
from gevent.hub import Waiter, get_hub
from gevent.socket import socket, wait_read
from locust.env import Environment
from locust.exception import StopUser

from harness.load.client import Client, Endpoint
from harness.load.message import (
    BEAT_S,
    Assignment,
    Beat,
    Finish,
    Go,
    Ready,
    Set,
    Slice,
    SliceReport,
    Totals,
    parse,
    the,
)
from harness.load.pacing import ArmClock, Pacer
from harness.load.wire import Wire
from harness.model.session import Jar
from harness.store.plan import digest_of, read_requests, read_shots
from harness.store.sample import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["Cast", "Troupe", "main", "visitor_of"]

_TICK_NS = 10_000_000
_MOMENT_S = 0.001
_NEVER = -1
_SPOOL_BYTES = 1 << 20
_BATCH = 500
_SERVER_ERROR = 500


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


class Troupe:
    """A worker's users: who waits, who is on stage, and the books."""

    def __init__(self, order: Assignment, spool: BinaryIO) -> None:
        tls = ssl.create_default_context() if order.tls else None
        self._endpoint = Endpoint(order.host, order.port, order.deadline_ns, tls)
        self._cast = Cast(order)
        self.ready = Ready(plan_digest=self._cast.digest)
        self._open_loop = order.open_loop
        self._spool = spool
        self._clock = ArmClock()
        self._pacer = Pacer()
        self._open = False
        self._slice = 0
        self._entering: deque[int] = deque()
        self._woken_early = Event()
        self._faults: list[BaseException] = []
        self._sent = self._failed = self._in_flight = self._reconnects = 0
        self._lag_ns = 0
        self._visitor = visitor_of(self)
        environment = Environment(user_classes=[self._visitor], catch_exceptions=False)
        environment.events.user_error.add_listener(self._note_fault)  # type: ignore[no-untyped-call] # locust's
        self._runner = environment.create_local_runner()

    @property
    def totals(self) -> Totals:
        """The books as they stand."""
        return Totals(
            sent=self._sent,
            in_flight=self._in_flight,
            connections=self._endpoint.opened,
            closed=self._endpoint.closed,
            reconnects=self._reconnects,
            open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )

    def beat(self) -> Beat:
        """How it stands, and the worst lag since this was asked last."""
        lag_ns, self._lag_ns = self._lag_ns, 0
        return Beat(
            users=self._runner.user_count,
            sent=self._sent,
            failed=self._failed,
            lag_ns=lag_ns,
        )

    def prepare(self, slice_: Slice) -> None:
        """Call on stage whoever enters in the slice, and leave no garbage to it."""
        self._call_on_stage(self._clock.end_ns + slice_.length_ns)
        gc.collect()
        gc.freeze()

    def play(self, slice_: Slice, start_ns: int) -> SliceReport:
        """Let the arm's clock run through the slice, then drain.

        Whatever fell due in the slice is still sent while it drains, so that the next
        one starts from an empty queue; but nothing is sent later than the deadline
        after the slice's end.
        """
        gevent.sleep(max(0, start_ns - monotonic_ns()) / 1e9)
        self._slice = slice_.number
        started_ns, cpu_ns, late_ns = monotonic_ns(), process_time_ns(), list[int]()
        self._clock.start(started_ns, slice_.length_ns)
        self._open = True
        timer = gevent.spawn(_ring, late_ns)
        with _collections() as pauses_ns:
            self._wake_until(started_ns + slice_.length_ns)
        timer.kill()
        cpu_ns, wall_ns = process_time_ns() - cpu_ns, monotonic_ns() - started_ns
        self._drain(started_ns + slice_.length_ns + self._endpoint.deadline_ns)
        self._spool.flush()
        if self._faults:
            raise self._faults[0]
        return SliceReport(
            cpu_ns=cpu_ns,
            wall_ns=wall_ns,
            late_ns=late_ns,
            collected_ns=max(pauses_ns, default=0),
            descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()),
            sent=self._sent,
            failed=self._failed,
        )

    def play_next(self) -> None:
        """Play the part of the next user to enter; called by that user's greenlet."""
        user = self._entering.popleft()
        cast, clock = self._cast, self._clock
        client, jar = Client(self._endpoint), Jar()
        answered_ns, last_slice = 0, _NEVER
        try:
            for shot in range(cast.first[user], cast.first[user + 1]):
                if cast.fresh[shot]:
                    jar.clear()
                due_ns = cast.time_ns[shot] + (0 if self._open_loop else answered_ns)
                eligible_ns = max(due_ns, answered_ns)
                if _NEVER < cast.leaves_ns[shot] < due_ns:
                    return
                self._wait_until(due_ns, eligible_ns)
                returning = _NEVER < last_slice < self._slice
                last_slice = self._slice
                done_ns = self._fire(
                    shot, due_ns, eligible_ns, client, jar, returning=returning
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
        jar: Jar,
        *,
        returning: bool,
    ) -> int:
        wire, place = self._cast.wire(shot), self._clock.monotonic_time
        due_ns, eligible_ns, number = place(due_ns), place(eligible_ns), self._slice
        self._sent += 1
        self._in_flight += 1
        sent_ns = monotonic_ns()
        if due_ns == eligible_ns and sent_ns - due_ns > self._lag_ns:
            self._lag_ns = sent_ns - due_ns
        outcome = client.exchange(wire, jar)
        done_ns = monotonic_ns()
        self._in_flight -= 1
        self._failed += outcome.cause != 0 or outcome.status >= _SERVER_ERROR
        for set_cookie in outcome.set_cookies:
            jar.store(set_cookie)
        reconnected = returning and outcome.opened
        self._reconnects += reconnected
        self._spool.write(
            RECORD.pack(
                self._cast.number[shot],
                number,
                due_ns,
                eligible_ns,
                sent_ns,
                done_ns,
                outcome.status,
                outcome.cause,
                outcome.body_bytes,
                outcome.digest,
                reconnected,
            )
        )
        return done_ns

    def _call_on_stage(self, until_ns: int) -> None:
        """Spawn the users whose first shot comes before that arm time, in batches."""
        entrances = self._cast.entrances
        while entrances and entrances[0][0] < until_ns:
            while len(self._entering) < _BATCH and entrances[0][0] < until_ns:
                self._entering.append(entrances.popleft()[1])
                if not entrances:
                    break
            self._runner.spawn_users({self._visitor.__name__: len(self._entering)})
            while self._entering:
                gevent.sleep(0)

    def _drain(self, closing_ns: int) -> None:
        gevent.sleep(0)
        while self._in_flight and not self._faults:
            self._open = monotonic_ns() < closing_ns
            gevent.sleep(_MOMENT_S)
        self._open = False

    def _wait_until(self, due_ns: int, eligible_ns: int) -> None:
        clock = self._clock
        eligible = eligible_ns <= clock.arm_time(monotonic_ns())
        if self._open and eligible and due_ns < clock.end_ns:
            return
        waiter: Any = Waiter()
        if self._pacer.add(eligible_ns, waiter):
            self._woken_early.set()
        waiter.get()

    def _wake_until(self, end_ns: int) -> None:
        """The one pacer: wake each user when its shot becomes eligible."""
        while (now_ns := monotonic_ns()) < end_ns:
            self._wake(self._clock.arm_time(now_ns))
            next_ns = self._pacer.next_ns()
            until_ns = end_ns
            if next_ns is not None:
                until_ns = min(end_ns, self._clock.monotonic_time(next_ns))
            self._woken_early.clear()
            self._woken_early.wait(max(0, until_ns - monotonic_ns()) / 1e9)
        self._wake(self._clock.end_ns - 1)

    def _wake(self, arm_ns: int) -> None:
        run_callback = get_hub().loop.run_callback
        for waiter in self._pacer.due(arm_ns):
            run_callback(waiter.switch, None)  # type: ignore[attr-defined] # a Waiter

    def _note_fault(self, *, exception: BaseException, **_: Any) -> None:
        self._faults.append(exception)


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


def _ring(late_ns: list[int]) -> None:
    """A free-running timer: a stall makes every tick late that falls into it."""
    due_ns = monotonic_ns() + _TICK_NS
    while True:
        gevent.sleep(max(0, due_ns - monotonic_ns()) / 1e9)
        now_ns = monotonic_ns()
        while due_ns <= now_ns:
            late_ns.append(now_ns - due_ns)
            due_ns += _TICK_NS


def _beat(troupe: Troupe, channel: socket) -> None:
    while True:
        channel.sendall(troupe.beat().line())
        gevent.sleep(BEAT_S)


@contextmanager
def _collections() -> Iterator[list[int]]:
    """The pauses that the garbage collector makes meanwhile, in nanoseconds."""
    pauses_ns: list[int] = []
    started_ns = 0

    def note(phase: str, _info: dict[str, int]) -> None:
        nonlocal started_ns
        if phase == "start":
            started_ns = monotonic_ns()
        else:
            pauses_ns.append(monotonic_ns() - started_ns)

    gc.callbacks.append(note)
    try:
        yield pauses_ns
    finally:
        gc.callbacks.remove(note)


def _end_with_the_engine(channel: socket) -> None:
    """The engine says nothing while a slice runs; the end of its channel is its end."""
    wait_read(channel.fileno())
    os._exit(1)


def _open_as_many_files_as_allowed() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(channel_fd: int) -> None:
    """Serve one engine until it says `Finish` or is gone."""
    channel = socket(fileno=channel_fd)
    lines = channel.makefile("rb")
    order = the(Assignment, parse(lines.readline()))
    if order.cores:
        os.sched_setaffinity(0, order.cores)
    _open_as_many_files_as_allowed()
    gc.disable()
    with Path(order.spool).open("ab", buffering=_SPOOL_BYTES) as spool:
        troupe = Troupe(order, spool)
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
