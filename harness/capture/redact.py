"""Exchanges → exchanges with pseudonyms, before anything is written.

What identifies a person or opens a door is found by its name, by its form or by the
user's rules (`secret`, `shape`), in whatever notation it is written (`notation`), and
becomes a keyed pseudonym of the same form (`pseudonym`): the same value the same one in
requests and answers, so sessions, caches and joins behave as recorded. All else stays
byte for byte.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote

from harness.capture.coding import coding_of, recoded
from harness.capture.escape import coded
from harness.capture.notation import body, plain, url
from harness.capture.pseudonym import Pseudonyms
from harness.capture.recall import remembered
from harness.capture.secret import COOKIE, DROPPED, NO_RULES, USER, Mask, Rules
from harness.capture.shape import (
    ADDRESS,
    CREDENTIAL,
    address_of,
)
from harness.model.traffic import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.capture.batch import Batch
    from harness.model.traffic import Request, Response
    from harness.store.coded import Coded

    Headers = tuple[tuple[str, str], ...]
    Kinds = tuple[str, ...]
    Rule = Callable[[Mask, str], str]

__all__ = ["Redactor", "body_bytes", "header"]

T = TypeVar("T")
Given = TypeVar("Given")
Written = TypeVar("Written")

_CACHED: Final = 8192
_UNREAD: Final = "sent without its body, which cannot be unpacked"

_ADDRESS: Final = re.compile(
    r"(?:[0-9a-f]*:){2,}[0-9a-f:.]*|\d{1,3}(?:\.\d{1,3}){3}", re.IGNORECASE
)
_CRUMB: Final = re.compile(r"(?<![^\s;,])([^\s;,=]+)=(?:\"[^\"]*\"|[^\s;,]*)")
_ATTRIBUTES: Final = frozenset(
    {"comment", "domain", "expires", "max-age", "path", "port", "priority", "samesite"}
    | {"version"}
)
_FIELDS: Final = re.compile(r"\w+=(?:\"|[^\s,]+,\s*\w+=)")
_FIELD: Final = re.compile(r"(\w+=\"?)([^\",]+)")


def _cookies(mask: Mask, value: str) -> str:
    return "; ".join(_cookie(mask, crumb.strip()) for crumb in value.split(";"))


def _set_cookie(mask: Mask, value: str) -> str:
    """Attributes such as `Path=/` are not secret; browsers join several cookies."""
    crumb, semicolon, rest = value.partition(";")
    rest = _CRUMB.sub(
        lambda found: (
            found[0] if found[1].lower() in _ATTRIBUTES else _cookie(mask, found[0])
        ),
        rest,
    )
    return f"{_cookie(mask, crumb)}{semicolon}{rest}"


def _cookie(mask: Mask, crumb: str) -> str:
    name, equals, value = crumb.partition("=")
    if not equals:
        name, value = "", name
    core = value.strip().strip('"')
    if not core or mask.spares(name, unquote(core)):
        return crumb
    hidden = _coded(core, partial(mask.put, COOKIE)) or core
    return f"{name}{equals}{value.replace(core, hidden, 1)}"


def _credentials(mask: Mask, value: str) -> str:
    scheme, space, secret = value.partition(" ")
    if not secret:
        return mask.put(CREDENTIAL, scheme)
    if scheme.lower() == "basic" and ":" in (pair := _unpacked(secret)):
        hidden = ":".join(mask.put(CREDENTIAL, part) for part in pair.split(":", 1))
        return f"{scheme}{space}{base64.b64encode(hidden.encode()).decode()}"
    if _FIELDS.match(secret):
        hidden = _FIELD.sub(
            lambda found: found[1] + mask.put(CREDENTIAL, found[2]), secret
        )
        return f"{scheme}{space}{hidden}"
    return f"{scheme}{space}{mask.put(CREDENTIAL, secret)}"


def _unpacked(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _addresses(mask: Mask, value: str) -> str:
    """Also those of this machine, which are nobody's elsewhere."""
    return _ADDRESS.sub(
        lambda found: mask.put(ADDRESS, found[0]) if address_of(found[0]) else found[0],
        value,
    )


def _person(mask: Mask, value: str) -> str:
    return mask.put(USER, value) if value else value


def _said(mask: Mask, value: str) -> str:
    return mask.said(value)


_HEADERS: Final[tuple[tuple[re.Pattern[str], Rule], ...]] = (
    (re.compile(r"(?:proxy-)?authorization|authentication"), _credentials),
    (re.compile(r"cookie2?"), _cookies),
    (re.compile(r"set-cookie2?"), _set_cookie),
    (re.compile(r"referer|(?:content-)?location|(?:.+-)?(?:url|uri)"), url),
    (
        re.compile(
            r"user-agent|sec-.+|server|via|x-powered-by|origin|(?:.+-)?(?:host|version)"
            r"|accept.*|content-(?!disposition).*|date|age|expires|etag|cache-control"
            r"|last-modified|if-.+|range|vary|alt-svc|strict-transport-security"
        ),
        _said,
    ),
    (
        re.compile(
            r"forwarded|(?:.+-)?(?:client-ip|connecting-ip|real-ip|forwarded-for"
            r"|external-address)"
        ),
        _addresses,
    ),
    (re.compile(r"from|(?:.+-)?(?:user|username|email)"), _person),
)
"""Names in lower case; the others go by `Mask` and by their value."""


