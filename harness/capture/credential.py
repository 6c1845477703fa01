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

__all__ = ["COOKIE", "credential_given", "credential_of", "credential_said"]

COOKIE: Final = "cookie "
"""What a credential begins with if it is one of a browser, and nobody else's."""

_SESSION_COOKIE: Final = re.compile(
    r"(?!_hj|ai_|amp_|_?ga_|optimizely).*(?:session|sessid).*|(?:.*[._-])?sid",
    re.IGNORECASE,
)
"""Names of sessions, but not those that analytics give."""


def credential_of(request: Request) -> str:
    """The session's cookie or the Authorization of a request; empty without any."""
    headers = dict(request.headers)
    cookie = headers.get("cookie")
    if cookie and (found := next(_sessions(cookie), "")):
        return found
    authorization = headers.get("authorization")
    return f"authorization {authorization}" if authorization else ""


def credential_said(session: str) -> str | None:
    """What tells whose a request is where the capture itself knows its session."""
    return f"{COOKIE}: {session}" if session else None


def credential_given(response: Response | None) -> str:
    """The session's cookie that an answer sets; empty without any."""
    if response is None or not response.headers:
        return ""
    crumbs = (
        crumb
        for name, value in response.headers
        if name == "set-cookie"
        for crumb in _sessions(value.partition(";")[0])
    )
    return next(crumbs, "")


def _sessions(cookies: str) -> Iterator[str]:
    for crumb in cookies.split(";"):
        name, _, value = crumb.strip().partition("=")
        if value and _names_session(name):
            yield f"{COOKIE}{name}={value}"


@lru_cache(maxsize=4096)
def _names_session(name: str) -> bool:
    return _SESSION_COOKIE.fullmatch(name) is not None
