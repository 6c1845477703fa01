"""Where a request has values that an earlier answer may have given."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, unquote_plus

from harness.model.link import Fill
from harness.planning.naming import named, noun_of_path, noun_of_segment, segments
from harness.planning.oddity import is_plausible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.model.link import Coding, Part
    from harness.model.traffic import Request

__all__ = ["Place", "places"]

_NO_SLOT: Final = -1
_SHORT: Final = 4096
"""Bytes of a body up to which it is remembered."""

_OWN_HEADERS: Final = re.compile(
    r"accept(-.+)?|access-control-.+|cache-control|connection|content-.+|cookie|date"
    r"|device-memory|dnt|downlink|dpr|ect|expect|forwarded|from|host|keep-alive"
    r"|max-forwards|origin|pragma|priority|range|referer|rtt|save-data|sec-.+|te"
    r"|trailer|transfer-encoding|upgrade(-.+)?|user-agent|via|x-forwarded-.+"
    r"|x-real-ip|x-requested-with"
)
"""Set by clients and proxies themselves."""

_JSON: Final = re.compile(r"[\ufeff\s]*[{\[]")
_TOKEN: Final = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")(?P<key>\s*:)?|(?P<number>-?\d[\d.eE+-]*)'
    r"|(?P<opens>[{\[])|(?P<closes>[}\]])",
    re.DOTALL,
)
_PART: Final = re.compile(
    r';\s*name="([^"]*)"(?![^\r\n]*filename)[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n'
    r"(.*?)(?=\r?\n--)",
    re.DOTALL,
)
_FORM: Final = re.compile(r"[^\s=&]+=\S*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A value in a request.

    Attributes:
        value: as it is meant, decoded.
        noun: what it may be of; empty if the place does not say.
        is_id: whether it is in a path or under the name of an identifier.
        fill: for a session's value instead; its slot is to be set.
    """

    value: str
    noun: str
    is_id: bool
    fill: Fill


def places(request: Request) -> tuple[Place, ...]:
    """The plausible values of a request in order, but those that clients make up."""
    in_body = _in_short_body if len(request.body) <= _SHORT else _in_body
    return (
        *_in_target(request.target),
        *_known(_headers(request)),
        *in_body(request.body),
    )


def _known(found: Iterable[Place | None]) -> tuple[Place, ...]:
    return tuple(each for each in found if each is not None)


@lru_cache(maxsize=16_384)
def _in_target(target: str) -> tuple[Place, ...]:
    return _known(_target(target))


def _in_body(body: bytes) -> tuple[Place, ...]:
    return _known(_body(body))


_in_short_body = lru_cache(maxsize=16_384)(_in_body)


def _target(target: str) -> Iterator[Place | None]:
    parts = segments(target)
    start, before = 0, ""
    for part in parts:
        end = start + len(part)
        if part:
            sense = noun_of_segment(before), True
            yield _place(unquote(part), sense, "target", (start, end))
        start, before = end + 1, part
    if start < len(target):
        yield from _pairs(target[start:], "target", start, noun_of_path(parts))


def _pairs(text: str, part: Part, start: int, context: str) -> Iterator[Place | None]:
    """Of a query or form that begins there."""
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        end = start + len(pair)
        if equals and (sense := _sense(unquote_plus(name), context)):
            span = end - len(value), end
            yield _place(unquote_plus(value), sense, part, span)
        start = end + 1


@lru_cache(maxsize=16_384)
def _sense(name: str, context: str) -> tuple[str, bool] | None:
    """What a name says of its values; `None`: they are nobody else's."""
    known = named(name)
    return None if known.is_arbitrary else (known.noun or context, known.is_id)


def _headers(request: Request) -> Iterator[Place | None]:
    for number, (name, value) in enumerate(request.headers):
        yield _header(number, name, value)


@lru_cache(maxsize=65_536)
def _header(number: int, name: str, value: str) -> Place | None:
    """Its value, or what follows the scheme of credentials."""
    if _is_own(name):
        return None
    scheme, space, secret = value.partition(" ")
    said = secret if space and name.endswith("authorization") else value
    if scheme.lower() == "basic" or not is_plausible(said):
        return None
    fill = Fill(
        slot=_NO_SLOT,
        part="header",
        header=number,
        start=len(value) - len(said),
        end=len(value),
        coding="plain",
    )
    known = named(name)
    return Place(value=said, noun=known.noun, is_id=known.is_id, fill=fill)


@lru_cache(maxsize=4096)
def _is_own(header: str) -> bool:
    return _OWN_HEADERS.fullmatch(header) is not None


def _body(body: bytes) -> Iterator[Place | None]:
    text = body.decode("latin-1")
    if _JSON.match(text):
        yield from _json(text)
    elif text.startswith("--"):
        for found in _PART.finditer(text):
            if sense := _sense(found[1], ""):
                yield _place(_utf8(found[2]), sense, "body", found.span(2), "text")
    elif _FORM.match(text):
        yield from _pairs(text, "body", 0, "")


def _json(text: str) -> Iterator[Place | None]:
    """A stack of what each open object or list is of, and the key that comes next."""
    above, name = [""], ""
    for token in _TOKEN.finditer(text):
        literal = token["text"] or token["number"]
        if token["key"]:
            name = _meant(token["text"])
        elif token["opens"]:
            above.append(named(name).noun or above[-1])
            name = ""
        elif token["closes"]:
            del above[max(1, len(above) - 1) :]
            name = ""
        elif literal and (sense := _sense(name, above[-1])):
            span = token.start(), token.start() + len(literal)
            coding: Coding = "string" if token["text"] else "number"
            yield _place(_meant(literal), sense, "body", span, coding)


def _meant(literal: str) -> str:
    try:
        return str(json.loads(_utf8(literal), strict=False))
    except ValueError:
        return ""


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode(errors="replace")


def _place(
    value: str,
    sense: tuple[str, bool],
    part: Part,
    span: tuple[int, int],
    coding: Coding = "percent",
) -> Place | None:
    if not is_plausible(value):
        return None
    (noun, is_id), (start, end) = sense, span
    fill = Fill(slot=_NO_SLOT, part=part, start=start, end=end, coding=coding)
    return Place(value=value, noun=noun, is_id=is_id, fill=fill)
