"""Memory and CPU of a running build, over time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import psutil

from harness.environment.proc import held, network
from harness.errors import SeatrialError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Reading",
    "Sampler",
    "Source",
    "cgroup",
    "cgroup_version",
    "engine_stats",
    "processes",
]

_INTERVAL_S: Final = 0.25
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look, with the fields of `USAGE_FIELDS`.

    Attributes:
        at_ns: the monotonic clock of this process.
        working_set_bytes: memory in use without inactive file pages.
        anonymous_bytes: memory that no file backs.
        cpu_ns: CPU time since the build was started; never falls.
        throttled_ns: time for which it was held back; this and all that follows is -1
            where it is not measured.
        faults: page faults since the start.
        descriptors: open files.
        threads: of all processes.
        sockets: of its network.
        read_bytes: from disk, by the processes that live.
        written_bytes: likewise.
        received_bytes: over its network since the start.
        sent_bytes: likewise.
    """

    at_ns: int
    working_set_bytes: int
    anonymous_bytes: int
    cpu_ns: int
    throttled_ns: int = -1
    faults: int = -1
    descriptors: int = -1
    threads: int = -1
    sockets: int = -1
    read_bytes: int = -1
    written_bytes: int = -1
    received_bytes: int = -1
    sent_bytes: int = -1


Source = Callable[[], Reading | None]
"""Looks now; `None` once there is nothing left to look at."""


class Sampler:
    """Looks four times a second from a thread of its own while it is entered.

    The thread goes on after a look that fails; `read` tells the caller of it.

    Args:
        look: takes one reading, or gives `None` once the build is gone.
    """

    def __init__(self, look: Source) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._readings: list[Reading] = []

    def read(self) -> Reading:
        """Look now; the last reading again once the build is gone.

        Raises:
            SeatrialError: whoever is asked does not answer.
        """
        with self._lock:
            reading = self._look()
            if reading is not None:
                self._readings.append(reading)
            if self._readings:
                return self._readings[-1]
        at_ns = time.monotonic_ns()
        return Reading(at_ns=at_ns, working_set_bytes=0, anonymous_bytes=0, cpu_ns=0)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """All readings so far, in order."""
        return tuple(self._readings)

    def _sample(self) -> None:
        while not self._stop.wait(_INTERVAL_S):
            with suppress(SeatrialError):
                self.read()

    def __enter__(self) -> Self:
        self.read()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where a cgroup version keeps what we read, below its mount point."""

    memory: str
    memory_usage: str
    anonymous: str
    inactive_file: str
    cpu: str
    cpu_file: str
    cpu_field: str
    cpu_unit_ns: int
    faults: str
    quota: str
    throttled: str
    throttled_unit_ns: int


_V1 = _Layout(
    memory="memory",
    memory_usage="memory.usage_in_bytes",
    anonymous="total_rss",
    inactive_file="total_inactive_file",
    cpu="cpuacct",
    cpu_file="cpuacct.usage",
    cpu_field="",
    cpu_unit_ns=1,
    faults="total_pgfault",
    quota="cpu",
    throttled="throttled_time",
    throttled_unit_ns=1,
)
_V2 = _Layout(
    memory="",
    memory_usage="memory.current",
    anonymous="anon",
    inactive_file="inactive_file",
    cpu="",
    cpu_file="cpu.stat",
    cpu_field="usage_usec",
    cpu_unit_ns=1_000,
    faults="pgfault",
    quota="",
    throttled="throttled_usec",
    throttled_unit_ns=1_000,
)


def _flat(lines: Iterable[str]) -> dict[str, int]:
    """A flat keyed cgroup file; a single value has the empty key."""
    fields = (line.rpartition(" ") for line in lines)
    return {key: int(value) for key, _, value in fields}


def _controllers(text: str) -> dict[str, str]:
    """`/proc/PID/cgroup` as controller → path; version 2 has the empty name."""
    entries = (line.split(":", 2) for line in text.splitlines())
    return {name: path for _, names, path in entries for name in names.split(",")}


def cgroup_version(root: Path = _CGROUPS) -> int:
    """Which control groups are mounted here: 1 or 2; 0 where none can be seen."""
    if {_V1.memory, _V1.cpu} <= {each.name for each in root.glob("*")}:
        return 1
    return 2 if (root / "cgroup.controllers").exists() else 0


def cgroup(pid: int, name: str, *, root: Path = _CGROUPS) -> Source | None:
    """Looks at a container's control group, or `None` if its files are hidden.

    Formats: Linux `admin-guide/cgroup-v1/memory.rst` and `cgroup-v2.rst`.

    Args:
        pid: a process in it, as the engine numbers it, which may be in a machine of
            its own where the number means nothing here.
        name: part of the group's path that nothing else has: the container's id.
        root: where control groups are mounted.
    """
    try:
        groups = _controllers(Path(f"/proc/{pid}/cgroup").read_text())
    except OSError:
        return None
    layout = _V1 if {_V1.memory, _V1.cpu} <= groups.keys() else _V2
    if name not in groups.get(layout.memory, ""):
        return None
    memory, cpu, quota = (
        root / each / groups.get(each, "").lstrip("/")
        for each in (layout.memory, layout.cpu, layout.quota)
    )
    look = _looking_at(layout, memory, cpu, quota)
    return None if look() is None else look


def _looking_at(layout: _Layout, memory: Path, cpu: Path, quota: Path) -> Source:
    def look() -> Reading | None:
        try:
            used = _flat((memory / layout.memory_usage).read_text().splitlines())
            stat = _flat((memory / "memory.stat").read_text().splitlines())
            spent = _flat((cpu / layout.cpu_file).read_text().splitlines())
            pids = _pids(memory)
        except OSError:
            return None
        return Reading(
            at_ns=time.monotonic_ns(),
            working_set_bytes=max(0, used[""] - stat[layout.inactive_file]),
            anonymous_bytes=stat[layout.anonymous],
            cpu_ns=spent[layout.cpu_field] * layout.cpu_unit_ns,
            throttled_ns=_throttled_ns(layout, quota),
            faults=stat.get(layout.faults, -1),
            **held(pids),
            **network(pids[0] if pids else 0),
        )

    return look


def _pids(group: Path) -> list[int]:
    """The processes of a group, as they are numbered here; 0 is one that is not."""
    try:
        lines = (group / "cgroup.procs").read_text().split()
    except OSError:
        return []
    return [int(line) for line in lines if line != "0"]


def _throttled_ns(layout: _Layout, quota: Path) -> int:
    try:
        said = _flat((quota / "cpu.stat").read_text().splitlines())
    except OSError:
        return -1
    if layout.throttled not in said:
        return -1
    return said[layout.throttled] * layout.throttled_unit_ns


def engine_stats(stats: Mapping[str, Any]) -> Reading | None:
    """A reading from one document of the engine's `stats`, `None` if it is empty."""
    memory = stats.get("memory_stats", {})
    detail = memory.get("stats")
    if not detail:
        return None
    layout = _V1 if _V1.anonymous in detail else _V2
    return Reading(
        at_ns=time.monotonic_ns(),
        working_set_bytes=max(0, memory["usage"] - detail[layout.inactive_file]),
        anonymous_bytes=detail[layout.anonymous],
        cpu_ns=stats["cpu_stats"]["cpu_usage"]["total_usage"],
    )


