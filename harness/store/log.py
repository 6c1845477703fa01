"""A build's log, line by line, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.store.disk import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["read_lines"]

_LINE_BYTES: Final = 16 << 10
_READ_BYTES: Final = 64 << 20


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of the first 64 MiB, without their ends, each cut at 16 KiB.

    Raises:
        ComparisonError: the file cannot be read.
    """
    with reading(path), path.open("rb") as file:
        left, within = _READ_BYTES, False
        while left > 0 and (piece := file.readline(_LINE_BYTES)):
            left -= len(piece)
            if not within:
                yield piece.rstrip(b"\r\n")
            within = not piece.endswith(b"\n")
