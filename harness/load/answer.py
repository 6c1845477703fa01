"""One HTTP/1.1 answer, fed in pieces of any size. No sockets here.

Framing is RFC 9112, section 6.3; `httptools` (llhttp) does the parsing. What llhttp
cannot know is added: an answer to HEAD ends with its head, informational answers are
passed over, and an unframed body ends with the connection.
"""

from __future__ import annotations

from zlib import crc32

import httptools

__all__ = ["Answer"]

_FINAL = 200
"""Statuses below it are informational: the answer is still to come."""

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Answer:
    """The answer to one request.

    Attributes:
        status: 0 until the head is complete.
        complete: whether all of it has come.
        reusable: whether the connection may carry another request.
        broken: whether the bytes are not HTTP.
        started: whether any byte has come.
        body_bytes: content so far, transfer coding removed, content coding kept.
        digest: CRC-32 of that content.
        set_cookies: values of the `Set-Cookie` headers.
    """

    __slots__ = (
        "_framed",
        "_head",
        "_parser",
        "body_bytes",
        "broken",
        "complete",
        "digest",
        "reusable",
        "set_cookies",
        "started",
        "status",
    )

    def __init__(self, *, head: bool) -> None:
        self._head = head
        self._parser: httptools.HttpResponseParser | None = (
            httptools.HttpResponseParser(self)
        )
        self.status = 0
        self.complete = False
        self.reusable = False
        self.broken = False
        self.started = False
        self._framed = False
        self.body_bytes = 0
        self.digest = 0
        self.set_cookies: list[str] = []

    def feed(self, data: bytes) -> bool:
        """Take in a piece; true once nothing more is expected."""
        self.started = True
        assert self._parser is not None, "a complete answer takes no more"
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.reusable = False
            self.broken = not self.complete
        if self.complete or self.broken:
            self._parser = None
            return True
        return False

    def end(self) -> None:
        """Note that the connection has ended, which completes an unframed body."""
        self._parser = None
        self.reusable = False
        self.complete = self.status >= _FINAL and not self._framed

    def on_message_begin(self) -> None:
        """Called by the parser; a second final answer was not asked for."""
        if self.complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        name = name.lower()
        if name == b"set-cookie":
            self.set_cookies.append(value.decode("latin-1"))
        elif name in _FRAMING:
            self._framed = True

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        if self.complete or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        self.reusable = self._parser.should_keep_alive()
        self.complete = self._head and self.status >= _FINAL

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        if self.complete:
            return
        self.body_bytes += len(data)
        self.digest = crc32(data, self.digest)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self.status < _FINAL:
            self.status, self._framed = 0, False
            self.set_cookies.clear()
        else:
            self.complete = True
