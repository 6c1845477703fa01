from __future__ import annotations

import http.client
import resource
import signal
import subprocess
import sys
import threading
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.store.recording import exchanges, open_recording
from tests.end_to_end.recorder import free_port, recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARRIVED = threading.Event()
LONG = 2 << 20
SECRETS = (b"SeCrEt1", b"SeCrEt2", b"SeCrEt3")


pytestmark = pytest.mark.usefixtures("mitmdump")


class Service(BaseHTTPRequestHandler):
    """Answers with what it was sent, and a cookie."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(201)
        self.send_header("content-length", str(len(body)))
        self.send_header("set-cookie", "sid=SeCrEt3")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """A line now, another one once the first has arrived, then a long one."""
        self.send_response(200)
        if self.path == "/unframed":
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(b"1\n2\n" + b"3" * LONG)
            return
        self.send_header("content-type", "application/x-ndjson")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in (b"1\n", b"2\n", b"3" * LONG if self.path == "/long" else b""):
            if piece == b"2\n":
                ARRIVED.wait(30)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if self.path == "/long":
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def service() -> Iterator[int]:
    """The port of a service that says what it is told."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def post(port: int, path: str, body: bytes) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.request("POST", path, body, {"Authorization": "Bearer SeCrEt2"})
        return client.getresponse().read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_passes_is_recorded(
    tmp_path: Path, service: int, number: signal.Signals
) -> None:
    """With bodies and answers, redacted; then nothing runs and nothing lies around."""
    port = free_port()
    with recorder(tmp_path, port, service) as process:
        assert b"a=1" == post(port, "/a?token=SeCrEt1", b"a=1")
        assert b"b=2" == post(port, "/b", b"b=2")
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)

    assert 0 == process.returncode
    assert "exchanges    2 in" in out
    first, second = exchanges(open_recording(tmp_path / "rec.parquet"))
    assert ("/b", b"b=2") == (second.request.target, second.request.body)
    assert first.response is not None
    assert (201, b"a=1") == (first.response.status, first.response.body)
    assert (first.response.duration_ns or 0) > 0
    assert first.session == second.session
    for secret in SECRETS:
        assert secret not in str((first, second)).encode()
    assert children
    assert not any(child.is_running() for child in children)
    assert ["rec.parquet"] == [path.name for path in tmp_path.iterdir()]


def test_an_answer_passes_as_it_comes(tmp_path: Path, service: int) -> None:
    """Piece by piece, however long it is; what is kept of it is whole or not there."""
    port, answers = free_port(), []
    with recorder(tmp_path, port, service) as process:
        for path in ("/short", "/long", "/unframed"):
            ARRIVED.clear()
            with closing(
                http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            ) as c:
                c.request("GET", path)
                answer = c.getresponse()
                assert b"1\n" == answer.read(2)
                ARRIVED.set()
                answers.append(answer.read())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert [b"2\n", *[b"2\n" + b"3" * LONG] * 2] == answers
    responses = [
        each.response for each in exchanges(open_recording(tmp_path / "rec.parquet"))
    ]
    assert [b"1\n2\n", None, None] == [each and each.body for each in responses]
    assert responses[2] is not None
    assert LONG + 4 == responses[2].body_bytes


def test_a_recorder_that_is_killed_leaves_nobody_listening(
    tmp_path: Path, service: int
) -> None:
    """Mitmdump ends with who started it, and nothing that passed lies around."""
    port = free_port()
    with recorder(tmp_path, port, service) as process:
        post(port, "/b", b"b=2")
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()

        _, alive = psutil.wait_procs(children, timeout=30)

    assert children
    assert not alive
    assert [] == list(tmp_path.iterdir())


def test_what_passed_before_mitmdump_ended_is_kept(
    tmp_path: Path, service: int
) -> None:
    """It says so, with what mitmdump said, and by its exit code; rules are kept to."""
    port, rules = free_port(), tmp_path / "rules.yaml"
    rules.write_text("add: [{value: CUST-\\d+}]")
    with recorder(tmp_path, port, service, "--redact", str(rules)) as process:
        post(port, "/b", b"b=CUST-77")
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        _, err = process.communicate(timeout=60)

    assert 4 == process.returncode
    assert "mitmdump ended by itself" in err
    assert f"what had passed before is in {tmp_path / 'rec.parquet'}" in err
    [kept] = exchanges(open_recording(tmp_path / "rec.parquet"))
    assert "/b" == kept.request.target
    assert kept.request.body.startswith(b"b=")
    assert b"CUST-77" not in kept.request.body


def test_a_full_disk_ends_it(tmp_path: Path, service: int) -> None:
    """What can no longer be kept does not pass as if it were."""
    port = free_port()
    with recorder(tmp_path, port, service) as process:
        post(port, "/b", b"b=2")
        [folder] = (each for each in tmp_path.iterdir() if each.is_dir())
        limit = (folder / "capture.gor").stat().st_size + 1
        for child in psutil.Process(process.pid).children(recursive=True):
            child.rlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with suppress(OSError, http.client.HTTPException):
            post(port, "/c", b"c=3")
        _, err = process.communicate(timeout=60)

    assert 4 == process.returncode
    assert "what passes cannot be kept; is the disk full?" in err
    assert not folder.exists()
    [kept] = exchanges(open_recording(tmp_path / "rec.parquet"))
    assert "/b" == kept.request.target


def test_a_port_that_is_taken_is_named(tmp_path: Path, service: int) -> None:
    """It says what mitmdump said, and leaves no file."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "harness", "record"),
            *("--listen", f"127.0.0.1:{service}"),
            *("--to", f"http://127.0.0.1:{service}", "-o", tmp_path / "rec.parquet"),
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert 4 == done.returncode
    assert "is the port of --listen free" in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_nothing_passed(tmp_path: Path, service: int) -> None:
    """An empty recording is refused with where to send requests."""
    port = free_port()
    with recorder(tmp_path, port, service) as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert 2 == process.returncode
    assert "nothing was recorded" in err
    assert f"http://127.0.0.1:{port}" in err
    assert [] == list(tmp_path.iterdir())
