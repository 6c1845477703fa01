"""How odd a value is: whether it can be in two places by chance."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["is_plausible", "is_strong", "kernel"]

_STRONG: Final = re.compile(
    r"(?=.*[A-Za-z])(?=.*\d)\S{8,}|(?=.*[a-z])(?=.*[A-Z])\S{16,}|(W/)?\"\S+\""
)
"""Letters and digits, or letters of both cases, or a quoted entity tag."""

_WITH_DIGIT: Final = re.compile(r"(?!v?\d+(?:\.\d+)+$|v\d+$)[^\s]*\d[^\s]*")
_WORD: Final = re.compile(rb"[A-Za-z0-9_-]+")
_LONGEST: Final = 4096


@lru_cache(maxsize=65_536)
def is_strong(value: str) -> bool:
    """Whether a value is too odd to be in a request by chance."""
    return len(value) <= _LONGEST and _STRONG.fullmatch(value) is not None


@lru_cache(maxsize=65_536)
def is_plausible(value: str) -> bool:
    """Whether a value may be somebody's rather than a word, a version or an amount."""
    if is_strong(value):
        return True
    return len(value) <= _LONGEST and _WITH_DIGIT.fullmatch(value) is not None


@lru_cache(maxsize=65_536)
def kernel(value: str) -> bytes:
    """The longest part of a value that JSON, HTML and URLs all write as it is."""
    words: list[bytes] = _WORD.findall(value.encode(errors="replace"))
    return max(words, key=len, default=b"")
