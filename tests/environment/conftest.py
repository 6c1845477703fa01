"""A small repository, and orders for a small service."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from harness.environment.build import Order
from harness.environment.reference import Kind, Reference
from harness.model.result import Arm
from harness.model.scenario import Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Repository:
    """A git repository in a directory of the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """What git answers."""
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
        command = ["git", "-C", str(self.root), *identity, *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, name: str, content: str) -> str:
        """The id of a new commit that writes one file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        self.git("add", ".")
        self.git("commit", "-q", "-m", name)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository whose branch is `main`."""
    return Repository(tmp_path / "repository")


def _order(tree: Path, kind: Kind = Kind.DIR, value: str = "", **service: Any) -> Order:
    where = value or str(tree)
    return Order(
        reference=Reference(kind=kind, value=where, text=f"{kind}:{where}"),
        service=Service.model_validate(service),
        arm=Arm.CANDIDATE,
        trial="trial-1",
        name="Checkout: peak",
        scenario_dir=tree,
        build_args={},
    )


@pytest.fixture(scope="session")
def order() -> Callable[..., Order]:
    """Makes an order for a service: its tree, the reference if other, and terms."""
    return _order
