"""The recorded answer, its numbers checked against the recording's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.model.traffic import Response
from harness.store.recording import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEPT_BYTES", "response_of"]

KEPT_BYTES: Final = 1 << 20
"""The largest body of an answer that is kept."""

_LARGEST: Final[Mapping[str, int]] = {
    name: (1 << (SCHEMA.field(name).type.bit_width - 1)) - 1
    for name in ("status", "response_bytes", "duration_ns")
}


def response_of(
    status: int,
    body_bytes: int | None,
    duration_ns: int | None = None,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes | None = None,
) -> Response:
    """What came back.

    Args:
        status: and the others as in `Response`.
        body_bytes: the size of the content.
        duration_ns: from the start of the request.
        headers: as recorded.
        body: kept where it is no larger than 1 MiB: values to find again are in small
            ones.

    Raises:
        ValueError: a number is negative or does not fit its column.
    """
    numbers = (status, body_bytes, duration_ns)
    for (name, largest), number in zip(_LARGEST.items(), numbers, strict=True):
        if number is not None and not 0 <= number <= largest:
            raise ValueError(f"{name} is not between 0 and {largest}")
    return Response(
        status=status,
        body_bytes=body_bytes,
        duration_ns=duration_ns,
        headers=headers,
        body=body if body is not None and len(body) <= KEPT_BYTES else None,
    )
