"""A capture file as bytes or lines, unpacked on the way."""

from __future__ import annotations

import io
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from harness.capture.packing import DamagedError, unpacked
from harness.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Source"]

_HEAD_BYTES: Final = 1 << 16
_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a capture. Each method opens it anew and skips a byte order mark.

    Raises:
        RecordingError: it is missing, a directory, a pipe, unreadable or a broken gzip
            file.
    """

    path: Path

    @property
    def name(self) -> str:
        """The path as it can be shown: what is not UTF-8 in it is replaced."""
        return os.fsencode(self.path).decode(errors="replace")

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
                hint="write it to a file first",
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

    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces())

    def lines(self) -> Iterator[str]:
        """Its lines, each byte as the latin-1 character of the same number."""
        for block in self.blocks():
            text = io.BytesIO(block)
            yield from io.TextIOWrapper(text, encoding="latin-1", newline="\n")

    def blocks(self) -> Iterator[bytes]:
        """Its bytes in pieces of whole lines."""
        held: list[bytes] = []
        for piece in self.pieces():
            end = piece.rfind(b"\n") + 1
            held.append(piece[:end] if end else piece)
            if end:
                yield b"".join(held)
                held = [piece[end:]]
        if last := b"".join(held):
            yield last


def _ignored() -> None:
    """A head that is cut is recognised, or refused when all of it is read."""