@lru_cache(maxsize=_CACHED)
def _rule_for(name: str) -> Rule | None:
    return next((rule for names, rule in _HEADERS if names.fullmatch(name)), None)


def body_bytes(request: Request) -> int:
    """All that is large of a request, if anything is."""
    return len(request.body)


def _characters(field: tuple[str, str]) -> int:
    return len(field[1])


def header(mask: Mask, name: str, value: str) -> str:
    """A header's value as it may be written; the name in lower case."""
    rule = None if mask.rules_on(name) else _rule_for(name)
    if rule is not None:
        return rule(mask, value)
    hidden = _coded(value, partial(mask.under, name))
    return plain(mask, value) if hidden is None else hidden


def _coded(value: str, write: Callable[[str], str | None]) -> str | None:
    """Not in a form, a plus is a space only where there is percent-encoding too."""
    return coded(value, write) if "%" in value else write(value)


class Redactor:
    """Puts pseudonyms into exchanges, a batch at a time.

    Args:
        key: secret; the same key gives the same pseudonyms.
        rules: what to hide besides, to leave and to remove.
    """

    __slots__ = (
        "_client",
        "_counts",
        "_dropped",
        "_header",
        "_kinds",
        "_mask",
        "_pseudonyms",
        "_request",
        "_session",
    )

    def __init__(self, key: bytes, rules: Rules = NO_RULES) -> None:
        self._pseudonyms = Pseudonyms(key)
        self._dropped = rules.dropped
        self._mask = Mask(self._put, rules)
        self._counts: Counter[str] = Counter()
        self._kinds: list[str] = []
        self._client = remembered(self._masked_client, len)
        self._session = remembered(self._masked_session, len)
        self._header = remembered(self._masked_header, _characters)
        self._request = remembered(self._masked_request, body_bytes)

    def redact(self, batch: Batch) -> Batch:
        """The exchanges with pseudonyms for clients, sessions and secrets."""
        return replace(
            batch,
            clients=batch.clients.of_each(self._client),
            sessions=batch.sessions.of_each(self._session),
            requests=self._each(batch.requests, self._request),
            responses=self._each(batch.responses, self._response),
        )

    def _each(
        self, column: Coded[Given], write: Callable[[Given], tuple[Written, Kinds]]
    ) -> Coded[Written]:
        found = column.of_each(write)
        for (_, kinds), count in zip(found.values, found.counts(), strict=True):
            for kind in kinds:
                self._counts[kind] += count
        return found.of_each(itemgetter(0))

    def drops(self, name: str) -> bool:
        """Whether the rules remove that header, in lower case."""
        return name in self._dropped

    def redacted(self) -> tuple[Skipped, ...]:
        """How many values were hidden so far besides clients, by kind."""
        return tuple(
            Skipped(reason=kind, count=count)
            for kind, count in self._counts.most_common()
            if kind != _UNREAD
        )

    def adapted(self) -> tuple[Skipped, ...]:
        """How many requests so far lost their body, which might hide anything."""
        count = self._counts[_UNREAD]
        return (Skipped(reason=_UNREAD, count=count),) if count else ()

    def _put(self, kind: str, value: str) -> str:
        self._kinds.append(kind)
        return self._pseudonyms.of(value)

    def _noted(self, write: Callable[[], T]) -> tuple[T, Kinds]:
        """What is written, and the kinds of what was hidden meanwhile."""
        start = len(self._kinds)
        written = write()
        kinds = tuple(self._kinds[start:])
        del self._kinds[start:]
        return written, kinds

    def _masked_client(self, client: str) -> str:
        known = address_of(client) is not None
        return self._pseudonyms.of(client) if known else self._pseudonyms.label(client)

    def _masked_session(self, name: str) -> str:
        return name and self._pseudonyms.label(name)

    def _masked_header(self, field: tuple[str, str]) -> tuple[str, Kinds]:
        return self._noted(lambda: header(self._mask, *field))

    def _masked_request(self, request: Request) -> tuple[Request, Kinds]:
        return self._noted(lambda: self._written_request(request))

    def _written_request(self, request: Request) -> Request:
        """The same object where there is nothing to hide, as in most requests."""
        target = url(self._mask, request.target)
        headers = self._headers(request.headers)
        content = self._body(request.body, coding_of(request.headers))
        if content is None:
            self._kinds.append(_UNREAD)
        if (target, headers, content) == (
            request.target,
            request.headers,
            request.body,
        ):
            return request
        return replace(request, target=target, headers=headers, body=content or b"")

    def _response(self, response: Response | None) -> tuple[Response | None, Kinds]:
        if response is None or not (response.headers or response.body):
            return response, ()
        return self._noted(partial(self._masked_response, response))

    def _masked_response(self, response: Response) -> Response:
        return replace(
            response,
            headers=self._headers(response.headers),
            body=None if response.body is None else self._body(response.body),
        )

    def _body(self, content: bytes, coding: str = "") -> bytes | None:
        if not content:
            return content
        return recoded(content, coding, partial(body, self._mask))

    def _headers(self, headers: Headers) -> Headers:
        written = []
        for name, value in headers:
            if name in self._dropped:
                self._kinds.append(DROPPED)
                continue
            new, kinds = self._header((name, value))
            self._kinds += kinds
            written.append((name, new))
        return tuple(written)
