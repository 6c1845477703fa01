"""What a name says of its values: `order_id` and `/orders/…` both name an order."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["Name", "named", "noun_of_path", "noun_of_segment", "segments", "singular"]

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD: Final = re.compile(r"[a-z]+")
_DIGIT: Final = re.compile(r"\d")
_IDS: Final = re.compile(
    r"code|cursor|guid|handle|hash|ids?|ident|key|nr|no|num|number|pk|ref|reference"
    r"|sku|slug|token|uid|uuids?"
)
_WRAPPERS: Final = re.compile(
    r"attributes|content|data|entity|items?|node|object|payload|record|resource"
    r"|response|results?|value"
)
"""Keys of JSON that say nothing of what is in them."""

_ARBITRARY: Final = re.compile(
    r"amount|charset|count|currency|dir(ection)?|encoding|format|lang(uage)?|limit"
    r"|locale|offset|order_by|page(_size)?|pass(phrase|word|wd)|per_page|price|pwd|qty"
    r"|quantity|redirect(_to|_ur[il])?|return(_to|_url)|size|sort(_by|_order)?"
    r"|timezone|total|tz|version"
)
"""Names of values that a person or a program chose, whatever they look like."""


class Name:
    """A name of a field, header or parameter.

    Attributes:
        is_id: whether it names an identifier, such as `orderId`.
        noun: what of, in the singular and in lower case; empty if it does not say.
        is_singular: whether its own noun is none in the plural.
        is_arbitrary: whether its values are never those of an earlier answer.
    """

    __slots__ = ("is_arbitrary", "is_id", "is_singular", "noun")

    def __init__(self, name: str) -> None:
        words: list[str] = _WORD.findall(_HUMP.sub("_", name).lower())
        self.is_arbitrary = _ARBITRARY.fullmatch("_".join(words)) is not None
        self.is_id = bool(words) and _IDS.fullmatch(words[-1]) is not None
        told = words[:-1] if self.is_id else words
        speaks = told and not _WRAPPERS.fullmatch(told[-1])
        self.noun = singular(told[-1]) if speaks else ""
        self.is_singular = bool(told) and told[-1] == self.noun


@lru_cache(maxsize=4096)
def singular(word: str) -> str:
    """`orders` → `order`, `categories` → `category`; good enough for English."""
    if word.endswith("ies") and len(word) > len("pies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def segments(target: str) -> list[str]:
    """Of the path of a target, as they are written; the first is empty."""
    return target.partition("?")[0].split("/")


def noun_of_path(parts: list[str]) -> str:
    """What a path is of: its last segment that is a word, in the singular."""
    return next(filter(None, map(noun_of_segment, reversed(parts))), "")


@lru_cache(maxsize=16_384)
def noun_of_segment(part: str) -> str:
    """Of `orders` an order, of `81723` nothing."""
    words: list[str] = _WORD.findall(_HUMP.sub("_", part).lower())
    return singular(words[-1]) if words and not _DIGIT.search(part) else ""


@lru_cache(maxsize=16_384)
def named(name: str) -> Name:
    """What a name says."""
    return Name(name)
