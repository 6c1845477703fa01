"""A build, running: `with prepare(…) as build, running(build, …) as target`.

`prepare` is done once for an arm and a trial, `running` once a round. A driver is a
module with the two functions of `Driver`; the table below names them all.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from harness.environment.asking import asked, page
from harness.environment.build import LOGS, Build, Order, Target, kinship
from harness.environment.machine import (
    Pinning,
    lock_holder,
    machine_lock,
    pinning,
    this_machine,
)
from harness.environment.reference import Kind, Reference, authority, default, resolve
from harness.environment.usage import Reading, Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path


__all__ = [
    "DRIVERS",
    "LOGS",
    "Build",
    "Driver",
    "Kind",
    "Order",
    "Pinning",
    "Reading",
    "Reference",
    "Sampler",
    "Target",
    "asked",
    "authority",
    "default",
    "engine_answers",
    "image_exists",
    "kinship",
    "lock_holder",
    "machine_lock",
    "page",
    "pinning",
    "prepare",
    "remove_leftovers",
    "resolve",
    "running",
    "this_machine",
]

DRIVERS: Final[Mapping[str, str]] = {
    "docker": "harness.environment.docker",
    "process": "harness.environment.process",
    "url": "harness.environment.url",
}
"""Driver → module, imported when it is first needed."""


class Driver(Protocol):
    """What a driver's module offers."""

    def prepare(
        self, order: Order, announce: Callable[[str], None]
    ) -> AbstractContextManager[Build]:
        """Do what has to be done once."""

    def running(
        self, build: Build, *, directory: Path, cores: tuple[int, ...]
    ) -> AbstractContextManager[Target]:
        """Bring up one fresh environment, ready, and always remove it."""


def _driver(name: str) -> Driver:
    return cast("Driver", import_module(DRIVERS[name]))


def prepare(
    order: Order, announce: Callable[[str], None]
) -> AbstractContextManager[Build]:
    """Build an arm once for its trial.

    Args:
        order: what to build.
        announce: is told of the progress, a line at a time.

    Raises:
        BuildError: it could not be built; has the last lines.
        InputError: the reference does not fit the service, or the place cannot be used.
    """
    return _driver(order.driver).prepare(order, announce)


@contextmanager
def running(
    build: Build, *, directory: Path, cores: tuple[int, ...] = ()
) -> Iterator[Target]:
    """Bring up one fresh environment, ready; remove it whatever happens.

    Args:
        build: what to run.
        directory: gets the service's output as `logs.txt`; made if missing.
        cores: which to run on; empty for any.

    Raises:
        BuildError: the service itself did not come up; has its last lines.
        SeatrialError: anything else, which says nothing about the service.
    """
    directory.mkdir(parents=True, exist_ok=True)
    driver = _driver(build.order.driver)
    with driver.running(build, directory=directory, cores=cores) as target:
        yield target


def image_exists(name: str) -> bool:
    """Whether the engine here has an image; where none answers, there is none."""
    from harness.environment import engine  # noqa: PLC0415 - docker only if needed

    return engine.image_exists(name)


def engine_answers() -> str:
    """Why no Docker engine can be used here, in one line; empty if one can."""
    from harness.environment import engine  # noqa: PLC0415 - docker only if needed

    return engine.complaint()


def remove_leftovers(trial: str) -> tuple[str, ...]:
    """Remove what dead trials left; call it while holding the machine's lock.

    Args:
        trial: the one that holds the lock; everything of others is a leftover.

    Returns:
        What was removed, in words.
    """
    from harness.environment import docker, process  # noqa: PLC0415 - likewise

    return (*process.remove_leftovers(trial), *docker.remove_leftovers(trial))
