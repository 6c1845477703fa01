"""Texts in plain and back: percent-encoding, JSON escapes, entities.

Each takes a text and what writes its plain form anew; where that changes nothing, the
text stays byte for byte, otherwise it is encoded in its own way.
"""

from __future__ import annotations

import json
import re
from html import escape, unescape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "coded",
    "decoded",
    "encoded",
    "entities",
    "json_string",
    "json_text",
    "unescaped",
]

_DEEP: Final = 3
_SAFE: Final = "/:?#[]@!$&'()*+,;=~"
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_LITERAL_PLUS: Final = re.compile(r"@|%40|^\+\d")
_ESCAPED: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")


def coded(
    value: str, write: Callable[[str], str | None], depth: int = _DEEP
) -> str | None:
    """What is written for a value in plain, percent-encoded as often as it was."""
    inner = decoded(value)
    if depth and inner != value and _PERCENT.search(inner):
        new = coded(inner, write, depth - 1)
    else:
        new = write(inner)
    return None if new is None else encoded(value, inner, new)


def decoded(value: str) -> str:
    """Without percent-encoding; a plus is a space unless it cannot be meant as one."""
    if "%" not in value and "+" not in value:
        return value
    decode = unquote if _LITERAL_PLUS.search(value) else unquote_plus
    return decode(value, errors="surrogateescape")


def encoded(value: str, inner: str, new: str) -> str:
    """What was made of `inner`, which `value` said in its own encoding."""
    if new == inner:
        return value
    return new if inner == value else _quoted(new, "")


def _quoted(text: str, safe: str) -> str:
    try:
        return quote(text, safe, errors="surrogateescape")
    except UnicodeEncodeError:
        return quote(text, safe, errors="surrogatepass")


def json_string(literal: str, write: Callable[[str], str]) -> str:
    """A JSON string; its escapes are undone only to look.

    Not so in single quotes, as Python has them: there the value has them as they are.
    """
    value = json_text(literal)
    new = write(value)
    if new == value:
        return literal
    if literal[0] != '"':
        return f"{literal[0]}{new}{literal[0]}"
    return json.dumps(new, ensure_ascii="\\u" in literal)


def json_text(literal: str) -> str:
    """What a JSON string says; what is between its quotes where it is none."""
    if "\\" not in literal:
        return literal[1:-1]
    try:
        return str(json.loads(literal, strict=False))
    except json.JSONDecodeError:
        return literal[1:-1]


def entities(text: str, write: Callable[[str], str]) -> str:
    """Written in plain, with entities if it had any."""
    if "&" not in text:
        return write(text)
    inner = unescape(text)
    new = write(inner)
    return text if new == inner else escape(new)


def unescaped(word: str, write: Callable[[str], str]) -> str:
    """A word with escapes of any kind, written as JSON escapes or percent-encoded."""
    inner = unquote(word, errors="surrogateescape")
    inner = _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), inner)
    inner = unescape(inner)
    new = write(inner)
    if new == inner:
        return word
    return _quoted(new, _SAFE) if "%" in word else escape(json.dumps(new)[1:-1])
