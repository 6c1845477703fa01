"""Where an answer has values that later requests may use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from harness.model.link import Content, Extract, json_path
from harness.planning.naming import named, noun_of_path, noun_of_segment, segments
from harness.planning.oddity import is_plausible, is_strong, kernel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from harness.model.link import Kind
    from harness.planning.naming import Name
    from harness.planning.place import Place

__all__ = ["Origin", "origins"]

_NO_SLOT: Final = -1
_MOST_VALUES: Final = 20_000
_MOST_PLACES: Final = 8
_FEW: Final = 64
_LONG_NUMBER: Final = 6
_ID: Final = named("id")
_WORD: Final = named("")
_URLS: Final = frozenset({"location", "content-location", "refresh"})
_STANDARD: Final = re.compile(
    r"accept-.+|access-control-.+|age|allow|alt-svc|cache-control|cf-.+|connection"
    r"|content-.+|cross-origin-.+|date|expires|keep-alive|nel|permissions-policy"
    r"|pragma|referrer-policy|report-to|retry-after|server|server-timing"
    r"|strict-transport-security|trailer|transfer-encoding|upgrade|vary|via"
    r"|x-content-type-options|x-frame-options|x-powered-by|x-runtime|x-xss-protection"
)
_FILE: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$|^v?\d+(?:\.\d+)+")
"""Names and versions of what a page is made of: a build's own, not a session's."""

_LEFT: Final = re.compile(r"[^\d\r\n]{0,40}$")
_LEFT_STEP: Final = 8
_SHORT: Final = 1 << 16
"""Bytes of a body up to which what it holds is remembered."""
_STOPS: Final = "\"'<>&;,\\"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A value in an answer.

    Attributes:
        extract: that finds it; its slot is to be set.
        name: of its field or header.
        noun: what it is of; empty if its place does not say.
    """

    extract: Extract
    name: Name
    noun: str

    @property
    def exact(self) -> bool:
        """Whether it has a place of its own, rather than surroundings in a text."""
        return self.extract.kind != "text"

    def gives(self, place: Place, context: str, *, creating: bool) -> int:
        """How likely a later request has its value from here; 0: it has not.

        Args:
            place: in that request, with the same value.
            context: what the path of the answered request is of.
            creating: whether that request may have made something new.
        """
        value, of = place.value, self.noun or context
        if is_strong(value):
            return 2 + self.exact
        if of and of == place.noun:
            return 2 if self.name.is_id or self._counts_nothing(value) else 0
        likely = creating or len(value) >= _LONG_NUMBER
        return int(self.name.is_id and place.is_id and likely and self._is_top)

    def _counts_nothing(self, value: str) -> bool:
        """As in `{"order": 7}`."""
        named = self.extract.kind == "json" and self.name.is_singular
        return named and value.isdigit()

    @property
    def _is_top(self) -> bool:
        """Whether it is the answer's own, not that of something within."""
        return self.extract.name.count(".") + self.extract.name.count("[") < 3  # noqa: PLR2004


def origins(content: Content, wanted: Collection[str]) -> Iterator[tuple[str, Origin]]:
    """Where an answer has the wanted values; of several places the best comes last."""
    for value, origin in _headers(content):
        if value in wanted:
            yield value, origin
    if _mentions(content.body, wanted):
        yield from _in_body(content, wanted)


def _in_body(content: Content, wanted: Collection[str]) -> Iterator[tuple[str, Origin]]:
    known = _of_body(content.body)
    for value in known.keys() & wanted:
        for origin in reversed(known[value]):
            yield value, origin
    for value in set(wanted) - known.keys() if len(wanted) <= _FEW else ():
        if (told := _of_text(content, value)) is not None:
            yield value, told


def _mentions(body: bytes, wanted: Collection[str]) -> bool:
    """Asked before a body is parsed; where too much is wanted it is not worth it."""
    return len(wanted) > _FEW or any(kernel(value) in body for value in wanted)


def _of_text(content: Content, value: str) -> Origin | None:
    """The value by what surrounds it in the body, if that is the first such place."""
    text = content.text
    if not is_strong(value) or _FILE.search(value) or (at := text.find(value)) < 0:
        return None
    before = _LEFT.search(text, max(0, at - 41), at)
    left = before[0] if before else ""
    behind = text[at + len(value) : at + len(value) + 1]
    stops = "".join(each for each in _STOPS + behind if each not in value)
    rest = rf"([^{re.escape(stops)}\s]+)"
    for length in range(_LEFT_STEP, len(left) + _LEFT_STEP, _LEFT_STEP):
        pattern = re.escape(left[-length:]) + rest
        extract = Extract(slot=_NO_SLOT, kind="text", pattern=pattern)
        if extract.find(content) == value:
            return Origin(extract=extract, name=_WORD, noun="")
    return None


