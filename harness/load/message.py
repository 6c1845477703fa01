"""What the engine tells a worker, and what the worker answers: JSON lines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self

__all__ = ["Assignment", "Ready", "SliceReport", "Totals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    @classmethod
    def parse(cls, line: str | bytes) -> Self:
        """The message that a line holds."""
        return cls(**json.loads(line))

    def line(self) -> bytes:
        """The message as a line."""
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment(_Line):
    """A worker's whole job: one arm of one round.

    Attributes:
        shots: path of the plan's shots.
        requests: path of the plan's requests.
        spool: path to append samples to.
        host: name or address of the target.
        port: its TCP port.
        tls: whether to speak TLS.
        authority: what `Host` says instead of what was recorded; empty for that.
        deadline_ns: the longest that a request may take.
        open_loop: whether shots have due times.
        cores: processors to stay on; empty for any.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(_Line):
    """The worker has read its plan.

    Attributes:
        plan_digest: of what it read.
    """

    plan_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceReport(_Line):
    """One slice, drained.

    Attributes:
        cpu_ns: CPU time that the worker used in the slice, its drain left out.
        wall_ns: the time that took.
        late_ns: lateness of a free-running 10 ms timer, each time it rang.
    """

    cpu_ns: int
    wall_ns: int
    late_ns: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(_Line):
    """The worker's books at the end; answers are counted by what was spooled."""

    sent: int
    in_flight: int
    connections: int
    reconnects: int
