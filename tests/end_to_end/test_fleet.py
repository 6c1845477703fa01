"""Load from several machines: joins over loopback, and three network namespaces."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import psutil
import pytest

from harness.errors import InputError, WorkerLostError
from harness.load.crew import hire_here
from harness.load.engine import Generator, generating
from harness.load.fleet import Post, hosting
from harness.load.parcel import LIVENESS_S
from harness.model.plan import Plan, PlannedRequest
from harness.model.traffic import Request
from harness.store.plan import write_plan
from harness.store.sample import read_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.load.crew import Hire
    from harness.model.progress import Pulse

TOKEN = "only-for-tests"
MS = 1_000_000
USERS, EACH = 30, 4


class Machine:
    """`seatrial worker`, started as a user would, and what it says."""

    def __init__(
        self, *arguments: str, token: str = TOKEN, at: str = "", ahead_s: int = 0
    ) -> None:
        inside = ["ip", "netns", "exec", at] if at else []
        inside += ["unshare", "--time", "--monotonic", str(ahead_s)] if ahead_s else []
        self.process = subprocess.Popen(
            [*inside, sys.executable, "-m", "harness", "worker", *arguments],
            env={**os.environ, "SEATRIAL_TOKEN": token},
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=30)

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it said."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


class Joining:
    """Starts machines once the trial says where to join."""

    def __init__(self, stack: ExitStack, starts: Sequence[dict[str, Any]]) -> None:
        self.lines: list[str] = []
        self.machines: list[Machine] = []
        self._stack = stack
        self._starts = starts

    def announce(self, line: str) -> None:
        self.lines.append(line)
        if line.startswith("waiting for"):
            join = ("--join", line.rsplit(" ", 1)[1])
            for start in self._starts:
                machine = Machine(*join, **start)
                self.machines.append(self._stack.enter_context(machine))


def plan_of(directory: Path, *, length_ms: int = 600) -> Plan:
    """Thirty users, four requests each, spread over a warm-up and two slices."""
    due_ns = np.tile(np.arange(EACH) * length_ms * MS // EACH, USERS)
    shots = {
        "user": np.repeat(np.arange(USERS), EACH),
        "due_ns": due_ns,
        "think_ns": np.zeros(USERS * EACH),
        "fresh": np.tile(np.arange(EACH) == 0, USERS),
        "request": np.zeros(USERS * EACH),
    }
    planned = PlannedRequest(
        request=Request(method="GET", target="/"),
        route="/",
        cookies=(),
        recorded_status=200,
    )
    part_ns = length_ms * MS // 3
    return write_plan(
        directory,
        shots,
        [planned],
        open_loop=True,
        warmup_ns=part_ns,
        slice_ns=part_ns,
        slices=2,
        planned=USERS * EACH,
        peak_users=USERS,
    )


@contextmanager
def serving(host: str) -> Iterator[int]:
    """The server that does nothing, on an address."""
    with subprocess.Popen(
        [sys.executable, "-m", "harness.load.null", host],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


@contextmanager
def load(
    plan: Plan, host: str, port: int, hires: Sequence[Hire], directory: Path
) -> Iterator[Generator]:
    with generating(
        plan,
        arm="baseline",
        host=host,
        port=port,
        tls=False,
        deadline_ns=2_000 * MS,
        cores=(),
        directory=directory,
        hires=hires,
    ) as generator:
        assert plan.digest == generator.wait_ready()
        yield generator


def test_refused_machines() -> None:
    """Without the token nobody joins; the trial says who was refused, and why."""
    with ExitStack() as stack:
        joining = Joining(stack, [{"token": "wrong"}, {}])
        post = Post(token=TOKEN, machines=1)
        with hosting(post, joining.announce) as hires:
            assert 1 == len(hires)
            refused, good = joining.machines
            code, said = refused.ended()
            assert (2, "refused: the token is wrong") == (code, said.splitlines()[-1])
        code, said = good.ended()
        assert (0, "joined; waiting for work") == (code, said.splitlines()[-1])

    assert "1 of 1 machines are here" in joining.lines


def test_machine_in_place_of_a_lost_one(tmp_path: Path) -> None:
    """Started again before it is missed, a machine takes its place back."""
    here = tmp_path / "short"
    here.mkdir()
    plan, short = plan_of(tmp_path, length_ms=90_000), plan_of(here)
    with ExitStack() as stack, serving("127.0.0.1") as port:
        joining = Joining(stack, [{}])

        def strike(_pulse: Pulse) -> None:
            if joining.machines[0].process.poll() is None:
                joining.machines[0].process.kill()
                joining.announce(joining.lines[0])

        with hosting(Post(token=TOKEN, machines=1), joining.announce) as hires:
            with (
                load(plan, "127.0.0.1", port, hires, tmp_path) as generator,
                pytest.raises(WorkerLostError),
            ):
                generator.play(0, strike)
            with load(short, "127.0.0.1", port, hires, here) as generator:
                for number in range(3):
                    generator.play(number)
                books, _ = generator.finish(here / "samples.parquet")

        code, said = joining.machines[-1].ended()
        assert (0, USERS * EACH) == (code, books.answered), said
        assert ["0 of 1 machines are here", "1 of 1 machines are here"] == (
            joining.lines[-2:]
        )


def test_machine_that_was_early(tmp_path: Path) -> None:
    """A machine may wait for its trial, and then works for it to the end."""
    plan = plan_of(tmp_path)
    with Machine("--join", "127.0.0.1:5998") as machine, serving("127.0.0.1") as port:
        time.sleep(LIVENESS_S + 2)
        post = Post(port=5998, token=TOKEN, machines=1)
        with (
            hosting(post, print) as hires,
            load(plan, "127.0.0.1", port, hires, tmp_path) as generator,
        ):
            time.sleep(1)
            for number in range(3):
                generator.play(number)
            books, _ = generator.finish(tmp_path / "samples.parquet")
        code, said = machine.ended()

    assert (0, USERS * EACH) == (code, books.answered), said


def test_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of another version is refused with both of them named."""
    with ExitStack() as stack:
        other = "import harness.load.machine as m; m.version = lambda _: '0.0.1'; "
        script = f"{other} m.main('127.0.0.1', 5999)"
        monkeypatch.setenv("SEATRIAL_TOKEN", TOKEN)
        old = subprocess.Popen(
            [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True
        )
        stack.callback(old.kill)
        joining = Joining(stack, [])
        threading.Timer(
            6.0,
            lambda: joining.machines.append(
                stack.enter_context(Machine("--join", "127.0.0.1:5999"))
            ),
        ).start()
        post = Post(port=5999, token=TOKEN, machines=1)
        with hosting(post, joining.announce):
            _, said = old.communicate(timeout=30)

    assert "refused: it has seatrial 0.0.1, the trial has" in said


def test_port_in_use() -> None:
    """An address that is taken is named."""
    with (
        serving("127.0.0.1") as port,
        pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{port}"),
        hosting(Post(port=port, machines=1), print),
    ):
        pass


@contextmanager
def network() -> Iterator[tuple[str, list[str]]]:
    """Three namespaces behind a bridge: this side's address and their names."""
    bridge = f"st{secrets.token_hex(3)}"
    names = [f"{bridge}-{place}" for place in range(3)]
    with ExitStack() as stack:

        def ip(*words: str) -> None:
            subprocess.run(["ip", *words], check=True, capture_output=True)

        ip("link", "add", bridge, "type", "bridge")
        stack.callback(ip, "link", "delete", bridge)
        ip("address", "add", "10.213.77.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for place, name in enumerate(names):
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
            link = f"{bridge}v{place}"
            peer = ("peer", "name", "eth0", "netns", name)
            ip("link", "add", link, "type", "veth", *peer)
            ip("link", "set", link, "master", bridge, "up")
            inside = ("-n", name)
            ip(*inside, "address", "add", f"10.213.77.{place + 2}/24", "dev", "eth0")
            ip(*inside, "link", "set", "eth0", "up")
            ip(*inside, "link", "set", "lo", "up")
        yield "10.213.77.1", names


needs_namespaces = pytest.mark.skipif(
    shutil.which("ip") is None or os.geteuid() != 0,
    reason="network namespaces need iproute2 and root",
)


@pytest.mark.skipif(
    shutil.which("unshare") is None or os.geteuid() != 0,
    reason="time namespaces need util-linux and root",
)
def test_clocks_apart(tmp_path: Path) -> None:
    """Samples of a machine that booted at another time are on the trial's clock."""
    plan = plan_of(tmp_path)
    with ExitStack() as stack, serving("127.0.0.1") as port:
        joining = Joining(stack, [{"ahead_s": 100_000}])
        before_ns = time.monotonic_ns()
        with (
            hosting(Post(token=TOKEN, machines=1), joining.announce) as hires,
            load(plan, "127.0.0.1", port, [*hires, hire_here], tmp_path) as generator,
        ):
            for number in range(3):
                generator.play(number)
            generator.finish(tmp_path / "samples.parquet")
        after_ns = time.monotonic_ns()

    samples = read_columns(tmp_path / "samples.parquet")
    assert USERS * EACH == len(samples["shot"])
    for name in ("due_ns", "eligible_ns", "sent_ns", "done_ns"):
        assert before_ns < samples[name].min()
        assert samples[name].max() < after_ns


@needs_namespaces
def test_three_machines(tmp_path: Path) -> None:
    """Three machines on networks of their own send the plan together, once each."""
    plan = plan_of(tmp_path)
    with network() as (host, names), ExitStack() as stack, serving(host) as port:
        joining = Joining(stack, [{"at": name} for name in names])
        post = Post(host=host, token=TOKEN, machines=3)
        with hosting(post, joining.announce) as hires:
            for round_ in ("one", "two"):
                here = tmp_path / round_
                here.mkdir()
                with load(plan, host, port, hires, here) as generator:
                    for number in range(3):
                        generator.play(number)
                    books, health = generator.finish(here / "samples.parquet")
                samples = read_columns(here / "samples.parquet")
                assert list(range(USERS * EACH)) == sorted(samples["shot"].tolist())
                assert [10 * EACH] * 3 == [e.books.sent for e in health.workers]
                assert all(each.books.balanced for each in health.workers)
                assert (USERS, USERS * EACH) == (books.connections, books.answered)
        assert [0, 0, 0] == [each.ended()[0] for each in joining.machines]


@needs_namespaces
@pytest.mark.parametrize("how", ["killed", "cut off"])
def test_lost_machine(tmp_path: Path, how: str) -> None:
    """A machine that is killed or cut off is missed, and its own workers end."""
    plan = plan_of(tmp_path, length_ms=90_000)
    with network() as (host, names), ExitStack() as stack, serving(host) as port:
        joining = Joining(stack, [{"at": name} for name in names])

        def strike(_pulse: Pulse) -> None:
            if not struck:
                struck.extend(workers_in(joining.machines[0]))
                lose(how, joining.machines[0], names[0])

        struck: list[psutil.Process] = []
        post = Post(host=host, token=TOKEN, machines=3)
        with (
            hosting(post, joining.announce) as hires,
            load(plan, host, port, hires, tmp_path) as generator,
            pytest.raises(
                WorkerLostError, match="of 3 of the baseline arm, on machine"
            ),
        ):
            generator.play(0, strike)
        assert struck
        joining.machines[0].ended()
        gone, alive = psutil.wait_procs(struck, timeout=15)
        assert ([], struck) == (alive, gone)


def workers_in(machine: Machine) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(machine.process.pid).children(recursive=True)
        if "harness.load.worker" in child.cmdline()
    ]


def lose(how: str, machine: Machine, name: str) -> None:
    if how == "killed":
        machine.process.kill()
        return
    cut = ["ip", "-n", name, "link", "set", "eth0", "down"]
    subprocess.run(cut, check=True)
