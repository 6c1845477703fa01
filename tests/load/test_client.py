"""The client against real sockets: a scripted server on loopback, in a thread."""

from __future__ import annotations

import resource
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.load.client import Client, Endpoint
from harness.load.wire import Wire
from harness.model.plan import PlannedRequest
from harness.model.result import CAUSES
from harness.model.session import Jar
from harness.model.traffic import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def wire(method: str = "GET", body: bytes = b"", *, expect: bool = False) -> Wire:
    headers = (("expect", "100-continue"),) if expect else ()
    request = Request(method=method, target="/", headers=headers, body=body)
    planned = PlannedRequest(
        request=request, route="r", cookies=(), recorded_status=200
    )
    return Wire(planned, "x")


Connection = list[bytes | str]
"""What the server does on one connection: bytes answer a request; words act."""


class Server:
    """Plays a list of connections in order and counts the requests it read."""

    def __init__(self, script: list[Connection]) -> None:
        self.script = script
        self.requests = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.release = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self) -> None:
        for steps in self.script:
            connection, _ = self.listener.accept()
            hung_up = suppress(BrokenPipeError, ConnectionResetError)
            with connection, hung_up:
                for step in steps:
                    self.play(connection, step)

    def play(self, connection: socket.socket, step: bytes | str) -> None:
        if step == "hang":
            self.release.wait(10)
        elif step == "reset":
            linger = b"\x01\0\0\0\0\0\0\0"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif step == "linger":
            time.sleep(0.2)
        elif step == "read":
            self.read(connection)
        elif isinstance(step, bytes):
            self.read(connection)
            for at in range(len(step)):
                connection.sendall(step[at : at + 1])

    def read(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        if connection.recv(65536):
            self.requests += 1


@contextmanager
def serving(*script: Connection) -> Iterator[Server]:
    server = Server(list(script))
    server.thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.listener.close()
        server.thread.join(20)


def asked(
    server: Server, times: int, *, pause_s: float = 0.0, method: str = "GET"
) -> list[tuple[int, str]]:
    """Status and cause of so many requests in a row by one user."""
    endpoint = Endpoint("127.0.0.1", server.port, deadline_ns=300_000_000)
    client = Client(endpoint)
    outcomes = []
    for _ in range(times):
        outcome = client.exchange(wire(method), Jar())
        outcomes.append((outcome.status, CAUSES[outcome.cause]))
        time.sleep(pause_s)
    client.close()
    return outcomes


def test_one_connection() -> None:
    """A user's requests share one connection, answers coming byte by byte."""
    with serving([OK, OK, OK]) as server:
        assert [(200, "")] * 3 == asked(server, 3)

    assert 3 == server.requests


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_idle_connection_closed_by_the_server(method: str) -> None:
    """A connection that was closed while idle is replaced without an error.

    Even before the hub, which does not run in between, can have noticed.
    """
    with serving([OK], [OK]) as server:
        assert [(200, "")] * 2 == asked(server, 2, pause_s=0.05, method=method)

    assert 2 == server.requests


def test_closed_on_sending() -> None:
    """If the server closes instead of answering, the request is sent once again."""
    with serving([OK, "read"], [OK]) as server:
        assert [(200, "")] * 2 == asked(server, 2)

    assert 3 == server.requests


def test_replaced_connection_is_a_fresh_one() -> None:
    """After an idle close the new connection's own failure is an error, not a retry."""
    with serving([OK], ["read"], [OK]) as server:
        expected = [(200, ""), (0, "closed without answer"), (200, "")]
        assert expected == asked(server, 3, pause_s=0.05)

    assert 3 == server.requests


def test_never_sent_twice_unless_idempotent() -> None:
    """A POST that was sent is not sent again: it may have had its effect."""
    with serving([OK, "read"]) as server:
        expected = [(200, ""), (0, "closed without answer")]
        assert expected == asked(server, 2, method="POST")

    assert 2 == server.requests


def test_out_of_descriptors() -> None:
    """What this machine runs out of is raised, not booked as the build's error."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    client = Client(Endpoint("127.0.0.1", 9, deadline_ns=300_000_000))
    client.exchange(wire(), Jar())
    with Path("/dev/null").open() as lowest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest.fileno(), hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                client.exchange(wire(), Jar())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_closed_without_answer() -> None:
    """A fresh connection that is closed without an answer is an error, not a loop."""
    with serving(["read"]) as server:
        assert [(0, "closed without answer")] == asked(server, 1)

    assert 1 == server.requests


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([OK[:-1]], (200, "body cut short")),
        (["read", "hang"], (0, "timeout")),
        ([b"220 smtp ready\r\n"], (0, "not HTTP")),
    ],
)
def test_failures(steps: Connection, expected: tuple[int, str]) -> None:
    """Whatever is not a complete answer is an error with its cause."""
    with serving(steps) as server:
        assert [expected] == asked(server, 1)


def test_never_sent_again_after_a_byte_of_an_answer() -> None:
    """An answer that broke off is an error even on a connection used before."""
    with serving([OK, OK[:-1]]) as server:
        assert [(200, ""), (200, "body cut short")] == asked(server, 2)

    assert 2 == server.requests


def test_connection_close_is_kept() -> None:
    """A server that says it closes is asked on a new connection, without a retry."""
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with serving([closing], [closing]) as server:
        assert [(200, "")] * 2 == asked(server, 2)

    assert 2 == server.requests


def test_refused() -> None:
    """A port where nobody listens is named as such."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = Client(Endpoint("127.0.0.1", port, deadline_ns=300_000_000))

    outcome = client.exchange(wire(), Jar())

    assert "connection refused" == CAUSES[outcome.cause]


def test_a_deadline_is_of_one_request() -> None:
    """Requests that together take longer than the deadline are all answered."""
    with serving(["linger", OK] * 4) as server:
        assert [(200, "")] * 4 == asked(server, 4)


def test_next_address() -> None:
    """If a name's first address does not take connections, the next one is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()
    with serving([OK]) as server:
        open_ = ("127.0.0.1", server.port)
        addresses = [(socket.AF_INET, closed), (socket.AF_INET, open_)]
        endpoint = Endpoint("x", 0, deadline_ns=300_000_000, _addresses=addresses)
        client = Client(endpoint)

        assert 200 == client.exchange(wire(), Jar()).status
        assert 1 == endpoint.opened
        client.close()


LEAVE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSAL = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("script", "status", "requests"),
    [
        ([[LEAVE, OK]], 200, 2),
        ([["read", OK]], 200, 2),
        ([[REFUSAL, "read"]], 417, 1),
    ],
    ids=["leave", "silence", "refusal"],
)
def test_expect(script: list[Connection], status: int, requests: int) -> None:
    """Content follows a 100, or a second of silence, but no refusal."""
    with serving(*script) as server:
        client = Client(Endpoint("127.0.0.1", server.port, deadline_ns=5_000_000_000))
        outcome = client.exchange(wire("PUT", b"content", expect=True), Jar())

        assert (status, 0) == (outcome.status, outcome.cause)
        client.close()

    assert requests == server.requests


def test_early_answer() -> None:
    """An answer that comes before a large request is read ends it, and counts."""
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    with serving([refusal, "hang"]) as server:
        client = Client(Endpoint("127.0.0.1", server.port, deadline_ns=5_000_000_000))
        outcome = client.exchange(wire("POST", bytes(16_000_000)), Jar())
        server.release.set()

        assert (413, "") == (outcome.status, CAUSES[outcome.cause])
