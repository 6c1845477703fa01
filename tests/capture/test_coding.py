from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from harness.capture.coding import plain, recoded

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = b"content " * 500


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def packed_by(codec: str) -> Callable[[bytes], bytes]:
    return lambda content: pa.compress(content, codec, asbytes=True)


PACKERS = [
    ("", bytes),
    ("identity", bytes),
    ("GZip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", packed_by("brotli")),
    ("zstd", packed_by("zstd")),
    ("deflate, gzip", lambda content: gzip.compress(zlib.compress(content))),
]


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
def test_codings_are_undone(coding: str, pack: Callable[[bytes], bytes]) -> None:
    """Whatever the codings, the content comes out up to the limit, not beyond."""
    assert plain(pack(TEXT), coding, len(TEXT)) == TEXT
    assert plain(pack(TEXT), coding, len(TEXT) - 1) is None


@pytest.mark.parametrize(("coding", "pack"), PACKERS[2:])
def test_damaged_content_is_none(coding: str, pack: Callable[[bytes], bytes]) -> None:
    """Half an answer is not taken for a whole one."""
    assert plain(pack(TEXT)[:-5], coding, 1 << 20) is None
    assert plain(b"something else", coding, 1 << 20) is None


def test_an_unknown_coding_is_none() -> None:
    """What cannot be undone is not kept as if it were plain."""
    assert plain(TEXT, "compress", 1 << 20) is None


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
def test_what_is_written_anew_is_packed_as_before(
    coding: str, pack: Callable[[bytes], bytes]
) -> None:
    """Whoever undoes the codings that the header names reads the new content."""
    new = recoded(pack(TEXT), coding, bytes.upper)

    assert new is not None
    assert plain(new, coding, len(TEXT)) == TEXT.upper()


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "zstd"])
def test_text_under_a_coding_that_was_undone(coding: str) -> None:
    """Captures that unpack and keep the header are read as what they say."""
    assert recoded(b'{"pass": "x"}', coding, bytes.upper) == b'{"PASS": "X"}'


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"\xff\xfe", b"a\x1bb"])
def test_no_text_under_a_coding_is_left_out(content: bytes) -> None:
    """What nobody can read is not kept, since nobody can redact it."""
    assert recoded(content, "gzip", bytes.upper) is None
    assert recoded(TEXT, "compress", bytes.upper) is None
