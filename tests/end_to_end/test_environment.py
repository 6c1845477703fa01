"""Real containers: what is promised of them, and that none is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import docker
import pytest

from harness.environment import (
    Build,
    Order,
    Reference,
    Target,
    image_exists,
    machine_lock,
    prepare,
    remove_leftovers,
    resolve,
    running,
)
from harness.errors import BuildError, InputError, SeatrialError
from harness.model.result import Arm
from harness.model.scenario import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker


class Trial:
    """Shorthand for the environments of one trial, in one directory."""

    def __init__(self, tree: Path, base_image: str) -> None:
        self.id = f"test-{uuid4().hex}"
        self.name = f"Test {self.id}"
        self.tree = tree
        self.base_image = base_image
        self.announced: list[str] = []

    @contextmanager
    def prepare(
        self, reference: Reference | None = None, **service: Any
    ) -> Iterator[Build]:
        """One build of the tree, or of something else."""
        order = Order(
            reference=reference or self.resolve(f"dir:{self.tree}"),
            service=Service.model_validate({"driver": "docker", **service}),
            arm=Arm.CANDIDATE,
            trial=self.id,
            name=self.name,
            scenario_dir=self.tree.parent,
            build_args={"BASE_IMAGE": self.base_image},
        )
        with prepare(order, self.announced.append) as build:
            yield build

    @contextmanager
    def running(
        self, *, cores: tuple[int, ...] = (), **service: Any
    ) -> Iterator[Target]:
        """The tree's service, running."""
        with (
            self.prepare(**service) as build,
            running(build, directory=self.tree.parent / "out", cores=cores) as target,
        ):
            yield target

    def resolve(self, text: str) -> Reference:
        """A reference, found."""
        return resolve(text, cwd=self.tree, image_exists=image_exists)

    def containers(self) -> list[dict[str, Any]]:
        """What the engine knows of this trial's containers."""
        with _engine() as client:
            found = client.containers.list(
                all=True, filters={"label": f"seatrial.trial={self.id}"}
            )
            return [container.attrs for container in found]


@contextmanager
def _engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    try:
        yield client
    finally:
        client.close()


def _get(target: Target, path: str) -> str:
    url = f"http://{target.host}:{target.port}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def _until(true: Callable[[], object]) -> None:
    """Wait for something that is certain to come; the limit only ends a broken test."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


@pytest.fixture
def trial(tree: Path, base_image: str) -> Iterator[Trial]:
    """A trial whose images are removed afterwards and that leaves no container."""
    trial = Trial(tree, base_image)
    yield trial
    left = trial.containers()
    with _engine() as client:
        for container in left:
            client.containers.get(container["Id"]).remove(force=True)
        for image in client.images.list(f"seatrial/test-{trial.id}-candidate"):
            client.images.remove(str(image.id), force=True)
    assert left == []


def test_a_build_answers_and_is_removed(trial: Trial) -> None:
    """A tree is built, answers on loopback, and leaves its log and nothing else."""
    with trial.running() as target:
        assert target.host == "127.0.0.1"
        assert _get(target, "/") == "fine"
        assert target.died() == ""
        assert target.log_tail(5)[0] == "listening soon"
        (container,) = trial.containers()

    assert container["Config"]["Labels"]["seatrial.arm"] == "candidate"
    assert container["HostConfig"]["PortBindings"]["8000/tcp"][0]["HostIp"] == (
        "127.0.0.1"
    )
    assert trial.containers() == []
    log = trial.tree.parent / "out" / "logs.txt"
    assert "listening soon" in log.read_text()
    assert any("service.py" in line for line in trial.announced)


def test_limits_are_the_scenarios(trial: Trial) -> None:
    """Memory without swap, CPU, cores and open files are limited as asked for."""
    with trial.running(
        limits={"cpus": 0.5, "memory": "100MiB"}, cores=(0,), env={"A": "b"}
    ) as target:
        (container,) = trial.containers()
        limits = _get(target, "/read/proc/1/limits")

    terms = container["HostConfig"]
    assert (terms["Memory"], terms["MemorySwap"]) == (100 << 20, 100 << 20)
    assert terms["NanoCpus"] == 500_000_000
    assert terms["CpusetCpus"] == "0"
    assert target.unpinned == ""
    assert "A=b" in container["Config"]["Env"]
    assert [
        line.split()[3] for line in limits.splitlines() if "open files" in line
    ] == ["20000"]


def test_cores_that_cannot_be_had(trial: Trial) -> None:
    """A core that the engine does not have leaves the service unpinned, and says so."""
    with trial.running(cores=(4000,)) as target:
        assert _get(target, "/") == "fine"
        assert "4000" in target.unpinned


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, ValueError])
def test_removed_whatever_happens(trial: Trial, interrupt: type[BaseException]) -> None:
    """Ctrl-C, SIGTERM as the command raises it, and errors leave no container."""
    seen = []
    with pytest.raises(interrupt), trial.running():  # noqa: PT012 - the body raises
        seen = trial.containers()
        raise interrupt

    assert len(seen) == 1
    assert trial.containers() == []


def test_ctrl_c_while_it_starts(trial: Trial) -> None:
    """A real SIGINT during the wait for readiness ends the run and its container."""
    program = f"""
