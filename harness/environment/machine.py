"""One trial at a time on this machine, who gets which core, and what it is."""

from __future__ import annotations

import fcntl
import math
import os
import platform
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import InputError, SeatrialError
from harness.model.calibration import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LOCK",
    "Pinning",
    "lock_holder",
    "machine_lock",
    "pinning",
    "this_machine",
]

LOCK = Path("/tmp/seatrial.lock")  # noqa: S108 - the same for every job here, whatever its TMPDIR
"""Locked while a trial runs; holds that trial's id."""


@contextmanager
def machine_lock(
    trial: str, *, wait: bool = False, path: Path = LOCK
) -> Iterator[None]:
    """Be the only trial on this machine; the kernel frees the lock of a dead one.

    Args:
        trial: the id that others are told.
        wait: wait for the other trial's end.
        path: the lock file, of any user.

    Raises:
        SeatrialError: another trial runs.
        InputError: the lock file cannot be opened.
    """
    descriptor = _opened(path)
    try:
        _lock(descriptor, path, wait=wait)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, trial.encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def lock_holder(path: Path = LOCK) -> str:
    """The trial that runs on this machine now, empty for none.

    Raises:
        InputError: the lock file cannot be opened.
    """
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.read_text(encoding="utf-8", errors="replace") or "one"
    else:
        return ""
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """Open for everyone; an existing file is not created again, which /tmp forbids."""
    try:
        try:
            return os.open(path, os.O_RDWR)
        except FileNotFoundError:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            os.fchmod(descriptor, 0o666)
            return descriptor
    except OSError as exc:
        raise InputError(
            f"the lock file {path} cannot be opened: {exc.strerror}",
            hint="every user must be able to write it; remove it if no trial runs",
        ) from exc


def _lock(descriptor: int, path: Path, *, wait: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError as exc:
        holder = path.read_text(encoding="utf-8", errors="replace") or "one"
        raise SeatrialError(
            f"another trial is running on this machine: {holder}",
            hint="two would disturb each other; --wait waits for its end",
        ) from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinning:
    """Who gets which cores; empty where nothing is to be bound.

    Attributes:
        generator: for the load.
        service: for the service under test, the same for both arms.
        note: what is not as it should be; empty if all is.
    """

    generator: tuple[int, ...]
    service: tuple[int, ...]
    note: str


def pinning(cpus: float, *, workers: int = 1) -> Pinning:
    """The last cores of this process for the generator, the first for the service.

    Args:
        cpus: how many cores the service may use.
        workers: load workers an arm, each of which can use one core.
    """
    return _shared_out(_cores(), cpus, workers)


def _cores() -> tuple[int, ...]:
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def _shared_out(cores: tuple[int, ...], cpus: float, workers: int = 1) -> Pinning:
    if len(cores) == 1:
        note = "one core only: load and service share it"
        return Pinning(generator=(), service=(), note=note)
    wanted = math.ceil(cpus)
    at_hand = max(1, min(workers, len(cores) - wanted))
    others, generator = cores[:-at_hand], cores[-at_hand:]
    notes = (
        f"the service may use {cpus:g} cores but gets {len(others)}",
        f"{workers} load workers share {at_hand} {'cores' if at_hand > 1 else 'core'}",
    )
    true = (wanted > len(others), workers > at_hand)
    return Pinning(
        generator=generator,
        service=others[:wanted],
        note="; ".join(note for note, is_so in zip(notes, true, strict=True) if is_so),
    )


def this_machine() -> Machine:
    """What of this machine decides how well it measures."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cpu=_cpu_model(),
        cores=len(_cores()),
        memory_gib=max(1, round(pages * page / 2**30)),
        architecture=platform.machine(),
    )


def _cpu_model(path: Path = Path("/proc/cpuinfo")) -> str:
    """By the kernel; where it does not say, by what Python knows."""
    lines: list[str] = []
    with suppress(OSError):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition(":") for line in lines)
    names = (value.strip() for key, _, value in pairs if key.strip() == "model name")
    return next(names, "") or platform.processor() or "unknown processor"
