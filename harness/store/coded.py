"""Columns in which what is equal is there once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Coded", "coded", "constant"]

Value = TypeVar("Value")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Coded(Generic[Value]):
    """A column as the values in it and the place of each row's value among them."""

    values: Sequence[Value]
    places: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Value]:
        return map(self.values.__getitem__, self.places.tolist())

    def counts(self) -> list[int]:
        """In how many rows each value is."""
        counts: list[int] = np.bincount(
            self.places, minlength=len(self.values)
        ).tolist()
        return counts

    def of_each(self, make: Callable[[Value], Made]) -> Coded[Made]:
        """What is made of each value, in the same rows."""
        return Coded(list(map(make, self.values)), self.places)

    def taken(self, rows: NDArray[np.int64]) -> Coded[Value]:
        """Those rows."""
        return Coded(self.values, self.places[rows])

    def used(self) -> Coded[Value]:
        """The same rows without the values that are in none of them."""
        used = np.bincount(self.places, minlength=len(self.values)) > 0
        places = (np.cumsum(used) - 1).astype(np.int32)[self.places]
        return Coded([self.values[at] for at in np.flatnonzero(used).tolist()], places)


def constant(value: Value, rows: int) -> Coded[Value]:
    """A column with the same in every row."""
    return Coded([value], np.zeros(rows, np.int32))


def coded(column: Sequence[Value]) -> Coded[Value]:
    """The column; what is equal counts as such where it is the same object.

    To compare would cost more than most columns gain by it.
    """
    numbers = list(map(id, column))
    values = dict(zip(numbers, column, strict=True))
    places = {number: place for place, number in enumerate(values)}
    each = np.fromiter(map(places.__getitem__, numbers), np.int32, len(numbers))
    return Coded(list(values.values()), each)
