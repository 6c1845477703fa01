"""The recorded answer, its numbers checked against the recording's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.model.traffic import Response
from harness.store.recording import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["response_of"]

_LARGEST: Final[Mapping[str, int]] = {
    name: (1 << (SCHEMA.field(name).type.bit_width - 1)) - 1
    for name in ("status", "response_bytes", "duration_ns")
}


def response_of(
    status: int, body_bytes: int | None, duration_ns: int | None = None
) -> Response:
    """What came back.

    Raises:
        ValueError: a number is negative or does not fit its column.
    """
    numbers = (status, body_bytes, duration_ns)
    for (name, largest), number in zip(_LARGEST.items(), numbers, strict=True):
        if number is not None and not 0 <= number <= largest:
            raise ValueError(f"{name} is not between 0 and {largest}")
    return Response(status=status, body_bytes=body_bytes, duration_ns=duration_ns)
