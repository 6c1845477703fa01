"""How two answers to one request differ, place by place.

JSON is compared field by field, lists by a key of their elements or else by order; text
and HTML by what is left of them without markup and white space; anything else by its
bytes. A value that may differ by chance still has a type, a format and a sign.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from harness.compare.format import format_of, masked, words
from harness.compare.head import head_differences
from harness.model.link import json_path

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from harness.model.link import Content

__all__ = ["Difference", "differences", "start"]

_MOST: Final = 100
"""Places of one pair of answers that differ; further ones are not looked for."""
_VALUES: Final = 100_000
"""Of one pair of documents that are compared."""

_SHOWN: Final = 120
"""Characters of a value that is shown."""

_KEYS: Final = ("id", "uuid", "key", "number", "code", "slug", "sku", "name")
"""By one of them the elements of a list may be known again."""

_JSON: Final = re.compile(rb"\s*[\[{]")
_TEXT: Final = re.compile(r"text/|[/+](?:json|xml|javascript|x-www-form-urlencoded)\b")
_NEAR: Final = 20
"""Words before a number among which its label is looked for."""
_EVERY: Final = -1
_DRAWN: Final = frozenset({"UUID", "number", "token"})
"""Formats of names that are keys of a table: its rows are one place."""


class Difference(NamedTuple):
    """One place where two answers differ.

    Attributes:
        place: `header NAME`, `cookie NAME`, a JSON path with `[*]` for the elements of
            a list, or `body`.
        kind: how: `value`, `added`, `removed`, `order`, `type A → B`, ….
        before: what stands there in the first answer, shortened.
        after: in the second one.
    """

    place: str
    kind: str
    before: str = ""
    after: str = ""


def differences(before: Content, after: Content) -> tuple[Difference, ...]:
    """Where two answers of the same status differ, headers first, each place once.

    Args:
        before: headers and body, free of transfer and content codings.
        after: likewise.
    """
    found: dict[tuple[str, str], Difference] = {}
    heads = map(Difference._make, head_differences(before.headers, after.headers))
    for each in chain(heads, _of_bodies(before, after)):
        found.setdefault((each.place, each.kind), each)
        if len(found) == _MOST:
            break
    return tuple(Difference(*map(_whole, each)) for each in found.values())


def _whole(text: str) -> str:
    """The text without halves of characters, which JSON can name and no file holds."""
    return text.encode(errors="replace").decode()


def _of_bodies(before: Content, after: Content) -> Iterator[Difference]:
    if before.body == after.body:
        return
    (form, old), (other, new) = _read(before), _read(after)
    if form != other:
        kind = f"{form} → {other}"
        yield Difference("body", kind, start(before), start(after))
    elif form == "JSON":
        found = _of_values((), old, new)
        first = next(found, None)
        if first is not None:
            yield from (first, *found)
        elif any(map(_says_twice, (before.body, after.body))):
            yield Difference("body", "a name twice", start(before), start(after))
    elif form == "text":
        yield from _of_texts(old, new)
    else:
        sizes = (f"{len(each.body):,} bytes" for each in (before, after))
        yield Difference("body", "bytes", *sizes)


def _read(content: Content) -> tuple[str, Any]:
    """What form a body has, and what it says in that form."""
    body = content.body
    if not body:
        return "empty", None
    named = dict(content.headers).get("content-type", "")
    if "json" in named or _JSON.match(body):
        try:
            return "JSON", json.loads(body)
        except (ValueError, RecursionError):
            pass
    if not named or _TEXT.search(named):
        try:
            return "text", body.decode()
        except UnicodeDecodeError:
            pass
    return "binary", body


def start(content: Content) -> str:
    """Of what an answer says, as much as is shown."""
    return _short(content.body[: 4 * _SHOWN].decode(errors="replace"))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _of_texts(before: str, after: str) -> Iterator[Difference]:
    old, new = words(before), words(after)
    if old == new:
        return
    if [masked(each) for each in old] != [masked(each) for each in new]:
        pair = zip(old, new, strict=False)
        first = next((place for place, (a, b) in enumerate(pair) if a != b), 0)
        around = slice(max(0, first - 2), first + 8)
        shown = (_short(" ".join(each[around])) for each in (old, new))
        yield Difference("body", "text", *shown)
        return
    for at, (was, now) in enumerate(zip(old, new, strict=True)):
        if was != now:
            label = _label(old[max(0, at - _NEAR) : at])
            yield Difference(f"body{label}", "numbers", _short(was), _short(now))


def _label(words_before: Sequence[str]) -> str:
    """By which word a number in a text may be known again, the last that stays."""
    for each in reversed(words_before):
        if each[0].isalpha() and each == masked(each):
            return f" after {each[:_SHOWN]}"
    return ""


def _says_twice(body: bytes) -> bool:
    """Whether an object of a document has a name twice, and so two values for it."""
    twice = False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({name for name, _ in pairs}) < len(pairs)

    json.loads(body, object_pairs_hook=note)
    return twice


_Steps = tuple[str | int, ...]


def _of_values(steps: _Steps, before: Any, after: Any) -> Iterator[Difference]:
    """Of two JSON values, without recursion: documents may be nested deeply."""
    left = [(steps, before, after)]
    told = set[_Steps]()
    for _ in range(_VALUES):
        if not left:
            return
        steps, before, after = left.pop()
        if type(before) is not type(after):
            kind = f"type {_type(before)} → {_type(after)}"
            yield _at(steps, kind, before, after)
        elif isinstance(before, dict):
            yield from _of_objects(steps, before, after, left)
        elif isinstance(before, list):
            yield from _of_lists(steps, before, after, left)
        elif before != after and (before == before or after == after):  # noqa: PLR0124 - NaN is not
            yield from _of_leaves(steps, before, after, told)


def _of_leaves(
    steps: _Steps, before: Any, after: Any, told: set[_Steps]
) -> Iterator[Difference]:
    """Of two values of one type that are not the same."""
    if steps not in told:
        yield _at(steps, "value", before, after)
        told.add(steps)
    if (form := format_of(before)) != (other := format_of(after)):
        yield _at(steps, f"format {form} → {other}", before, after)


def _at(steps: _Steps, kind: str, before: Any, after: Any) -> Difference:
    return Difference(_path(steps), kind, _shown(before), _shown(after))


def _path(steps: _Steps) -> str:
    return json_path(steps).replace(f"[{_EVERY}]", "[*]")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"{_type(value)} of {len(value):,}"
    return _short(json.dumps(value, ensure_ascii=False))


_TYPES: Final[Mapping[type, str]] = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def _type(value: Any) -> str:
    return _TYPES[type(value)]


_Pairs = list[tuple[_Steps, Any, Any]]


def _of_objects(
    steps: _Steps, before: dict[str, Any], after: dict[str, Any], left: _Pairs
) -> Iterator[Difference]:
    for name, value in before.items():
        inside = (*steps, _step(name))
        if name not in after:
            yield Difference(_path(inside), "removed", _shown(value))
        else:
            left.append((inside, value, after[name]))
    for name, value in after.items():
        if name not in before:
            inside = (*steps, _step(name))
            yield Difference(_path(inside), "added", "", _shown(value))


@lru_cache(maxsize=65_536)
def _step(name: str) -> str | int:
    return _EVERY if format_of(name) in _DRAWN else name


def _of_lists(
    steps: _Steps, before: list[Any], after: list[Any], left: _Pairs
) -> Iterator[Difference]:
    inside = (*steps, _EVERY)
    old, new = _by_key(before, after)
    shared = [key for key in old if key in new]
    yield from _elements(inside, old, new)
    if shared != [key for key in new if key in old]:
        yield _at(steps, "order", before, after)
    left.extend((inside, old[key], new[key]) for key in shared)


def _elements(
    steps: _Steps, old: Mapping[Hashable, Any], new: Mapping[Hashable, Any]
) -> Iterator[Difference]:
    gone = next((value for key, value in old.items() if key not in new), None)
    more = next((value for key, value in new.items() if key not in old), None)
    sizes = f"{len(old):,} elements", f"{len(new):,} elements"
    if gone is not None:
        yield Difference(_path(steps), "removed", *sizes)
    if more is not None:
        yield Difference(_path(steps), "added", *sizes)


def _by_key(
    before: Sequence[Any], after: Sequence[Any]
) -> tuple[dict[Hashable, Any], dict[Hashable, Any]]:
    """The elements by a key that all have and none shares, else by place.

    Keys that were drawn anew, or counted on, are none to know an element by: those of
    the one list must be among those of the other.
    """
    if all(isinstance(each, dict) for each in (*before, *after)):
        for name in _KEYS:
            old, new = _keyed(before, name), _keyed(after, name)
            if old is None or new is None:
                continue
            if old.keys() <= new.keys() or new.keys() <= old.keys():
                return old, new
    return dict(enumerate(before)), dict(enumerate(after))


def _keyed(elements: Sequence[Any], name: str) -> dict[Hashable, Any] | None:
    keys = [each.get(name) for each in elements]
    if not all(isinstance(key, str | int) for key in keys):
        return None
    by_key: dict[Hashable, Any] = dict(zip(keys, elements, strict=True))
    return by_key if len(by_key) == len(elements) else None
