"""Parts of many lines at once: each distinct text is read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.store.coded import Coded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Column", "halves", "lines_of"]

Value = TypeVar("Value")


def lines_of(block: bytes) -> pa.LargeBinaryArray:
    """Its lines, each with its line feed."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1
    last = [] if block.endswith(b"\n") else [len(block)]
    offsets = np.concatenate(([0], ends, last)).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def halves(
    texts: pa.LargeBinaryArray, mark: bytes
) -> tuple[pa.LargeBinaryArray, pa.LargeBinaryArray]:
    """What stands before the first mark in each text, and behind it.

    Without a mark all of it is before, and nothing behind.
    """
    split = pc.split_pattern(texts, pattern=mark, max_splits=1)
    second = split.offsets.to_numpy()[:-1] + 1
    absent = split.value_lengths().to_numpy() == 1
    behind = split.values.take(pa.array(second, mask=absent))
    return pc.list_element(split, 0), pc.fill_null(behind, b"")


class Column(Generic[Value]):
    """What the texts of a column mean.

    Args:
        texts: of its rows.
        read: what a text means, each byte as the latin-1 character of the same number;
            `None` where it cannot tell.
    """

    __slots__ = ("_places", "_values")

    def __init__(
        self, texts: pa.LargeBinaryArray, read: Callable[[str], Value | None]
    ) -> None:
        encoded = texts.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        self._values = [read(text.decode("latin-1")) for text in distinct]
        self._places = encoded.indices.to_numpy().copy()

    def known(self) -> NDArray[np.bool_]:
        """In which rows the meaning is known."""
        known = np.array([value is not None for value in self._values], np.bool_)
        told: NDArray[np.bool_] = known[self._places]
        return told

    def filled(self, unknown: Value) -> NDArray[np.int64]:
        """The meaning of each row, a number, or else that one."""
        numbers = [unknown if value is None else value for value in self._values]
        filled: NDArray[np.int64] = np.array(numbers, np.int64)[self._places]
        return filled

    def put(self, row: int, value: Value) -> None:
        """Say what the text of a row means."""
        self._places[row] = len(self._values)
        self._values.append(value)

    def coded(self, rows: NDArray[np.int64]) -> Coded[Value]:
        """The meaning of these rows, which is known."""
        used, places = np.unique(self._places[rows], return_inverse=True)
        values = [self._values[place] for place in used.tolist()]
        return Coded([v for v in values if v is not None], places.astype(np.int32))
