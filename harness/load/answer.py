"""Answers on one HTTP/1.1 connection, fed in pieces of any size. No sockets here.

Framing is RFC 9112, section 6.3; `httptools` (llhttp) does the parsing. What llhttp
cannot know is added: an answer to HEAD ends with its head, informational answers are
passed over, and an unframed body ends with the connection.
"""

from __future__ import annotations

import zlib
from typing import Final
from zlib import crc32

import httptools

from harness.model.link import Content

__all__ = ["BODY_BYTES", "HEAD_BYTES", "KEPT_BYTES", "Answer", "Said"]

HEAD_BYTES: Final = 64 << 10
"""The longest head, informational ones before it and trailers behind it included."""

BODY_BYTES: Final = 100 * 1000 * 1000
"""The longest body; nothing of it is kept but its size and digest."""

KEPT_BYTES: Final = 1 << 20
"""The longest body that is kept, as it came and decoded; of a longer one, its start."""

_FINAL = 200
"""Statuses below it are informational: the answer is still to come."""

_CONTINUE = 100
_SWITCHING = 101

_NOTED_LENGTHS = frozenset(
    map(len, (b"set-cookie", b"content-length", b"transfer-encoding"))
)
"""Of the names of the fields that are looked at, which are few of those that come."""


_ZLIB: Final = 32 + zlib.MAX_WBITS
"""Takes the formats of gzip and of zlib alike."""


class Said:
    """The headers and the start of the body of one answer, as they came.

    That start is all of a body of up to `KEPT_BYTES`, and at least so much of others.
    """

    __slots__ = ("headers", "pieces")

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []

    def content(self) -> Content:
        """What can be read of it: gzip and deflate are undone."""
        headers = tuple(
            (name.lower().decode("latin-1"), value.decode("latin-1"))
            for name, value in self.headers
        )
        body = b"".join(self.pieces)
        if dict(headers).get("content-encoding", "identity") != "identity":
            body = _inflated(body)
        return Content(headers, body)


def _inflated(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(_ZLIB).decompress(body, KEPT_BYTES)
    except zlib.error:
        return body


class Answer:
    """The answer to the request that was sent last on a connection.

    Attributes:
        status: 0 until the head is complete.
        complete: whether all of it has come.
        ended: whether nothing more is expected, for better or worse.
        reusable: whether the connection may carry another request.
        fault: why it is no answer, a cause of `CAUSES`; empty as long as it may be one.
        started: whether any byte has come.
        continued: whether the request's content was asked for, with a 100.
        body_bytes: content so far, transfer coding removed, content coding kept.
        digest: CRC-32 of that content.
        set_cookies: values of the `Set-Cookie` headers.
        said: what it said, if that is to be kept.
    """

    __slots__ = (
        "_fields_bytes",
        "_framed",
        "_head",
        "_head_bytes",
        "_parser",
        "body_bytes",
        "complete",
        "continued",
        "digest",
        "ended",
        "fault",
        "reusable",
        "said",
        "set_cookies",
        "started",
        "status",
    )

    def __init__(self) -> None:
        self._parser: httptools.HttpResponseParser | None = None
        self.begin(head=False)

    def begin(self, *, head: bool, keep: bool = False) -> None:
        """Expect the next answer; after one that was `reusable` its parser goes on.

        Args:
            head: whether HEAD was asked.
            keep: whether what it says is to be kept.
        """
        self._head = head
        self._head_bytes = self._fields_bytes = 0
        self._framed = False
        self.status = 0
        self.complete = False
        self.ended = False
        self.reusable = False
        self.fault = ""
        self.started = False
        self.continued = False
        self.body_bytes = 0
        self.digest = 0
        self.set_cookies: list[str] = []
        self.said = Said() if keep else None

    def feed(self, data: bytes | memoryview) -> bool:
        """Take in a piece; true once nothing more is expected."""
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        self.started = True
        body_bytes = self.body_bytes
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._break()
        if self.body_bytes == body_bytes:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.complete:
                self.fault = self.fault or "head over 64 KiB"
        if self.complete or self.fault:
            self.reusable = self.reusable and not self.fault
            if self._head or not self.reusable:
                self._parser = None
            self.ended = True
        return self.ended

    def _break(self) -> None:
        """What cannot be parsed; after a complete answer it was only unasked for."""
        self.reusable = False
        if not self.complete and not self.fault:
            self.fault = "invalid body" if self.status else "not HTTP"

    def end(self) -> None:
        """Note that the connection has ended, which completes an unframed body."""
        self._parser = None
        self.reusable = False
        self.ended = True
        self.complete = self.status >= _FINAL and not self._framed

    def forget(self) -> None:
        """Let go of the parser: another connection needs another one."""
        self._parser = None

    def on_message_begin(self) -> None:
        """Called by the parser; a second final answer was not asked for."""
        if self.complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser, for trailers too, which set nothing."""
        self._fields_bytes += len(name) + len(value)
        if self._fields_bytes > HEAD_BYTES:
            self.fault = "head over 64 KiB"
        if self.said is not None and not self.status:
            self.said.headers.append((name, value))
        if len(name) not in _NOTED_LENGTHS or self.status:
            return
        name = name.lower()
        if name == b"set-cookie":
            self.set_cookies.append(value.decode("latin-1"))
        elif name == b"content-length":
            self._framed = True
        elif name == b"transfer-encoding":
            self._framed = value.lower().rstrip().endswith(b"chunked")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        if self.complete or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        self.reusable = self._parser.should_keep_alive()
        self.complete = self._head and self.status >= _FINAL
        if self.status == _SWITCHING:
            self.fault = "protocol switched"

    def on_body(self, data: bytes) -> None:
        """Called by the parser; whatever follows the end was not asked for."""
        if self.complete:
            self.reusable = False
            return
        if self.said is not None and self.body_bytes < KEPT_BYTES:
            self.said.pieces.append(data)
        self.body_bytes += len(data)
        self.digest = crc32(data, self.digest)
        if self.body_bytes > BODY_BYTES:
            self.fault = "body over 100 MB"

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self.status >= _FINAL:
            self.complete = True
        elif not self.fault:
            self.continued = self.continued or self.status == _CONTINUE
            self.status, self._framed = 0, False
            self.set_cookies.clear()
            if self.said is not None:
                self.said = Said()
