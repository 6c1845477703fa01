r"""Apache and nginx access logs, common and combined: one grammar for both.

    [vhost:port] client ident user [17/May/2015:10:05:03 +0000] "GET /p HTTP/1.1" 200 5
    … and in combined: "referer" "user agent", then any further fields, not read

Both escape `"`, `\` and unprintable bytes in quoted fields as `\"`, `\\` and `\xhh`;
Apache also uses `\n`, `\t` and the like (mod_log_config; nginx `log_format`).

Apache logs the START of a request, nginx the moment after its last byte, in the same
words, so the reader cannot tell them apart and takes both as the start: in an nginx log
a request is late by its own duration. Both clocks tick once a second.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from harness.capture.answer import response_of
from harness.capture.clock import epoch_ns
from harness.capture.head import one_line, origin_form
from harness.capture.tally import MALFORMED, OTHER_HOST, UNUSABLE, WEBSOCKET
from harness.model.traffic import Exchange, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.capture.source import Source
    from harness.capture.tally import Tally
    from harness.model.traffic import Response

__all__ = ["read", "sniff"]

_QUOTED: Final = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_FIELDS: Final = (
    ("client, ident and user", r"(?:([\w.-]+):\d+ )?(\S+) (\S+) ([^\[]*?) "),
    ("[time]", r"\[([^\]]+)\] "),
    ('"request"', _QUOTED),
    ("status and size", r" (\d{3}|-) (\d+|-)"),
    ('"referer" and "user agent"', rf"(?: {_QUOTED} {_QUOTED}(?: .*)?)?\s*$"),
)
_LINE: Final = re.compile("".join(pattern for _, pattern in _FIELDS))
_REQUEST: Final = re.compile(r"([A-Z][A-Z_-]*) (\S+)(?: HTTP/(\d(?:\.\d)?))?")
_NEWER: Final = re.compile(r' HTTP/([23])(?:\.\d)?" ')
_SWITCHED: Final = "101"
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ESCAPED: Final[Mapping[str, str]] = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}
_SNIFFED_LINES: Final = 100
_CACHED: Final = 8192
_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, name in enumerate(
        (
            "Jan",
            "Feb",
            "Mar",
            "Apr",
            "May",
            "Jun",
            "Jul",
            "Aug",
            "Sep",
            "Oct",
            "Nov",
            "Dec",
        ),
        start=1,
    )
}
_TIME: Final = re.compile(
    r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"
)


def sniff(head: bytes) -> bool:
    """Whether one of the first hundred lines is of this format."""
    lines = head.decode("latin-1").split("\n")
    return any(map(_LINE.match, islice(lines, _SNIFFED_LINES)))


def read(
    sources: Sequence[Source], host: str | None, tally: Tally
) -> Iterator[Exchange]:
    """The exchanges in the order of the files, clients as `address` or `address user`.

    Args:
        sources: the files.
        host: keep only this virtual host, in lower case.
        tally: takes what is left out.
    """
    for source in sources:
        for number, line in enumerate(source.lines(), start=1):
            found = _exchange(line, host)
            if isinstance(found, Exchange):
                if newer := _NEWER.search(line):
                    tally.adapt(f"HTTP/{newer[1]}, replayed over HTTP/1.1")
                yield found
            elif not line.isspace():
                tally.skip(found[0], f"{source.name}:{number}", found[1])


def _exchange(line: str, host: str | None) -> Exchange | tuple[str, str]:
    """The exchange of a line, or the reason why there is none, and what is wrong."""
    match = _LINE.match(line)
    start_ns = _start_ns(match[5]) if match else None
    if match is None or start_ns is None:
        return MALFORMED, _fault(line)
    if match[7] == _SWITCHED:
        return WEBSOCKET, ""
    request = _request(match[6], match[9], match[10])
    if request is None:
        return UNUSABLE, "not an HTTP request"
    if host and (match[1] or "").lower() != host:
        return OTHER_HOST, (match[1] or "").lower()
    try:
        response = _response(match[7], match[8])
    except ValueError:
        return MALFORMED, "no answer has this size"
    return Exchange(
        start_ns=start_ns,
        client=_client(match[2], match[4]),
        request=request,
        response=response,
    )


def _fault(line: str) -> str:
    place = 0
    for name, pattern in _FIELDS:
        match = re.compile(pattern).match(line, place)
        if match is None:
            return f"expected {name} at column {place + 1}"
        place = match.end()
    return "not a time between the brackets"


@lru_cache(maxsize=_CACHED)
def _start_ns(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    day, _, year, hour, minute, second, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        moment = datetime(
            int(year),
            _MONTHS[match[2]],
            int(day),
            int(hour),
            int(minute),
            int(second),
            tzinfo=timezone(offset if sign == "+" else -offset),
        )
    except ValueError:
        return None
    return epoch_ns(moment)


@lru_cache(maxsize=_CACHED)
def _client(address: str, user: str) -> str:
    return address if user in {"-", '""'} else f"{address} {user}"


@lru_cache(maxsize=_CACHED)
def _response(status: str, size: str) -> Response | None:
    if status == "-":
        return None
    return response_of(int(status), 0 if size == "-" else int(size))


@lru_cache(maxsize=_CACHED)
def _request(line: str, referer: str | None, agent: str | None) -> Request | None:
    match = _REQUEST.fullmatch(_unescaped(line))
    target = origin_form(match[1], match[2]) if match else None
    if match is None or target is None:
        return None
    fields = (("referer", referer), ("user-agent", agent))
    return Request(
        method=match[1],
        target=target,
        headers=tuple(
            (name, one_line(_unescaped(value)))
            for name, value in fields
            if value and value != "-"
        ),
        keeps_alive=match[3] not in {"1.0", "0.9"},
    )


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        code, character = match.groups()
        return chr(int(code, 16)) if code else _ESCAPED.get(character, character)

    return _ESCAPE.sub(plain, text) if "\\" in text else text
