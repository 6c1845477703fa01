"""A planned request as bytes: what was recorded is what is sent.

Only `Host` (where the recording has none) and `Content-Length` are added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model.plan import PlannedRequest
    from harness.model.session import Jar

__all__ = ["Wire"]

_IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
_WITH_CONTENT = frozenset({"PATCH", "POST", "PUT"})
_LINE_BREAKS = str.maketrans("\r\n", "  ")


class Wire:
    """The bytes of one planned request, all but the live cookies ready.

    Attributes:
        is_head: whether its answer has no content.
        is_idempotent: whether it may be sent again (RFC 9110, section 9.2.2).

    Args:
        planned: what was recorded.
        host: `Host` where none was recorded.
        authority: `Host` whatever was recorded; empty to keep that.
    """

    __slots__ = (
        "_body",
        "_cookies",
        "_head",
        "_without_cookies",
        "is_head",
        "is_idempotent",
    )

    def __init__(self, planned: PlannedRequest, host: str, authority: str = "") -> None:
        request = planned.request
        headers = list(request.headers)
        if authority:
            headers = [pair for pair in headers if pair[0] != "host"]
        if not any(name == "host" for name, _ in headers):
            headers.insert(0, ("host", authority or host))
        if request.body or request.method in _WITH_CONTENT:
            headers.append(("content-length", str(len(request.body))))
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        lines += [f"{name}: {value.translate(_LINE_BREAKS)}" for name, value in headers]
        self._head = b"".join(_encoded(line) + b"\r\n" for line in lines)
        self._body = request.body
        self._cookies = planned.cookies
        self._without_cookies = self._head + b"\r\n" + self._body
        self.is_head = request.method == "HEAD"
        self.is_idempotent = request.method in _IDEMPOTENT

    def payload(self, jar: Jar) -> bytes:
        """The bytes to send for a user with that jar."""
        cookie = jar.header(self._cookies)
        if not cookie:
            return self._without_cookies
        line = _encoded(f"cookie: {cookie}")
        return b"".join((self._head, line, b"\r\n\r\n", self._body))


def _encoded(line: str) -> bytes:
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode()
