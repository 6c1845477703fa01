"""What is built, and what runs of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.environment.reference import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.environment.reference import Reference
    from harness.environment.usage import Sampler
    from harness.model.result import Arm
    from harness.model.scenario import Service

__all__ = ["Build", "Order", "Target", "kinship"]

_SHOWN_DIGITS = 12
_NAMED = 5


LOGS: Final = "logs.txt"
"""What a service wrote, in the directory of its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to build, for which arm of which trial.

    Attributes:
        reference: which code.
        service: how it is brought up.
        arm: which side it is.
        trial: the trial's id; labels whatever is left behind by a crash.
        name: the scenario's name; names the built image, so that the next trial of
            the scenario replaces it.
        scenario_dir: relative host paths of volumes start here.
        build_args: win over the scenario's own build arguments.
        host: address of this machine that the service is to be reached at.
    """

    reference: Reference
    service: Service
    arm: Arm
    trial: str
    name: str
    scenario_dir: Path
    build_args: Mapping[str, str]
    host: str = "127.0.0.1"

    @property
    def driver(self) -> str:
        """The driver that this order is for: a URL needs no other."""
        return "url" if self.reference.kind is Kind.URL else self.service.driver

    @property
    def title(self) -> str:
        """The arm and its reference, to begin a message with."""
        return f"{self.arm} {self.reference.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """An order fulfilled; it can be run any number of times.

    Attributes:
        order: what was asked for.
        digest: the image's id, the tree's content digest, or the URL.
        tree: the source tree, where the service runs from one.
        base: digest of the lowest layer of the image, empty where there is none.
        strays: what git ignores and its build has seen all the same.
    """

    order: Order
    digest: str
    tree: Path | None = None
    base: str = ""
    strays: tuple[str, ...] = ()

    @property
    def reference(self) -> Reference:
        """Which code this is."""
        return self.order.reference

    @property
    def title(self) -> str:
        """The reference as it was given, with a short digest."""
        if self.reference.kind is Kind.URL:
            return self.reference.text
        short = self.digest.removeprefix("sha256:")[:_SHOWN_DIGITS]
        return f"{self.reference.text} ({short})"


def kinship(baseline: Build, candidate: Build) -> Iterator[str]:
    """What a reader should know of how the builds are related and share."""
    commit = baseline.reference.commit
    if baseline.digest == candidate.digest:
        yield "both arms are the same build"
    elif commit and commit == candidate.reference.commit:
        yield "both arms are the same commit"
    if baseline.base and candidate.base and baseline.base != candidate.base:
        yield (
            "the images differ from their lowest layer on: if that is another base, by"
            " a changed FROM or a tag that moved, what the arms differ in may be its"
        )
    if candidate.strays and not baseline.strays:
        named, more = candidate.strays[:_NAMED], candidate.strays[_NAMED:]
        rest = f" and {len(more):,} more" * bool(more)
        yield (
            "what git ignores is in the candidate's build context and not in the "
            f"baseline's: {', '.join(named)}{rest}; `.dockerignore` keeps it out"
        )
    volumes = candidate.order.service.volumes
    if shared := ", ".join(each for each in volumes if not each.endswith(":ro")):
        yield (
            f"both arms write to the same volumes, in every round: {shared}; one finds"
            " what the other left, unless they end in `:ro`"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A build, running.

    Attributes:
        host: where it answers.
        port: likewise.
        tls: whether it speaks TLS.
        usage: its memory and CPU, already being sampled; `None` if out of sight.
        died: how it ended, empty while it lives.
        log_tail: the last so many lines that it wrote.
        unpinned: why it does not run on the cores that were given, empty if it does.
        pid: of its first process, as this machine numbers it; 0 if out of sight.
    """

    host: str
    port: int
    tls: bool
    usage: Sampler | None
    died: Callable[[], str]
    log_tail: Callable[[int], tuple[str, ...]]
    unpinned: str
    pid: int = 0
