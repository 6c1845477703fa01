"""What `/proc` tells of processes besides their memory and CPU time (proc(5))."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["held", "network"]

_ROOT: Final = Path("/proc")
_UNKNOWN: Final = -1
_TRAFFIC: Final = {"received_bytes": 0, "sent_bytes": 8}
"""Columns of `net/dev`."""


def held(pids: Iterable[int], *, root: Path = _ROOT) -> dict[str, int]:
    """Open files, threads and bytes of disk of some processes together.

    A process that ends meanwhile is left out. What cannot be seen is -1.
    """
    seen = [each for each in (_one(root / str(pid)) for pid in pids) if each]
    names = ("descriptors", "threads", "read_bytes", "written_bytes")
    sums = [
        _UNKNOWN if min(column) < 0 else sum(column)
        for column in zip(*seen, strict=True)
    ]
    return dict(zip(names, sums or [_UNKNOWN] * len(names), strict=True))


def _one(process: Path) -> tuple[int, int, int, int] | None:
    """Since Linux 6.2 the size of `fd` is the number of open files."""
    try:
        files = process / "fd"
        count = files.stat().st_size or sum(1 for _ in files.iterdir())
        threads = (process / "task").stat().st_nlink - 2
    except OSError:
        return None
    return count, threads, *_disk(process)


def _disk(process: Path) -> tuple[int, int]:
    try:
        lines = (process / "io").read_text().splitlines()
        said = dict(line.split(": ") for line in lines)
        return int(said["read_bytes"]), int(said["write_bytes"])
    except (OSError, ValueError, KeyError):
        return _UNKNOWN, _UNKNOWN


def network(pid: int, *, root: Path = _ROOT) -> dict[str, int]:
    """Sockets, and bytes over all interfaces, of the network that a process is in.

    -1 where that is this process's network as well, which others use, too.
    """
    unknown = dict.fromkeys(("sockets", *_TRAFFIC), _UNKNOWN)
    process = root / str(pid)
    try:
        if (process / "ns/net").readlink() == (root / "self/ns/net").readlink():
            return unknown
        sockets = (process / "net/sockstat").read_text().split("\n", 1)[0].split()
        counts = [
            line.partition(":")[2].split()
            for line in (process / "net/dev").read_text().splitlines()[2:]
            if not line.lstrip().startswith("lo:")
        ]
        traffic = {
            name: sum(int(each[column]) for each in counts)
            for name, column in _TRAFFIC.items()
        }
        return {"sockets": int(sockets[-1]), **traffic}
    except (OSError, ValueError, IndexError):
        return unknown
