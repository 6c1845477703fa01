"""Texts and header fields of JSON as a recording has them: bytes as latin-1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from harness.capture.head import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_grpc", "pair_of", "wire"]

_GRPC: Final = re.compile(r"application/grpc(?!-web)")
"""gRPC-Web was made for HTTP/1.1."""


def wire(text: str) -> str:
    """The bytes of UTF-8 as latin-1 characters; escaped bytes are themselves again."""
    try:
        octets = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        octets = text.encode(errors="replace")
    return octets.decode("latin-1")


def pair_of(item: Any) -> tuple[str, str] | None:
    """Of `{name, value}`, or `[name, value]`; `None` if it is neither."""
    match item:
        case {"name": str(name), "value": value} | [str(name), value]:
            return _on_one_line(name), _on_one_line(_text(value))
    return None


def _on_one_line(text: str) -> str:
    return one_line(wire(text)).strip(" ")


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def is_grpc(fields: Iterable[tuple[str, str]]) -> bool:
    """Whether the request needs HTTP/2 from end to end."""
    return any(name == "content-type" and _GRPC.match(value) for name, value in fields)
