"""Load workers on other machines, hired through a master process of this one."""

from __future__ import annotations

import json
import os
import secrets
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.errors import InputError, WorkerLostError
from harness.load.crew import Hand, ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.load.crew import Hire
    from harness.load.message import Assignment

__all__ = ["Post", "hosting"]

_JOIN_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where machines join.

    Attributes:
        host: address to listen on; loopback keeps everybody else out.
        port: TCP port, 0 for a free one.
        token: without it nobody joins; drawn where it is empty.
        machines: how many are waited for.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str = ""
    machines: int = 0


@contextmanager
def hosting(post: Post, announce: Callable[[str], None]) -> Iterator[list[Hire]]:
    """A master whose machines have all joined; one worker an arm on each of them.

    Args:
        post: where, and how many.
        announce: told how to join, and who has.

    Raises:
        InputError: the address cannot be listened on, or they did not all join.
    """
    if not post.machines:
        yield []
        return
    token = post.token or secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="seatrial-master-") as scratch:
        path, log = Path(scratch, "socket"), Path(scratch, "master.log")
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [
                    sys.executable,
                    *("-P", "-m", "harness.load.master", post.host, str(post.port)),
                    *(str(post.machines), str(path)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        with process:
            try:
                _await_machines(process, post, token, log, announce)
                hearing = (process, post.machines, announce)
                threading.Thread(target=_hear_out, args=hearing, daemon=True).start()
                yield [_far(path, place) for place in range(post.machines)]
            finally:
                _send_home(process)


def _await_machines(
    process: subprocess.Popen[bytes],
    post: Post,
    token: str,
    log: Path,
    announce: Callable[[str], None],
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{token}\n".encode())
    process.stdin.flush()
    joined = 0
    for told in _told(process.stdout.fileno(), time.monotonic() + _JOIN_S):
        if "port" in told:
            shown = token if not post.token else "…"
            announce(
                f"waiting for {post.machines} machines; on each of them: "
                f"SEATRIAL_TOKEN={shown} seatrial worker --join "
                f"{post.host}:{told['port']}"
            )
        elif "refused" in told:
            announce(f"machine {told['refused']} was refused: {told['reason']}")
        else:
            joined += _change(told)
            announce(f"{joined} of {post.machines} machines are here")
        if joined == post.machines:
            return
    if joined < post.machines and _ended(process):
        tail = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise InputError(
            f"cannot listen on {post.host}:{post.port}: {' '.join(tail)}",
            hint="name another address with --listen",
        )
    raise InputError(
        f"{joined} of {post.machines} machines joined within {_JOIN_S:.0f} s",
        hint="start `seatrial worker` on each of them, or lower --machines",
    )


def _told(descriptor: int, end_s: float) -> Iterator[dict[str, Any]]:
    """What the master tells, until the time is up or it has ended."""
    unread = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(max(0.0, end_s - time.monotonic())):
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                return
            *lines, unread = (unread + piece).split(b"\n")
            yield from map(json.loads, lines)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        return False
    return True


def _change(told: dict[str, Any]) -> int:
    return ("joined" in told) - ("lost" in told)


def _hear_out(
    process: subprocess.Popen[bytes], machines: int, announce: Callable[[str], None]
) -> None:
    """Tell of machines that are lost in the rounds, and of those that join again."""
    assert process.stdout is not None
    here = machines
    for line in process.stdout:
        if change := _change(json.loads(line)):
            here += change
            announce(f"{here} of {machines} machines are here")


def _send_home(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()


def _far(path: Path, place: int) -> Hire:
    """Hires a worker on the machine that joined at that place."""

    def hire(order: Assignment, title: str, log: Path) -> Hand:
        title = f"{title}, on machine {place + 1},"
        channel = socket.socket(socket.AF_UNIX)
        hand = Hand(title, channel, log)
        try:
            channel.connect(str(path))
            channel.sendall(json.dumps({"machine": place}).encode() + b"\n")
        except OSError as error:
            channel.close()
            raise WorkerLostError(f"{title} cannot be had: {error}") from error
        return ordered(hand, order)

    return hire
