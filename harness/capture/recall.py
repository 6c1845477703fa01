"""What was made of what comes again and again is made once, in bounded memory."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["remembered"]

Given = TypeVar("Given")
Made = TypeVar("Made")

_CACHED: Final = 8192
_SHORT: Final = 4096


def remembered(
    make: Callable[[Given], Made], size: Callable[[Given], int]
) -> Callable[[Given], Made]:
    """The same function; it remembers the last 8,192 that are no longer than 4 KiB.

    Args:
        make: of a value; depends on nothing else.
        size: the bytes or characters that are held with a value.
    """
    cached = lru_cache(maxsize=_CACHED)(make)

    def made(given: Given) -> Made:
        return cached(given) if size(given) <= _SHORT else make(given)

    return made
