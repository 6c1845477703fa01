from __future__ import annotations

import gzip
import io
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.packing import DamagedError, unpacked

NOISE = random.Random(0).randbytes(3 << 20)


def test_pieces_are_small() -> None:
    """However well it was packed, a piece has at most 1 MiB."""
    pieces = list(unpacked(io.BytesIO(gzip.compress(bytes(9 << 20)))))

    assert bytes(9 << 20) == b"".join(pieces)
    assert max(map(len, pieces)) <= 1 << 20


@given(contents=st.lists(st.binary(max_size=99), min_size=1), padding=st.integers(0, 9))
def test_members_follow_one_another(contents: list[bytes], padding: int) -> None:
    """Any number of gzip members, with zeros behind as tapes have them, is one file."""
    packed = b"".join(map(gzip.compress, contents)) + bytes(padding)

    assert b"".join(contents) == b"".join(unpacked(io.BytesIO(packed)))


def test_what_looks_like_a_member_is_content() -> None:
    """The magic number inside a stream ends nothing."""
    content = NOISE[:200_000] + b"\x1f\x8b\x08" + NOISE[200_000:]
    packed = gzip.compress(content, compresslevel=0)

    assert b"\x1f\x8b\x08" in packed[10:]
    assert content == b"".join(unpacked(io.BytesIO(packed)))


def flushed(content: bytes) -> bytes:
    """As a process leaves it that is killed behind a flush."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH)


def test_a_stream_that_was_cut_is_told_and_read_behind() -> None:
    """All that was flushed is there, of each stream, and each cut is told once."""
    cuts: list[int] = []
    packed = flushed(NOISE) + gzip.compress(b"b") + flushed(b"c")

    content = b"".join(unpacked(io.BytesIO(packed), lambda: cuts.append(1)))

    assert NOISE + b"bc" == content
    assert [1, 1] == cuts


@pytest.mark.parametrize("place", [1, 9, 500, len(NOISE)])
def test_by_default_a_cut_is_an_error(place: int) -> None:
    """Wherever the stream ends."""
    packed = gzip.compress(NOISE)[: 10 + place]
    with pytest.raises(DamagedError, match="cut short"):
        list(unpacked(io.BytesIO(packed)))


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"a") + b"garbage",
        gzip.compress(b"a") + b"\x1f\x8b\x08\xffgarbage",
        gzip.compress(b"a")[:-8] + b"12345678",
        b"\x1f\x8b\x08\xff",
    ],
)
def test_damage_is_never_taken_for_a_cut(packed: bytes) -> None:
    """A wrong checksum, or bytes behind the end that are no gzip, are an error."""
    with pytest.raises(DamagedError):
        list(unpacked(io.BytesIO(packed), lambda: None))
