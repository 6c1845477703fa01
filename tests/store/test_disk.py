from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SeatrialError
from harness.store.disk import write_text, writing


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    """A file that cannot be written whole does not appear, nor does its beginning."""
    path = tmp_path / "f"
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "a\ud800")

    assert [] == list(tmp_path.iterdir())


def test_full_disk() -> None:
    """A full disk is one clear error with the place and the remedy."""
    full = Path("/dev/full")

    with pytest.raises(SeatrialError) as caught, writing(full):
        full.write_text("x")

    assert "/dev/full: cannot be written: No space left" in caught.value.message


def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    """Below a file, in no folder, or as a folder: one clear error, and nothing left."""
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())

    for path in (tmp_path / "file" / "x", tmp_path / "none" / "x", tmp_path):
        with pytest.raises(SeatrialError, match="cannot be written"):
            write_text(path, "x")

    assert before == sorted(tmp_path.iterdir())


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    """A device is written to; afterwards it is one still."""
    device = tmp_path / "null"
    device.symlink_to("/dev/null")

    write_text(device, "x")

    assert device.is_char_device()
