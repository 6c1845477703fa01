"""Plan to samples: hire workers, play slices, collect, keep the books."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psutil

from harness.load.crew import hire_here, told
from harness.load.health import CrewHealth
from harness.load.message import (
    Assignment,
    Finish,
    Go,
    Ready,
    Set,
    Slice,
    SliceReport,
    Totals,
    the,
)
from harness.model.progress import Pulse
from harness.model.result import CAUSES, Books
from harness.store.plan import read_measured, read_shots
from harness.store.sample import read_spool, write_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.load.crew import Hand, Hire
    from harness.load.message import Beat
    from harness.model.plan import Plan
    from harness.model.result import GeneratorHealth

__all__ = ["Generator", "as_planned", "generating"]

_GRACE_S: Final = 60.0
_START_NS: Final = 20_000_000
_NOT_SENT: Final = CAUSES.index("not sent")


@dataclass(slots=True)
class Generator:
    """One arm's load, under way.

    Every measured slice adds to the health; the warm-up (slice 0) does not.

    Attributes:
        plan: what is sent.
        deadline_ns: the longest that a request may take.
        hands: the workers, each with its share.
        spools: where each of them leaves its samples.
        answers: where each of them leaves what was answered to it; whoever wants it
            takes it from there.
        routes: what samples are of, where no plan says it.
    """

    plan: Plan
    deadline_ns: int
    hands: tuple[Hand, ...]
    spools: tuple[Path, ...]
    answers: tuple[Path, ...] = ()
    routes: tuple[str, ...] = ()
    _health: CrewHealth = field(init=False)
    _sent: int = 0
    _failed: int = 0

    def __post_init__(self) -> None:
        self._health = CrewHealth([hand.title for hand in self.hands])

    def wait_ready(self) -> str:
        """Wait until the workers have read the plan; the digest of what they read.

        Raises:
            EngineError: a worker is gone, did not come back or read another plan.
        """
        answers = told(self.hands, patience_s=_GRACE_S, silence_s=_GRACE_S)
        digests = {the(Ready, answer).plan_digest for answer in answers}
        return " and ".join(sorted(digests))

    def play(
        self, number: int, watch: Callable[[Pulse], None] = lambda _pulse: None
    ) -> None:
        """Play one slice, 0 for the warm-up, until its last request is settled.

        Args:
            number: of the slice.
            watch: told twice a second how it goes.

        Raises:
            EngineError: a worker is gone or did not come back.
        """
        length_ns = self.plan.slice_ns if number else self.plan.warmup_ns
        patience_s = (length_ns + 2 * self.deadline_ns) / 1e9 + _GRACE_S
        self._tell(Slice(number=number, length_ns=length_ns))
        for answer in told(self.hands, patience_s=_GRACE_S):
            the(Set, answer)
        steal_s, started_s = psutil.cpu_times().steal, time.monotonic()
        self._tell(Go(start_ns=time.monotonic_ns() + _START_NS))
        beats = _Beats(self._sent, self._failed, watch)
        answers = told(self.hands, patience_s=patience_s, on_beat=beats.note)
        reports = [the(SliceReport, answer) for answer in answers]
        beats.end(reports)
        self._sent = sum(each.sent for each in reports)
        self._failed = sum(each.failed for each in reports)
        if number:
            self._health.note(
                reports,
                stolen_s=psutil.cpu_times().steal - steal_s,
                elapsed_s=time.monotonic() - started_s,
            )

    def finish(self, samples: Path) -> tuple[Books, GeneratorHealth]:
        """End the workers, store the samples and close the books.

        Afterwards `routes` says what samples are of, where a locustfile was the load.

        Raises:
            EngineError: a worker is gone or did not come back.
        """
        self._tell(Finish())
        answers = told(self.hands, patience_s=_GRACE_S, silence_s=_GRACE_S)
        totals = [the(Totals, answer) for answer in answers]
        spooled = [read_spool(spool) for spool in self.spools]
        self.routes = _joined(totals, spooled)
        records = np.concatenate(spooled)
        columns = {name: records[name] for name in records.dtype.names or ()}
        shares = [_books(*each) for each in zip(totals, spooled, strict=True)]
        books = Books.together(shares)
        health = self._health.of(columns, totals, shares)
        write_columns(samples, as_planned(columns, self.plan))
        for spool in self.spools:
            spool.unlink()
        return books, health

    def _tell(self, message: Slice | Go | Finish) -> None:
        for hand in self.hands:
            hand.tell(message)


def _joined(
    totals: Sequence[Totals], spooled: Sequence[NDArray[Any]]
) -> tuple[str, ...]:
    """One table of the workers' routes; their samples are numbered by it."""
    places: dict[str, int] = {}
    for each, records in zip(totals, spooled, strict=True):
        if each.routes:
            numbers = [places.setdefault(name, len(places)) for name in each.routes]
            records["shot"] = np.array(numbers, "u4")[records["shot"]]
    return tuple(places)


