"""A local command in the reference's tree: what runs where no engine answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from uuid import uuid4

import psutil

from harness.environment.build import LOGS, Build, Target
from harness.environment.readiness import LOG_LINES, await_ready, ended, overdue
from harness.environment.reference import Kind
from harness.environment.tree import digest, tree
from harness.environment.usage import Sampler, processes
from harness.errors import BuildError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.environment.build import Order

__all__ = ["prepare", "reaped", "remove_leftovers", "running"]

_OPTIONS: Final = "SEATRIAL_"
_TRIAL_MARK: Final = "SEATRIAL_STARTED_BY_TRIAL"
_RUN_MARK: Final = "SEATRIAL_STARTED_AS"
_PATIENCE_S: Final = 3.0
_LOOPBACK: Final = "127.0.0.1"


@contextmanager
def prepare(order: Order, announce: Callable[[str], None]) -> Iterator[Build]:
    """Find the tree, or export it for as long as the context lasts.

    Raises:
        InputError: the reference has no tree.
    """
    if order.reference.kind is Kind.IMAGE:
        raise InputError(
            f"{order.title}: an image cannot run as a local process",
            hint="give dir:… or git:…, or use the docker driver",
        )
    with tree(order.reference) as directory:
        announce(f"{order.title}: runs from {directory}")
        yield Build(order=order, digest=digest(directory), tree=directory)


@contextmanager
def running(
    build: Build, *, directory: Path, cores: tuple[int, ...]
) -> Iterator[Target]:
    """Start the command on a free port; end it with all that it started.

    Its output goes to `logs.txt` as it comes. The `HOST` and `PORT` to listen on and an
    own `TMPDIR`, removed afterwards, are in its environment.

    Raises:
        BuildError: it could not be started, ended early or was not ready in time.
    """
    with ExitStack() as stack:
        port = _free_port()
        try:
            target = stack.enter_context(_service(build, port, directory, cores))
        except BuildError:
            if not _is_taken(port):
                raise
            port = _free_port()
            target = stack.enter_context(_service(build, port, directory, cores))
        yield target


@contextmanager
def _service(
    build: Build, port: int, directory: Path, cores: tuple[int, ...]
) -> Iterator[Target]:
    log_path = directory / LOGS
    run = uuid4().hex
    with (
        tempfile.TemporaryDirectory(
            prefix="seatrial-run-", ignore_cleanup_errors=True
        ) as scratch,
        log_path.open("wb") as log,
        _ended_afterwards(run),
    ):
        environment = _environment(build.order, port, scratch, run)
        with _restricted_to(cores) as unpinned:
            _set_up(build, environment, log)
            process = _start(build, build.order.service.command or (), environment, log)
        with reaped(process), Sampler(processes(process.pid)) as usage:
            target = Target(
                host=build.order.host,
                port=port,
                tls=False,
                usage=usage,
                died=lambda: _died(process),
                log_tail=lambda lines: _tail(log_path, lines),
                unpinned=unpinned,
                pid=process.pid,
            )
            await_ready(target, build.order.service, title=build.order.title)
            yield target


def _environment(order: Order, port: int, scratch: str, run: str) -> dict[str, str]:
    """Ours without our own options, of which one is the redaction key."""
    inherited = os.environ.items()
    return {
        **{name: text for name, text in inherited if not name.startswith(_OPTIONS)},
        "HOST": order.host,
        **order.service.env,
        "PORT": str(port),
        "TMPDIR": scratch,
        _TRIAL_MARK: order.trial,
        _RUN_MARK: run,
    }


def _start(
    build: Build,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: IO[bytes],
) -> subprocess.Popen[bytes]:
    """Start a command in the build's tree, in a session of its own."""
    program = sys.executable if command[0] == "python" else command[0]
    try:
        return subprocess.Popen(
            [program, *command[1:]],
            cwd=build.tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as exc:
        raise BuildError(
            f"{build.order.title}: cannot start {command[0]!r} in {build.tree}: "
            f"{exc.strerror}"
        ) from exc


def _set_up(build: Build, environment: Mapping[str, str], log: IO[bytes]) -> None:
    service = build.order.service
    if service.setup is None:
        return
    title = f"{build.order.title}: setup {' '.join(service.setup)!r}"
    process = _start(build, service.setup, environment, log)
    with reaped(process):
        try:
            code = process.wait(service.ready_timeout / 1e9)
        except subprocess.TimeoutExpired as exc:
            raise overdue(title, service, _tail(Path(log.name), LOG_LINES)) from exc
    if code:
        log_tail = _tail(Path(log.name), LOG_LINES)
        raise BuildError(f"{title} {ended(code)}", log=log_tail)


def _died(process: subprocess.Popen[bytes]) -> str:
    code = process.poll()
    return "" if code is None else ended(code)


def _tail(path: Path, lines: int) -> tuple[str, ...]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return tuple(line.rstrip("\n") for line in deque(file, maxlen=lines))


@contextmanager
def _restricted_to(cores: tuple[int, ...]) -> Iterator[str]:
    """What is started inside inherits these cores; gives why not, where it cannot."""
    if not cores:
        yield ""
        return
    if not hasattr(os, "sched_setaffinity"):
        yield "this system cannot bind processes to cores"
        return
    before = os.sched_getaffinity(0)
    unpinned = _bind(cores)
    try:
        yield unpinned
    finally:
        os.sched_setaffinity(0, before)


def _bind(cores: tuple[int, ...]) -> str:
    try:
        os.sched_setaffinity(0, cores)
    except OSError as exc:
        return f"cores {', '.join(map(str, cores))} cannot be had: {exc.strerror}"
    return ""


def _free_port() -> int:
    with socket.create_server((_LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _is_taken(port: int) -> bool:
    try:
        socket.create_server((_LOOPBACK, port)).close()
    except OSError:
        return True
    return False


@contextmanager
def reaped(
    process: subprocess.Popen[bytes] | subprocess.Popen[str],
) -> Iterator[None]:
    """Afterwards end the whole process group: ask first, insist after 3 s."""
    try:
        yield
    finally:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


@contextmanager
def _ended_afterwards(run: str) -> Iterator[None]:
    """Afterwards kill what left the group, or was started just before an interrupt."""
    try:
        yield
    finally:
        _kill([process for process, mark in _marked(_RUN_MARK) if mark == run])


def _marked(name: str) -> list[tuple[psutil.Process, str]]:
    """Each process that carries a mark, with its value; never one that carries none."""
    own = os.environ.get(name)
    found = ((process, _mark(process, name)) for process in psutil.process_iter())
    return [(process, mark) for process, mark in found if mark and mark != own]


def _mark(process: psutil.Process, name: str) -> str:
    try:
        return process.environ().get(name, "")
    except (psutil.Error, OSError):
        return ""


def _kill(doomed: list[psutil.Process]) -> None:
    for process in doomed:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(doomed, timeout=_PATIENCE_S)


def remove_leftovers(trial: str) -> tuple[str, ...]:
    """Kill processes that other trials started; call it while no other can run.

    They are known by a mark in their environment, which no other process carries.

    Returns:
        What was killed, in words.
    """
    doomed = [process for process, mark in _marked(_TRIAL_MARK) if mark != trial]
    _kill(doomed)
    return tuple(f"process {process.pid} of an earlier trial" for process in doomed)
