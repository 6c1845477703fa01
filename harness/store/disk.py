"""What can go wrong with a disk, said once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.errors import SeatrialError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["writing"]


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
            hint="make room, or name another place with --out",
        ) from error
