"""Connections, plain and sealed, against a server in a thread that is in no hurry."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import gevent
import pytest

from harness.load.client import Client, Endpoint
from harness.load.wire import Wire
from harness.model.plan import PlannedRequest
from harness.model.session import Jar
from harness.model.traffic import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODY = bytes(range(256)) * 12_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A self-signed certificate for localhost, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = str(directory / "certificate.pem"), str(directory / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-days", "2", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.fixture(params=["plain", "sealed"])
def contexts(
    request: pytest.FixtureRequest, certificate: tuple[str, str]
) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """What the server and the client seal with."""
    if request.param == "plain":
        return None, None
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    return server, ssl.create_default_context(cafile=certificate[0])


@contextmanager
def serving(
    serve: Callable[[socket.socket], None], context: ssl.SSLContext | None
) -> Iterator[int]:
    """A server that treats one connection after the other so."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def run() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                if ended.is_set():
                    return
                if context is None:
                    serve(connection)
                else:
                    with context.wrap_socket(connection, server_side=True) as sealed:
                        serve(sealed)

    thread = threading.Thread(target=run)
    thread.start()
    port: int = listener.getsockname()[1]
    try:
        yield port
    finally:
        ended.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(20)
        listener.close()


def endpoint(port: int, tls: ssl.SSLContext | None) -> Endpoint:
    return Endpoint("localhost", port, deadline_ns=10_000_000_000, tls=tls)


def wire(body: bytes = b"") -> Wire:
    request = Request(method="POST" if body else "GET", target="/", body=body)
    return Wire(
        PlannedRequest(request=request, route="r", cookies=(), recorded_status=200), "x"
    )


def test_large_both_ways(
    contexts: tuple[ssl.SSLContext | None, ssl.SSLContext | None],
) -> None:
    """Content of megabytes goes and comes as it was, twice on one connection."""
    received = []

    def echo(connection: socket.socket) -> None:
        for _ in range(2):
            with connection.makefile("rb") as stream:
                while stream.readline().strip():
                    pass
                received.append(zlib.crc32(stream.read(len(BODY))))
            connection.sendall(HEAD % len(BODY) + BODY)

    server, ours = contexts
    with serving(echo, server) as port:
        client = Client(endpoint(port, ours))
        outcomes = [client.exchange(wire(BODY), Jar()) for _ in range(2)]
        client.close()

    digest = zlib.crc32(BODY)
    assert [digest] * 2 == received
    assert [(len(BODY), digest, 0)] * 2 == [
        (each.body_bytes, each.digest, each.cause) for each in outcomes
    ]
    assert [True, False] == [each.opened for each in outcomes]


def test_closed_while_idle(
    contexts: tuple[ssl.SSLContext | None, ssl.SSLContext | None],
) -> None:
    """A server that closes unsaid is no error of the next request, even of a POST."""

    def answer_once(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD % 2 + b"ok")

    server, ours = contexts
    with serving(answer_once, server) as port:
        client = Client(where := endpoint(port, ours))
        causes = []
        for _ in range(3):
            causes.append(client.exchange(wire(b"x"), Jar()).cause)
            gevent.sleep(0.1)
        client.close()

    assert [0, 0, 0] == causes
    assert (3, 2) == (where.opened, where.closed)


def test_others_run_meanwhile() -> None:
    """An answer that comes without a pause does not keep the others waiting."""
    pieces = 1_000
    turns = 0

    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD % (pieces * 65536))
        for _ in range(pieces):
            connection.sendall(bytes(65536))

    def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0.001)

    with serving(flood, None) as port:
        other = gevent.spawn(take_turns)
        client = Client(endpoint(port, None))
        outcome = client.exchange(wire(), Jar())
        other.kill()
        client.close()

    assert pieces * 65536 == outcome.body_bytes
    assert turns > 2
