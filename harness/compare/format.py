"""What stays the same of a value that differs by chance: its format."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["format_of", "masked", "words"]

_TOKEN: Final = "token"
_FORMATS: Final = tuple(
    (name, re.compile(pattern, re.ASCII))
    for name, pattern in (
        ("empty", r""),
        ("UUID", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
        (
            "date",
            r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?[.,\d]*(?:Z|[+-][\d:]{4,5})?)?",
        ),
        ("number", r"[+-]?\d+(?:\.\d+)?"),
        ("e-mail", r"[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+"),
        ("URL", r"(?:https?:/)?/\S*"),
        (_TOKEN, r"[\w.~+/=-]{16,}"),
        ("word", r"\S+"),
    )
)
"""The first that fits the whole of a string; of what has white space, none. A token is
drawn by chance, too: words that are joined look like it otherwise."""

_LONG: Final = 1_000
"""Characters from which on a string is a text, whatever it looks like."""
_PARTS: Final = re.compile(r"[^\s<>]+|<[^<>]*>|[<>]")
_VARYING: Final = re.compile(r"[\w-]{16,}|\d+(?:[.,:]\d+)*", re.ASCII)
_DIGIT: Final = re.compile(r"\d", re.ASCII)
_LETTER: Final = re.compile(r"[A-Za-z]")
_TURN: Final = re.compile(r"[a-z](?=[A-Z])|[A-Z](?=[A-Z][a-z])")
_LETTERS_A_TURN: Final = 4
"""From one word to the next by their case: 5 letters in `getElementsByTagName`, 2.8
where each letter is drawn by itself."""


def format_of(value: Any) -> str:
    """Of a string the first of the table, of a number its sign, else its text."""
    if isinstance(value, str):
        if len(value) > _LONG:
            return "text"
        fits = (name for name, pattern in _FORMATS if pattern.fullmatch(value))
        drawn = (name for name in fits if name != _TOKEN or _is_drawn(value))
        return next(drawn, "text")
    if isinstance(value, bool) or value is None:
        return ""
    return "positive" if value > 0 else "negative" if value < 0 else "zero"


def masked(text: str) -> str:
    """The text without what varies by itself: numbers, dates, tokens, UUIDs."""
    return _VARYING.sub(_mark, text)


def _mark(found: re.Match[str]) -> str:
    return "#" if _is_drawn(found[0]) else found[0]


def _is_drawn(text: str) -> bool:
    """Whether it is drawn by chance, not a word: a token may have no digit."""
    if _DIGIT.search(text):
        return True
    letters, turns = (len(each.findall(text)) for each in (_LETTER, _TURN))
    return letters < _LETTERS_A_TURN * turns


def words(text: str) -> list[str]:
    """What a text says: tags and words, without the white space between them."""
    return _PARTS.findall(text)
