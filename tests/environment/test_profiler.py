import subprocess
import sys
from pathlib import Path

from harness.compare.stack import folded
from harness.environment.profiler import complaint, sampled

BUSY = "def spin():\n while True: pass\nspin()"


def test_a_busy_process(tmp_path: Path) -> None:
    """Where a running process spends its time is read from outside."""
    path = tmp_path / "a.folded"
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        try:
            with sampled(process.pid, 1.0, path) as faults:
                pass
        finally:
            process.kill()

    assert ([], "") == (faults, complaint())
    assert any(
        "spin (<string>)" in each for each in folded(path.read_text().splitlines())
    )


def test_a_process_that_is_none_of_python(tmp_path: Path) -> None:
    """What cannot be sampled is told, and the body goes on."""
    with subprocess.Popen(["sleep", "5"]) as process:
        try:
            with sampled(process.pid, 1.0, tmp_path / "a.folded") as faults:
                body = "went on"
        finally:
            process.kill()

    assert "went on" == body
    assert 1 == len(faults)
    assert faults[0].startswith("py-spy: ")
