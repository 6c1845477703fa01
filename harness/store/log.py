"""A build's log, line by line, in bounded memory."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from harness.store.disk import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["is_cut", "read_lines"]

_LINE_BYTES: Final = 16 << 10
_READ_BYTES: Final = 64 << 20
_STAMP: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z ")
"""What the Docker engine sets before each line: RFC 3339 with nanoseconds, in UTC."""


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of the first 64 MiB, each cut at 16 KiB, without end and time stamp.

    Each with its time in ns since 1970; 0 where the first line of the log has none.

    Raises:
        ComparisonError: the file cannot be read.
    """
    with reading(path), path.open("rb") as file:
        stamped = _STAMP.match(file.read(_LINE_BYTES)) is not None
        file.seek(0)
        left, within = _READ_BYTES, False
        while left > 0 and (piece := file.readline(_LINE_BYTES)):
            left -= len(piece)
            if not within:
                line = piece.rstrip(b"\r\n")
                yield _parted(line) if stamped else (0, line)
            within = not piece.endswith(b"\n")


def is_cut(path: Path) -> bool:
    """Whether there is more of a log than is read.

    Raises:
        ComparisonError: the file cannot be read.
    """
    with reading(path):
        return path.stat().st_size > _READ_BYTES


def _parted(line: bytes) -> tuple[int, bytes]:
    stamp = _STAMP.match(line)
    if stamp is None:
        return 0, line
    moment = datetime.fromisoformat(f"{stamp[1].decode()}+00:00")
    at_ns = int(moment.timestamp()) * 1_000_000_000
    return at_ns + int((stamp[2] or b"0").ljust(9, b"0")), line[stamp.end() :]
