from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.environment.usage import (
    Reading,
    Sampler,
    cgroup,
    cgroup_version,
    engine_stats,
    processes,
)
from harness.errors import SeatrialError
from harness.model.result import USAGE_FIELDS

_V2_DOCUMENT = {
    "memory_stats": {"usage": 100, "stats": {"anon": 60, "inactive_file": 30}},
    "cpu_stats": {"cpu_usage": {"total_usage": 7}},
}
_V1_DOCUMENT = {
    "memory_stats": {
        "usage": 100,
        "stats": {
            "rss": 1,
            "inactive_file": 1,
            "total_rss": 60,
            "total_inactive_file": 30,
        },
    },
    "cpu_stats": {"cpu_usage": {"total_usage": 7}},
}


def _values(reading: Reading | None) -> tuple[int, int, int]:
    assert reading is not None
    return reading.working_set_bytes, reading.anonymous_bytes, reading.cpu_ns


def test_a_reading_is_a_row() -> None:
    """The fields of a reading are those of the stored table, in order."""
    assert [field.name for field in fields(Reading)] == list(USAGE_FIELDS)


def test_documents_of_both_versions() -> None:
    """The engine's statistics mean the same under control groups 1 and 2."""
    assert _values(engine_stats(_V1_DOCUMENT)) == (70, 60, 7)
    assert _values(engine_stats(_V2_DOCUMENT)) == (70, 60, 7)


def test_a_stopped_container_has_no_reading() -> None:
    """The engine's empty statistics of a stopped container are not zeros."""
    assert engine_stats({"memory_stats": {}, "cpu_stats": {}}) is None


def _own_group() -> str:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    entries = [line.split(":", 2) for line in lines]
    paths = {name: path for _, names, path in entries for name in names.split(",")}
    return paths.get("memory", paths.get("", "/"))


def _write(directory: Path, **files: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text)


def _mounted(root: Path) -> None:
    """Both versions' files where this process's groups would be."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            _write(
                root / name / path.lstrip("/"),
                memory__usage_in_bytes="100\n",
                memory__current="100\n",
                memory__stat="anon 60\ninactive_file 30\npgfault 9\n"
                "total_rss 60\ntotal_inactive_file 30\ntotal_pgfault 9\n",
                cgroup__procs=f"{os.getpid()}\n0\n",
                cpuacct__usage="7000\n",
                cpu__stat="usage_usec 7\nuser_usec 5\nsystem_usec 2\n"
                "throttled_usec 5\nthrottled_time 5000\n",
            )


def test_files_of_the_control_group(tmp_path: Path) -> None:
    """Memory, its parts and CPU time come from the files of the process's group."""
    _mounted(tmp_path)
    look = cgroup(os.getpid(), _own_group(), root=tmp_path)

    assert look is not None
    assert _values(reading := look()) == (70, 60, 7000)
    assert reading is not None
    assert (reading.throttled_ns, reading.faults) == (5000, 9)
    assert reading.descriptors >= 3
    assert reading.threads >= 1


def test_a_number_of_another_machine(tmp_path: Path) -> None:
    """A process that is not in the container's group is never measured for it."""
    _mounted(tmp_path)

    assert cgroup(os.getpid(), "0" * 64, root=tmp_path) is None


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (["memory/", "cpuacct/", "cpu/"], 1),
        (["memory/"], 0),
        (["cgroup.controllers"], 2),
        ([], 0),
    ],
)
def test_which_groups_there_are(tmp_path: Path, names: list[str], version: int) -> None:
    """Known by what is mounted; half of version 1 is of no use."""
    for name in names:
        path = tmp_path / name
        path.mkdir() if name.endswith("/") else path.touch()

    assert cgroup_version(tmp_path) == version


def test_hidden_files(tmp_path: Path) -> None:
    """Without visible files there is nothing to look at, and no error."""
    assert cgroup(os.getpid(), _own_group(), root=tmp_path) is None
    assert cgroup(0, "", root=tmp_path) is None


_HOLD_AND_BURN = """
import subprocess, sys, time
child = "import os; held = os.urandom(32 << 20); print(flush=True); os.read(0, 1)"
held = subprocess.Popen([sys.executable, "-c", child], stdin=0, stdout=subprocess.PIPE)
held.stdout.readline()
burn = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-c", burn])
print(flush=True)
input()
"""


