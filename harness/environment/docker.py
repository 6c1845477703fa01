"""A build in a container of its own: limited, bound to cores, always removed."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Timer
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from docker.errors import APIError, NotFound
from docker.types import LogConfig, Ulimit

from harness.environment.build import LOGS, Build, Target
from harness.environment.engine import complaint, connected, speaking
from harness.environment.image import image_of, strays
from harness.environment.readiness import LOG_LINES, await_ready, ended, overdue
from harness.environment.usage import Sampler, cgroup, engine_stats
from harness.errors import BuildError, InputError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient
    from docker.models.containers import Container

    from harness.environment.build import Order
    from harness.environment.usage import Reading, Source

__all__ = ["prepare", "remove_leftovers", "running"]

_TRIAL: Final = "seatrial.trial"
_ARM: Final = "seatrial.arm"
_RUN: Final = "seatrial.run"
_OPEN_FILES: Final = 20_000
_LOG_CONFIG: Final = {"max-size": "100m", "max-file": "2"}


@contextmanager
def prepare(order: Order, announce: Callable[[str], None]) -> Iterator[Build]:
    """Build or find the image.

    Raises:
        BuildError: it cannot be built or had.
        InputError: the engine is of no use here, or a volume's source is missing.
    """
    _volumes(order)
    with connected() as client, speaking(f"{order.title}: its image"):
        digest = image_of(client, order, announce)
        layers = client.images.get(digest).attrs["RootFS"].get("Layers") or [""]
    yield Build(order=order, digest=digest, base=layers[0], strays=strays(order))


@contextmanager
def running(
    build: Build, *, directory: Path, cores: tuple[int, ...]
) -> Iterator[Target]:
    """Run a fresh container, its port published on loopback; remove it afterwards.

    Its output is written to `logs.txt` when it is taken down.

    Raises:
        BuildError: the service did not come up.
        SeatrialError: the engine failed.
    """
    run = uuid4().hex
    title = build.order.title
    log_path = directory / LOGS
    with connected() as client:
        try:
            container, unpinned = _started(client, build, run, cores)
            target = _target(container, build, unpinned)
            _set_up(container, build)
            await_ready(target, build.order.service, title=title)
            assert target.usage is not None, "containers are always measured"
            with target.usage:
                yield target
        finally:
            with speaking(f"{title}: removing the container"):
                _take_down(client, run, log_path)


def _volumes(order: Order) -> list[str]:
    """The volumes with absolute host paths; the engine would create missing ones."""
    resolved = []
    for volume in order.service.volumes:
        host, _, inside = volume.partition(":")
        path = (order.scenario_dir / Path(host).expanduser()).resolve()
        if not path.exists():
            raise InputError(
                f"volume {volume!r}: {path} does not exist",
                hint="as host:container[:ro], relative to the scenario file",
            )
        resolved.append(f"{path}:{inside}")
    return resolved


def _terms(build: Build, run: str) -> dict[str, Any]:
    order, service = build.order, build.order.service
    return {
        "image": build.digest,
        "command": list(service.command) if service.command else None,
        "environment": dict(service.env),
        "mem_limit": service.limits.memory,
        "memswap_limit": service.limits.memory,
        "nano_cpus": round(service.limits.cpus * 1e9),
        "ulimits": [Ulimit(name="nofile", soft=_OPEN_FILES, hard=_OPEN_FILES)],
        "volumes": _volumes(order),
        "ports": {f"{service.port}/tcp": (order.host, None)},
        "labels": {_TRIAL: order.trial, _ARM: str(order.arm), _RUN: run},
        "log_config": LogConfig(type=LogConfig.types.JSON, config=_LOG_CONFIG),
    }


def _started(
    client: DockerClient, build: Build, run: str, cores: tuple[int, ...]
) -> tuple[Container, str]:
    """A started container, and why it is not bound to the cores."""
    terms = _terms(build, run)
    unpinned = ""
    with speaking(f"{build.order.title}: starting the container"):
        try:
            container = _start(client, terms, cores)
        except APIError as exc:
            unpinned = str(exc.explanation or exc)
            if not cores or "cpu" not in unpinned.lower():
                raise
            _remove(client, f"{_RUN}={run}")
            container = _start(client, terms, ())
        container.reload()
    if container.attrs["Image"] != build.digest:
        raise SeatrialError(
            f"{build.order.title}: the engine ran {container.attrs['Image']} "
            f"instead of {build.digest}"
        )
    return container, unpinned


def _start(
    client: DockerClient, terms: dict[str, Any], cores: tuple[int, ...]
) -> Container:
    container = client.containers.create(
        **terms, cpuset_cpus=",".join(map(str, cores)) or None
    )
    container.start()
    return container


def _target(container: Container, build: Build, unpinned: str) -> Target:
    published = container.attrs["NetworkSettings"]["Ports"] or {}
    bindings = published.get(f"{build.order.service.port}/tcp") or [{"HostPort": 0}]
    return Target(
        host=build.order.host,
        port=int(bindings[0]["HostPort"]),
        tls=False,
        usage=Sampler(_looking_at(container)),
        died=lambda: _died(container),
        log_tail=lambda lines: _tail(container, lines),
        unpinned=unpinned,
        pid=_visible(container.attrs["State"]["Pid"], str(container.id)),
    )


def _visible(pid: int, name: str) -> int:
    """The same, if that number means the container's process here, too; else 0."""
    try:
        return pid * (name in Path(f"/proc/{pid}/cgroup").read_text())
    except OSError:
        return 0


