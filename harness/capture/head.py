"""The head of a message as it is kept: what the readers agree on."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["end_to_end", "keeps_alive", "one_line", "origin_form"]

_CACHED: Final = 8192
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_ORIGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^#]*)")
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))
_PER_CONNECTION: Final = frozenset(
    {
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
    }
)


def one_line(text: str) -> str:
    """The text with a space for each control character."""
    return _CONTROL.sub(" ", text)


def end_to_end(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names in lower case; without pseudo headers and those of one connection."""
    lowered = ((name.lower(), value) for name, value in pairs)
    return [(name, value) for name, value in lowered if _is_end_to_end(name)]


@lru_cache(maxsize=_CACHED)
def _is_end_to_end(name: str) -> bool:
    return name not in _PER_CONNECTION and _NAME.fullmatch(name) is not None


def keeps_alive(headers: Sequence[tuple[str, str]], *, by_default: bool) -> bool:
    """Whether the connection can be used again (RFC 9112, section 9.3).

    Args:
        headers: of the request, names in lower case.
        by_default: true from HTTP/1.1 on.
    """
    said = {
        word.strip().lower()
        for name, value in headers
        if name == "connection"
        for word in value.split(",")
    }
    return "close" not in said if by_default else "keep-alive" in said


def origin_form(method: str, target: str) -> str | None:
    """The origin form, bytes beyond ASCII percent-encoded; `None` where there is none.

    RFC 9112, section 3.2: `CONNECT` takes an authority and only `OPTIONS` takes `*`.

    Args:
        method: of the request.
        target: as it was sent, each byte as the latin-1 character of the same number.
    """
    if method == "CONNECT" or _CONTROL.search(target):
        return None
    if target == "*":
        return target if method == "OPTIONS" else None
    absolute = _ORIGIN.fullmatch(target)
    if absolute:
        target = absolute[1] if absolute[1].startswith("/") else f"/{absolute[1]}"
    if not target.startswith("/"):
        return None
    return target if target.isascii() else quote(target, _ASCII, encoding="latin-1")
