"""The Docker engine: reaching it, whether it is of use, and what its errors mean."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import docker
import requests
from docker.context import ContextAPI
from docker.errors import APIError, DockerException

from harness.errors import BuildError, InputError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["complaint", "connected", "image_exists", "outside", "remote", "speaking"]

_DEFAULT_ADDRESS: Final = "unix:///var/run/docker.sock"
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_LOCAL_SCHEMES: Final = ("unix", "http+unix", "npipe")
_CONTAINER_SIGNS: Final = (Path("/.dockerenv"), Path("/run/.containerenv"))
_NO_ENGINE: Final = "start Docker, or use the process driver (`service.command`)"
_REMEDIES: Final = (
    ("no space left on device", "the disk is full; `docker system prune` makes room"),
    ("address already in use", "another program took the port; try again"),
    ("range of cpus is from", "lower `service.limits.cpus`"),
    ("minimum memory limit", "raise `service.limits.memory`"),
    ("runtime create failed", "does the image have what `service.command` names?"),
    ("permission denied", "may this user talk to Docker? see the group `docker`"),
    ("no such file or directory", _NO_ENGINE),
    ("connection refused", _NO_ENGINE),
    ("connection aborted", "has the Docker engine stopped?"),
)
"""What an engine's message contains, and what to do about it; the first row counts."""

_FAULTS_OF_THE_IMAGE: Final = (
    "executable file not found",
    "exec format error",
    "runtime create failed",
)


def _text(exc: Exception) -> str:
    explanation = exc.explanation if isinstance(exc, APIError) else None
    reason = exc.strerror if isinstance(exc, OSError) else None
    return " ".join(str(explanation or reason or exc).split())


def _in_our_words(exc: Exception, doing: str) -> SeatrialError:
    text = _text(exc)
    lower = text.lower()
    hints = (hint for pattern, hint in _REMEDIES if pattern in lower)
    of_image = any(fault in lower for fault in _FAULTS_OF_THE_IMAGE)
    kind = BuildError if of_image else SeatrialError
    return kind(f"{doing}: {text}", hint=next(hints, ""))


@contextmanager
def speaking(doing: str) -> Iterator[None]:
    """Translate what the engine's client raises inside.

    Args:
        doing: what is being done, to begin the message with.

    Raises:
        BuildError: the image cannot be run.
        SeatrialError: anything else.
    """
    try:
        yield
    except (DockerException, requests.RequestException, OSError) as exc:
        raise _in_our_words(exc, doing) from exc


@contextmanager
def connected() -> Iterator[docker.DockerClient]:
    """A connection to the engine of `DOCKER_HOST` or of Docker's current context.

    Raises:
        InputError: ports that it publishes cannot be reached from here.
        SeatrialError: none answers.
    """
    with speaking("Docker's current context"):
        address = _address()
    _refuse(remote(address))
    with speaking(f"no Docker engine answers at {address}"):
        _knock(address)
        client = docker.from_env(environment={**os.environ, "DOCKER_HOST": address})
    try:
        with speaking("the Docker engine does not answer"):
            name = client.info()["Name"]
        _refuse(outside(name, socket.gethostname(), contained=_contained()))
        yield client
    finally:
        client.close()


def _address() -> str:
    given = os.environ.get("DOCKER_HOST")
    context = ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT"))
    return given or getattr(context, "Host", None) or _DEFAULT_ADDRESS


def _knock(address: str) -> None:
    """Try a socket ourselves: where it fails, Docker's client leaves it open."""
    parts = urlsplit(address)
    if parts.scheme.endswith("unix"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(f"{parts.netloc}{parts.path}")


def _refuse(problem: str) -> None:
    if problem:
        raise InputError(
            problem,
            hint="run Seatrial on the engine's own machine, outside of containers; or "
            "use the process driver (`service.command`)",
        )


def remote(address: str) -> str:
    """Why ports published on the engine's loopback are not ours; empty if they are.

    Args:
        address: the engine's, as in `DOCKER_HOST`.
    """
    parts = urlsplit(address)
    if parts.scheme in _LOCAL_SCHEMES or parts.hostname in _LOOPBACK:
        return ""
    return f"the Docker engine at {address} is on another machine"


def outside(engine: str, here: str, *, contained: bool) -> str:
    """Why a container cannot reach the ports that its engine publishes, likewise.

    A container that shares the engine's network also shares its host name, so neither
    `--network host` nor a sandbox with an engine of its own is refused.

    Args:
        engine: the host name that the engine reports.
        here: the host name of this process.
        contained: whether this process seems to be in a container.
    """
    if contained and engine != here:
        return f"this job runs in a container, its Docker engine outside, on {engine}"
    return ""


def _contained() -> bool:
    marked = any(sign.exists() for sign in _CONTAINER_SIGNS)
    return marked or "KUBERNETES_SERVICE_HOST" in os.environ


def complaint() -> str:
    """Why no Docker engine can be used here, in one line; empty if one can."""
    try:
        with connected():
            return ""
    except SeatrialError as exc:
        return exc.message


def image_exists(name: str) -> bool:
    """Whether the engine has an image; where none answers, there is none."""
    try:
        with connected() as client, speaking(f"looking for image {name}"):
            client.images.get(name)
    except SeatrialError:
        return False
    return True
