"""`seatrial record`, started as a user would."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def recorder(
    folder: Path, port: int, service: int, *options: str
) -> Iterator[subprocess.Popen[str]]:
    """The command, taking requests; ended at the end whatever it did."""
    command = [sys.executable, "-m", "harness", "record"]
    command += ["--listen", f"127.0.0.1:{port}", "--to", f"http://127.0.0.1:{service}"]
    environment = {**os.environ, "SEATRIAL_REDACTION_KEY": "a key for tests"}
    process = subprocess.Popen(
        [*command, *options, "-o", folder / "rec.parquet"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "Ctrl-C ends it" in process.stderr.readline()
        yield process
    finally:
        process.kill()
        process.communicate()
