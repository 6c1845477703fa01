r"""Apache and nginx access logs, common and combined: one grammar for both.

    [vhost] client ident user [17/May/2015:10:05:03 +0000] "GET /p HTTP/1.1" 200 5
    … the host may have a port; in combined: "referer" "user agent"; then, as in the
    `main` of nginx, "X-Forwarded-For", which begins with the client; then any, not read

Of two addresses, as of X-Forwarded-For and a proxy, the first is the client's.

Both escape `"`, `\` and unprintable bytes in quoted fields as `\"`, `\\` and `\xhh`;
Apache also uses `\n`, `\t` and the like (mod_log_config; nginx `log_format`).

Apache logs the START of a request, nginx the moment after its last byte, in the same
words, so the reader cannot tell them apart and takes both as the start: in an nginx log
a request is late by its own duration. Both clocks tick once a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache, partial
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow.compute as pc

from harness.capture.answer import response_of
from harness.capture.batch import Batch
from harness.capture.clock import moments_ns, since_epoch
from harness.capture.column import Column, halves, lines_of
from harness.capture.container import bare, is_wrapped
from harness.capture.head import one_line
from harness.capture.host import is_meant
from harness.capture.recall import remembered
from harness.capture.requestline import (
    BODILESS,
    WITH_CONTENT,
    request_line,
    unescaped,
)
from harness.capture.tally import MALFORMED, OTHER_HOST, UNUSABLE, WEBSOCKET
from harness.model.traffic import Request
from harness.store.coded import coded, constant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from harness.capture.source import Source
    from harness.capture.tally import Tally
    from harness.model.traffic import Exchange, Response
    from harness.store.coded import Coded

    _Said = tuple[Request, Response | None, tuple[str, ...], str]
    _Told = tuple[str, str | None, str | None]
    _Row = tuple[int, str, _Said]

__all__ = ["read", "sniff"]

_QUOTED: Final = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_ADDRESS: Final = (
    r"(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-fA-F]{0,4}(?::[\da-fA-F]{0,4}){2,7})"
)
_HOST: Final = rf"((?!{_ADDRESS} )[\w.-]+(?::\d+|(?= {_ADDRESS} )))"
_FIELDS: Final = (
    (
        "client, ident and user",
        rf"(?:{_HOST} )?(\S+) (?:{_ADDRESS} )?(\S+) ([^\[]*?) ",
    ),
    ("[time]", r"\[([^\]]+)\] "),
    ('"request"', _QUOTED),
    ("status and size", r" (\d{3}|-) (\d+|-)"),
    (
        '"referer" and "user agent"',
        rf'(?: {_QUOTED} {_QUOTED}(?: "({_ADDRESS})(?:, ?[^"]*)?")?(?: .*)?)?\s*$',
    ),
)
_LINE: Final = re.compile("".join(pattern for _, pattern in _FIELDS), re.ASCII)
_SENDER: Final = re.compile(_FIELDS[0][1].removesuffix(" "), re.ASCII)
_REST: Final = re.compile("".join(pattern for _, pattern in _FIELDS[2:])[1:], re.ASCII)
_SWITCHED: Final = "101"
_SNIFFED_LINES: Final = 100
_CACHED: Final = 16_384
_BLOCK_BYTES: Final = 8 << 20
_LEFT_OUT: Final = 2
_DAY_S: Final = 86_400
_EPOCH: Final = date(1970, 1, 1).toordinal()
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
_MINUTE: Final = re.compile(
    r"([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9]{2}):([0-9]{2})"
)
_ZONE: Final = re.compile(r" ([+-])([0-9]{2})([0-9]{2})")


def sniff(head: bytes) -> bool:
    """Whether one of the first hundred lines is of this format."""
    lines = head.decode("latin-1").split("\n")
    return any(map(_LINE.match, map(bare, islice(lines, _SNIFFED_LINES))))


def read(
    sources: Sequence[Source], host: str | None, tally: Tally
) -> Iterator[Exchange]:
    """The exchanges in the order of the files, clients as `address` or `address user`.

    Args:
        sources: the files.
        host: keep only this virtual host, in lower case.
        tally: takes what is left out.
    """
    for batch in batches(sources, host, tally):
        yield from batch.exchanges()


def batches(
    sources: Sequence[Source],
    host: str | None,
    tally: Tally,
    block_bytes: int = _BLOCK_BYTES,
) -> Iterator[Batch]:
    """The same in batches, each of about so many bytes of the log."""
    for source in sources:
        first = 1
        for block in source.blocks(block_bytes):
            lines = lines_of(block)
            parts = _parts(lines, host)
            for row, reason, why in _left_out(lines, parts, host):
                tally.skip(reason, f"{source.name}:{first + row}", why)
            first += len(lines)
            batch = _batch(parts, tally)
            if len(batch):
                yield batch


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of some lines, as far as they are plain to see.

    None of them can end elsewhere: the time has no `]` in it, and what is before it no
    ` [`.

    Attributes:
        starts_ns: -1 where the time cannot be read.
        clients: who sent each, as the server saw it.
        said: what is behind the time: request, answer, how it was adapted, and the
            address of the client before the proxies where that is logged.
    """

    starts_ns: NDArray[np.int64]
    clients: Column[str]
    said: Column[_Said]

    def known(self) -> NDArray[np.bool_]:
        """Of which lines all parts can be read."""
        known: NDArray[np.bool_] = (
            (self.starts_ns >= 0) & self.clients.known() & self.said.known()
        )
        return known


