from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from harness.capture.source import STANDARD_INPUT, Source, files_of, opened
from harness.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, "zstd", asbytes=True)
    return packed


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
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


@pytest.mark.parametrize(
    ("pack", "name", "remedy"),
    [(gzip.compress, "gzip", "`zcat`"), (zstd, "zstd", "`zstd -dc`")],
)
def test_a_file_that_is_cut_short_is_named(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str, remedy: str
) -> None:
    """The message names the file and what is left to do."""
    path = tmp_path / "log.packed"
    path.write_bytes(pack(b"a\n" * 99)[:-4])
    with pytest.raises(
        RecordingError, match=rf"log\.packed: the {name} file is d"
    ) as e:
        list(Source(path).lines())
    assert remedy in e.value.hint


def test_a_line_may_be_longer_than_a_piece(tmp_path: Path) -> None:
    """Lines are whole wherever pieces end, in blocks too."""
    path = tmp_path / "log"
    lines = [b"a" * (3 << 20), b"b", b"c" * (1 << 20), b"d" * 9]
    path.write_bytes(b"\n".join(lines))
    assert lines == b"".join(Source(path).blocks()).split(b"\n")
    assert lines == [line.rstrip("\n").encode() for line in Source(path).lines()]
    assert all(block[-1:] in b"\nd" for block in Source(path).blocks())


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    """Windows tools start a file with it; packed or not, it belongs to no line."""
    packs = (("log", bytes), ("log.gz", gzip.compress), ("log.zst", zstd))
    for name, pack in packs:
        path = tmp_path / name
        path.write_bytes(pack(b"\xef\xbb\xbfa\n"))
        assert ["a\n"] == list(Source(path).lines())
        assert Source(path).head() == Source(path).content() == b"a\n"


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """A file is read twice, which a pipe cannot; it is not even opened."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(RecordingError, match=r"a pipe cannot be read twice") as e:
            Source(path).head()
        assert "import - <" in e.value.hint


def test_a_name_that_is_not_utf_8_can_be_shown(tmp_path: Path) -> None:
    """Each odd byte of a file name becomes a replacement character."""
    source = Source(tmp_path / os.fsdecode(b"a\xff.log"))
    assert source.name == f"{tmp_path}/a\ufffd.log"
    with pytest.raises(RecordingError) as caught:
        source.head()
    assert "a\ufffd.log: cannot be read" in caught.value.message


def tree(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if "empty" in name else b"a\n")


def test_a_directory_is_all_files_below(tmp_path: Path) -> None:
    """In the order of their names; hidden and empty ones hold no capture."""
    tree(tmp_path, "b.log", "a.log", "z/c.log", ".hidden", ".git/x", "empty.log")
    os.mkfifo(tmp_path / "pipe")

    expected = [tmp_path / name for name in ("a.log", "b.log", "z/c.log")]
    assert expected == files_of([tmp_path])


def test_patterns_are_tried_where_the_shell_left_them(tmp_path: Path) -> None:
    """They match files and directories; a file of that very name comes first."""
    tree(tmp_path, "b.log", "a.log", "d/c.log", "e/f.txt", "[x].log", "x.log")

    def found(pattern: str) -> list[str]:
        files = files_of([tmp_path / pattern])
        return [str(file.relative_to(tmp_path)) for file in files]

    assert ["a.log", "b.log"] == found("[ab].log")
    assert ["d/c.log", "e/f.txt"] == found("[de]")
    assert ["d/c.log"] == found("**/c.*")
    assert ["[x].log"] == found("[x].log")
    with pytest.raises(RecordingError, match=r"\*\.har: no file has a name like this"):
        found("*.har")


def test_a_file_counts_once(tmp_path: Path) -> None:
    """However many names it is given by, or has: its traffic was there once."""
    tree(tmp_path, "a.log", "b.log")
    (tmp_path / "current.log").symlink_to("b.log")

    files = files_of([tmp_path / "b.log", tmp_path, tmp_path / "../" / tmp_path.name])

    assert ["b.log", "a.log"] == [file.name for file in files]


def test_a_link_to_itself(tmp_path: Path) -> None:
    """It is no capture of a directory, and by its name it cannot be read."""
    tree(tmp_path, "a.log")
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    (tmp_path / "z").symlink_to(".")

    assert ["a.log"] == [file.name for file in files_of([tmp_path])]
    with pytest.raises(RecordingError, match="loop: cannot be read"):
        Source(files_of([loop])[0]).head()


def test_a_directory_without_a_capture(tmp_path: Path) -> None:
    """Nothing in it, or nothing that counts, is one message."""
    tree(tmp_path, ".hidden", "empty.log")
    with pytest.raises(RecordingError, match="a directory without a capture"):
        files_of([tmp_path])


def test_a_path_that_cannot_be_looked_at(tmp_path: Path) -> None:
    """Whatever the system says of it, such as that its name is too long, is named."""
    path = tmp_path / ("a" * 300)

    assert [path] == files_of([path])
    with pytest.raises(RecordingError, match="cannot be read: File name too long"):
        Source(path).head()


@pytest.mark.parametrize("content", [b"a\nb\xff", gzip.compress(b"a\nb\xff"), b""])
def test_standard_input_can_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """It is a file as others are, but one that has no name and stays nowhere."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    with opened(files_of([STANDARD_INPUT, STANDARD_INPUT]), tmp_path) as [source]:
        assert "standard input" == source.name
        assert source.content() == source.content()
        assert (["a\n", "b\xff"] if content else []) == list(source.lines())
        assert [] == list(tmp_path.iterdir())

    with pytest.raises(RecordingError, match="standard input: cannot be read"):
        source.head()


def test_a_closed_standard_input_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`seatrial import - <&-` has nothing to read."""
    monkeypatch.setattr(sys, "stdin", None)
    with (
        pytest.raises(RecordingError, match="standard input: it is closed"),
        opened([STANDARD_INPUT], tmp_path),
    ):
        pass
