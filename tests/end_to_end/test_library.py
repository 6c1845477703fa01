"""A trial from Python, and as a test among others."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conftest import record
from tests.end_to_end.test_action import SCENARIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.end_to_end.conftest import Seatrial

TESTS = """\
import pytest
from harness import verify
from harness.errors import InputError

ARMS = {"baseline": "dir:one", "candidate": "dir:two"}


def test_from_python():
    told = []
    trial = verify("s.yaml", announce=told.append, wait=True, **ARMS)
    assert trial.outcome == "PASS", trial.text
    assert trial.reasons[0].startswith("every budget holds")
    assert (trial.directory / "report.html").exists()
    assert any("preparing the baseline" in str(each) for each in told)


def test_wrong():
    with pytest.raises(InputError, match="nowhere.yaml: there is no such file"):
        verify("nowhere.yaml")


def test_too_slow(seatrial):
    seatrial("slow.yaml", **ARMS)


def test_too_little_time(seatrial):
    seatrial("s.yaml", max_time="1s", **ARMS)
"""


@pytest.fixture
def home(seatrial: Seatrial, answering: Callable[[str, float], Path]) -> Path:
    """A project with two builds, the second of which is slower."""
    record(seatrial.directory)
    answering("one", 0.002)
    answering("two", 0.020)
    slow = SCENARIO.replace("p50: 900% or 1s", "p50: 10% or 1ms")
    (seatrial.directory / "s.yaml").write_text(SCENARIO)
    (seatrial.directory / "slow.yaml").write_text(slow)
    (seatrial.directory / "test_gate.py").write_text(TESTS)
    (seatrial.directory / "pytest.ini").write_text("[pytest]\n")
    return seatrial.directory


def test_a_gate_beside_the_tests(home: Path) -> None:
    """PASS passes; what fails is told with its reason, a doubt is skipped if asked."""
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-rs"]

    done = subprocess.run(
        [*command, "--seatrial-inconclusive", "skip"],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 passed" in done.stdout, done.stdout
    assert "1 failed" in done.stdout
    assert "1 skipped" in done.stdout
    assert "FAIL  p50: " in done.stdout
    assert "--max-time 1s left no room" in done.stdout
