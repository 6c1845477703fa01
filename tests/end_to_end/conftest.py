"""A small service in a tree of its own, for trials against real environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.model.traffic import Exchange, Request, Response
from harness.store.recording import Provenance, table_of, write_recording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TRIES = 3
_INVALID = 4
_BUSY = ("other machines took", "load generator")

_DOCKERFILE = """\
ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}
COPY service.py /service.py
CMD ["python3", "-u", "/service.py"]
"""

_SERVICE = '''\
"""GET /hold/N keeps N MiB, /burn/N uses N ms of CPU, /read/PATH gives a file."""
import http.server, os, time
print("listening soon", flush=True)
HELD = []

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        _, verb, *rest = self.path.split("/", 2)
        answer = b"fine"
        if verb == "hold":
            HELD.append(os.urandom(1 << 20) * int(rest[0]))
        elif verb == "burn":
            end = time.process_time() + int(rest[0]) / 1000
            while time.process_time() < end:
                pass
        elif verb == "read":
            answer = open("/" + rest[0], "rb").read()
        elif verb == "exit":
            os._exit(int(rest[0]))
        status = 503 if verb == "deaf" else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

address = (os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000")))
http.server.HTTPServer(address, Handler).serve_forever()
'''


@pytest.fixture(scope="session")
def base_image() -> str:
    """The image that test images start from; it needs `python3` and nothing more."""
    return os.environ.get("SEATRIAL_TEST_BASE_IMAGE", "python:3.11-slim")


@pytest.fixture
def mitmdump() -> None:
    """Skip what records live where mitmdump is missing, or fail if it is required."""
    if shutil.which("mitmdump") is None:
        complaint = "mitmdump is not installed: pipx install mitmproxy"
        if os.environ.get("SEATRIAL_REQUIRE_MITMDUMP") == "1":
            pytest.fail(complaint, pytrace=False)
        pytest.skip(complaint)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A service's source tree with a Dockerfile."""
    directory = tmp_path / "tree"
    directory.mkdir()
    (directory / "Dockerfile").write_text(_DOCKERFILE)
    (directory / "service.py").write_text(_SERVICE)
    return directory


_ANSWERING_DOCKERFILE = """\
ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}
COPY serve.py /serve.py
ENV HOST=0.0.0.0 PORT=8000
CMD ["python3", "/serve.py"]
"""

_ANSWERING = '''\
"""Answers any method and path after a delay; sets a session cookie on /login."""
import asyncio
import os
import sys

DELAY_S = 0.002
BODY = b"x" * 700


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            for line in head.lower().split(b"\\r\\n"):
                if line.startswith(b"content-length:"):
                    await reader.readexactly(int(line.split(b":")[1]))
            await asyncio.sleep(DELAY_S)
            status, cookie = b"200 OK", b""
            if head.startswith(b"GET /login "):
                cookie = b"Set-Cookie: sid=live; Path=/\\r\\n"
            if head.startswith(b"GET /mine ") and b"sid=live" not in head:
                status = b"401 Unauthorized"
            body = b"" if head.startswith(b"HEAD ") else BODY
            writer.write(
                b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 700\\r\\n"
                + cookie + b"\\r\\n" + body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])
    server = await asyncio.start_server(serve, host, port, backlog=4096)
    await server.serve_forever()


asyncio.run(main())
'''


@pytest.fixture
def answering(tmp_path: Path) -> Callable[[str, float], Path]:
    """Makes a build that answers anything, by directory name and delay in seconds."""

    def made(name: str, delay_s: float) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        (directory / "Dockerfile").write_text(_ANSWERING_DOCKERFILE)
        text = _ANSWERING.replace("DELAY_S = 0.002", f"DELAY_S = {delay_s}")
        (directory / "serve.py").write_text(text)
        return directory

    return made


def record(directory: Path) -> None:
    """Ten customers, each: home, login, own page, a post."""
    targets = (("GET", "/"), ("GET", "/login"), ("GET", "/mine"), ("POST", "/order"))
    exchanges = [
        Exchange(
            start_ns=(100 * step + 7 * customer) * 1_000_000,
            client=f"c{customer}",
            session=f"s{customer}",
            request=Request(
                method=method,
                target=target,
                headers=(
                    ("customer", f"c{customer}"),
                    *([("cookie", "sid=recorded")] if target == "/mine" else ()),
                ),
                body=b"{}" if method == "POST" else b"",
            ),
            response=Response(status=200, duration_ns=2_000_000),
        )
        for step, (method, target) in enumerate(targets)
        for customer in range(10)
    ]
    exchanges.sort(key=lambda exchange: exchange.start_ns)
    provenance = Provenance(
        source_format="har",
        started_at="",
        sessions=10,
        clock_ns=1,
        cookies_recorded=True,
    )
    path = directory / "small.parquet"
    write_recording(iter([table_of(exchanges)]), path, lambda: provenance)


@pytest.fixture
def seatrial(tmp_path: Path, base_image: str) -> Seatrial:
    """The command line, run in the test's own directory."""
    return Seatrial(tmp_path, base_image)


class Seatrial:
    """Runs `seatrial` as a user would, in a directory."""

    def __init__(self, directory: Path, base_image: str) -> None:
        self.directory = directory
        self.environment = {
            **os.environ,
            "SEATRIAL_BUILD_ARG": f"BASE_IMAGE={base_image}",
            "SEATRIAL_REDACTION_KEY": "only-for-tests",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it, with both streams piped."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *arguments],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        process = self.start(*arguments)
        out, err = process.communicate()
        return process.returncode, out, err

    def verify(self, *arguments: str) -> tuple[int, str, str]:
        """The same of a trial, which is run anew where this machine spoilt it.

        Other machines on the same host can make any trial INVALID, whatever it tries.
        """
        trials = self.directory / "trials"
        before = set(trials.glob("*/"))
        for _ in range(_TRIES):
            code, out, err = self("verify", *arguments)
            if code != _INVALID or not any(sign in out for sign in _BUSY):
                break
            for spoilt in set(trials.glob("*/")) - before:
                shutil.rmtree(spoilt)
        return code, out, err


def sound_rounds(trial: Path) -> list[Path]:
    """The directories of the rounds that count, in their order."""
    return sorted(trial.glob("round-??"))
