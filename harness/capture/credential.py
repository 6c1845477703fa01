"""By what a request says whose it is, besides its address: cookie or Authorization.

Values are compared as they are recorded, after redaction: equal ones have equal
pseudonyms.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.traffic import Request, Response

__all__ = [
    "COOKIE",
    "TOKEN",
    "credential_given",
    "credential_of",
    "credential_said",
    "is_renewal",
    "token_given",
]

COOKIE: Final = "cookie "
"""What a credential begins with if it is one of a browser, and nobody else's."""

TOKEN: Final = "token "
"""What one begins with if an answer gave it; Basic and others may be of many users."""

_NOT_ANALYTICS: Final = "(?!_hj|ai_|amp_|_?ga_|optimizely)"
_CERTAIN: Final = re.compile(
    rf"{_NOT_ANALYTICS}(?:session|.*sess(?:ion)?[._-]?id|(?:.*[._-])?sid)",
    re.IGNORECASE,
)
_LIKELY: Final = re.compile(rf"{_NOT_ANALYTICS}.*(?:session|sessid).*", re.IGNORECASE)
"""Names of sessions, and of what is only about them, such as `has_session=1`."""
_DRAWN: Final = 12
"""The least characters of a value that is one's own."""
_SCHEME: Final = re.compile("(?:bearer|token|jwt) +", re.IGNORECASE)
_GIVEN: Final = re.compile(
    rb'"(?:(?:access|auth|id)_?token|token|jwt|access)"\s*:\s*"([^"\\\s]{12,4096})"',
    re.IGNORECASE,
)


def credential_of(request: Request) -> str:
    """The session's cookie or the Authorization of a request; empty without any."""
    headers = dict(request.headers)
    cookie = headers.get("cookie")
    if cookie and (found := next(_sessions(cookie), "")):
        return found
    authorization = headers.get("authorization")
    return _authorized(authorization) if authorization else ""


def credential_said(session: str) -> str | None:
    """What tells whose a request is where the capture itself knows its session."""
    return f"{COOKIE}: {session}" if session else None


def credential_given(response: Response | None) -> str:
    """The session's cookie that an answer sets; empty without any."""
    if response is None:
        return ""
    crumbs = (
        crumb
        for name, value in response.headers
        if name == "set-cookie"
        for crumb in _sessions(value.partition(";")[0])
    )
    return next(crumbs, "")


def token_given(response: Response | None) -> str:
    """The token that an answer has; empty without any."""
    found = _GIVEN.search(response.body) if response and response.body else None
    return f"{TOKEN}{found[1].decode('latin-1')}" if found else ""


def is_renewal(request: Request) -> bool:
    """Whether it asks for a new token for the same user."""
    return "refresh" in request.target.lower() or b"refresh" in request.body.lower()


def _authorized(value: str) -> str:
    """A token by itself, as clients write its scheme in several ways."""
    found = _SCHEME.match(value)
    return f"{TOKEN}{value[found.end() :]}" if found else f"authorization {value}"


def _sessions(cookies: str) -> Iterator[str]:
    for crumb in cookies.split(";"):
        name, _, value = crumb.strip().partition("=")
        if value and _names_session(name, is_long=len(value) >= _DRAWN):
            yield f"{COOKIE}{name}={value}"


@lru_cache(maxsize=4096)
def _names_session(name: str, *, is_long: bool) -> bool:
    certain = _CERTAIN.fullmatch(name) is not None
    return certain or (is_long and _LIKELY.fullmatch(name) is not None)