def _parts(lines: pa.LargeBinaryArray, host: str | None) -> _Parts:
    head, rest = halves(lines, b'] "')
    who, when = halves(head, b" [")
    return _Parts(
        _starts_ns(when), Column(who, partial(_sender, host)), Column(rest, _said)
    )


def _left_out(
    lines: pa.LargeBinaryArray, parts: _Parts, host: str | None
) -> Iterator[tuple[int, str, str]]:
    """Rows that are none, with why, once all that are not plain are read as a whole."""
    for row in np.flatnonzero(~parts.known()).tolist():
        line = lines[row].as_py().decode("latin-1")
        found = _row(line, host)
        if len(found) == _LEFT_OUT:
            if not line.isspace():
                yield row, *found
            continue
        parts.starts_ns[row], client, said = found
        parts.clients.put(row, client)
        parts.said.put(row, said)


def _batch(parts: _Parts, tally: Tally) -> Batch:
    rows = np.flatnonzero(parts.known())
    said = parts.said.coded(rows)
    for (_, _, adapted, _), count in zip(said.values, said.counts(), strict=True):
        for how in adapted:
            tally.adapt(how, count)
    return Batch(
        starts_ns=parts.starts_ns[rows],
        clients=_clients(parts.clients.coded(rows), said.of_each(itemgetter(3))),
        sessions=constant("", len(rows)),
        requests=said.of_each(lambda each: each[0]),
        responses=said.of_each(lambda each: each[1]),
    )


def _clients(seen: Coded[str], forwarded: Coded[str]) -> Coded[str]:
    if not any(forwarded.values):
        return seen
    pairs = zip(seen, forwarded, strict=True)
    return coded(
        [_client(first, _user(client)) if first else client for client, first in pairs]
    )


def _user(client: str) -> str:
    return client.partition(" ")[2] or "-"


def _row(line: str, host: str | None) -> _Row | tuple[str, str]:
    """The row of any line, or the reason why there is none, and what is wrong."""
    line = bare(line)
    match = _LINE.match(line)
    start_ns = _start_ns(match[5]) if match else None
    if match is None or start_ns is None:
        return MALFORMED, _fault(line)
    if match[7] == _SWITCHED:
        return WEBSOCKET, ""
    asked = _asked((match[6], match[9], match[10]))
    if asked is None:
        return UNUSABLE, "not an HTTP request"
    named = (match[1] or "").lower()
    if host and not is_meant(host, named):
        return OTHER_HOST, named
    try:
        response = _response(match[7], match[8])
    except ValueError:
        return MALFORMED, "no answer has this size"
    client = _client(match[2], match[4])
    return start_ns, client, (asked[0], response, asked[1], match[11] or "")


