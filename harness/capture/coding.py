"""Content codings undone: what an answer says, whatever it was packed in."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["plain"]

_RAW_WINDOW: Final = -15


def plain(content: bytes, coding: str, limit: int) -> bytes | None:
    """The content without its codings; `None` where it is damaged or too long.

    Args:
        content: as it was sent.
        coding: of `Content-Encoding`, empty for none.
        limit: the most bytes it may have.
    """
    names = [name.strip().lower() for name in coding.split(",") if name.strip()]
    for name in reversed(names):
        undo = _CODINGS.get(name)
        if undo is None:
            return None
        try:
            content = undo(content, limit + 1)
        except (OSError, zlib.error, pa.ArrowException):
            return None
    return content if len(content) <= limit else None


def _arrow(codec: str) -> Callable[[bytes, int], bytes]:
    def undone(content: bytes, most: int) -> bytes:
        read: bytes = pa.CompressedInputStream(pa.BufferReader(content), codec).read(
            most
        )
        return read

    return undone


def _inflated(content: bytes, most: int) -> bytes:
    """With a zlib head, as RFC 9110 wants it, or without, as some servers send it."""
    try:
        return _whole(zlib.decompressobj(), content, most)
    except zlib.error:
        return _whole(zlib.decompressobj(_RAW_WINDOW), content, most)


def _whole(undo: zlib._Decompress, content: bytes, most: int) -> bytes:
    plain = undo.decompress(content, most)
    if not undo.eof and len(plain) < most:
        raise zlib.error("it is cut short")
    return plain


_CODINGS: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {
    "br": _arrow("brotli"),
    "deflate": _inflated,
    "gzip": _arrow("gzip"),
    "identity": lambda content, _: content,
    "x-gzip": _arrow("gzip"),
    "zstd": _arrow("zstd"),
}
