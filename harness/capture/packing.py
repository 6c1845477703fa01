"""Packed files as streams of bytes: gzip and zstd, by their first bytes."""

from __future__ import annotations

import zlib
from functools import partial
from typing import IO, TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PIECE_BYTES", "DamagedError", "unpacked"]

PIECE_BYTES: Final = 1 << 20
"""The most in a piece."""

_READ_BYTES: Final = 1 << 16
_MAGIC_BYTES: Final = 4
_GZIP: Final = b"\x1f\x8b\x08"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_GZIP_WINDOW: Final = 31


class DamagedError(Exception):
    """A packed file that ends before its end, or is not what it began as.

    Args:
        packing: such as `gzip`.
        why: what is wrong with it.
        remedy: what gets out of it what is left.
    """

    def __init__(self, packing: str, why: object, remedy: str) -> None:
        super().__init__(f"the {packing} file is damaged or cut short ({why})")
        self.remedy = remedy


def unpacked(raw: IO[bytes], cut: Callable[[], None] | None = None) -> Iterator[bytes]:
    """The content in pieces of at most 1 MiB.

    Args:
        raw: the file, at its start.
        cut: told of each gzip stream that ends before its end, as a process that was
            killed leaves it; what is behind it is read too. By default this is an
            error.

    Raises:
        DamagedError: it cannot be unpacked.
    """
    first = raw.read(_MAGIC_BYTES)
    raw.seek(0)
    if first.startswith(_GZIP):
        try:
            yield from _gunzipped(raw, cut or _refuse)
        except (EOFError, zlib.error) as exc:
            raise DamagedError("gzip", exc, "unpack what is left with `zcat`") from exc
    elif first == _ZSTD:
        stream = pa.CompressedInputStream(raw, "zstd")
        yield from iter(partial(_unzstd, stream), b"")
    else:
        yield from iter(partial(raw.read, PIECE_BYTES), b"")


def _unzstd(stream: pa.CompressedInputStream) -> bytes:
    try:
        piece: bytes = stream.read(PIECE_BYTES)
    except OSError as exc:
        raise DamagedError("zstd", exc, "unpack what is left with `zstd -dc`") from exc
    return piece


def _refuse() -> None:
    raise EOFError("it ends before its end")


def _gunzipped(raw: IO[bytes], cut: Callable[[], None]) -> Iterator[bytes]:
    """Of all members; one that breaks off where another may begin was cut."""
    unpack, fresh = zlib.decompressobj(_GZIP_WINDOW), True
    for part in _parts(raw):
        rest = part.lstrip(b"\0") if fresh else part
        while rest:
            try:
                piece = unpack.decompress(rest, PIECE_BYTES)
            except zlib.error:
                if fresh or not part.startswith(_GZIP):
                    raise
                cut()
                unpack, fresh, rest = zlib.decompressobj(_GZIP_WINDOW), True, part
                continue
            yield piece
            rest, fresh = unpack.unconsumed_tail, False
            if unpack.eof:
                rest = unpack.unused_data.lstrip(b"\0")
                unpack, fresh = zlib.decompressobj(_GZIP_WINDOW), True
    if not fresh:
        yield unpack.flush()
        cut()


def _parts(raw: IO[bytes]) -> Iterator[bytes]:
    """The bytes, parted before whatever may be the start of a gzip member."""
    held = b""
    while more := raw.read(_READ_BYTES):
        held += more
        while (place := held.find(_GZIP, 1)) > 0:
            yield held[:place]
            held = held[place:]
        known = len(held) - len(_GZIP) + 1
        if known > 0:
            yield held[:known]
            held = held[known:]
    if held:
        yield held