def test_a_family_of_processes() -> None:
    """Memory of children counts, and CPU time of those that have ended."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD_AND_BURN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        look = processes(parent.pid)
        reading = look()
        parent.kill()

    assert reading is not None
    assert reading.anonymous_bytes >= 32 << 20
    assert reading.working_set_bytes > reading.anonymous_bytes
    assert reading.cpu_ns >= 250_000_000
    assert look() is None


def test_a_moment_of_cpu_time() -> None:
    """A process that works for less than a tick of 10 ms has worked."""
    with subprocess.Popen(["sleep", "5"]) as process:
        reading = processes(process.pid)()
        process.kill()

    assert reading is not None
    assert 0 < reading.cpu_ns < 10_000_000


_NOBODY_WAITS = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    while time.process_time() < 0.2: pass
    print(flush=True); input(); os._exit(0)
try: os.wait()
except ChildProcessError: print(flush=True)
time.sleep(60)
"""


def test_cpu_time_never_falls() -> None:
    """The time of a child that nobody waited for stays counted."""
    with subprocess.Popen(
        [sys.executable, "-c", _NOBODY_WAITS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        look = processes(parent.pid)
        parent.stdout.readline()
        before = look()
        parent.stdin.write(b"\n")
        parent.stdin.flush()
        parent.stdout.readline()
        after = look()
        parent.kill()

    assert before is not None
    assert after is not None
    assert before.cpu_ns >= 150_000_000
    assert after.cpu_ns >= before.cpu_ns
    assert after.anonymous_bytes < before.anonymous_bytes


def test_the_last_reading_stays() -> None:
    """Once the build is gone its last reading is given again, not zeros."""
    one = Reading(at_ns=1, working_set_bytes=2, anonymous_bytes=3, cpu_ns=4)
    looks = iter([one, None, None])
    sampler = Sampler(lambda: next(looks))

    assert [sampler.read(), sampler.read(), sampler.read()] == [one, one, one]
    assert sampler.readings == (one,)


def test_a_look_that_fails() -> None:
    """The thread survives looks that fail and keeps what was read; a caller is told."""
    one = Reading(at_ns=1, working_set_bytes=2, anonymous_bytes=3, cpu_ns=4)
    looked: list[None] = []

    def look() -> Reading:
        looked.append(None)
        if len(looked) % 2:
            return one
        raise SeatrialError("no Docker engine answers")

    sampler = Sampler(look)
    with sampler:
        while len(looked) < 4 and sampler._thread.is_alive():
            time.sleep(0.01)
    assert len(sampler.readings) >= 2

    with pytest.raises(SeatrialError, match="no Docker engine"):
        [sampler.read() for _ in range(2)]
    assert set(sampler.readings) == {one}


def test_a_build_that_was_never_seen() -> None:
    """A build that ended before the first look used nothing that we know of."""
    assert _values(Sampler(lambda: None).read()) == (0, 0, 0)


def test_it_looks_by_itself() -> None:
    """Entered, a sampler looks at once and goes on; left, it stops."""
    sampler = Sampler(processes(os.getpid()))
    with sampler:
        assert len(sampler.readings) == 1
        while len(sampler.readings) < 3:
            time.sleep(0.01)
    count = len(sampler.readings)

    assert sampler.readings == tuple(sorted(sampler.readings, key=lambda r: r.at_ns))
    assert not sampler._thread.is_alive()
    assert len(sampler.readings) == count


@given(
    used=st.integers(0, 1 << 50),
    inactive=st.integers(0, 1 << 50),
    anonymous=st.integers(0, 1 << 50),
)
def test_a_working_set_is_never_negative(
    used: int, inactive: int, anonymous: int
) -> None:
    """Counters that the kernel updates apart cannot give a negative size."""
    detail = {"anon": anonymous, "inactive_file": inactive}
    reading = engine_stats(
        {
            "memory_stats": {"usage": used, "stats": detail},
            "cpu_stats": {"cpu_usage": {"total_usage": 0}},
        }
    )

    assert _values(reading) == (max(0, used - inactive), anonymous, 0)