def processes(pid: int) -> Source:
    """Looks at a process and all its descendants.

    Shared pages count once, at their largest. CPU time of children that have ended is
    counted by the parent that waited for them.
    """
    spent_ns = 0

    def look() -> Reading | None:
        nonlocal spent_ns
        family = _family(pid)
        seen = [one for one in map(_one_process, family) if one is not None]
        if not seen:
            return None
        anonymous_bytes = sum(anonymous for anonymous, _, _ in seen)
        spent_ns = max(spent_ns, sum(cpu_ns for _, _, cpu_ns in seen))
        return Reading(
            at_ns=time.monotonic_ns(),
            working_set_bytes=anonymous_bytes + max(shared for _, shared, _ in seen),
            anonymous_bytes=anonymous_bytes,
            cpu_ns=spent_ns,
            **held(each.pid for each in family),
            **network(pid),
        )

    return look


def _family(pid: int) -> list[psutil.Process]:
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _one_process(process: psutil.Process) -> tuple[int, int, int] | None:
    """Anonymous bytes, shared bytes and CPU time with that of waited-for children."""
    try:
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            memory, cpu = process.memory_info(), process.cpu_times()
    except psutil.Error:
        return None
    shared_bytes = getattr(memory, "shared", 0)
    cpu_s = cpu.user + cpu.system + cpu.children_user + cpu.children_system
    cpu_ns = max(round(cpu_s * 1e9), _scheduled_ns(process.pid))
    return memory.rss - shared_bytes, shared_bytes, cpu_ns


def _scheduled_ns(pid: int) -> int:
    """CPU time of a process's first thread, where the kernel tells: not by 10 ms.

    Format: Linux `scheduler/sched-stats.rst`.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
