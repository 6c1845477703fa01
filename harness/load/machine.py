"""One more machine for the load: joins a master and starts workers for it.

    python -m harness.load.machine HOST PORT     (token in SEATRIAL_TOKEN)

It waits until there is a master, works for one trial, and ends with it. A master that
falls silent has its workers ended, so that nothing sends on behind a cut network.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

import gevent
from gevent import socket, subprocess
from gevent.event import Event
from locust.env import Environment

from harness.load.message import Assignment, Go, Totals, parse, the
from harness.load.parcel import LIVENESS_S, listener, pieces
from harness.store.sample import set_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from locust.runners import WorkerRunner

__all__ = ["Machine", "main"]

_PINGS = 8
_RESYNC_S = 10.0
_ANSWER_S = 10.0
_AGAIN_S = 1.0
_DONE, _REFUSED, _LEFT = 0, 2, 4


class Machine:
    """The workers that run here for a master, and its clock as seen from here."""

    def __init__(self, host: str, port: int, token: str, scratch: Path) -> None:
        self._scratch = scratch
        self._workers: dict[int, _Worker] = {}
        self._round_trips: list[tuple[int, int]] = []
        self._ahead_ns = 0
        self._heard_s = 0.0
        self._answered = Event()
        self._put_off = ""
        self._code = _DONE
        self._over = Event()
        self._runner: WorkerRunner = Environment().create_worker_runner(host, port)
        acts = {
            "welcome": self._welcome,
            "refused": self._refuse,
            "clock": self._clock,
            "file": self._file,
            "order": self._order,
            "line": self._line,
            "close": self._close,
        }
        for name, act in acts.items():
            self._runner.register_message(name, listener(act))
        self._token = token
        self._ask()

    def work(self) -> int:
        """Serve until the master is done; the exit code."""
        if not self._answered.wait(_ANSWER_S):
            _say(self._put_off or "the master does not answer; is it a Seatrial trial?")
            return _REFUSED if self._put_off else _LEFT
        self._hear()
        self._runner.environment.events.heartbeat_received.add_listener(self._hear)  # type: ignore[no-untyped-call] # locust's
        keepers = [gevent.spawn(self._keep_time), gevent.spawn(self._keep_watch)]
        gevent.spawn(self._runner.greenlet.join).link(lambda _: self._over.set())
        self._over.wait()
        gevent.killall(keepers)
        self.end_workers()
        return self._code

    def _send(self, kind: str, **data: Any) -> None:
        self._runner.send_message(kind, data)

    def _ask(self) -> None:
        self._send(
            "join",
            token=self._token,
            version=version("seatrial"),
            machine=platform.node(),
        )

    def _welcome(self, _node: str, _data: dict[str, Any]) -> None:
        _say("joined; waiting for work")
        self._answered.set()

    def _refuse(self, _node: str, data: dict[str, Any]) -> None:
        """Where all places are taken, one may be that of a machine not yet missed."""
        refusal = f"refused: {data['reason']}"
        if data.get("full"):
            self._put_off = refusal
            gevent.spawn_later(_AGAIN_S, self._ask)
            return
        _say(refusal)
        self._code = _REFUSED
        self._answered.set()
        self._over.set()

    def _keep_time(self) -> None:
        """Ask for the master's clock, again and again: clocks drift."""
        while True:
            for _ in range(_PINGS):
                self._send("clock", sent_ns=monotonic_ns())
                gevent.sleep(0.02)
            gevent.sleep(_RESYNC_S)

    def _hear(self, **_: Any) -> None:
        self._heard_s = time.monotonic()

    def _clock(self, _node: str, data: dict[str, Any]) -> None:
        """The quickest round trip tells most: the master's moment was midway."""
        now_ns = monotonic_ns()
        middle_ns = (data["sent_ns"] + now_ns) // 2
        trip = (now_ns - data["sent_ns"], middle_ns - data["here_ns"])
        self._round_trips = [*self._round_trips[1 - _PINGS :], trip]
        self._ahead_ns = min(self._round_trips)[1]

    def _keep_watch(self) -> None:
        while True:
            gevent.sleep(0.5)
            if time.monotonic() - self._heard_s > LIVENESS_S:
                _say("the master fell silent; its workers are ended")
                self._code = _LEFT
                self._over.set()

    def _file(self, _node: str, data: dict[str, Any]) -> None:
        with (self._scratch / _plain(data["digest"])).open("ab") as file:
            file.write(data["piece"])

    def _order(self, _node: str, data: dict[str, Any]) -> None:
        order = the(Assignment, parse(data["line"]))
        spool, answers = (
            self._scratch / f"{name}-{int(data['stream'])}.spool"
            for name in ("samples", "answers")
        )
        here = replace(
            order,
            shots=str(self._scratch / _plain(order.shots)),
            requests=str(self._scratch / _plain(order.requests)),
            spool=str(spool),
            answers=str(answers),
        )
        worker = _Worker(here, self._scratch / "workers.log")
        self._workers[data["stream"]] = worker
        gevent.spawn(self._relay, data["stream"], worker, spool, answers)

    def _relay(self, stream: int, worker: _Worker, spool: Path, answers: Path) -> None:
        for line in worker.lines():
            if not line.endswith(b"\n"):
                break
            if isinstance(parse(line), Totals):
                work = gevent.get_hub().threadpool
                work.apply(set_back, (spool, self._ahead_ns))
                for kind, path in (("spool", spool), ("answers", answers)):
                    for piece in pieces(path):
                        self._send(kind, stream=stream, piece=piece)
                        gevent.sleep(0)
            self._send("line", stream=stream, line=line)
        if self._workers.pop(stream, None):
            worker.end()
            self._send("close", stream=stream)
        for path in (spool, answers):
            path.unlink(missing_ok=True)

    def _line(self, _node: str, data: dict[str, Any]) -> None:
        worker = self._workers.get(data["stream"])
        if worker is None:
            return
        message = parse(data["line"])
        if isinstance(message, Go):
            message = Go(start_ns=message.start_ns + self._ahead_ns)
        worker.tell(message.line())

    def _close(self, _node: str, data: dict[str, Any]) -> None:
        if worker := self._workers.pop(data["stream"], None):
            worker.end()

    def end_workers(self) -> None:
        """End whatever runs here."""
        while self._workers:
            self._workers.popitem()[1].end()


