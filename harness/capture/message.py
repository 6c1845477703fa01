"""HTTP/1 messages as they were on the wire, whole in memory.

Heads are read more leniently than a server would: whatever a capture holds was sent to
one, or by one. Chunks are undone by httptools (llhttp).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

import httptools

from harness.capture.head import one_line
from harness.capture.recall import remembered

__all__ = ["Message", "message_of"]

_BARE_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_SPACE: Final = " \t\r"
"""Around a name and a value; as latin-1, 0x85 and 0xA0 are parts of letters."""
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_CHUNKED_HEAD: Final = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or an answer.

    Attributes:
        start: its first line; this and the headers have each byte as the latin-1
            character of the same number.
        headers: in their order; names in lower case, values on one line. Without the
            last line of a head that is cut.
        body: the content, transfer coding removed, as far as it is there.
        missing: what is not there of it; empty where it is whole.
        framed: whether the head says where the body ends; otherwise it is all the rest.
        followed: whether more than line ends follow behind it.
    """

    start: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    missing: str = ""
    framed: bool = True
    followed: bool = False

    def values(self, name: str) -> list[str]:
        """The values of a header, named in lower case."""
        return [value for each, value in self.headers if each == name]


def message_of(data: bytes) -> Message:
    """The message that the bytes begin with.

    Raises:
        ValueError: it does not say in one way where it ends; the text says why.
    """
    head_bytes, rest = _parted(data)
    text = head_bytes.decode("latin-1")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    start, *lines = text.split("\n")
    if rest is None:
        lines = lines[:-1]
    headers = tuple([_field(line) for line in lines if ":" in line])
    head = Message(start=start.rstrip("\r"), headers=headers)
    if rest is None:
        return replace(head, missing="the end of its head")
    return _with_body(head, rest)


def _parted(data: bytes) -> tuple[bytes, bytes | None]:
    """The head, and what is behind the empty line if there is one."""
    first = data.find(b"\n")
    if data[first - 1 : first] == b"\r" and (end := data.find(b"\r\n\r\n")) >= 0:
        return data[:end], data[end + 4 :]
    bare = _BARE_HEAD_END.search(data)
    return (data[: bare.start()], data[bare.end() :]) if bare else (data, None)


def _split(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(_SPACE).lower(), one_line(value.strip(_SPACE))


_field: Final = remembered(_split, len)


def _with_body(head: Message, rest: bytes) -> Message:
    """RFC 9112, section 6.3."""
    codings = ",".join(head.values("transfer-encoding")).lower()
    lengths = set(head.values("content-length"))
    if codings and codings != "chunked":
        raise ValueError("a transfer coding other than chunked")
    if codings:
        return _unchunked(head, rest)
    if not lengths:
        return replace(head, body=rest, framed=False)
    length = lengths.pop()
    if lengths or not re.fullmatch("[0-9]{1,18}", length):
        raise ValueError("its Content-Length is not one number")
    body, behind = rest[: int(length)], rest[int(length) :]
    missing = "" if len(body) == int(length) else "the end of its body"
    return replace(head, body=body, missing=missing, followed=bool(behind.strip()))


def _unchunked(head: Message, rest: bytes) -> Message:
    chunks = _Chunks()
    try:
        httptools.HttpRequestParser(chunks).feed_data(_CHUNKED_HEAD + rest)
    except httptools.HttpParserError as exc:
        if not chunks.complete:
            raise ValueError("its chunks are broken") from exc
        chunks.followed = True
    return replace(
        head,
        body=b"".join(chunks.data),
        missing="" if chunks.complete else "its last chunk",
        followed=chunks.followed,
    )


class _Chunks:
    """Takes what the parser finds."""

    __slots__ = ("complete", "data", "followed")

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.complete = False
        self.followed = False

    def on_message_begin(self) -> None:
        self.followed = self.complete

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self.data.append(data)

    def on_message_complete(self) -> None:
        self.complete = True
