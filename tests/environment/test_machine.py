from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.environment.machine import (
    Pinning,
    _cpu_model,
    _shared_out,
    machine_lock,
    pinning,
    this_machine,
)
from harness.errors import InputError, SeatrialError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_trial_is_refused_by_name(tmp_path: Path) -> None:
    """While one trial holds the machine, another is told its id; then it is free.

    That is no wrong input: nothing was measured.
    """
    path = tmp_path / "lock"
    with machine_lock("first", path=path):
        with pytest.raises(SeatrialError, match="machine: first") as caught:
            machine_lock("second", path=path).__enter__()
        assert caught.value.exit_code == 4
        assert "--wait" in caught.value.hint
    with machine_lock("second", path=path):
        assert path.read_text() == "second"


def test_waiting_for_the_end(tmp_path: Path) -> None:
    """A trial that waits begins when the other ends."""
    path = tmp_path / "lock"
    order = []

    def second() -> None:
        with machine_lock("second", wait=True, path=path):
            order.append("second")

    waiting = threading.Thread(target=second)
    with machine_lock("first", path=path):
        waiting.start()
        order.append("first")
    waiting.join(timeout=30)

    assert order == ["first", "second"]


def test_a_killed_trial_frees_the_machine(tmp_path: Path) -> None:
    """The lock of a process that was killed is free at once, with no cleaning up."""
    path = tmp_path / "lock"
    program = (
        "import pathlib, signal, sys\n"
        "from harness.environment.machine import machine_lock\n"
        "with machine_lock('dead', path=pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(SeatrialError, match="dead"):
            machine_lock("next", path=path).__enter__()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with machine_lock("next", path=path):
        assert path.read_text() == "next"


def test_one_lock_whatever_the_temporary_directory(tmp_path: Path) -> None:
    """Jobs with temporary directories of their own still exclude each other."""
    program = "from harness.environment.machine import LOCK; print(LOCK)"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", program]

    assert "/tmp/seatrial.lock\n" == subprocess.check_output(
        command, env=environment, text=True
    )


def test_any_user_may_lock(tmp_path: Path) -> None:
    """The file that one user leaves behind can be locked by every other."""
    path = tmp_path / "lock"
    with machine_lock("first", path=path):
        pass

    assert path.stat().st_mode & 0o777 == 0o666


def test_a_lock_that_cannot_be_opened(tmp_path: Path) -> None:
    """A lock file in the way is named."""
    with pytest.raises(InputError, match=str(tmp_path)):
        machine_lock("first", path=tmp_path).__enter__()


def test_one_core_is_shared() -> None:
    """With one core nothing is bound, and the note says so."""
    shared = _shared_out((3,), 1.0)

    assert (shared.generator, shared.service) == ((), ())
    assert "one core" in shared.note


def test_two_cores_are_divided() -> None:
    """With two cores the load gets the last and the service the first."""
    assert _shared_out((0, 1), 1.0) == Pinning(generator=(1,), service=(0,), note="")


def test_too_few_cores_are_said() -> None:
    """A service that may use more cores than it gets is noted."""
    assert _shared_out((0, 1), 2.5).note == ("the service may use 2.5 cores but gets 1")


@given(
    cores=st.sets(st.integers(0, 255), min_size=2).map(lambda s: tuple(sorted(s))),
    cpus=st.floats(0.01, 300),
)
def test_load_and_service_never_share(cores: tuple[int, ...], cpus: float) -> None:
    """On any machine the two have cores of their own, and no more than allowed."""
    shared = _shared_out(cores, cpus)

    assert shared.generator
    assert shared.service
    assert not set(shared.generator) & set(shared.service)
    assert set(shared.generator) | set(shared.service) <= set(cores)
    assert len(shared.service) - 1 < cpus


def test_only_cores_that_we_may_use() -> None:
    """What is shared out is what this process itself may run on."""
    shared = pinning(1.0)

    assert {*shared.generator, *shared.service} <= os.sched_getaffinity(0)


def test_this_machine() -> None:
    """A machine is known by what decides how well it measures, the same each time."""
    machine = this_machine()

    assert machine == this_machine()
    assert machine.cpu
    assert machine.cores >= 1
    assert machine.memory_gib >= 1


def test_processor(tmp_path: Path) -> None:
    """The processor's model is the kernel's word; without one there is still a text."""
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: Elbrus 8: new\nmodel name\t: b\n")

    assert "Elbrus 8: new" == _cpu_model(path)
    assert _cpu_model(tmp_path / "none")
