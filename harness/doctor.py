"""What this machine lacks for a trial, and what a trial could measure here."""

from __future__ import annotations

import math
import resource
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import psutil

from harness.compare.calibration import detects, false_alarms
from harness.compare.soundness import STEAL_RATIO, TIMER_FLOOR_NS, TIMER_SHARE
from harness.environment import engine_answers, lock_holder, pinning, this_machine
from harness.environment.profiler import complaint as profiler_complaint
from harness.environment.usage import cgroup_version
from harness.errors import SeatrialError
from harness.load.health import local_ports
from harness.load.selfcheck import OWN_FILES
from harness.store.calibration import read_calibration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Check", "checks"]

_LISTEN_S: Final = 2.0
_TICK_S: Final = 0.01
_ROOM_BYTES: Final = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a trial needs.

    Attributes:
        name: of it.
        state: `ok`, `limits` what can be measured, or `missing`: no trial without it.
        message: what there is, with figures and units.
        remedy: what to do about it, empty where nothing has to be done.
    """

    name: str
    state: str
    message: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.state not in {"ok", "limits", "missing"}:
            raise ValueError(f"{self.state!r} is no state")


def checks(out: Path) -> Iterator[Check]:
    """Everything, one after the other; the clock is listened to for two seconds.

    Args:
        out: where trials are stored.
    """
    yield _engine()
    yield _usage()
    yield _cores()
    yield _memory()
    yield _users()
    yield from _clock()
    yield _disk(out)
    yield _other_trial()
    yield _git()
    yield _profiler()
    yield from _calibrations(out)


def _engine() -> Check:
    complaint = engine_answers()
    if not complaint:
        return Check(name="engine", state="ok", message="Docker answers")
    return Check(
        name="engine",
        state="limits",
        message=f"{complaint}; only services with a `command` or a URL can be tried",
        remedy="install and start Docker, or let this user use it",
    )


def _usage() -> Check:
    version = cgroup_version()
    if version:
        message = f"control groups, version {version}: memory, CPU, open files and more"
        return Check(name="usage", state="ok", message=message)
    return Check(
        name="usage",
        state="limits",
        message="no control groups in sight: of a container, memory and CPU as the"
        " engine tells, and nothing of open files, threads and sockets",
        remedy="run where the engine runs, with /sys/fs/cgroup in sight",
    )


def _cores() -> Check:
    machine, pins = this_machine(), pinning(1)
    if pins.note:
        remedy = "give it two cores or more: load and service disturb each other"
        return Check(name="cores", state="limits", message=pins.note, remedy=remedy)
    message = f"{machine.cores} of {machine.cpu}; load and service on their own"
    return Check(name="cores", state="ok", message=message)


def _memory() -> Check:
    free = psutil.virtual_memory().available
    message = f"{free / 2**30:.1f} GiB available"
    if free >= _ROOM_BYTES:
        return Check(name="memory", state="ok", message=message)
    remedy = "two builds and the load need about 1 GiB"
    return Check(name="memory", state="limits", message=message, remedy=remedy)


def _users() -> Check:
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    users = min(local_ports(), files - OWN_FILES)
    if users > 0:
        message = f"{users:,} at once with one load worker"
        return Check(name="users", state="ok", message=message)
    message = f"a process may open {files} files, too few for load"
    return Check(
        name="users", state="missing", message=message, remedy="raise `ulimit -Hn`"
    )


def _clock() -> Iterator[Check]:
    """How late a free-running timer is, and what the hypervisor takes meanwhile."""
    before = psutil.cpu_times()
    late_ns = _late_ns()
    after = psutil.cpu_times()
    p95_ns = float(np.quantile(late_ns, 0.95))
    smallest_ms = TIMER_SHARE * max(p95_ns, TIMER_FLOOR_NS) / 1e6
    message = (
        f"a timer is {p95_ns / 1e6:.2f} ms late at p95: latency budgets from about"
        f" {smallest_ms:.0f} ms on are measured"
    )
    state = "ok" if p95_ns <= TIMER_FLOOR_NS else "limits"
    remedy = "" if state == "ok" else "a quieter machine, or larger budgets"
    yield Check(name="clock", state=state, message=message, remedy=remedy)
    stolen = getattr(after, "steal", 0.0) - getattr(before, "steal", 0.0)
    ratio = stolen / max(sum(after) - sum(before), math.ulp(1.0))
    message = f"the host took {ratio:.1%} of CPU time (limit {STEAL_RATIO:.0%})"
    state = "ok" if ratio <= STEAL_RATIO else "limits"
    remedy = "" if state == "ok" else "rounds will be void: another host"
    yield Check(name="steal", state=state, message=message, remedy=remedy)


def _late_ns() -> list[int]:
    late_ns = []
    start_ns = time.monotonic_ns()
    for tick in range(1, round(_LISTEN_S / _TICK_S) + 1):
        due_ns = start_ns + round(tick * _TICK_S * 1e9)
        time.sleep(max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
        late_ns.append(time.monotonic_ns() - due_ns)
    return late_ns


def _disk(out: Path) -> Check:
    there = next(each for each in (out, *out.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    message = f"{free / 2**30:.1f} GiB free for {out}"
    if free >= _ROOM_BYTES:
        return Check(name="disk", state="ok", message=message)
    remedy = "`seatrial clean` removes old trials"
    return Check(name="disk", state="limits", message=message, remedy=remedy)


def _other_trial() -> Check:
    try:
        holder = lock_holder()
    except SeatrialError as error:
        return Check(
            name="lock", state="missing", message=error.message, remedy=error.hint
        )
    if not holder:
        message = "no other trial is running"
        return Check(name="lock", state="ok", message=message)
    remedy = "--wait waits for its end"
    message = f"another trial is running: {holder}"
    return Check(name="lock", state="limits", message=message, remedy=remedy)


def _git() -> Check:
    if shutil.which("git"):
        return Check(name="git", state="ok", message="commits can be built")
    message = "git is missing: no baseline by commit"
    return Check(name="git", state="limits", message=message, remedy="install git")


def _profiler() -> Check:
    message, _, remedy = profiler_complaint().partition(": ")
    if not message:
        message = "a Python service that fails by time is profiled"
        return Check(name="py-spy", state="ok", message=message)
    return Check(name="py-spy", state="limits", message=message, remedy=remedy)


def _calibrations(out: Path) -> Iterator[Check]:
    found = sorted(out.glob("calibration-*.json")) if out.is_dir() else []
    for path in found:
        try:
            calibration = read_calibration(path)
        except SeatrialError as error:
            yield Check(
                name="sees", state="limits", message=error.message, remedy=error.hint
            )
            continue
        if calibration:
            said = f"{false_alarms(calibration)}; {detects(calibration)}"
            message = f"{calibration.scenario}: {said}"
            yield Check(name="sees", state="ok", message=message)
    if not found:
        message = "nobody has measured yet what trials here can see"
        remedy = "seatrial calibrate SCENARIO"
        yield Check(name="sees", state="limits", message=message, remedy=remedy)
