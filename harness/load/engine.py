"""Plan to samples: start a worker, play slices, collect, keep the books.

The worker is a process of its own, in a session of its own; it ends with the engine's
end of the channel, whatever happens here.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import psutil

from harness.errors import EngineError
from harness.load.message import Assignment, Ready, SliceReport, Totals
from harness.model.result import CAUSES, Books, GeneratorHealth
from harness.store.plan import read_shots
from harness.store.sample import read_spool, write_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.model.plan import Plan

__all__ = ["Generator", "as_planned", "generating"]

_GRACE_S = 60.0
_NOT_SENT = CAUSES.index("not sent")


@dataclass(slots=True)
class Generator:
    """One arm's load, under way.

    Every measured slice adds to the health; the warm-up (slice 0) does not.
    """

    plan: Plan
    arm: str
    deadline_ns: int
    spool: Path
    log: Path
    process: subprocess.Popen[bytes]
    channel: socket.socket
    _late_ns: list[int] = field(default_factory=list)
    _cpu_ratio: list[float] = field(default_factory=list)
    _stolen_s: float = 0.0
    _wall_s: float = 0.0

    def play(self, number: int) -> None:
        """Play one slice, 0 for the warm-up, until its last request is settled.

        Raises:
            EngineError: the worker died or did not come back.
        """
        length_ns = self.plan.slice_ns if number else self.plan.warmup_ns
        steal_s = psutil.cpu_times().steal
        command = {"do": "slice", "slice": number, "length_ns": length_ns}
        self._send(json.dumps(command).encode() + b"\n")
        report = SliceReport.parse(
            self._receive((length_ns + 2 * self.deadline_ns) / 1e9 + _GRACE_S)
        )
        if number == 0:
            return
        self._late_ns += report.late_ns
        self._cpu_ratio.append(report.cpu_ns / report.wall_ns)
        self._stolen_s += psutil.cpu_times().steal - steal_s
        self._wall_s += report.wall_ns / 1e9

    def finish(self, samples: Path) -> tuple[Books, GeneratorHealth]:
        """End the worker, store the samples and close the books.

        Raises:
            EngineError: the worker died or did not come back.
        """
        self._send(b'{"do": "finish"}\n')
        totals = Totals.parse(self._receive(_GRACE_S))
        self.process.wait(_GRACE_S)
        records = read_spool(self.spool)
        columns = {name: records[name] for name in records.dtype.names or ()}
        answered = int((columns["cause"] == 0).sum())
        books = Books(
            answered=answered, failed=len(records) - answered, **asdict(totals)
        )
        health = self._health(columns)
        write_columns(samples, as_planned(columns, self.plan))
        self.spool.unlink()
        return books, health

    def _health(self, columns: dict[str, NDArray[Any]]) -> GeneratorHealth:
        measured = columns["slice"] > 0
        free = measured & (columns["due_ns"] == columns["eligible_ns"])
        lag_ns = (columns["sent_ns"] - columns["eligible_ns"])[free]
        cores = os.cpu_count() or 1
        return GeneratorHealth(
            cpu_ratio=max(self._cpu_ratio, default=0.0),
            timer_late_p95_ns=_quantile(self._late_ns, 0.95),
            lag_p99_ns=_quantile(lag_ns, 0.99),
            steal_ratio=self._stolen_s / (self._wall_s * cores)
            if self._wall_s
            else 0.0,
        )

    def _send(self, line: bytes) -> None:
        try:
            self.channel.sendall(line)
        except OSError as error:
            raise self._lost() from error

    def _receive(self, timeout_s: float) -> bytes:
        self.channel.settimeout(timeout_s)
        pieces: list[bytes] = []
        try:
            while not pieces or not pieces[-1].endswith(b"\n"):
                pieces.append(self.channel.recv(1 << 16))
                if not pieces[-1]:
                    raise self._lost()
        except TimeoutError as error:
            raise EngineError(
                f"the load worker of the {self.arm} arm did not answer "
                f"within {timeout_s:.0f} s",
                hint=f"its log is {self.log}",
            ) from error
        except OSError as error:
            raise self._lost() from error
        return b"".join(pieces)

    def _lost(self) -> EngineError:
        try:
            code: int | None = self.process.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        tail = self.log.read_text(errors="replace").splitlines()[-1:]
        return EngineError(
            f"the load worker of the {self.arm} arm is lost (exit {code}): "
            f"{' '.join(tail) or 'it wrote nothing'}",
            hint=f"its log is {self.log}",
        )

    @classmethod
    def start(cls, plan: Plan, order: Assignment, arm: str, log: Path) -> Self:
        """Start the worker and hand it its order, without waiting for it."""
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "harness.load.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        ours.sendall(order.line())
        spool = log.parent / "samples.spool"
        return cls(plan, arm, order.deadline_ns, spool, log, process, ours)

    def wait_ready(self) -> str:
        """Wait until the worker has read the plan; the digest of what it read.

        Raises:
            EngineError: the worker died or did not come back.
        """
        return Ready.parse(self._receive(_GRACE_S)).plan_digest


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
) -> Iterator[Generator]:
    """A worker for one arm of one round; gone afterwards, whatever happens.

    Args:
        plan: what to send.
        arm: for messages.
        host: address of the target.
        port: its TCP port.
        tls: whether to speak TLS.
        authority: what `Host` says instead of what was recorded; empty for that.
        deadline_ns: the longest that a request may take.
        cores: processors to stay on; empty for any.
        directory: for the spool and `generator.log`.
    """
    order = Assignment(
        shots=str(plan.shots_path),
        requests=str(plan.requests_path),
        spool=str(directory / "samples.spool"),
        host=host,
        port=port,
        tls=tls,
        authority=authority,
        deadline_ns=deadline_ns,
        open_loop=plan.open_loop,
        cores=list(cores),
    )
    generator = Generator.start(plan, order, arm, directory / "generator.log")
    try:
        yield generator
    finally:
        generator.channel.close()
        generator.process.kill()
        generator.process.wait()


def _quantile(values: Sequence[int] | NDArray[Any], q: float) -> int:
    if not len(values):
        return 0
    return int(np.quantile(values, q, method="inverted_cdf"))


def as_planned(columns: dict[str, NDArray[Any]], plan: Plan) -> dict[str, NDArray[Any]]:
    """Samples of an open loop by the slice in which each shot was due.

    A shot that an earlier slice left over belongs to that slice, and one that was never
    sent is a row with its cause. A closed population plans no moments: its samples
    belong to the slice in which they were sent.
    """
    if not plan.open_loop:
        return columns
    due_ns = read_shots(plan.shots_path)["due_ns"]
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
    number = np.where(after_warmup_ns < 0, 0, 1 + after_warmup_ns // plan.slice_ns)
    return {**both, "slice": number.astype(columns["slice"].dtype)}
