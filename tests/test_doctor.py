"""What a machine lacks, each lack made on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from harness import doctor
from harness.cli import seatrial
from harness.environment.machine import machine_lock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is listened to for a moment only."""
    monkeypatch.setattr(doctor, "_LISTEN_S", 0.05)


def found(tmp_path: Path) -> dict[str, doctor.Check]:
    return {each.name: each for each in doctor.checks(tmp_path)}


def test_this_machine(tmp_path: Path) -> None:
    """Everything is looked at, and whatever is not as it should be has a remedy."""
    seen = found(tmp_path)

    assert set(seen) == {
        *("engine", "usage", "cores", "memory", "users", "clock", "steal", "disk"),
        *("lock", "git", "py-spy", "sees"),
    }
    assert all(each.remedy for each in seen.values() if each.state != "ok")


@pytest.mark.parametrize(
    ("name", "patch", "state", "message"),
    [
        ("engine", ("engine_answers", lambda: "no engine"), "limits", "no engine"),
        ("usage", ("cgroup_version", lambda: 0), "limits", "no control groups"),
        ("memory", ("_ROOM_BYTES", 2**60), "limits", "GiB available"),
        ("disk", ("_ROOM_BYTES", 2**60), "limits", "GiB free"),
        ("users", ("local_ports", lambda: 0), "missing", "too few for load"),
        ("clock", ("_late_ns", lambda: [9_000_000]), "limits", "9.00 ms late"),
        ("git", ("shutil.which", lambda _: None), "limits", "git is missing"),
        ("py-spy", ("profiler_complaint", lambda: "none: pip"), "limits", "none"),
    ],
)
def test_a_lack(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: str,
    patch: tuple[str, Any],
    state: str,
    message: str,
) -> None:
    """Each is told with its figure; only what no trial can do without is missing."""
    place, value = patch
    monkeypatch.setattr(f"harness.doctor.{place}", value)

    check = found(tmp_path)[name]

    assert check.state == state
    assert message in check.message


def test_another_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds the lock is named, and does not lose it."""
    lock = tmp_path / "lock"
    monkeypatch.setattr(doctor, "lock_holder", lambda: doctor_lock_holder(lock))
    with machine_lock("20261127-x", path=lock):
        assert "20261127-x" in found(tmp_path)["lock"].message
    assert found(tmp_path)["lock"].state == "ok"


def doctor_lock_holder(path: Path) -> str:
    from harness.environment.machine import lock_holder  # noqa: PLC0415 - of that file

    return lock_holder(path)


def test_a_broken_calibration(tmp_path: Path) -> None:
    """It is named, and the rest is looked at all the same."""
    (tmp_path / "calibration-x.json").write_text("{")

    check = found(tmp_path)["sees"]

    assert check.state == "limits"
    assert "calibration-x.json" in check.message


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON has every check; where nothing can be tried at all, the code is 4."""
    out = ["--out", str(tmp_path), "--format", "json"]

    good = CliRunner().invoke(seatrial, ["doctor", *out], standalone_mode=False)
    monkeypatch.setattr(doctor, "local_ports", lambda: 0)
    bad = CliRunner().invoke(seatrial, ["doctor", *out], standalone_mode=False)

    document = json.loads(good.stdout)
    assert document["schema_version"] == 1
    assert {"name", "state", "message", "remedy"} == {*document["checks"][0]}
    assert (0, 4) == (good.return_value, bad.return_value)
