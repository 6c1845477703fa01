"""A planned request as bytes: what was recorded is what is sent.

Only `Host` (where the recording has none) and `Content-Length` are added, and values
that the build's own earlier answers gave take their recorded places.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model.link import filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.plan import PlannedRequest
    from harness.model.session import Jar

__all__ = ["Wire"]

_IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
_WITH_CONTENT = frozenset({"PATCH", "POST", "PUT"})
_LINE_BREAKS = str.maketrans("\r\n", "  ")


class Wire:
    """The bytes of one planned request, all but the live cookies ready.

    A recorded `Content-Length` keeps its place and says how long the body is that is
    sent; a body that was recorded as chunked is sent as one chunk.

    Attributes:
        is_head: whether its answer has no content.
        is_idempotent: whether it may be sent again (RFC 9110, section 9.2.2).
        closes: whether its connection was not used again after it.
        expects_continue: whether its body waits for a 100 (RFC 9110, section 10.1.1).
        body_bytes: length of its body with its framing.
        fills: where it takes values of its session.
        extracts: what its answer gives to the session.
        measured: whether its sample counts.

    Args:
        planned: what was recorded.
        host: `Host` where none was recorded.
        authority: `Host` whatever was recorded; empty to keep that.
    """

    __slots__ = (
        "_after",
        "_before",
        "_cookies",
        "_origin",
        "_without_cookies",
        "body_bytes",
        "closes",
        "expects_continue",
        "extracts",
        "fills",
        "is_head",
        "is_idempotent",
        "measured",
    )

    def __init__(self, planned: PlannedRequest, host: str, authority: str = "") -> None:
        request = planned.request
        headers = list(request.headers)
        if authority:
            headers = [pair for pair in headers if pair[0] != "host"]
        if not any(name == "host" for name, _ in headers):
            headers.insert(0, ("host", authority or host))
        chunked = _says(headers, "transfer-encoding", "chunked")
        body = _one_chunk(request.body) if chunked else request.body
        headers = (
            _without_length(headers)
            if chunked
            else _with_length(headers, request.method, len(request.body))
        )
        place = next(
            (at for at, (name, _) in enumerate(headers) if name == "cookie"),
            len(headers),
        )
        first = _encoded(f"{request.method} {request.target} HTTP/1.1\r\n")
        self._before = first + _lines(headers[:place])
        self._after = _lines(headers[place + 1 :]) + b"\r\n" + body
        self._cookies = planned.cookies
        self._without_cookies = self._before + self._after
        self.body_bytes = len(body)
        self.is_head = request.method == "HEAD"
        self.is_idempotent = request.method in _IDEMPOTENT
        self.closes = not request.keeps_alive
        expects = _says(headers, "expect", "100-continue")
        self.expects_continue = expects and self.body_bytes > 0
        self.measured = planned.measured
        self.extracts = planned.links.extracts
        self.fills = planned.links.fills
        self._origin = (planned, host, authority) if self.fills else None

    def with_values(self, values: Mapping[int, str]) -> tuple[Wire, int]:
        """The request with the session's values, and how many of them there were not.

        Where there is none the recorded value stays.
        """
        if self._origin is None:
            return self, 0
        planned, host, authority = self._origin
        request, missing = filled(planned.request, self.fills, values)
        return Wire(replace(planned, request=request), host, authority), missing

    def payload(self, jar: Jar) -> bytes:
        """The bytes to send for a user with that jar."""
        if self._cookies == ():
            return self._without_cookies
        cookie = jar.header(self._cookies)
        if not cookie:
            return self._without_cookies
        return b"".join((self._before, _lines([("cookie", cookie)]), self._after))


def _lines(headers: list[tuple[str, str]]) -> bytes:
    return b"".join(
        _encoded(f"{name}: {value.translate(_LINE_BREAKS)}\r\n")
        for name, value in headers
    )


def _says(headers: list[tuple[str, str]], name: str, word: str) -> bool:
    return any(each == name and word in value.lower() for each, value in headers)


def _with_length(
    headers: list[tuple[str, str]], method: str, length: int
) -> list[tuple[str, str]]:
    """The headers with one `Content-Length`, at its recorded place or else the last."""
    places = [at for at, (name, _) in enumerate(headers) if name == "content-length"]
    if not places:
        wanted = length or method in _WITH_CONTENT
        return [*headers, ("content-length", str(length))] if wanted else headers
    return [
        ("content-length", str(length)) if at == places[0] else pair
        for at, pair in enumerate(headers)
        if at not in places[1:]
    ]


def _without_length(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of chunks; a recording undid any other transfer coding."""
    return [
        (name, "chunked" if name == "transfer-encoding" else value)
        for name, value in headers
        if name != "content-length"
    ]


def _one_chunk(body: bytes) -> bytes:
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return chunk + b"0\r\n\r\n"


def _encoded(line: str) -> bytes:
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode()
