"""A reference becomes an image: built from its tree, or found."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import deque
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from docker.errors import APIError, ImageNotFound
from docker.utils.build import PatternMatcher

from harness.environment import git
from harness.environment.engine import speaking
from harness.environment.process import reaped
from harness.environment.readiness import LOG_LINES
from harness.environment.reference import Kind
from harness.environment.tree import tree
from harness.errors import BuildError
from harness.model.scenario import ImageBuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker import DockerClient

    from harness.environment.build import Order

__all__ = ["image_of", "strays", "tag_of"]

_EXPORT_LACKS: Final = (
    "the build saw `git archive` of the commit: no .git, no submodules, no LFS content"
)


def image_of(
    client: DockerClient, order: Order, announce: Callable[[str], None]
) -> str:
    """The id of the image that the order asks for.

    Raises:
        BuildError: it cannot be built or had; has the last lines of the build.
    """
    if order.reference.kind is Kind.IMAGE:
        return _found(client, order, announce)
    with tree(order.reference) as source:
        return _built(client, order, source, announce)


def strays(order: Order) -> tuple[str, ...]:
    """What git ignores in a work tree, and an image's build sees all the same.

    The content of a commit has none of it. Paths in the build's context; what Python
    compiled is left out.
    """
    if order.reference.kind is not Kind.DIR or shutil.which("git") is None:
        return ()
    terms = order.service.build or ImageBuild()
    context = Path(order.reference.value) / terms.context
    own = context / f"{terms.dockerfile}.dockerignore"
    rules = own if own.is_file() else context / ".dockerignore"
    lines = rules.read_text(errors="replace").splitlines() if rules.is_file() else ()
    hidden = PatternMatcher(
        [line for each in lines if (line := each.strip()) and line[0] != "#"]
    )
    return tuple(
        path
        for path in git.ignored(context)
        if not hidden.matches(path.rstrip("/"))  # type: ignore[arg-type] # takes str
        and "__pycache__" not in path
    )


def tag_of(order: Order) -> str:
    """The tag of a built image; the scenario's next trial takes it over."""
    name = re.sub(r"[^a-z0-9]+", "-", order.name.lower()).strip("-")
    return f"seatrial/{name}-{order.arm}"


def _found(client: DockerClient, order: Order, announce: Callable[[str], None]) -> str:
    name = order.reference.value
    try:
        return _id(client, name)
    except ImageNotFound:
        announce(f"{order.title}: pulling {name}")
    except APIError as exc:
        raise BuildError(
            f"{order.title}: {name!r} is not an image's name: {exc.explanation or exc}"
        ) from exc
    try:
        image = client.images.pull(name)
    except APIError as exc:
        raise BuildError(
            f"{order.title}: image {name} is not here and cannot be pulled: "
            f"{exc.explanation or exc}",
            hint="`docker pull` it first, or check the name",
        ) from exc
    return str(image.id)


def _id(client: DockerClient, name: str) -> str:
    return str(client.images.get(name).id)


def _built(
    client: DockerClient, order: Order, source: Path, announce: Callable[[str], None]
) -> str:
    terms = order.service.build or ImageBuild()
    context = source / terms.context
    if not (context / terms.dockerfile).is_file():
        raise BuildError(
            f"{order.title}: there is no {terms.dockerfile} in {context}",
            hint="see `service.build` in the scenario; paths start at the tree's root",
        )
    recent = deque[str](maxlen=LOG_LINES)

    def note(line: str) -> None:
        recent.append(line)
        announce(line)

    with speaking(f"{order.title}: building the image"):
        former = _id_or_none(client, tag_of(order))
        build = _by_buildx if _has_buildx() else _by_engine
        failure = build(client, order, terms, context, note)
    if failure:
        raise BuildError(
            f"{order.title}: {terms.dockerfile} does not build: {failure}",
            hint=_EXPORT_LACKS if order.reference.kind is Kind.GIT else "",
            log=tuple(recent),
        )
    return _replaced(client, former, tag_of(order))


def _id_or_none(client: DockerClient, name: str) -> str | None:
    try:
        return _id(client, name)
    except ImageNotFound:
        return None


def _replaced(client: DockerClient, former: str | None, tag: str) -> str:
    """The id that now has the tag; the image that had it goes if nothing needs it."""
    with speaking(f"looking for image {tag}"):
        current = _id(client, tag)
    if former not in (None, current):
        with suppress(APIError):
            if not client.images.get(former).tags:
                client.images.remove(former)
    return current


@cache
def _has_buildx() -> bool:
    try:
        asked = subprocess.run(
            ["docker", "buildx", "version"], capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    return asked.returncode == 0


def _arguments(order: Order, terms: ImageBuild) -> dict[str, str]:
    return {**terms.args, **order.build_args}


def _by_buildx(
    _: DockerClient,
    order: Order,
    terms: ImageBuild,
    context: Path,
    note: Callable[[str], None],
) -> str:
    """Build with BuildKit; gives why it failed, empty if it did not."""
    command = ["docker", "buildx", "build", "--load", "--progress=plain"]
    command += ["--provenance=false", "--tag", tag_of(order)]
    command += ["--file", str(context / terms.dockerfile)]
    for name, value in _arguments(order, terms).items():
        command += ["--build-arg", f"{name}={value}"]
    if terms.target is not None:
        command += ["--target", terms.target]
    last = "no output"
    build = subprocess.Popen(
        [*command, str(context)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    with build, reaped(build):
        assert build.stdout is not None, "asked for with PIPE"
        for line in filter(str.strip, build.stdout):
            last = line.rstrip()
            note(last)
        build.wait()
    return last if build.returncode else ""


def _by_engine(
    client: DockerClient,
    order: Order,
    terms: ImageBuild,
    context: Path,
    note: Callable[[str], None],
) -> str:
    """Build with the engine's own builder; gives why it failed, empty if it did not."""
    steps = client.api.build(
        path=str(context),
        dockerfile=terms.dockerfile,
        tag=tag_of(order),
        buildargs=_arguments(order, terms),
        target=terms.target,
        rm=True,
        forcerm=True,
        decode=True,
    )
    failure = ""
    for step in steps:
        failure = step.get("error", failure)
        for line in (step.get("stream") or step.get("error") or "").splitlines():
            if line.strip():
                note(line)
    return failure
