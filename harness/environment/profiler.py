"""Where a running Python service spends its time, sampled from outside by py-spy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PER_S", "complaint", "sampled"]

PER_S: Final = 100
"""Samples a second."""

_PATIENCE_S: Final = 30.0
_EXTRA: Final = "py-spy is not installed: pip install 'seatrial[profile]'"


def _py_spy() -> str | None:
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy")


def complaint() -> str:
    """Why nothing can be sampled here, empty if it can."""
    return "" if _py_spy() else _EXTRA


@contextmanager
def sampled(pid: int, length_s: float, path: Path) -> Iterator[list[str]]:
    """Sample a process and those that it started, for as long as the body is to take.

    The body goes on whatever becomes of it; afterwards the stacks are in the file, in
    folded form.

    Args:
        pid: of the process.
        length_s: how long.
        path: gets the stacks.

    Yields:
        A list that afterwards holds why there are none; empty if there are.
    """
    faults: list[str] = []
    command = [
        *(_py_spy() or "py-spy", "record", "--pid", str(pid), "--subprocesses"),
        *("--rate", str(PER_S), "--duration", str(max(1, round(length_s)))),
        *("--format", "raw", "--output", str(path)),
    ]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        faults.append(f"py-spy cannot be started: {error.strerror}")
        yield faults
        return
    with process:
        try:
            yield faults
            said, _ = process.communicate(timeout=length_s + _PATIENCE_S)
            if process.returncode:
                faults.append(_last(said))
        except subprocess.TimeoutExpired:
            faults.append("py-spy did not come to its end")
        finally:
            process.kill()


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"py-spy: {lines[-1]}" if lines else "py-spy failed"
