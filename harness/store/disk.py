"""What can go wrong with a disk, said once."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from harness.errors import ComparisonError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["EDITED", "read_text", "reading", "write_text", "writing"]

EDITED: Final = "a stored trial cannot be edited; run the trial again"
"""What to do about a trial whose files are not as they were stored."""


@contextmanager
def reading(path: Path, *, remedy: str = EDITED) -> Iterator[None]:
    """Whatever is missing or broken inside fails as one clear error.

    Args:
        path: what is read.
        remedy: what to do about it.

    Raises:
        ComparisonError: the file does not hold what a trial stores.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ComparisonError(
            f"{path}: {_what(error)}",
            hint=remedy,
        ) from error


def _what(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"broken: {error}"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever is written inside fails as one clear error.

    Raises:
        SeatrialError: it cannot be written, such as for want of space.
    """
    try:
        yield
    except OSError as error:
        raise SeatrialError(
            f"{path}: cannot be written: {error.strerror or error}",
            hint="make room, or name another place",
        ) from error


def read_text(path: Path) -> str:
    """A stored text; what is no UTF-8 is replaced. Raises what `reading` does."""
    with reading(path):
        return path.read_text(encoding="utf-8", errors="replace")


def write_text(path: Path, text: str) -> None:
    """Write a file that appears under its name only when it is whole.

    What is there and is no file, such as `/dev/stdout`, is written to as it is.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 - never raise
        with writing(path):
            path.write_text(text, encoding="utf-8")
        return
    partial = path.with_name(f"{path.name}.partial")
    try:
        with writing(path):
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()