@lru_cache(maxsize=_CACHED)
def _sender(host: str | None, text: str) -> str | None:
    """The client of a line for that virtual host."""
    match = None if is_wrapped(text) else _SENDER.fullmatch(text)
    if match is None or (host and not is_meant(host, (match[1] or "").lower())):
        return None
    return _client(match[2], match[4])


def _behind(text: str) -> _Said | None:
    """What is behind the time, as `_row` has it; `None` where it is left out."""
    match = _REST.match(text)
    asked = _asked((match[1], match[4], match[5])) if match else None
    if match is None or asked is None or match[2] == _SWITCHED:
        return None
    try:
        return asked[0], _response(match[2], match[3]), asked[1], match[6] or ""
    except ValueError:
        return None


_said: Final = remembered(_behind, len)


def _fault(line: str) -> str:
    place = 0
    for name, pattern in _FIELDS:
        match = re.compile(pattern, re.ASCII).match(line, place)
        if match is None:
            return f"expected {name} at column {place + 1}"
        place = match.end()
    return "not a time between the brackets"


def _starts_ns(times: pa.LargeBinaryArray) -> NDArray[np.int64]:
    """The moments of many times; -1 where there is none."""
    minutes, seconds, zones = (
        Column(pc.binary_slice(times, part.start, part.stop), read)
        for part, read in _PARTS_OF_TIME
    )
    known = minutes.known() & seconds.known() & zones.known()
    since_s = minutes.filled(0) + seconds.filled(0) - zones.filled(0)
    return moments_ns(np.where(known, since_s, -1))


def _start_ns(time: str) -> int | None:
    minute_s, second_s, ahead_s = (read(time[part]) for part, read in _PARTS_OF_TIME)
    if minute_s is None or second_s is None or ahead_s is None:
        return None
    return since_epoch((minute_s + second_s - ahead_s) * 1_000_000_000)


@lru_cache(maxsize=_CACHED)
def _minute_s(text: str) -> int | None:
    """Seconds from 1970 to this minute, both in its own time zone."""
    match = _MINUTE.fullmatch(text)
    if match is None:
        return None
    day, year, hour, minute = map(int, match.group(1, 3, 4, 5))
    try:
        time(hour, minute)
        days = date(year, _MONTHS.get(match[2], 0), day).toordinal() - _EPOCH
    except ValueError:
        return None
    return days * _DAY_S + (hour * 60 + minute) * 60


@lru_cache(maxsize=_CACHED)
def _ahead_s(text: str) -> int | None:
    """Seconds by which a time zone is ahead of UTC, less than a day."""
    match = _ZONE.fullmatch(text)
    if match is None:
        return None
    ahead_s = (int(match[2]) * 60 + int(match[3])) * 60
    if ahead_s >= _DAY_S:
        return None
    return ahead_s if match[1] == "+" else -ahead_s


_PARTS_OF_TIME: Final = (
    (slice(0, 17), _minute_s),
    (slice(17, 20), {f":{second:02}": second for second in range(60)}.get),
    (slice(20, 27), _ahead_s),
)
"""Minute, second and time zone: where each stands in a time, and what it means.

The last goes a byte too far, so that nothing can follow it.
"""


@lru_cache(maxsize=_CACHED)
def _client(address: str, user: str) -> str:
    return address if user in {"-", '""'} else f"{address} {user}"


@lru_cache(maxsize=_CACHED)
def _response(status: str, size: str) -> Response | None:
    if status == "-":
        return None
    return response_of(int(status), 0 if size == "-" else int(size))


def _request(told: _Told) -> tuple[Request, tuple[str, ...]] | None:
    """The request of a line, and how it was adapted."""
    text, referer, agent = told
    line = request_line(unescaped(text))
    if line is None:
        return None
    fields = (("host", line.host), ("referer", referer), ("user-agent", agent))
    request = Request(
        method=line.method,
        target=line.target,
        headers=tuple(
            (name, one_line(unescaped(value)))
            for name, value in fields
            if value and value != "-"
        ),
        keeps_alive=line.version not in {"1.0", "0.9"},
    )
    lacks_body = line.method in WITH_CONTENT
    return request, (*line.adapted, *([BODILESS] if lacks_body else ()))


def _length(told: _Told) -> int:
    return sum(map(len, filter(None, told)))


_asked: Final = remembered(_request, _length)
