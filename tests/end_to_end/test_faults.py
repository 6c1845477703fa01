"""A real worker against a server that does everything wrong, all of it at once."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.load.engine import generating
from harness.model.plan import PlannedRequest
from harness.model.result import CAUSES
from harness.model.traffic import Request
from harness.store.plan import write_plan
from harness.store.sample import read_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.model.result import Books

MS = 1_000_000
DEADLINE_NS = 1_500 * MS
EACH = 4
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def drip(connection: socket.socket) -> None:
    """An answer that never ends: a byte now and then."""
    connection.sendall(CHUNKED)
    for _ in range(200):
        connection.sendall(b"1\r\nx\r\n")
        if threading.Event().wait(0.05):
            return


def reset(connection: socket.socket) -> None:
    connection.sendall(OK[:20])
    linger = b"\x01\0\0\0\0\0\0\0"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)


def flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n")
    while True:
        connection.sendall(b"x" * 1_000_000)


SAYS: dict[str, tuple[Any, tuple[int, str]]] = {
    "/ok": (OK, (200, "")),
    "/early-hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, (200, "")),
    "/unframed": (b"HTTP/1.1 200 OK\r\n\r\nto the end", (200, "")),
    "/close-unsaid": (OK, (200, "")),
    "/more-than-asked": (OK + OK, (200, "")),
    "/gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 3\r\n\r\n\0\1\2",
        (200, ""),
    ),
    "/nothing": (b"", (0, "closed without answer")),
    "/half-closed": (half_close, (0, "closed without answer")),
    "/reset": (reset, (0, "connection reset")),
    "/cut": (OK[:-1], (200, "body cut short")),
    "/hang": (lambda _: threading.Event().wait(3), (0, "timeout")),
    "/drip": (drip, (200, "timeout")),
    "/ssh": (b"SSH-2.0-OpenSSH_9.2\r\n", (0, "not HTTP")),
    "/head": (
        b"HTTP/1.1 200 OK\r\n" + b"X: yyyyyyyy\r\n" * 9_000,
        (0, "head over 64 KiB"),
    ),
    "/chunks": (CHUNKED + b"zz\r\n", (200, "invalid body")),
    "/flood": (flood, (200, "body over 100 MB")),
    "/switch": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        (101, "protocol switched"),
    ),
}
"""What the server does for a path, and what must come of it."""

KEPT = {"/ok", "/early-hints", "/gzip"}
"""After these the connection stays open."""


class Trouble:
    """Does to each request what its path asks for."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                self._answer(connection)
            except OSError:
                return

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while (head := connection.recv(65536)).startswith(b"GET "):
                path = head.split()[1].decode()
                act = SAYS[path][0]
                if callable(act):
                    act(connection)
                else:
                    connection.sendall(act)
                if path not in KEPT:
                    return

    def close(self) -> None:
        self._listener.close()


