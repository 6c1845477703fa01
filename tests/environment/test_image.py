from __future__ import annotations

import os
import re
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.environment.image import _by_buildx, strays, tag_of
from harness.model.scenario import ImageBuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.environment.build import Order
    from tests.environment.conftest import Repository

_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
"""A path component, as in the distribution specification."""


def test_the_tag_names_scenario_and_arm(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """Each scenario has one image an arm."""
    assert tag_of(order(tmp_path)) == "seatrial/checkout-peak-candidate"


@given(first=st.sampled_from("aZ9"), rest=st.text("aZ9._-"))
def test_every_scenario_name_gives_a_tag(
    first: str, rest: str, order: Callable[..., Order]
) -> None:
    """Whatever a scenario may be called, the engine accepts its tag."""
    tag = tag_of(replace(order(Path()), name=first + rest))

    assert all(_REPOSITORY.fullmatch(part) for part in tag.split("/"))


def test_an_interrupt_ends_the_build(
    tmp_path: Path, order: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C during a build leaves neither the command nor what it started running."""
    command = tmp_path / "docker"
    command.write_text("#!/bin/sh\nsleep 600 &\necho $$ $!\nwait\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    started: list[str] = []

    def interrupted(line: str) -> None:
        started.extend(line.split())
        raise KeyboardInterrupt

    client = docker.DockerClient("tcp://127.0.0.1:1", version="1.43")
    with closing(client), pytest.raises(KeyboardInterrupt):
        _by_buildx(client, order(tmp_path), ImageBuild(), tmp_path, interrupted)

    assert len(started) == 2
    deadline = time.monotonic() + 30
    while any(map(_runs, map(int, started))):
        assert time.monotonic() < deadline, "it goes on"


def _runs(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def test_strays(
    repository: Repository, tmp_path: Path, order: Callable[..., Order]
) -> None:
    """Ignored by git and not by the build; outside of git there are none."""
    repository.commit(".gitignore", "*.db\ntrials/\n__pycache__/\nout/\n")
    repository.commit("app/.dockerignore", "# ours\n\ntrials\n")
    for name in ("a.db", "trials/x", "__pycache__/y", "out/deep/z", "new"):
        path = repository.root / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert ("a.db", "out/") == strays(order(repository.root, build={"context": "app"}))
    assert () == strays(order(tmp_path, build={}))
