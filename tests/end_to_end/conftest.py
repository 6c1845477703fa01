"""A small service in a tree of its own, for trials against real environments."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

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
def tree(tmp_path: Path) -> Path:
    """A service's source tree with a Dockerfile."""
    directory = tmp_path / "tree"
    directory.mkdir()
    (directory / "Dockerfile").write_text(_DOCKERFILE)
    (directory / "service.py").write_text(_SERVICE)
    return directory
