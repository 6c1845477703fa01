from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import docker
import pytest
from docker.models.containers import Container

from harness.environment.docker import _looking_at, _volumes
from harness.errors import InputError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.environment.build import Order


def test_volumes_start_at_the_scenario(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """Relative host paths get the scenario's directory before them, modes stay."""
    (tmp_path / "seed").mkdir()

    assert _volumes(order(tmp_path, volumes=["./seed:/a:ro", f"{tmp_path}:/b"])) == [
        f"{tmp_path}/seed:/a:ro",
        f"{tmp_path}:/b",
    ]


def test_volume_that_would_be_made_up(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """A missing source, which the engine would create, is refused."""
    with pytest.raises(InputError, match=r"volume '\./missing:/a'"):
        _volumes(order(tmp_path, volumes=["./missing:/a"]))


def test_usage_from_an_engine_that_is_gone() -> None:
    """An engine that has stopped is our error, in one message, not its client's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    with closing(docker.DockerClient(address, version="1.43")) as client:
        state = {"Id": "0" * 64, "State": {"Pid": 0}}
        look = _looking_at(Container(attrs=state, client=client))
        with pytest.raises(SeatrialError, match="reading the container's usage: "):
            look()
