"""What the engine tells a worker, and what the worker answers: JSON lines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self

__all__ = ["Order", "SliceReport", "Totals"]


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
class Order(_Line):
    """A worker's whole job: one arm of one round.

    Attributes:
        shots: path of the plan's shots.
        requests: path of the plan's requests.
        spool: path to append samples to.
        host: address of the target.
        port: its TCP port.
        tls: whether to speak TLS.
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
    deadline_ns: int
    open_loop: bool
    cores: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceReport(_Line):
    """One slice, drained.

    Attributes:
        started_ns: monotonic time of its start.
        cpu_ns: CPU time that the worker used from then until it was drained.
        wall_ns: the time that took.
        late_ns: lateness of a free-running 10 ms timer, each time it rang.
    """

    started_ns: int
    cpu_ns: int
    wall_ns: int
    late_ns: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(_Line):
    """The worker's books at the end; see `harness.model.result.Books`."""

    sent: int
    answered: int
    failed: int
    in_flight: int
    connections: int
    reconnects: int
