"""Content codings undone and made anew: what is said, whatever it is packed in."""

from __future__ import annotations

import gzip
import re
import zlib
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["coding_of", "plain", "recoded"]

_RAW_WINDOW: Final = -15
_DEEP: Final = 3
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOST_UNPACKED: Final = 16 << 20
_MAGIC: Final = ((b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))


def coding_of(headers: Iterable[tuple[str, str]]) -> str:
    """What they declare, names in lower case; empty for none."""
    return ",".join(value for name, value in headers if name == "content-encoding")


def recoded(
    content: bytes, coding: str, write: Callable[[bytes], bytes], depth: int = _DEEP
) -> bytes | None:
    """The content, what it says written anew, in the same codings.

    It stays byte for byte where that changes nothing. Text under a known coding is what
    it says: some captures undo the coding and keep the header. `None` where it cannot
    be read: it is damaged, in an unknown coding, over 16 MiB, or packed too often.

    Args:
        content: as it was sent; also a packed file that no header declares.
        coding: of `Content-Encoding`, empty for none.
        write: what is said → what is to be said.
        depth: how many packed contents may be one in another.
    """
    if not (names := _names(coding)):
        names = [name for magic, name in _MAGIC if content.startswith(magic)]
    if not names:
        return write(content)
    inner = plain(content, ",".join(names), _MOST_UNPACKED)
    if inner is None and _CODINGS.keys() >= {*names} and _is_text(content):
        return write(content)
    if inner is None or not depth:
        return None
    new = recoded(inner, "", write, depth - 1)
    if new is None or new == inner:
        return None if new is None else content
    for name in names:
        new = _MAKING[name](new)
    return new


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(content)


def _names(coding: str) -> list[str]:
    names = (name.strip().lower() for name in coding.split(","))
    return [name for name in names if name not in {"", "identity"}]


def plain(content: bytes, coding: str, limit: int) -> bytes | None:
    """The content without its codings; `None` where it is damaged or too long.

    Args:
        content: as it was sent.
        coding: of `Content-Encoding`, empty for none.
        limit: the most bytes it may have.
    """
    for name in reversed(_names(coding)):
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
    if undo.unused_data or (not undo.eof and len(plain) < most):
        raise zlib.error("it is cut short, or something follows")
    return plain


_CODINGS: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {
    "br": _arrow("brotli"),
    "deflate": _inflated,
    "gzip": _arrow("gzip"),
    "x-gzip": _arrow("gzip"),
    "zstd": _arrow("zstd"),
}

_MAKING: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "br": partial(pa.compress, codec="brotli", asbytes=True),
    "deflate": zlib.compress,
    "gzip": partial(gzip.compress, mtime=0),
    "x-gzip": partial(gzip.compress, mtime=0),
    "zstd": partial(pa.compress, codec="zstd", asbytes=True),
}