class _Worker:
    """One load worker, a process of its own that ends with our end of its channel."""

    def __init__(self, order: Assignment, log: Path) -> None:
        self._channel, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", "harness.load.worker"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        theirs.close()
        self.tell(order.line())

    def tell(self, line: bytes) -> None:
        """Pass a line on; that a worker is gone shows when it is listened to."""
        try:
            self._channel.sendall(line)
        except OSError:
            self.end()

    def lines(self) -> Iterator[bytes]:
        """What it says, until it is gone."""
        try:
            yield from self._channel.makefile("rb")
        except OSError:
            return

    def end(self) -> None:
        """End it and wait for its end."""
        self._process.kill()
        self._process.wait()
        self._channel.close()


def _plain(name: str) -> str:
    """A file's name that cannot lead anywhere else."""
    if not name.isalnum():
        raise ValueError(f"not a digest: {name[:80]!r}")
    return name


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(host: str, port: int) -> int:
    """Join a master and work for it; the exit code."""
    logging.basicConfig(level=logging.ERROR)
    scratch = Path(tempfile.mkdtemp(prefix="seatrial-machine-"))
    machine = None
    gevent.signal_handler(signal.SIGTERM, sys.exit, 143)
    try:
        _say(f"waiting for a trial on {host}:{port}")
        machine = Machine(host, port, os.environ.get("SEATRIAL_TOKEN", ""), scratch)
        return machine.work()
    except ConnectionError:
        _say(f"no trial listens on {host}:{port}")
        return _LEFT
    except KeyboardInterrupt:
        return 130
    finally:
        if machine is not None:
            machine.end_workers()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