import signal
from pathlib import Path
from harness.environment import *
from harness.model.result import Arm
from harness.model.scenario import Service
signal.signal(signal.SIGINT, signal.default_int_handler)
tree = Path({str(trial.tree)!r})
order = Order(
    reference=resolve("dir:.", cwd=tree, image_exists=image_exists),
    service=Service.model_validate({{"driver": "docker", "ready": "/deaf"}}),
    arm=Arm.CANDIDATE, trial={trial.id!r}, name={trial.name!r}, scenario_dir=tree,
    build_args={{"BASE_IMAGE": {trial.base_image!r}}},
)
with (
    prepare(order, lambda line: None) as build,
    running(build, directory=tree.parent / "out"),
):
    print("ready")
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        _until(lambda: [c for c in trial.containers() if c["State"]["Running"]])
        started.send_signal(signal.SIGINT)
        output, error = started.communicate(timeout=30)

    assert output == ""
    assert "KeyboardInterrupt" in error
    assert trial.containers() == []


def test_a_dockerfile_that_does_not_build(trial: Trial) -> None:
    """The error names the build and carries its last 30 lines."""
    step = "RUN for i in $(seq 100); do echo line $i; done; exit 9\n"
    with (trial.tree / "Dockerfile").open("a") as file:
        file.write(step)

    with pytest.raises(BuildError, match=r"candidate dir:.* does not build") as caught:
        trial.prepare().__enter__()

    assert len(caught.value.log) == 30
    assert "line 100" in caught.value.log
    assert "line 2" not in caught.value.log


def test_no_dockerfile(trial: Trial) -> None:
    """A missing Dockerfile is named with the place it was looked for."""
    (trial.tree / "Dockerfile").unlink()

    with pytest.raises(BuildError, match=f"no Dockerfile in {trial.tree}"):
        trial.prepare().__enter__()


def test_a_service_that_exits(trial: Trial) -> None:
    """An early end is told at once, with the exit code and the last words."""
    command = ["python3", "-c", "print('no database'); raise SystemExit(3)"]

    with pytest.raises(BuildError, match="exited with 3 before it was ready") as caught:
        trial.running(command=command, ready_timeout="10m").__enter__()

    assert caught.value.log == ("no database",)


def test_a_command_that_is_not_there(trial: Trial) -> None:
    """An executable missing from the image is the build's fault, not the place's."""
    with pytest.raises(BuildError, match=r"nosuch.*not found"):
        trial.running(command=["nosuch"]).__enter__()


def test_a_service_that_is_never_ready(trial: Trial) -> None:
    """The deadline's message has the last answer, and the log goes with it."""
    with pytest.raises(BuildError, match=r"within 1 s.*status 503") as caught:
        trial.running(ready="/deaf", ready_timeout="1s").__enter__()

    assert caught.value.log[0] == "listening soon"


def test_killed_for_memory(trial: Trial) -> None:
    """A service over its memory limit is said to have been killed for it."""
    with trial.running(limits={"memory": "64MiB"}) as target:
        with suppress(OSError):
            _get(target, "/hold/200")
        _until(target.died)

        assert target.died() == "exited with 137, killed for memory"
        assert target.usage is not None
        assert target.usage.read().cpu_ns > 0


def test_usage_follows_the_service(trial: Trial) -> None:
    """Anonymous memory, working set and CPU time grow by what the service takes."""
    with trial.running() as target:
        assert target.usage is not None
        before = target.usage.read()
        _get(target, "/hold/32")
        _get(target, "/burn/300")
        after = target.usage.read()
        _until(lambda: target.usage and len(target.usage.readings) > 5)

    assert 32 << 20 <= after.anonymous_bytes - before.anonymous_bytes <= 40 << 20
    assert 31 << 20 <= after.working_set_bytes - before.working_set_bytes <= 40 << 20
    assert after.cpu_ns - before.cpu_ns >= 300e6


def test_open_files_threads_and_sockets(trial: Trial) -> None:
    """Of a container they are counted, as are faults and what its network carries."""
    with trial.running() as target:
        assert target.usage is not None
        for _ in range(20):
            _get(target, "/")
        reading = target.usage.read()

    assert reading.descriptors >= 3
    assert reading.threads >= 1
    assert reading.sockets >= 1
    assert reading.faults > 0
    assert reading.throttled_ns >= 0
    assert min(reading.received_bytes, reading.sent_bytes) > 20 * 16


