from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.column import Column, halves, lines_of

TEXTS = st.lists(
    st.text('ab] "\n\xff', max_size=9).map(lambda text: text.encode("latin-1"))
)


def texts(values: list[bytes]) -> pa.LargeBinaryArray:
    return pa.array(values, pa.large_binary())


@given(block=st.text("a\r\n\x85\xff").map(lambda text: text.encode("latin-1")))
def test_lines_end_with_a_line_feed_only(block: bytes) -> None:
    """No byte is lost, and the last line may have none."""
    lines = lines_of(block).to_pylist()

    assert block == b"".join(lines)
    assert all(line.find(b"\n") in {-1, len(line) - 1} for line in lines)
    assert all(line.endswith(b"\n") for line in lines[:-1])


@given(TEXTS)
def test_halves_are_parted_at_the_first_mark(values: list[bytes]) -> None:
    """As `partition` does it."""
    before, behind = halves(texts(values), b'] "')
    parted = [value.partition(b'] "') for value in values]

    assert [each[0] for each in parted] == before.to_pylist()
    assert [each[2] for each in parted] == behind.to_pylist()


def number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def test_a_text_is_read_once() -> None:
    """However many rows have it; bytes are latin-1."""
    read: list[str] = []
    Column(texts([b"1", b"\xe9", b"1", b"\xe9"]), read.append)

    assert ["1", "\xe9"] == read


def test_what_is_unknown_can_be_told() -> None:
    """Row by row, which changes no other row of the same text."""
    column = Column(texts([b"7", b"x", b"x", b"8", b"7"]), number)

    assert [True, False, False, True, True] == column.known().tolist()
    assert [7, -1, -1, 8, 7] == column.filled(-1).tolist()
    column.put(1, 9)
    assert [True, True, False, True, True] == column.known().tolist()
    assert [7, 9, 8, 7] == list(column.coded(np.array([0, 1, 3, 4])))
    assert 3 == len(column.coded(np.array([0, 1, 3, 4])).values)
