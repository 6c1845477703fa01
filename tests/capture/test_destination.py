from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.capture.destination import scratch
from harness.errors import InputError, SeatrialError


def refusal(destination: Path, *sources: Path) -> InputError:
    with pytest.raises(InputError) as caught, scratch(destination, sources):
        pytest.fail("it was accepted")
    assert str(destination) in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "not a file"),
        (".", "not a file"),
        ("/", "not a file"),
        (os.devnull, "not a file"),
        ("none/rec.parquet", "no such folder"),
        ("x" * 300, "File name too long"),
        ("/proc/rec.parquet", "cannot be written"),
        (os.fsdecode(b"\xff.parquet"), "not UTF-8"),
    ],
)
def test_places_where_no_recording_can_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    """Each is named with what is wrong, and nothing is left there."""
    monkeypatch.chdir(tmp_path)
    assert message in refusal(Path(name)).message
    assert [] == list(tmp_path.iterdir())


def test_a_capture_is_not_replaced(tmp_path: Path) -> None:
    """Neither by its name, nor by a link to it, nor by the unfinished recording."""
    log = tmp_path / "a.log"
    log.write_text("x")
    links = tmp_path / "hard", tmp_path / "soft"
    links[0].hardlink_to(log)
    links[1].symlink_to(log)
    for destination in (log, *links):
        assert "is a capture" in refusal(destination, tmp_path / "none", log).message
    partial = tmp_path / "rec.partial"
    partial.write_text("x")
    assert "is a capture" in refusal(tmp_path / "rec", partial).message


def test_what_a_killed_import_left(tmp_path: Path) -> None:
    """It goes with the next one; what another one is at work on stays, and all else."""
    destination = tmp_path / "rec.parquet"
    with scratch(destination, ()) as at_work:
        left = at_work.with_name(f"{at_work.name[:-8]}abcd_123")
        left.mkdir()
        (left / "run-0").write_text("x")
        (tmp_path / "rec.parquet.scratch").mkdir()
        with scratch(destination, ()) as own:
            assert {at_work, own, tmp_path / "rec.parquet.scratch"} == {
                *tmp_path.iterdir()
            }
    assert [tmp_path / "rec.parquet.scratch"] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("code", "hint"), [(errno.ENOSPC, "free space"), (errno.EIO, "name another folder")]
)
def test_a_disk_that_fails_later(tmp_path: Path, code: int, hint: str) -> None:
    """Only a full disk is told to be freed, and the folder is gone in any case."""
    with pytest.raises(SeatrialError) as caught:  # noqa: SIM117 - the body fails
        with scratch(tmp_path / "rec.parquet", []):
            raise OSError(code, os.strerror(code))
    assert caught.value.hint.startswith(hint)
    assert os.strerror(code) in caught.value.message
    assert [] == list(tmp_path.iterdir())
