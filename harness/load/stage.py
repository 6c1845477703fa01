"""Where a worker's users play: the arm's clock, the pacer, the slices and the books.

What the users do is not known here: a plan's or a locustfile's.
"""

from __future__ import annotations

import gc
import resource
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from time import monotonic_ns, process_time_ns
from typing import TYPE_CHECKING, Any

import gevent
from gevent.hub import Waiter, get_hub

from harness.load.alarm import Alarm
from harness.load.message import Beat, SliceReport, Totals
from harness.load.pacing import ArmClock, Pacer
from harness.store.sample import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from locust.runners import Runner

    from harness.load.client import Outcome
    from harness.load.message import Ready, Slice

__all__ = ["Stage"]

_TICK_NS = 10_000_000
_MOMENT_S = 0.001
_GRAIN_NS = 750_000
"""Shots that fall due within it are sent together at its end, for fewer wake-ups."""

_SERVER_ERROR = 500


class Stage(ABC):
    """All users of one worker: who waits, who is on stage, and the books.

    Attributes:
        runner: Locust's, which spawns every user.
        ready: what was read of the plan.
        clock: the arm's.
        slice: the number of the one that is played, 0 for the warm-up.
    """

    runner: Runner
    ready: Ready

    def __init__(self, spool: BinaryIO, deadline_ns: int) -> None:
        self._spool = spool
        self._deadline_ns = deadline_ns
        self.clock = ArmClock()
        self.slice = 0
        self._pacer = Pacer(_GRAIN_NS)
        self._open = False
        self._pacing = False
        self._alarm = Alarm(self._pace)
        self._faults: list[BaseException] = []
        self._sent = self._failed = self._in_flight = self._reconnects = 0
        self._lag_ns = self._unfilled = 0

    @abstractmethod
    def call_on_stage(self, until_ns: int) -> None:
        """Spawn the users who enter before that arm time."""

    @property
    @abstractmethod
    def connections(self) -> tuple[int, int]:
        """How many were opened, and how many of them the build closed while idle."""

    @property
    def routes(self) -> list[str]:
        """What samples are of, where no plan says it."""
        return []

    @property
    def totals(self) -> Totals:
        """The books as they stand."""
        opened, closed = self.connections
        return Totals(
            sent=self._sent,
            in_flight=self._in_flight,
            connections=opened,
            closed=closed,
            reconnects=self._reconnects,
            unfilled=self._unfilled,
            open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            routes=self.routes,
        )

    def beat(self) -> Beat:
        """How it stands, and the worst lag since this was asked last."""
        lag_ns, self._lag_ns = self._lag_ns, 0
        return Beat(
            users=self.runner.user_count,
            sent=self._sent,
            failed=self._failed,
            lag_ns=lag_ns,
        )

    def prepare(self, slice_: Slice) -> None:
        """Call on stage whoever enters in the slice, and leave no garbage to it."""
        self.call_on_stage(self.clock.end_ns + slice_.length_ns)
        gc.collect()
        gc.freeze()

    def play(self, slice_: Slice, start_ns: int) -> SliceReport:
        """Let the arm's clock run through the slice, then drain.

        Whatever fell due in the slice is still sent while it drains, so that the next
        one starts from an empty queue; but nothing is sent later than the deadline
        after the slice's end.
        """
        gevent.sleep(max(0, start_ns - monotonic_ns()) / 1e9)
        self.slice = slice_.number
        started_ns, cpu_ns, late_ns = monotonic_ns(), process_time_ns(), list[int]()
        self.clock.start(started_ns, slice_.length_ns)
        self._open = True
        timer = gevent.spawn(_ring, late_ns)
        with _collections() as pauses_ns:
            self._pace_until(started_ns + slice_.length_ns)
        timer.kill()
        cpu_ns, wall_ns = process_time_ns() - cpu_ns, monotonic_ns() - started_ns
        self._drain(started_ns + slice_.length_ns + self._deadline_ns)
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

    def begin(self) -> int:
        """A request is sent now; the monotonic moment."""
        self._sent += 1
        self._in_flight += 1
        return monotonic_ns()

    def end(self) -> int:
        """It came to its end now; the monotonic moment."""
        self._in_flight -= 1
        return monotonic_ns()

    def note_lag(self, lag_ns: int) -> None:
        """Of a shot that did not wait for an answer."""
        self._lag_ns = max(self._lag_ns, lag_ns)

    def note_unfilled(self, values: int) -> None:
        """So many were sent as recorded: no answer of the build's had given them."""
        self._unfilled += values

    def record(
        self,
        shot: int,
        times_ns: tuple[int, int, int, int],
        outcome: Outcome,
        *,
        reconnected: bool = False,
        measured: bool = True,
    ) -> None:
        """Spool what came of a request.

        Args:
            shot: which, by the plan or by `routes`.
            times_ns: due, eligible, sent and done, all monotonic.
            outcome: what came of it.
            reconnected: whether it opened a connection as its arm came back.
            measured: whether it counts; otherwise it is as one of the warm-up.
        """
        self._failed += outcome.cause != 0 or outcome.status >= _SERVER_ERROR
        self._reconnects += reconnected
        self._spool.write(
            RECORD.pack(
                shot,
                self.slice if measured else 0,
                *times_ns,
                outcome.status,
                outcome.cause,
                outcome.body_bytes,
                outcome.digest,
                reconnected,
            )
        )

    def _drain(self, closing_ns: int) -> None:
        gevent.sleep(0)
        while self._in_flight and not self._faults:
            self._open = monotonic_ns() < closing_ns
            gevent.sleep(_MOMENT_S)
        self._open = False

    def wait_until(self, due_ns: int, eligible_ns: int) -> None:
        """Wait for that arm time, and while the arm rests."""
        while not self._may_send(due_ns, eligible_ns):
            waiter: Any = Waiter()
            if self._pacer.add(eligible_ns, waiter):
                self._set_alarm()
            waiter.get()

    def _may_send(self, due_ns: int, eligible_ns: int) -> bool:
        clock = self.clock
        eligible = eligible_ns <= clock.arm_time(monotonic_ns())
        return self._open and eligible and due_ns < clock.end_ns

    def _pace(self) -> None:
        """The one pacer: wake each user whose shot has become eligible.

        A callback of the hub, not a greenlet, since waking up is most of what a request
        costs while there are few.
        """
        self._wake(self.clock.arm_time(monotonic_ns()))
        self._set_alarm()

    def _set_alarm(self) -> None:
        next_ns = self._pacer.next_ns()
        if self._pacing and next_ns is not None and next_ns < self.clock.end_ns:
            self._alarm.set(self.clock.monotonic_time(next_ns))

    def _pace_until(self, end_ns: int) -> None:
        self._pacing = True
        self._set_alarm()
        gevent.sleep(max(0, end_ns - monotonic_ns()) / 1e9)
        self._pacing = False
        self._alarm.stop()
        run_callback = get_hub().loop.run_callback
        for waiter in self._pacer.due(self.clock.end_ns + _GRAIN_NS):
            run_callback(waiter.switch, None)  # type: ignore[attr-defined] # a Waiter

    def _wake(self, arm_ns: int) -> None:
        for waiter in self._pacer.due(arm_ns):
            waiter.switch(None)  # type: ignore[attr-defined] # a Waiter

    def note_fault(self, *, exception: BaseException, **_: Any) -> None:
        """Something of ours broke in a user: the slice will end with it."""
        self._faults.append(exception)


def _ring(late_ns: list[int]) -> None:
    """A free-running timer: a stall makes every tick late that falls into it."""
    due_ns = monotonic_ns() + _TICK_NS
    while True:
        gevent.sleep(max(0, due_ns - monotonic_ns()) / 1e9)
        now_ns = monotonic_ns()
        while due_ns <= now_ns:
            late_ns.append(now_ns - due_ns)
            due_ns += _TICK_NS


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
