"""What a recording still holds that is secret: redaction again, which only looks.

It has no key: a pseudonym is known by its form. What is a secret by its name counts
where it looks drawn at random, at least 12 characters of 3 bits each. What is one by
its form is also looked for in the text as a whole, whatever notation it seems to have.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from harness.capture.coding import coding_of, recoded
from harness.capture.notation import body, url
from harness.capture.pseudonym import is_pseudonym
from harness.capture.recall import remembered
from harness.capture.redact import body_bytes, header
from harness.capture.secret import NO_RULES, Mask
from harness.capture.shape import ADDRESS, CARD, PHONE, address_of, kind_of
from harness.model.route import Routes
from harness.store.recording import exchanges

if TYPE_CHECKING:
    from harness.model.traffic import Exchange, Recording, Request, Response

    Found = tuple[tuple[str, str, str], ...]

__all__ = ["Leftover", "leftovers"]

_SHOWN: Final = 2
_ID: Final = "0"
"""Takes a secret's place in a route, which is shown, and becomes `{id}` there."""
_GAP: Final = " "
"""Takes a secret's place where the scan looks again: it belongs to no secret."""
_OPAQUE: Final = re.compile(r"(?=\S*[A-Z\d])\S{12,}")
_BITS: Final = 3
_UNREADABLE: Final = "unreadable body"
_FORMS: Final = (CARD, PHONE)
"""Kinds that also a name tells, where a value of the form need not look drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Secrets of one kind in one place.

    Attributes:
        kind: in words, such as `e-mail`.
        route: of the requests.
        place: such as `target`, `cookie` or `answer body`.
        start: the first two characters of the first of them; never more.
        length: its length in characters.
        count: how many.
    """

    kind: str
    route: str
    place: str
    start: str
    length: int
    count: int


def leftovers(recording: Recording) -> tuple[Leftover, ...]:
    """What is left, the most frequent first; nothing where all is redacted."""
    routes = Routes(slugs=frozenset(recording.slugs))
    scan, hidden = _Scan(), Mask(lambda _kind, _value: _ID, NO_RULES)
    counts: Counter[tuple[str, str, str]] = Counter()
    first: dict[tuple[str, str, str], str] = {}
    for exchange in exchanges(recording):
        if found := scan.exchange(exchange):
            target = url(hidden, exchange.request.target)
            route = routes.of(exchange.request.method, target)
            for kind, place, value in found:
                counts[kind, route, place] += 1
                first.setdefault((kind, route, place), value)
    return tuple(
        Leftover(
            kind=kind,
            route=route,
            place=place,
            start=first[kind, route, place][:_SHOWN],
            length=len(first[kind, route, place]),
            count=count,
        )
        for (kind, route, place), count in counts.most_common()
    )


class _Scan:
    """Looks where redaction looks, and once more at what it would leave."""

    __slots__ = ("_found", "_mask", "_place", "_request")

    def __init__(self) -> None:
        self._mask = Mask(self._put, NO_RULES)
        self._place = ""
        self._found: list[tuple[str, str, str]] = []
        self._request = remembered(self._in_request, body_bytes)

    def exchange(self, exchange: Exchange) -> Found:
        """Kind, place and value of all that is secret."""
        found = self._in_client(exchange.client) + self._request(exchange.request)
        return found + (self._in_answer(exchange.response) if exchange.response else ())

    def _put(self, kind: str, value: str) -> str:
        known = kind_of(value)
        if not is_pseudonym(value) and (known or kind in _FORMS or _looks_drawn(value)):
            self._found.append((known or kind, self._place, value))
        return _GAP

    def _taken(self) -> Found:
        found, self._found = tuple(self._found), []
        return found

    def _in_client(self, client: str) -> Found:
        address = client.partition(" ")[0]
        left = address_of(address) and not is_pseudonym(address)
        return ((ADDRESS, "client", address),) if left else ()

    def _in_request(self, request: Request) -> Found:
        self._place = "target"
        self._look_again(url(self._mask, request.target))
        self._look("", request.headers)
        self._look_into(request.body, coding_of(request.headers))
        return self._taken()

    def _in_answer(self, response: Response) -> Found:
        self._look("answer ", response.headers)
        self._look_into(response.body or b"")
        return self._taken()

    def _look(self, way: str, headers: tuple[tuple[str, str], ...]) -> None:
        for name, value in headers:
            self._place = f"{way}{name}"
            self._look_again(header(self._mask, name, value))
        self._place = f"{way}body"

    def _look_into(self, content: bytes, coding: str = "") -> None:
        if content and recoded(content, coding, self._read) is None:
            self._found.append((_UNREADABLE, self._place, content.decode("latin-1")))

    def _read(self, content: bytes) -> bytes:
        written = body(self._mask, content)
        self._look_again(written.decode(errors="surrogateescape"))
        return content

    def _look_again(self, written: str) -> None:
        self._mask.said(unquote(written, errors="surrogateescape"))


def _looks_drawn(value: str) -> bool:
    if not _OPAQUE.fullmatch(value):
        return False
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares) >= _BITS