def test_usage_from_the_engine_agrees(trial: Trial) -> None:
    """Where the control group's files are hidden, the engine tells the same."""
    from harness.environment.usage import engine_stats  # noqa: PLC0415 - only here

    with trial.running() as target, _engine() as client:
        assert target.usage is not None
        container = client.containers.get(trial.containers()[0]["Id"])
        document = container.stats(stream=False, one_shot=True)
        assert isinstance(document, dict)
        told, seen = engine_stats(document), target.usage.read()

    assert told is not None
    assert abs(told.anonymous_bytes - seen.anonymous_bytes) <= 4 << 20
    assert abs(told.working_set_bytes - seen.working_set_bytes) <= 4 << 20
    assert 0 < told.cpu_ns <= seen.cpu_ns


def test_setup_runs_in_the_fresh_environment(trial: Trial) -> None:
    """The setup command runs inside the container, before traffic."""
    with trial.running(setup=["sh", "-c", "echo migrated > /tmp/state"]) as target:
        assert _get(target, "/read/tmp/state") == "migrated\n"


def test_setup_that_fails(trial: Trial) -> None:
    """A failing setup stops the round with its output."""
    with pytest.raises(BuildError, match=r"setup 'sh -c .* exited with 4") as caught:
        trial.running(setup=["sh", "-c", "echo no table; exit 4"]).__enter__()

    assert caught.value.log == ("no table",)


def test_setup_that_hangs(trial: Trial) -> None:
    """A setup that does not end is stopped at the deadline, with its last words."""
    stuck = ["sh", "-c", "echo waiting for a lock; sleep 600"]
    with pytest.raises(BuildError, match=r"setup .* did not end within 2 s") as caught:
        trial.running(setup=stuck, ready_timeout="2s").__enter__()

    assert caught.value.log == ("waiting for a lock",)


def test_volumes_start_at_the_scenario(trial: Trial) -> None:
    """A relative host path is the scenario's neighbour; a missing one is refused."""
    seed = trial.tree.parent / "seed"
    seed.mkdir()
    (seed / "rows").write_text("42")
    with trial.running(volumes=["./seed:/seed:ro"]) as target:
        assert _get(target, "/read/seed/rows") == "42"

    with pytest.raises(InputError, match=r"volume './sed:/seed'.*does not exist"):
        trial.running(volumes=["./sed:/seed"]).__enter__()


def test_a_commit_is_built_without_the_work_tree(trial: Trial) -> None:
    """A git reference runs what was committed, whatever lies in the work tree."""
    service = trial.tree / "service.py"
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", "-C", str(trial.tree), *command], check=True)
    changed = service.read_text().replace('b"fine"', 'b"changed"')
    service.write_text(changed)
    out = trial.tree.parent / "out"

    with (
        trial.prepare(trial.resolve("HEAD")) as build,
        running(build, directory=out) as target,
    ):
        assert _get(target, "/") == "fine"
    assert service.read_text() == changed


def test_an_image_runs_as_it_is(trial: Trial) -> None:
    """An image reference is run by its id; one that cannot be had is said to be so."""
    with trial.prepare() as built:
        pass
    reference = trial.resolve(f"seatrial/test-{trial.id}-candidate")
    out = trial.tree.parent / "out"
    with trial.prepare(reference) as build, running(build, directory=out) as target:
        assert build.digest == built.digest
        assert _get(target, "/") == "fine"

    with pytest.raises(BuildError, match=r"127.0.0.1:1/none.* cannot be pulled"):
        trial.prepare(trial.resolve("image:127.0.0.1:1/none:1")).__enter__()


def test_the_next_build_replaces_the_image(trial: Trial) -> None:
    """Building again after a change leaves no untagged image of the earlier build.

    Both stand on the same base.
    """
    with trial.prepare() as first:
        pass
    with (trial.tree / "service.py").open("a") as file:
        file.write("# changed\n")
    with trial.prepare() as second:
        pass

    assert first.digest != second.digest
    assert first.base == second.base != ""
    assert image_exists(second.digest)
    assert not image_exists(first.digest)


def test_leftovers_of_a_dead_trial_are_removed(trial: Trial) -> None:
    """Under the machine's lock, containers of other trials go and one's own stay."""
    with machine_lock(trial.id, wait=True), trial.prepare() as build:
        labels = {"seatrial.trial": f"{trial.id}-dead"}
        with _engine() as client, running(build, directory=trial.tree / "out"):
            dead = client.containers.create(build.digest, labels=labels)
            try:
                removed = remove_leftovers(trial.id)
            finally:
                with suppress(docker.errors.NotFound):
                    dead.remove()
            own = trial.containers()

    assert f"container {dead.short_id} of an earlier trial" in removed
    assert len(own) == 1


def test_an_engine_that_goes_away(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its engine the trial fails, but never as the build's fault."""
    with trial.prepare() as build:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{trial.tree}/gone.sock")
        with pytest.raises(SeatrialError, match="no Docker engine answers") as caught:
            running(build, directory=trial.tree / "out").__enter__()

    assert not isinstance(caught.value, BuildError)
    assert caught.value.hint
    assert json.dumps(caught.value.message).count("\\n") == 0
