"""What came of it: samples, usage readings, and how well the generator did."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING, Final

from harness.model.check import CheckResult  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "CAUSES",
    "LAG_BOUNDS_NS",
    "SAMPLE_FIELDS",
    "USAGE_FIELDS",
    "Arm",
    "ArmResult",
    "Books",
    "GeneratorHealth",
    "Round",
    "WorkerHealth",
]


class Arm(StrEnum):
    """One of the two builds of a trial."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"

    @property
    def other(self) -> Arm:
        """The arm that this one is compared with."""
        return Arm.CANDIDATE if self is Arm.BASELINE else Arm.BASELINE


CAUSES: Final = (
    "",
    "timeout",
    "connection refused",
    "connection reset",
    "closed without answer",
    "body cut short",
    "not HTTP",
    "not sent",
    "connect timeout",
    "name not resolved",
    "unreachable",
    "TLS failure",
    "head over 64 KiB",
    "body over 100 MB",
    "invalid body",
    "protocol switched",
    "failed by the locustfile",
)
"""Why there is no complete answer; the place in this tuple is the stored code."""

SAMPLE_FIELDS: Final[Mapping[str, str]] = {
    "shot": "u4",
    "slice": "u2",
    "due_ns": "i8",
    "eligible_ns": "i8",
    "sent_ns": "i8",
    "done_ns": "i8",
    "status": "u2",
    "cause": "u1",
    "bytes": "u8",
    "digest": "u4",
    "reconnected": "u1",
}
"""One sample, as numpy types, in the order of the spool.

`slice` is the slice in which the shot was due (open loop) or sent (closed population),
0 for the warm-up. Times are the engine's monotonic clock, as well as a worker on
another machine can tell; a shot that was never sent has `sent_ns` and `done_ns` 0.
`status` is 0 without an answer. `bytes` and `digest` (CRC-32) are of the content as it
came, content codings untouched.
"""

USAGE_FIELDS: Final[Mapping[str, str]] = {
    "at_ns": "i8",
    "working_set_bytes": "i8",
    "anonymous_bytes": "i8",
    "cpu_ns": "i8",
    "throttled_ns": "i8",
    "faults": "i8",
    "descriptors": "i8",
    "threads": "i8",
    "sockets": "i8",
    "read_bytes": "i8",
    "written_bytes": "i8",
    "received_bytes": "i8",
    "sent_bytes": "i8",
}
"""One usage reading: the engine's monotonic clock, memory now, CPU since the start.

Then, -1 where it is not measured: time for which the limit of CPU held it back and page
faults, since the start; open files, threads and sockets, now; bytes of disk and of the
network, since the start.
"""


LAG_BOUNDS_NS: Final = tuple(250_000 << step for step in range(13))
"""Upper bounds of the lag histogram: 0.25 ms doubled up to 1.024 s; one more above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Accounts of one worker, or of all of an arm, in one round, warm-up included.

    Attributes:
        sent: requests.
        answered: completely.
        failed: with a cause.
        in_flight: neither, at the end.
        connections: opened.
        closed: of them, closed by the build while they were idle.
        reconnects: requests that opened a connection as their arm came back.
        unfilled: values sent as recorded, since no answer of the build's gave them.
    """

    sent: int
    answered: int
    failed: int
    in_flight: int
    connections: int
    closed: int
    reconnects: int
    unfilled: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every sent request is accounted for."""
        return self.sent == self.answered + self.failed + self.in_flight

    @classmethod
    def together(cls, shares: Iterable[Books]) -> Books:
        """The accounts of several workers as one."""
        totals = zip(*(astuple(share) for share in shares), strict=True)
        return cls(**dict(zip(cls.__slots__, map(sum, totals), strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHealth:
    """How one worker did in one arm's round, measured slices only.

    Attributes:
        title: which.
        cpu_ratio: CPU time over wall time of its core, the worst slice.
        timer_late_p95_ns: lateness of a free-running 10 ms timer.
        collected_ns: the longest pause of its garbage collector.
        descriptors: the most open files at a slice's end.
        open_files: how many it may have open.
        books: its accounts.
    """

    title: str
    cpu_ratio: float
    timer_late_p95_ns: int
    collected_ns: int
    descriptors: int
    open_files: int
    books: Books


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorHealth:
    """How the generator did in one arm's round, measured slices only.

    Attributes:
        cpu_ratio: of the worst worker.
        timer_late_p95_ns: likewise.
        lag_p50_ns: sent - eligible, of shots that were not waiting for an answer.
        lag_p95_ns: likewise.
        lag_p99_ns: likewise.
        lag_counts: of those shots, by `LAG_BOUNDS_NS`; the last is above all of them.
        steal_ratio: CPU time that the hypervisor took, over all cores.
        ports: how many connections to one target the machine has ports for.
        workers: each of them.
    """

    cpu_ratio: float
    timer_late_p95_ns: int
    lag_p50_ns: int
    lag_p95_ns: int
    lag_p99_ns: int
    lag_counts: tuple[int, ...]
    steal_ratio: float
    ports: int
    workers: tuple[WorkerHealth, ...]

    def __post_init__(self) -> None:
        if not self.workers:
            raise ValueError("without a worker there is no load")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """One arm of one round.

    Attributes:
        arm: which.
        samples: Parquet with the columns of `SAMPLE_FIELDS`.
        usage: Parquet with the columns of `USAGE_FIELDS`; no rows where the
            environment cannot be measured.
        cpu_ns: CPU time that the build used from the first measured slice to the last
            one's end, with the checks' requests and the other arm's slices, which work
            that is put off falls into; `None` where it cannot be measured.
        books: the workers' accounts together.
        health: the generator's.
        died: how the build's process ended during the round, empty while it lived.
        routes: what a sample's `shot` numbers, where a locustfile is the load; empty
            where it is a shot of the plan.
        answers: Parquet of the answers that are compared with the other arm's.
        before: of the baseline, those of the round before that are compared with them.
        logs: what the build wrote; `None` where it is out of sight.
        ahead_ns: of the monotonic clock, the clock of the log: ns since 1970.
        metrics_before: the page of the service's own metrics ahead of the first
            measured slice; `None` where the scenario names none.
        metrics_after: the same after the last one.
        metrics_fault: why they are empty, empty if they are not.
        checks: what the scenario's checks found, in the order in which they were asked.
    """

    arm: Arm
    samples: Path
    usage: Path
    cpu_ns: int | None
    books: Books
    health: GeneratorHealth
    died: str = ""
    routes: tuple[str, ...] = ()
    answers: Path | None = None
    before: Path | None = None
    logs: Path | None = None
    checks: tuple[CheckResult, ...] = ()
    ahead_ns: int = 0
    metrics_before: Path | None = None
    metrics_after: Path | None = None
    metrics_fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One fresh pair, compared slice by slice.

    Attributes:
        index: counted from 1.
        first: the arm whose slice came first.
        plan_digest: of the plan that the workers read; two if they differ.
        machine: on which it was played, in words.
        void: why the round does not count as sound, empty if it does.
        baseline: that arm.
        candidate: that arm.
    """

    index: int
    first: Arm
    plan_digest: str
    machine: str = ""
    void: str = ""
    baseline: ArmResult
    candidate: ArmResult

    def __post_init__(self) -> None:
        if (self.baseline.arm, self.candidate.arm) != tuple(Arm):
            raise ValueError("each arm is in its own place")

    def arm(self, arm: Arm) -> ArmResult:
        """The result of one arm."""
        return self.baseline if arm is Arm.BASELINE else self.candidate
