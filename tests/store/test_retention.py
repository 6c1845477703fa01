from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest

from harness.errors import InputError, SeatrialError
from harness.store.retention import expendable, remove, stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def trial(parent: Path, name: str, scenario: str = "a", at_s: float = 0.0) -> Path:
    directory = parent / name
    (directory / "round-01").mkdir(parents=True)
    (directory / "round-01" / "samples.parquet").write_bytes(b"x" * 1_000)
    journal = directory / "trial.json"
    journal.write_text(json.dumps({"scenario": {"name": scenario}}))
    os.utime(journal, (at_s, at_s))
    return directory


def gone(parent: Path, keep: int, before_s: float = 1e12) -> list[str]:
    found = expendable(stored(parent), keep=keep, before_s=before_s)
    return [each.path.name for each in found]


def test_the_latest_of_each_scenario_stay(tmp_path: Path) -> None:
    """However many trials another scenario has."""
    for number in range(4):
        trial(tmp_path, f"2026112{number}-a")
    trial(tmp_path, "20261101-b", "b")

    assert gone(tmp_path, 2) == ["20261120-a", "20261121-a"]
    assert gone(tmp_path, 4) == []


def test_the_young_stay(tmp_path: Path) -> None:
    """Beyond the latest, only what is old enough goes."""
    for number in range(4):
        trial(tmp_path, f"2026112{number}-a", at_s=number)

    assert gone(tmp_path, 1, before_s=2.0) == ["20261120-a", "20261121-a"]


def test_age_counts_not_the_name(tmp_path: Path) -> None:
    """A trial that was renamed is as old as it is."""
    trial(tmp_path, "00-golden", at_s=9)
    trial(tmp_path, "zz-old", at_s=1)

    assert gone(tmp_path, 1) == ["zz-old"]


def test_what_is_no_trial_stays(tmp_path: Path) -> None:
    """Calibrations, files, links and broken journals are not ours to remove."""
    (tmp_path / "calibration-a").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    broken = tmp_path / "20261101-a"
    broken.mkdir()
    (broken / "trial.json").write_text("{")
    elsewhere = trial(tmp_path / "elsewhere", "20261101-a")
    (tmp_path / "20261102-a").symlink_to(elsewhere)

    assert list(stored(tmp_path)) == []


def test_what_goes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running trial may rename its round meanwhile: its files do not count."""
    directory = trial(tmp_path, "20261120-a")
    walk = os.walk

    def walked(top: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        for parent, folders, names in walk(top):
            if parent.endswith("round-01"):
                (directory / "round-01").rename(directory / "round-02")
            yield parent, folders, names

    monkeypatch.setattr("harness.store.retention.os.walk", walked)
    (only,) = stored(tmp_path)

    assert 0 < only.size < 1_000


def test_remove(tmp_path: Path) -> None:
    """All of a trial goes, and its size was known."""
    trial(tmp_path, "20261120-a")
    (only,) = stored(tmp_path)

    remove(only)

    assert only.size > 1_000
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial is named, with why it stays."""
    trial(tmp_path, "20261120-a")
    (only,) = stored(tmp_path)

    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("harness.store.retention.shutil.rmtree", refuse)

    with pytest.raises(SeatrialError, match="20261120-a: cannot be removed: Perm"):
        remove(only)


def test_nowhere(tmp_path: Path) -> None:
    """A directory that is not there is named."""
    with pytest.raises(InputError, match="nowhere: there is no such directory"):
        list(stored(tmp_path / "nowhere"))
