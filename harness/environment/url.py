"""Something already deployed: no fresh state, and no sight of its memory or CPU."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from harness.environment.build import Build, Target
from harness.environment.readiness import await_ready
from harness.environment.reference import Kind
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.environment.build import Order

__all__ = ["prepare", "running"]


def _parts(url: str) -> SplitResult:
    """A URL that names a server and nothing below it."""
    try:
        parts = urlsplit(url)
        valid = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError as exc:
        raise InputError(f"{url}: {exc}") from exc
    if not valid or parts.path.strip("/") or parts.query or parts.username:
        raise InputError(
            f"{url}: only scheme, host and port can be given",
            hint="paths come from the recording; as https://staging.example:8443",
        )
    return parts


@contextmanager
def prepare(order: Order, _: Callable[[str], None]) -> Iterator[Build]:
    """Check the URL.

    Raises:
        InputError: it is not one, or the arm's reference is something to build.
    """
    if order.reference.kind is not Kind.URL:
        raise InputError(
            f"{order.title}: the scenario's driver `url` can only run URLs",
            hint="give http(s)://…, or describe in `service` how it is built",
        )
    _parts(order.reference.value)
    yield Build(order=order, digest=order.reference.value)


@contextmanager
def running(
    build: Build, *, directory: Path, cores: tuple[int, ...]
) -> Iterator[Target]:
    """Wait until it answers.

    Raises:
        BuildError: it does not in time.
    """
    del directory
    parts = _parts(build.reference.value)
    assert parts.hostname is not None, "checked with the other parts"
    tls = parts.scheme == "https"
    target = Target(
        host=parts.hostname,
        port=parts.port or (443 if tls else 80),
        tls=tls,
        usage=None,
        died=str,
        log_tail=lambda _: (),
        unpinned="it is deployed elsewhere" if cores else "",
    )
    await_ready(target, build.order.service, title=build.order.title)
    yield target
