"""Locustfiles: what is found in one, and what is said of a bad one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
from locust import HttpUser, constant, task
from beside import WAIT_S


class Visitor(HttpUser):
    wait_time = constant(WAIT_S)

    @task
    def home(self):
        self.client.get("/")
"""


def said_of(path: Path, cwd: Path | None = None) -> str:
    """What the check says, in a process of its own: Locust changes the one it is in."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "harness.load.locustfile", str(path)],
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_good(tmp_path: Path) -> None:
    """A locustfile may import what stands beside it; there is nothing to say."""
    (tmp_path / "beside.py").write_text("WAIT_S = 1\n")
    path = tmp_path / "locustfile.py"
    path.write_text(GOOD)

    assert "" == said_of(path)


def test_working_directory(tmp_path: Path) -> None:
    """As with Locust it may import from there, after what stands beside it."""
    there = tmp_path / "load"
    there.mkdir()
    (tmp_path / "beside.py").write_text("raise SystemExit('the other one')")
    (there / "beside.py").write_text("from shared import WAIT_S\n")
    (tmp_path / "shared.py").write_text("WAIT_S = 1\n")
    path = there / "locustfile.py"
    path.write_text(GOOD)

    assert "" == said_of(path, cwd=tmp_path)


def test_chatter_is_no_complaint(tmp_path: Path) -> None:
    """What a locustfile prints while it is imported is not held against it."""
    path = tmp_path / "locustfile.py"
    path.write_text(
        "print('loading')\n" + GOOD.replace("from beside", "#").replace("WAIT_S", "1")
    )

    assert "" == said_of(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD, ":2: ModuleNotFoundError: No module named 'beside'"),
        ("from locust import task\n", ":1: ValueError: it defines no User class"),
        ("\n\nclass Visitor(\n", ":3: SyntaxError"),
        ("import sys\nsys.exit(3)\n", ":2: SystemExit: 3"),
        (
            "from locust import User\nclass Nobody(User):\n    weight = 0\n",
            ":1: every User class has weight 0",
        ),
    ],
)
def test_bad(tmp_path: Path, text: str, message: str) -> None:
    """Whatever keeps a file from being loaded is said with its line."""
    path = tmp_path / "locustfile.py"
    path.write_text(text)

    assert f"{path}{message}" in said_of(path)