@contextmanager
def trouble(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = Trouble(context)
    try:
        yield server.port
    finally:
        server.close()


def outcomes(
    directory: Path,
    paths: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int,
    tls: bool = False,
    each: int = EACH,
) -> tuple[dict[str, list[tuple[int, str]]], Books]:
    """What came of each path, for some users at once that ask it again and again."""
    directory.mkdir(exist_ok=True)
    users = len(paths) * each
    shots = {
        "user": np.repeat(np.arange(users), 2),
        "due_ns": np.tile([0, 100 * MS], users),
        "think_ns": np.zeros(users * 2),
        "fresh": np.tile([True, False], users),
        "request": np.repeat(np.arange(users) % len(paths), 2),
    }
    requests = [
        PlannedRequest(
            request=Request(method="GET", target=path),
            route=path,
            cookies=(),
            recorded_status=200,
        )
        for path in paths
    ]
    plan = write_plan(
        directory,
        shots,
        requests,
        open_loop=True,
        warmup_ns=200 * MS,
        slice_ns=200 * MS,
        slices=1,
        planned=users * 2,
        peak_users=users,
    )
    with generating(
        plan,
        arm="baseline",
        host=host,
        port=port,
        tls=tls,
        deadline_ns=DEADLINE_NS,
        cores=(),
        directory=directory,
    ) as generator:
        generator.wait_ready()
        generator.play(0)
        generator.play(1)
        books, _ = generator.finish(directory / "samples.parquet")
    samples = read_columns(directory / "samples.parquet")
    found: dict[str, list[tuple[int, str]]] = {path: [] for path in paths}
    for shot, status, cause in zip(
        samples["shot"], samples["status"], samples["cause"], strict=True
    ):
        path = paths[shot // 2 % len(paths)]
        found[path].append((int(status), CAUSES[cause]))
    return found, books


def test_every_fault_at_once(tmp_path: Path) -> None:
    """Each fault is an error with its own cause; the worker lives, books balance."""
    with trouble() as port:
        found, books = outcomes(tmp_path, list(SAYS), port=port)

    expected = {path: [outcome] * EACH * 2 for path, (_, outcome) in SAYS.items()}
    assert expected == found
    assert books.balanced
    assert len(SAYS) * EACH * 2 == books.sent


def test_unreachable_targets(tmp_path: Path) -> None:
    """What cannot even be connected to says why."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        slow, _ = outcomes(tmp_path / "slow", ["/ok"], port=port)
        for filler in fillers:
            filler.close()
    refused, _ = outcomes(tmp_path / "refused", ["/ok"], port=closed)
    nameless, _ = outcomes(
        tmp_path / "nameless", ["/ok"], host="no-such-host.invalid", port=80
    )
    far, _ = outcomes(tmp_path / "far", ["/ok"], host="255.255.255.255", port=80)

    assert {(0, "connection refused")} == set(refused["/ok"])
    assert {(0, "connect timeout")} == set(slow["/ok"])
    assert {(0, "name not resolved")} == set(nameless["/ok"])
    assert {(0, "unreachable")} == set(far["/ok"])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost."""
    directory = tmp_path_factory.mktemp("tls")
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    names = "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", *names, "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


@pytest.fixture
def context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


def test_tls(
    tmp_path: Path,
    context: ssl.SSLContext,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over TLS all is the same; a server that closes unsaid is no error of the next."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    paths = [path for path in SAYS if path not in {"/flood", "/half-closed"}]

    with trouble(context) as port:
        found, books = outcomes(tmp_path, paths, host="localhost", port=port, tls=True)

    for path in ("/ok", "/early-hints", "/close-unsaid", "/gzip", "/hang", "/cut"):
        assert [SAYS[path][1]] * EACH * 2 == found[path], path
    assert all(
        cause for path in ("/nothing", "/ssh", "/chunks") for _, cause in found[path]
    )
    assert books.balanced


def test_tls_failures(tmp_path: Path, context: ssl.SSLContext) -> None:
    """A certificate that is not trusted, and a server without TLS, are TLS failures."""
    with trouble(context) as port:
        untrusted, _ = outcomes(
            tmp_path / "a", ["/ok"], host="localhost", port=port, tls=True
        )
    with trouble() as port:
        plain, _ = outcomes(
            tmp_path / "b", ["/ok"], host="localhost", port=port, tls=True
        )

    assert {(0, "TLS failure")} == set(untrusted["/ok"])
    assert {(0, "TLS failure")} == set(plain["/ok"])


def test_a_worker_is_small_after_a_flood() -> None:
    """The module that talks to the build keeps nothing of a body."""
    code = (
        "import resource, harness.load.answer as a\n"
        "answer = a.Answer()\n"
        "answer.feed(b'HTTP/1.1 200 OK\\r\\nContent-Length: 90000000\\r\\n\\r\\n')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "piece = b'x' * 1_000_000\n"
        "for _ in range(90): answer.feed(piece)\n"
        "assert answer.complete\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    grown_kib = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout

    assert int(grown_kib) < 8_000