def _grouped(found: Iterable[tuple[str, Origin]]) -> dict[str, list[Origin]]:
    """The plausible ones of the first so many values, each with its first places."""
    groups: dict[str, list[Origin]] = {}
    for value, origin in islice(found, _MOST_VALUES):
        if is_plausible(value):
            places = groups.setdefault(value, [])
            if len(places) < _MOST_PLACES:
                places.append(origin)
    return groups


def _of_body(body: bytes) -> dict[str, list[Origin]]:
    """Short ones are remembered: many answers of a recording are the same."""
    return _of_short(body) if len(body) <= _SHORT else _of_any(body)


def _of_any(body: bytes) -> dict[str, list[Origin]]:
    content = Content((), body)
    if content.document is not None:
        return _grouped(_leaves(content.document))
    if body.lstrip()[:1] == b"<":
        return _grouped(
            (value, _named("field", name)) for name, value in content.fields.items()
        )
    return {}


_of_short: Final = lru_cache(maxsize=256)(_of_any)


def _leaves(document: Any) -> Iterator[tuple[str, Origin]]:
    """Texts and whole numbers, the outer ones first."""
    level: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while level:
        deeper: list[tuple[tuple[str | int, ...], Any]] = []
        for steps, node in level:
            if isinstance(node, dict):
                deeper += [((*steps, key), each) for key, each in node.items()]
            elif isinstance(node, list):
                deeper += [((*steps, place), each) for place, each in enumerate(node)]
            elif isinstance(node, str | int) and not isinstance(node, bool):
                yield str(node), _leaf(steps)
        level = deeper


@lru_cache(maxsize=8192)
def _leaf(steps: tuple[str | int, ...]) -> Origin:
    names = [named(step) for step in steps if isinstance(step, str)]
    own = names[-1] if names else _WORD
    told = [name.noun for name in names if name.noun]
    noun = own.noun or (told[-1] if told else "")
    return _origin("json", json_path(steps), noun, own)


def _headers(content: Content) -> Iterator[tuple[str, Origin]]:
    for name, value in content.headers:
        if name in _URLS:
            for part, origin in _of_url(name, value):
                if origin.extract.find(content) == part:
                    yield part, origin
        elif name == "set-cookie":
            cookie, _, crumb = value.partition(";")[0].partition("=")
            yield crumb.strip(), _named("cookie", cookie.strip())
        elif not _is_standard(name):
            yield value, _named("header", name)


@lru_cache(maxsize=4096)
def _is_standard(header: str) -> bool:
    return _STANDARD.fullmatch(header) is not None


@lru_cache(maxsize=4096)
def _named(kind: Kind, name: str) -> Origin:
    return _origin(kind, name, named(name).noun, named(name))


_HOST: Final = re.compile(r"(?:[^/]*://[^/?#]*)?(?=/)")


def _of_url(header: str, url: str) -> Iterator[tuple[str, Origin]]:
    """What is in a URL is there to be used: as good as named an id."""
    host = _HOST.search(url)
    if host is None:
        return
    target = url[host.end() :].partition("#")[0]
    parts = segments(target)
    for number, part in enumerate(parts[1:]):
        pattern = rf"^(?:[^/?#]*//[^/?#]*)?/(?:[^/?#]*/){{{number}}}([^/?#]+)"
        noun = noun_of_segment(parts[number])
        name = _ID if is_plausible(part) else _WORD
        yield unquote(part), _origin("header", header, noun, name, pattern)
    for key, value in parse_qsl(target.partition("?")[2]):
        pattern = rf"[?&]{re.escape(key)}=([^&#]*)"
        noun = named(key).noun or noun_of_path(parts)
        yield value, _origin("header", header, noun, named(key), pattern)


def _origin(kind: Kind, where: str, noun: str, name: Name, pattern: str = "") -> Origin:
    extract = Extract(slot=_NO_SLOT, kind=kind, name=where, pattern=pattern)
    return Origin(extract=extract, name=name, noun=noun)
