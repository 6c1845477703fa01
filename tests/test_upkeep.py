"""`seatrial clean`, with a lock of its own and nothing of others to remove."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import seatrial
from harness.environment.machine import machine_lock
from harness.errors import SeatrialError
from tests.store.test_retention import trial


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of this test alone."""
    path = tmp_path / "lock"
    alone = partial(machine_lock, path=path)
    monkeypatch.setattr("harness.environment.machine_lock", alone)
    monkeypatch.setattr("harness.environment.remove_leftovers", lambda _: ())
    return path


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    """Three of one scenario."""
    for number in range(3):
        trial(tmp_path / "trials", f"2026112{number}-a", at_s=number)
    return tmp_path / "trials"


def clean(trials: Path, *options: str) -> tuple[int, list[str]]:
    arguments = ["clean", "--out", str(trials), "--keep", "1", *options]
    done = CliRunner().invoke(seatrial, arguments, standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.return_value, [Path(line).name for line in done.stdout.splitlines()]


def left(trials: Path) -> list[str]:
    return sorted(each.name for each in trials.iterdir())


@pytest.mark.usefixtures("lock")
def test_clean(trials: Path) -> None:
    """What went is named, and the latest stays."""
    assert clean(trials, "--dry-run") == (0, ["20261120-a", "20261121-a"])
    assert len(left(trials)) == 3
    assert clean(trials) == (0, ["20261120-a", "20261121-a"])
    assert left(trials) == ["20261122-a"]


def test_beside_a_trial(
    lock: Path, trials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While one runs nothing is promised nor removed; a dry run needs no lock."""
    with machine_lock("20261122-a", path=lock):
        with pytest.raises(SeatrialError, match="another trial is running"):
            clean(trials)
        dry = clean(trials, "--dry-run")

    assert capsys.readouterr().out == ""
    assert dry == (0, ["20261120-a", "20261121-a"])
    assert len(left(trials)) == 3


def test_it_looks_when_its_turn_has_come(
    lock: Path, trials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that ended while it waited counts among the latest."""

    def waiting(holder: str, *, wait: bool) -> object:
        trial(trials, "20261123-a", at_s=3)
        return machine_lock(holder, wait=wait, path=lock)

    monkeypatch.setattr("harness.environment.machine_lock", waiting)

    assert clean(trials, "--wait")[0] == 0
    assert left(trials) == ["20261123-a"]


@pytest.mark.usefixtures("lock")
def test_one_stays(trials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be removed is not said to be gone, and does not keep the next."""
    rmtree = shutil.rmtree

    def refuse(path: Path) -> None:
        if path.name == "20261120-a":
            raise PermissionError
        rmtree(path)

    monkeypatch.setattr("harness.store.retention.shutil.rmtree", refuse)

    assert clean(trials) == (4, ["20261121-a"])
    assert left(trials) == ["20261120-a", "20261122-a"]
