from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from harness.capture.source import Source
from harness.errors import RecordingError


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_keep_every_byte(tmp_path: Path, pack: type[bytes]) -> None:
    """Only a line feed ends a line, and no byte is lost, packed or not."""
    path = tmp_path / "log"
    path.write_bytes(pack(b"a\xff\x00\r\x85b\r\n\nlast"))
    source = Source(path)
    assert ["a\xff\x00\r\x85b\r\n", "\n", "last"] == list(source.lines())
    assert source.head() == source.content() == b"a\xff\x00\r\x85b\r\n\nlast"


def test_the_head_is_short(tmp_path: Path) -> None:
    """Recognising a format does not read a large file."""
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100_000)
    assert len(Source(path).head()) == 65_536


def test_members_of_a_gzip_file_follow_one_another(tmp_path: Path) -> None:
    """A rotated log that was packed in pieces is read whole."""
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))
    assert ["a\n", "b\n"] == list(Source(path).lines())


def test_a_file_that_is_cut_short_is_named(tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"a\n" * 99)[:-4])
    with pytest.raises(RecordingError, match=r"log\.gz: the gzip file is damaged"):
        list(Source(path).lines())


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    """Windows tools start a file with it; packed or not, it belongs to no line."""
    for name, pack in (("log", bytes), ("log.gz", gzip.compress)):
        path = tmp_path / name
        path.write_bytes(pack(b"\xef\xbb\xbfa\n"))
        assert ["a\n"] == list(Source(path).lines())
        assert Source(path).head() == Source(path).content() == b"a\n"


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """A file is read twice, which a pipe cannot; it is not even opened."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(RecordingError, match=r"a pipe cannot be read twice"):
            Source(path).head()


def test_a_name_that_is_not_utf_8_can_be_shown(tmp_path: Path) -> None:
    """Each odd byte of a file name becomes a replacement character."""
    source = Source(tmp_path / os.fsdecode(b"a\xff.log"))
    assert source.name == f"{tmp_path}/a\ufffd.log"
    with pytest.raises(RecordingError) as caught:
        source.head()
    assert "a\ufffd.log: cannot be read" in caught.value.message