def _books(totals: Totals, records: NDArray[Any]) -> Books:
    answered = int((records["cause"] == 0).sum())
    return Books(
        sent=totals.sent,
        answered=answered,
        failed=len(records) - answered,
        in_flight=totals.in_flight,
        connections=totals.connections,
        closed=totals.closed,
        reconnects=totals.reconnects,
        unfilled=totals.unfilled,
    )


class _Beats:
    """What the workers said last, together, counted from the slice's start."""

    def __init__(self, sent: int, failed: int, watch: Callable[[Pulse], None]) -> None:
        self._sent, self._failed = sent, failed
        self._watch = watch
        self._started_s = time.monotonic()
        self._last: dict[Hand, Beat] = {}

    def note(self, hand: Hand, beat: Beat) -> None:
        self._last[hand] = beat
        elapsed_s = time.monotonic() - self._started_s
        self._tell(elapsed_s, list(self._last.values()))

    def end(self, reports: Sequence[SliceReport]) -> None:
        self._tell(max(each.wall_ns for each in reports) / 1e9, reports)

    def _tell(self, elapsed_s: float, said: Sequence[Beat | SliceReport]) -> None:
        last = self._last.values()
        self._watch(
            Pulse(
                elapsed_s=elapsed_s,
                users=sum(each.users for each in last),
                sent=max(0, sum(each.sent for each in said) - self._sent),
                failed=max(0, sum(each.failed for each in said) - self._failed),
                lag_ns=max((each.lag_ns for each in last), default=0),
            )
        )


@contextmanager
def generating(
    plan: Plan,
    *,
    arm: str,
    host: str,
    port: int,
    tls: bool,
    authority: str = "",
    deadline_ns: int,
    cores: Sequence[int],
    directory: Path,
    hires: Sequence[Hire] = (hire_here,),
    locustfile_dir: str = "",
) -> Iterator[Generator]:
    """The workers for one arm of one round; gone afterwards, whatever happens.

    Args:
        plan: what to send.
        arm: for messages.
        host: address of the target.
        port: its TCP port.
        tls: whether to speak TLS.
        authority: what `Host` says instead of what was recorded; empty for that.
        deadline_ns: the longest that a request may take.
        cores: processors to stay on, dealt out in turn; empty for any.
        directory: for the spools and each worker's log.
        hires: where each worker comes from, one an entry.
        locustfile_dir: where the plan's locustfile stands, if it has one.

    Raises:
        EngineError: a worker could not be started.
    """
    spools, answers = (
        tuple(directory / f"{name}-{index}.spool" for index in range(len(hires)))
        for name in ("samples", "answers")
    )
    with ExitStack() as stack:
        hands = []
        for index, hire in enumerate(hires):
            order = Assignment(
                shots=str(plan.shots_path),
                requests=str(plan.requests_path),
                spool=str(spools[index]),
                host=host,
                port=port,
                tls=tls,
                authority=authority,
                deadline_ns=deadline_ns,
                open_loop=plan.open_loop,
                cores=[cores[index % len(cores)]] if cores else [],
                index=index,
                workers=len(hires),
                answers=str(answers[index]),
                directory=locustfile_dir,
            )
            title = f"load worker {index + 1} of {len(hires)} of the {arm} arm"
            hand = hire(order, title, directory / f"generator-{index}.log")
            stack.callback(hand.dismiss)
            hands.append(hand)
        yield Generator(plan, deadline_ns, tuple(hands), spools, answers)


def as_planned(columns: dict[str, NDArray[Any]], plan: Plan) -> dict[str, NDArray[Any]]:
    """Samples of an open loop by the slice in which each measured shot was due.

    A shot that an earlier slice left over belongs to that slice, and one that was never
    sent is a row with its cause. A closed population plans no moments: its samples
    belong to the slice in which they were sent.
    """
    if not plan.open_loop:
        return columns
    shots = read_shots(plan.shots_path)
    due_ns = shots["due_ns"]
    unsent = np.setdiff1d(np.arange(len(due_ns), dtype="u4"), columns["shot"])
    rows = {
        name: np.zeros(len(unsent), column.dtype) for name, column in columns.items()
    }
    rows["shot"] = unsent
    rows["cause"][:] = _NOT_SENT
    both = {
        name: np.concatenate([column, rows[name]]) for name, column in columns.items()
    }
    after_warmup_ns = due_ns[both["shot"]] - plan.warmup_ns
    measured = read_measured(plan.requests_path)[shots["request"]][both["shot"]]
    counted = measured & (after_warmup_ns >= 0)
    number = np.where(counted, 1 + after_warmup_ns // plan.slice_ns, 0)
    return {**both, "slice": number.astype(columns["slice"].dtype)}
