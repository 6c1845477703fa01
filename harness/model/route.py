"""Routes: `GET /orders/81723?full=1` becomes `GET /orders/{id}`."""

from __future__ import annotations

import re

__all__ = ["OTHER", "SERVICE", "route_of"]

SERVICE = "service"
"""The service as a whole, where a route is asked for."""

OTHER = "other"
"""The routes too thin to be judged alone, taken together."""

_IDENTIFIER = re.compile(
    r"\d+"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|(?=[^/]*\d)[0-9a-fA-F]{16,}"
)


def route_of(method: str, target: str) -> str:
    """Method and path with numbers, UUIDs and long hexadecimal segments as `{id}`."""
    path = target.partition("?")[0]
    segments = [
        "{id}" if _IDENTIFIER.fullmatch(segment) else segment
        for segment in path.split("/")
    ]
    return f"{method} {'/'.join(segments)}"
