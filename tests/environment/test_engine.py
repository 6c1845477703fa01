from __future__ import annotations

from typing import TYPE_CHECKING

import docker
import pytest
import requests
from docker.errors import APIError

from harness.environment import engine
from harness.errors import BuildError, InputError, SeatrialError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "address",
    ["unix:///var/run/docker.sock", "npipe:////./pipe/docker", "tcp://127.0.0.1:2375"],
)
def test_engines_of_this_machine(address: str) -> None:
    """Local sockets and loopback addresses are this machine's."""
    assert engine.remote(address) == ""


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:2376", "ssh://me@build.example"])
def test_remote_engines_are_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine elsewhere is refused before anything is sent to it."""
    monkeypatch.setenv("DOCKER_HOST", address)

    with pytest.raises(InputError, match="is on another machine") as caught:
        engine.connected().__enter__()
    assert "engine's own machine" in caught.value.hint
    assert address in engine.complaint()


def test_a_job_in_a_container() -> None:
    """A container beside its engine is told; one that shares its network is not."""
    assert "runs in a container" in engine.outside("host", "8f2e", contained=True)
    assert engine.outside("host", "host", contained=True) == ""
    assert engine.outside("docker-desktop", "laptop", contained=False) == ""


def test_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no socket is, one line says so, with a remedy, and no image exists."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    with pytest.raises(SeatrialError, match="no Docker engine answers") as caught:
        engine.connected().__enter__()
    assert "process driver" in caught.value.hint
    assert "\n" not in engine.complaint()
    assert not engine.image_exists("python:3")


def _refused(explanation: str) -> APIError:
    return APIError("500 Server Error", explanation=explanation)


@pytest.mark.parametrize(
    ("explanation", "kind", "hint"),
    [
        ("write /var/lib: no space left on device", SeatrialError, "disk is full"),
        ("Range of CPUs is from 0.01 to 2.00", SeatrialError, "limits.cpus"),
        (
            'OCI runtime create failed: exec: "a": executable file not found in $PATH',
            BuildError,
            "service.command",
        ),
        ("something new", SeatrialError, ""),
    ],
)
def test_the_engines_errors_are_told_apart(
    explanation: str, kind: type[SeatrialError], hint: str
) -> None:
    """The image's own fault is a BuildError, the place's is not; both have hints."""
    with pytest.raises(SeatrialError) as caught, engine.speaking("starting a"):
        raise _refused(explanation)

    assert type(caught.value) is kind
    assert caught.value.message == f"starting a: {explanation}"
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "foreign",
    [
        requests.ConnectionError("refused"),
        docker.errors.DockerException("x"),
        OSError(),
    ],
)
def test_no_foreign_error_gets_out(foreign: Exception) -> None:
    """Whatever the client library raises becomes one of ours, its cause kept."""
    with pytest.raises(SeatrialError) as caught, engine.speaking("asking"):
        raise foreign

    assert caught.value.__cause__ is foreign
