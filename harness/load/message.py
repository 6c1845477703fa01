"""What the engine tells a worker, and what the worker answers: JSON lines.

    engine: Assignment            Slice      Go                         Finish
    worker:             Ready           Set      Beat … SliceReport            Totals

A worker that plays a slice beats twice a second; silence means that it is lost.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, TypeVar

from harness.errors import EngineError

__all__ = [
    "BEAT_S",
    "Assignment",
    "Beat",
    "Finish",
    "Go",
    "Message",
    "Ready",
    "Set",
    "Slice",
    "SliceReport",
    "Totals",
    "parse",
    "the",
]

BEAT_S: Final = 0.5
"""Seconds between two beats of a worker that plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line; its first word is the name of its class."""

    def line(self) -> bytes:
        """The message as a line."""
        document = {type(self).__name__: asdict(self)}
        return json.dumps(document).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment(Message):
    """A worker's whole job: its share of one arm of one round.

    Attributes:
        shots: path of the plan's shots.
        requests: path of the plan's requests.
        spool: path to append samples to.
        answers: path to append what was answered to; empty to keep nothing of it.
        host: name or address of the target.
        port: its TCP port.
        tls: whether to speak TLS.
        authority: what `Host` says instead of what was recorded; empty for that.
        deadline_ns: the longest that a request may take.
        open_loop: whether shots have due times.
        cores: processors to stay on; empty for any.
        index: of this worker; it plays the users whose number leaves this remainder.
        workers: how many there are.
        directory: of the locustfile, if that is the load and it stands here.
    """

    shots: str
    requests: str
    spool: str
    host: str
    port: int
    tls: bool
    authority: str
    deadline_ns: int
    open_loop: bool
    cores: list[int]
    index: int
    workers: int
    answers: str = ""
    directory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Message):
    """The worker has read its plan.

    Attributes:
        plan_digest: of what it read, the shares of other workers included.
    """

    plan_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Message):
    """Get ready for a slice: call the users on stage, collect garbage.

    Attributes:
        number: 0 for the warm-up.
        length_ns: on the arm's clock.
    """

    number: int
    length_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Message):
    """The worker waits for the start of the slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Go(Message):
    """The start that all workers of the arm have in common.

    Attributes:
        start_ns: on the monotonic clock of the machine that reads it.
    """

    start_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat(Message):
    """A worker that plays is alive, and how it stands.

    Attributes:
        users: on stage.
        sent: requests so far in this round.
        failed: of them, without a complete answer or answered by a 5xx.
        lag_ns: the worst since the last beat, of shots that did not wait for an answer.
    """

    users: int
    sent: int
    failed: int
    lag_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceReport(Message):
    """One slice, drained.

    Attributes:
        cpu_ns: CPU time that the worker used in the slice, its drain left out.
        wall_ns: the time that took.
        late_ns: lateness of a free-running 10 ms timer, each time it rang.
        collected_ns: the longest pause of the garbage collector.
        descriptors: open files at the slice's end.
        sent: requests so far in this round, drained ones included.
        failed: of them, as a beat has it.
    """

    cpu_ns: int
    wall_ns: int
    late_ns: list[int]
    collected_ns: int
    descriptors: int
    sent: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(Message):
    """No more slices; close the books."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(Message):
    """The worker's books at the end; answers are counted by what was spooled.

    Attributes:
        sent: requests.
        in_flight: of them, neither answered nor failed.
        connections: opened.
        closed: of them, closed by the build while they were idle.
        reconnects: requests that opened a connection as their arm came back.
        unfilled: values sent as recorded, since no answer of the build's gave them.
        open_files: how many this process may have open.
        routes: what samples are of, where no plan says it; else empty.
    """

    sent: int
    in_flight: int
    connections: int
    closed: int
    reconnects: int
    unfilled: int
    open_files: int
    routes: list[str]


_KINDS: Final[dict[str, type[Message]]] = {
    kind.__name__: kind
    for kind in (
        Assignment,
        Ready,
        Slice,
        Set,
        Go,
        Beat,
        SliceReport,
        Finish,
        Totals,
    )
}
_Kind = TypeVar("_Kind", bound=Message)


def parse(line: str | bytes) -> Message:
    """The message that a line holds.

    Raises:
        EngineError: it holds none.
    """
    try:
        ((name, fields),) = json.loads(line).items()
        return _KINDS[name](**fields)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        shown = bytes(line[:80], "utf-8") if isinstance(line, str) else line[:80]
        raise EngineError(f"a load worker said {shown!r}") from error


def the(kind: type[_Kind], message: Message) -> _Kind:
    """A message of the kind that is due now.

    Raises:
        EngineError: it is another one.
    """
    if not isinstance(message, kind):
        raise EngineError(
            f"a load worker said {type(message).__name__} instead of {kind.__name__}"
        )
    return message
