"""The files of a capture, each as bytes or lines, unpacked on the way."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import shutil
import stat
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from harness.capture.packing import PIECE_BYTES, DamagedError, unpacked
from harness.errors import RecordingError
from harness.model.traffic import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["STANDARD_INPUT", "Source", "files_of", "opened"]

STANDARD_INPUT: Final = Path("-")
_HEAD_BYTES: Final = 1 << 16
_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a capture. Each method opens it anew and skips a byte order mark.

    Attributes:
        path: where it is.
        label: what it is called instead of that.

    Raises:
        RecordingError: it is missing, a directory, a pipe, unreadable or damaged.
    """

    path: Path
    label: str = ""

    @property
    def name(self) -> str:
        """The path as it can be shown: what is not UTF-8 in it is replaced."""
        return self.label or os.fsencode(self.path).decode(errors="replace")

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            self._refuse_streams()
            with self.path.open("rb") as raw:
                yield raw
        except DamagedError as exc:
            raise RecordingError(
                f"{self.name}: {exc}",
                hint=f"copy the capture again, or {exc.remedy}",
            ) from exc
        except IsADirectoryError as exc:
            raise RecordingError(
                f"{self.name}: is a directory", hint="name the capture files in it"
            ) from exc
        except OSError as exc:
            raise RecordingError(
                f"{self.name}: cannot be read: {exc.strerror or exc}",
                hint="check the path and its permissions",
            ) from exc

    def _refuse_streams(self) -> None:
        mode = self.path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise RecordingError(
                f"{self.name}: not a file; a pipe cannot be read twice",
                hint="give it as standard input: seatrial import - < PIPE",
            )

    def pieces(self, cut: Callable[[], None] | None = None) -> Iterator[bytes]:
        """Its bytes in pieces of at most 1 MiB.

        Args:
            cut: told where a packed stream ends before its end; what could be unpacked
                is there all the same. By default such a file is refused.
        """
        with self._opened() as raw:
            first = b""
            pieces = unpacked(raw, cut)
            for piece in pieces:
                first += piece
                if len(first) >= len(_MARK):
                    break
            yield first.removeprefix(_MARK)
            yield from pieces

    def head(self) -> bytes:
        """The first 64 KiB, by which a format is recognised."""
        head = b""
        for piece in self.pieces(_ignored):
            head += piece
            if len(head) >= _HEAD_BYTES:
                break
        return head[:_HEAD_BYTES]

    def refuse_damage(self) -> None:
        """Read all of it, for what that raises."""
        for _ in self.pieces():
            pass

    def described(self) -> SourceFile:
        """Which file it is, whatever becomes of it."""
        digest, size = hashlib.sha256(), 0
        with self._opened() as raw:
            while piece := raw.read(PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
        name = Path(self.name).name
        return SourceFile(name=name, size=size, digest=digest.hexdigest())

    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces())

    def lines(self) -> Iterator[str]:
        """Its lines, each byte as the latin-1 character of the same number."""
        for block in self.blocks():
            text = io.BytesIO(block)
            yield from io.TextIOWrapper(text, encoding="latin-1", newline="\n")

    def blocks(self, least_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
        """Its bytes in blocks of whole lines, each but the last at least so long."""
        held: list[bytes] = []
        held_bytes, wanted_bytes = 0, least_bytes
        for piece in self.pieces():
            held.append(piece)
            held_bytes += len(piece)
            if held_bytes < wanted_bytes:
                continue
            whole = b"".join(held)
            end = whole.rfind(b"\n") + 1
            wanted_bytes = least_bytes if end else 2 * held_bytes
            held, held_bytes = [whole[end:]], len(whole) - end
            if end:
                yield whole[:end]
        if last := b"".join(held):
            yield last


def files_of(names: Sequence[Path]) -> list[Path]:
    """The files that are meant, each once, whatever its names.

    Args:
        names: files, `-` for standard input, patterns that the shell left as they are,
            and directories: all files below, in the order of their names, but for
            hidden and empty ones.

    Raises:
        RecordingError: a pattern matches nothing, a directory has no file or cannot be
            read.
    """
    once: dict[str, Path] = {}
    for path in chain.from_iterable(map(_matched, names)):
        for file in _below(path):
            once.setdefault(os.path.realpath(file), file)
    return list(once.values())


def _matched(name: Path) -> Sequence[Path]:
    if not glob.has_magic(str(name)) or os.path.lexists(name):
        return (name,)
    found = glob.glob(str(name), recursive=True)  # noqa: PTH207 - Path has no absolute one
    paths = [Path(path) for path in sorted(found)]
    if not paths:
        raise RecordingError(
            f"{Source(name).name}: no file has a name like this",
            hint="check the pattern",
        )
    return paths


def _below(path: Path) -> Sequence[Path]:
    if not os.path.isdir(path):  # noqa: PTH112 - Path's raises where it may not look
        return (path,)
    files: list[Path] = []
    try:
        for folder, folders, names in os.walk(path, onerror=_raised):
            folders[:] = sorted(filter(_is_shown, folders))
            below = (Path(folder, name) for name in sorted(filter(_is_shown, names)))
            files += (file for file in below if file.is_file() and file.stat().st_size)
    except OSError as exc:
        raise RecordingError(
            f"{Source(path).name}: cannot be read: {exc.strerror or exc}",
            hint="check its permissions, or name the capture files in it",
        ) from exc
    if not files:
        raise RecordingError(
            f"{Source(path).name}: a directory without a capture file",
            hint="hidden and empty files are left out; name the files",
        )
    return files


def _is_shown(name: str) -> bool:
    return not name.startswith(".")


def _raised(error: OSError) -> None:
    raise error


@contextmanager
def opened(files: Sequence[Path], folder: Path) -> Iterator[list[Source]]:
    """The files; standard input is kept in a file without a name until the end.

    Args:
        files: what `files_of` gave.
        folder: has room for standard input.
    """
    with ExitStack() as stack:
        yield [
            Source(file)
            if file != STANDARD_INPUT
            else stack.enter_context(_standard_input(folder))
            for file in files
        ]


@contextmanager
def _standard_input(folder: Path) -> Iterator[Source]:
    if sys.stdin is None:
        raise RecordingError("standard input: it is closed", hint="name a file instead")
    with tempfile.TemporaryFile(dir=folder) as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.flush()
        yield Source(Path(f"/dev/fd/{spool.fileno()}"), "standard input")


def _ignored() -> None:
    """A head that is cut is recognised, or refused when all of it is read."""
