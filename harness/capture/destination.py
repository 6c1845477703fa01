"""Where the recording goes: refused before anything is read if it cannot go there."""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import InputError, SeatrialError
from harness.store.recording import partial_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["scratch"]

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def scratch(destination: Path, sources: Sequence[Path]) -> Iterator[Path]:
    """A folder for spilled runs beside the recording, gone at the end.

    Those that others left when they were killed go, too.

    Args:
        destination: the recording to write.
        sources: the captures, none of which it may replace.

    Raises:
        InputError: no recording can be written there.
        SeatrialError: the disk is full, or failed.
    """
    try:
        _refuse(destination, sources)
        prefix = f".{destination.name}.scratch-"
        _sweep(destination.parent, prefix)
        folder = tempfile.TemporaryDirectory(dir=destination.parent, prefix=prefix)
    except OSError as exc:
        raise InputError(
            f"{destination}: cannot be written: {exc.strerror}",
            hint="name a file in a folder that exists, may be written and has room",
        ) from exc
    try:
        with folder as name, _held(Path(name)):
            yield Path(name)
    except OSError as exc:
        raise SeatrialError(
            f"{destination.parent}: cannot sort the capture: {exc.strerror or exc}",
            hint="free space there, or name another folder"
            if exc.errno in _FULL
            else "name another folder",
        ) from exc


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether nobody else holds it; held until the end, also by being killed."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(number)


def _sweep(parent: Path, prefix: str) -> None:
    for left in parent.glob(f"{glob.escape(prefix)}????????"):
        with suppress(OSError), _held(left) as nobodys:
            if nobodys:
                shutil.rmtree(left)


def _refuse(destination: Path, sources: Sequence[Path]) -> None:
    taken = (destination, partial_of(destination)) if destination.name else ()
    refusals = (
        (
            destination.exists() and not destination.is_file(),
            "not a file",
            f"name a file, such as {destination / 'rec.parquet'}",
        ),
        (
            not destination.parent.is_dir(),
            f"no such folder: {destination.parent}",
            "make it, or name another",
        ),
        (
            not _is_unicode(destination),
            "the name is not UTF-8",
            "name it otherwise",
        ),
        (
            any(_same(source, path) for source in sources for path in taken),
            "this is a capture, which the recording would replace",
            "name another file",
        ),
    )
    for refused, why, hint in refusals:
        if refused:
            raise InputError(f"{destination}: {why}", hint=hint)


def _is_unicode(path: Path) -> bool:
    name = os.fsencode(path)
    return name.decode(errors="replace").encode() == name


def _same(source: Path, path: Path) -> bool:
    return source.exists() and path.exists() and source.samefile(path)
