"""A capture file as bytes or lines; `.gz` is unpacked on the way."""

from __future__ import annotations

import gzip
import io
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


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a capture. Each method opens it anew.

    Raises:
        RecordingError: it is missing, a directory, unreadable or a broken gzip file.
    """

    path: Path

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("rb") as raw:
                packed = raw.peek(2).startswith(_GZIP_MAGIC)
                yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            raise RecordingError(
                f"{self.path}: the gzip file is damaged or cut short ({exc})",
                hint="copy the capture again, or unpack what is left with `zcat`",
            ) from exc
        except IsADirectoryError as exc:
            raise RecordingError(
                f"{self.path}: is a directory", hint="name the capture files in it"
            ) from exc
        except OSError as exc:
            raise RecordingError(
                f"{self.path}: cannot be read: {exc.strerror or exc}",
                hint="check the path and its permissions",
            ) from exc

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
