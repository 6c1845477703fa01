"""A capture file as bytes or lines; `.gz` is unpacked on the way."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, cast

from harness.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Source"]

_HEAD_BYTES: Final = 1 << 16
_GZIP_MAGIC: Final = b"\x1f\x8b"
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
                packed = raw.peek(2).startswith(_GZIP_MAGIC)
                stream = (
                    cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
                )
                if stream.read(len(_MARK)) != _MARK:
                    stream.seek(0)
                yield stream
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            raise RecordingError(
                f"{self.name}: the gzip file is damaged or cut short ({exc})",
                hint="copy the capture again, or unpack what is left with `zcat`",
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

    def head(self) -> bytes:
        """The first 64 KiB, by which a format is recognised."""
        with self._opened() as stream:
            return stream.read(_HEAD_BYTES)

    def content(self) -> bytes:
        """All of it."""
        with self._opened() as stream:
            return stream.read()

    def lines(self) -> Iterator[str]:
        """Its lines, each byte as the latin-1 character of the same number."""
        with (
            self._opened() as stream,
            io.TextIOWrapper(stream, encoding="latin-1", newline="\n") as text,
        ):
            yield from text
