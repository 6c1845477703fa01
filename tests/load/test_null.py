"""The server that does nothing, over a real socket."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


@pytest.fixture
def client() -> Iterator[socket.socket]:
    """A connection to a server that ends with its standard input."""
    with subprocess.Popen(
        [sys.executable, "-m", "harness.load.null", "127.0.0.1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            yield connection
        server.stdin.close()
        assert 0 == server.wait(10)


def answer(client: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        piece = client.recv(size)
        assert piece, received
        received += piece
    return received


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", OK + b"ok"),
        (b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", OK),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", OK + b"ok"),
        (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", (OK + b"ok") * 2),
        (
            b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
            b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"ok",
        ),
    ],
)
def test_answers(client: socket.socket, request_: bytes, expected: bytes) -> None:
    """Every request is answered once it is whole, in pieces of any size."""
    for _ in range(2):
        for at in range(len(request_)):
            client.sendall(request_[at : at + 1])
        assert expected == answer(client, len(expected))


def test_nonsense_is_hung_up_on(client: socket.socket) -> None:
    """Bytes that are not HTTP end the connection."""
    client.sendall(b"\x16\x03\x01 hello\r\n\r\n")

    assert b"" == client.recv(1)