def _looking_at(container: Container) -> Source:
    """By the control group's files where they can be seen, else by the engine."""

    def ask() -> Reading | None:
        with speaking("reading the container's usage"):
            try:
                stats = container.stats(stream=False, one_shot=True)
            except NotFound:
                return None
        assert isinstance(stats, dict), "one document without streaming"
        return engine_stats(stats)

    return cgroup(container.attrs["State"]["Pid"], str(container.id)) or ask


def _died(container: Container) -> str:
    try:
        with speaking("looking at the container"):
            container.reload()
    except SeatrialError as exc:
        if isinstance(exc.__cause__, NotFound):
            return "was removed by someone else"
        raise
    state = container.attrs["State"]
    if state["Running"]:
        return ""
    killed = ", killed for memory" if state["OOMKilled"] else ""
    return f"{ended(state['ExitCode'])}{killed}"


def _tail(container: Container, lines: int) -> tuple[str, ...]:
    with speaking("reading the container's log"):
        text = container.logs(tail=lines)
    return tuple(text.decode(errors="replace").splitlines())


def _set_up(container: Container, build: Build) -> None:
    service = build.order.service
    if service.setup is None:
        return
    title = f"{build.order.title}: setup {' '.join(service.setup)!r}"
    if died := _died(container):
        log = _tail(container, LOG_LINES)
        raise BuildError(f"{title}: the service {died} before it", log=log)
    with speaking(title), _killed_after(service.ready_timeout / 1e9, container) as late:
        code, output = container.exec_run(list(service.setup))
    assert isinstance(output, bytes), "one piece without streaming"
    log = tuple(output.decode(errors="replace").splitlines()[-LOG_LINES:])
    if late.is_set():
        raise overdue(title, service, log)
    if code:
        raise BuildError(f"{title} {ended(code)}", log=log)


@contextmanager
def _killed_after(patience_s: float, container: Container) -> Iterator[Event]:
    """Kill the container if the body takes longer, and say so in the event."""
    late = Event()

    def kill() -> None:
        late.set()
        with suppress(SeatrialError), speaking("stopping the setup"):
            container.kill()

    timer = Timer(patience_s, kill)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        timer.join()


def _take_down(client: DockerClient, run: str, log_path: Path) -> None:
    """Keep the output, then remove; by label, should creation have been cut short."""
    try:
        for container in client.containers.list(
            all=True, sparse=True, filters={"label": f"{_RUN}={run}"}
        ):
            with log_path.open("wb") as file:
                file.writelines(
                    container.logs(stream=True, follow=False, timestamps=True)
                )
    finally:
        _remove(client, f"{_RUN}={run}")


def _remove(client: DockerClient, label: str, but: str = "") -> tuple[str, ...]:
    """Remove the containers with a label, except those of one trial."""
    removed = []
    for container in client.containers.list(
        all=True, sparse=True, filters={"label": label}
    ):
        if but and container.attrs["Labels"][_TRIAL] == but:
            continue
        container.remove(force=True, v=True)
        removed.append(f"container {container.short_id} of an earlier trial")
    return tuple(removed)


def remove_leftovers(trial: str) -> tuple[str, ...]:
    """Remove containers of other trials; call it while no other can run.

    Returns:
        What was removed, in words; nothing where no engine can be used.
    """
    if complaint():
        return ()
    with connected() as client, speaking("removing leftovers"):
        return _remove(client, _TRIAL, but=trial)
