"""The master of a trial whose load comes from several machines.

    python -m harness.load.master HOST PORT MACHINES SOCKET     token on standard input

Machines join over Locust's own master and worker runners. The engine opens one
connection to the local SOCKET for each worker it hires, and talks to it as if it were
here; this process passes the lines on. What happens is told on standard output, a line
each. It ends with its standard input.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import sys
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import count
from pathlib import Path
from time import monotonic_ns
from typing import Any

import gevent
from gevent import socket
from gevent.lock import BoundedSemaphore
from gevent.socket import wait_read
from locust.env import Environment
from locust.runners import HEARTBEAT_LIVENESS, STATE_MISSING

from harness.load.message import Assignment, parse, the
from harness.load.parcel import listener, pieces

__all__ = ["Master", "main"]

_LOOK_S = 0.25
_AGAIN_S = 30.0
"""How long a place waits for a machine in place of one that was lost; the engine has
patience for twice that."""


class Master:
    """Who has joined, and which engine's line belongs to which worker."""

    def __init__(self, host: str, port: int, machines: int, token: str) -> None:
        self._token = token
        self._places: list[str | None] = [None] * machines
        self._names: dict[str, str] = {}
        self._files: dict[str, set[str]] = {}
        self._shipping = BoundedSemaphore()
        self._streams: dict[int, _Stream] = {}
        self._numbers = count()
        self._runner = Environment().create_master_runner(host, port)
        acts = {
            "join": self._join,
            "clock": self._clock,
            "line": self._line,
            "spool": self._spool,
            "answers": self._answers,
            "close": self._close,
        }
        for name, act in acts.items():
            self._runner.register_message(name, listener(act))
        self.port: int = self._runner.server.port

    def _send(self, node: str, kind: str, **data: Any) -> None:
        self._runner.send_message(kind, data, client_id=node)

    def _join(self, node: str, data: dict[str, Any]) -> None:
        if node in self._names:
            return
        reason = self._objection(data)
        name = str(data.get("machine"))[:80]
        if not reason and None not in self._places:
            reason = f"the trial has all of its {len(self._places)} machines"
            self._send(node, "refused", reason=reason, full=True)
            return
        if reason:
            _say(refused=name, reason=reason)
            self._send(node, "refused", reason=reason)
            return
        self._names[node] = name
        self._places[self._places.index(None)] = node
        self._files[node] = set()
        self._send(node, "welcome")
        _say(joined=name)

    def _objection(self, data: dict[str, Any]) -> str:
        ours, theirs = version("seatrial"), data.get("version")
        given = str(data.get("token")).strip().encode()
        if not hmac.compare_digest(given, self._token.encode()):
            return "the token is wrong"
        if theirs != ours:
            return f"it has seatrial {theirs}, the trial has {ours}"
        return ""

    def _clock(self, node: str, data: dict[str, Any]) -> None:
        self._send(node, "clock", sent_ns=data["sent_ns"], here_ns=monotonic_ns())

    def watch(self) -> None:
        """Let go of machines that Locust misses."""
        while True:
            gevent.sleep(_LOOK_S)
            clients = self._runner.clients
            for node in list(self._names):
                if node not in clients or clients[node].state == STATE_MISSING:
                    self._forget(node)

    def _forget(self, node: str) -> None:
        _say(lost=self._names.pop(node))
        self._places[self._places.index(node)] = None
        for stream in [s for s in self._streams.values() if s.node == node]:
            self._send(node, "close", stream=stream.number)
            self._hang_up(stream)
        self._send(node, "refused", reason="the trial missed it for some seconds")

    def serve(self, listening: socket.socket) -> None:
        """Take the engine's connections, one a worker."""
        while True:
            connection, _ = listening.accept()
            gevent.spawn(self._converse, connection)

    def _converse(self, connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        place = json.loads(lines.readline())["machine"]
        order = the(Assignment, parse(lines.readline()))
        node = self._at(place)
        if node is None:
            connection.close()
            return
        stream = _Stream(
            next(self._numbers),
            node,
            connection,
            Path(order.spool),
            Path(order.answers),
        )
        self._streams[stream.number] = stream
        self._order(stream, order)
        for line in lines:
            self._send(stream.node, "line", stream=stream.number, line=line)
        if self._streams.pop(stream.number, None):
            self._send(stream.node, "close", stream=stream.number)
            connection.close()

    def _at(self, place: int) -> str | None:
        """The machine at a place; if it is lost, whichever joins in its stead."""
        with gevent.Timeout(_AGAIN_S, False):
            while not self._is_heard(self._places[place]):
                gevent.sleep(_LOOK_S)
        return self._places[place]

    def _is_heard(self, node: str | None) -> bool:
        """Whether it is there and not about to be missed.

        Each second Locust takes one from what every heartbeat sets to the full.
        """
        client = self._runner.clients.get(node) if node else None
        return client is not None and client.heartbeat >= HEARTBEAT_LIVENESS - 1

    def _order(self, stream: _Stream, order: Assignment) -> None:
        shots = self._ship(stream.node, Path(order.shots))
        requests = self._ship(stream.node, Path(order.requests))
        there = replace(
            order,
            shots=shots,
            requests=requests,
            spool="",
            answers="",
            cores=[],
            directory="",
        )
        self._send(stream.node, "order", stream=stream.number, line=there.line())

    def _ship(self, node: str, path: Path) -> str:
        """Send a file to a machine that lacks it; what it is called there.

        One at a time: an order must not overtake the file that it is about.
        """
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with self._shipping:
            if digest not in self._files[node]:
                for piece in pieces(path):
                    self._send(node, "file", digest=digest, piece=piece)
                    gevent.sleep(0)
                self._files[node].add(digest)
        return digest

    def _stream(self, node: str, data: dict[str, Any]) -> _Stream | None:
        """The stream that a machine speaks of, if it is its own."""
        stream = self._streams.get(data["stream"])
        return stream if stream is not None and stream.node == node else None

    def _line(self, node: str, data: dict[str, Any]) -> None:
        if stream := self._stream(node, data):
            stream.connection.sendall(data["line"])

    def _spool(self, node: str, data: dict[str, Any]) -> None:
        if stream := self._stream(node, data):
            with stream.spool.open("ab") as spool:
                spool.write(data["piece"])

    def _answers(self, node: str, data: dict[str, Any]) -> None:
        if stream := self._stream(node, data):
            with stream.answers.open("ab") as answers:
                answers.write(data["piece"])

    def _close(self, node: str, data: dict[str, Any]) -> None:
        if stream := self._stream(node, data):
            self._hang_up(stream)

    def _hang_up(self, stream: _Stream) -> None:
        self._streams.pop(stream.number, None)
        stream.connection.shutdown(socket.SHUT_RDWR)

    def dismiss(self) -> None:
        """Send the machines home."""
        self._runner.quit()


@dataclass(frozen=True, slots=True)
class _Stream:
    """One worker: the engine's end of its line, and where what it tells of goes."""

    number: int
    node: str
    connection: socket.socket
    spool: Path
    answers: Path


def _say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main(host: str, port: int, machines: int, path: str) -> None:
    """Serve until standard input ends."""
    logging.basicConfig(level=logging.WARNING)
    token = sys.stdin.readline().strip()
    master = Master(host, port, machines, token)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(64)
    gevent.spawn(master.serve, listening)
    watching = gevent.spawn(master.watch)
    _say(port=master.port)
    wait_read(sys.stdin.fileno())
    watching.kill()
    master.dismiss()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
