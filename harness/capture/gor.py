"""GoReplay captures: requests, and their answers where those were tracked.

Format: `gorfile`. Requests and answers are paired by id, in their order where an id
comes several times; a message has been written when it was complete, so either may come
first.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from harness.capture.answer import KEPT_BYTES, response_of
from harness.capture.coding import plain
from harness.capture.gorfile import captures, records, sniff
from harness.capture.head import end_to_end, keeps_alive, origin_form
from harness.capture.host import is_meant
from harness.capture.message import message_of
from harness.capture.tally import (
    MALFORMED,
    OTHER_HOST,
    TRUNCATED,
    UNUSABLE,
    WEBSOCKET,
    Tally,
)
from harness.model.traffic import Exchange, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.capture.gorfile import Record
    from harness.capture.message import Message
    from harness.capture.source import Source
    from harness.model.traffic import Response

__all__ = ["read", "sniff"]

_REQUEST: Final = re.compile(r"([A-Z][A-Z_-]*) (\S+) HTTP/(1\.\d)", re.ASCII)
_STATUS: Final = re.compile(r"HTTP/1\.\d ([1-9]\d\d)(?: .*)?")
_FINAL: Final = 200
_SWITCHED: Final = 101
_BODILESS: Final = frozenset({204, 304})
_ANSWER: Final = 2
_REPLAYED: Final = 3
_WAITING_BYTES: Final = 32 << 20
_WAITING_COST: Final = 512
_SURVEYED: Final = 10_000
_NEARLY_ALL: Final = 0.95
_AT_ONCE_NS: Final = 100_000
_CONNECTION_ID: Final = re.compile("[0-9a-f]{24}")
_FORWARDED: Final = ("x-forwarded-for", "x-real-ip")


@dataclass(frozen=True, slots=True)
class _Survey:
    """What the first records say about all of them.

    Attributes:
        connections: whether an id begins with the ports and the address of a
            connection: then nearly all have the same port of the service.
        latencies: whether answers start later than their requests; some versions
            write the same time into both.
    """

    connections: bool
    latencies: bool


def read(
    sources: Sequence[Source], host: str | None, tally: Tally
) -> Iterator[Exchange]:
    """The exchanges in the order in which they were complete.

    The client is the first of `X-Forwarded-For`, `X-Real-IP` or else the connection,
    where the ids tell it.

    Args:
        sources: the files; the first records are read twice.
        host: keep only requests with this `Host`, in lower case.
        tally: takes what is left out.
    """
    found = captures(sources)
    survey = _surveyed(found)
    for capture in found:
        written = chain.from_iterable(records(source, tally) for source in capture)
        for request, answer in _paired(_recorded(written, tally)):
            if request is None:
                assert answer is not None
                tally.skip("answer without its request", answer.place, "")
                continue
            exchange = _exchange(request, answer, survey, host)
            if isinstance(exchange, Exchange):
                if answer and exchange.response is None:
                    tally.adapt("an answer that cannot be read was left out")
                elif answer and not survey.latencies:
                    tally.adapt("a latency of nothing was left out")
                yield exchange
            else:
                tally.skip(exchange[0], request.place, exchange[1])


def _surveyed(found: Sequence[Sequence[Source]]) -> _Survey:
    ports: Counter[str] = Counter()
    starts_ns: dict[str, int] = {}
    gaps_ns: list[int] = []
    sources = chain.from_iterable(found)
    written = chain.from_iterable(records(source, Tally()) for source in sources)
    for record in islice(written, _SURVEYED):
        if record.kind == 1:
            has_port = _CONNECTION_ID.fullmatch(record.name)
            ports[record.name[4:8] if has_port else ""] += 1
            starts_ns[record.name] = record.start_ns
        elif record.kind == _ANSWER and record.name in starts_ns:
            gaps_ns.append(record.start_ns - starts_ns[record.name])
    [(port, most)] = ports.most_common(1) or [("", 0)]
    return _Survey(
        connections=bool(port) and most >= _NEARLY_ALL * ports.total(),
        latencies=bool(gaps_ns) and statistics.median(gaps_ns) > _AT_ONCE_NS,
    )


def _recorded(written: Iterable[Record], tally: Tally) -> Iterator[Record]:
    """Without the answers to a replay."""
    for record in written:
        if record.kind == _REPLAYED:
            tally.skip("answer to a replay", record.place, "")
        else:
            yield record


def _paired(
    written: Iterable[Record],
) -> Iterator[tuple[Record | None, Record | None]]:
    """Requests with their answers; what waits for longest gives up for want of room."""
    waiting: OrderedDict[str, deque[Record]] = OrderedDict()
    held = 0
    for record in written:
        queue = waiting.setdefault(record.name, deque())
        if queue and queue[0].kind != record.kind:
            other = _taken(waiting, record.name)
            held -= _cost(other)
            yield (record, other) if record.kind == 1 else (other, record)
            continue
        queue.append(record)
        held += _cost(record)
        while held > _WAITING_BYTES:
            alone = _taken(waiting, next(iter(waiting)))
            held -= _cost(alone)
            yield _unpaired(alone)
    while waiting:
        yield _unpaired(_taken(waiting, next(iter(waiting))))


def _taken(waiting: dict[str, deque[Record]], name: str) -> Record:
    queue = waiting[name]
    record = queue.popleft()
    if not queue:
        del waiting[name]
    return record


def _cost(record: Record) -> int:
    return len(record.data) + _WAITING_COST


def _unpaired(record: Record) -> tuple[Record | None, Record | None]:
    return (record, None) if record.kind == 1 else (None, record)


def _exchange(
    record: Record, answer: Record | None, survey: _Survey, host: str | None
) -> Exchange | tuple[str, str]:
    """The exchange of a pair, or the reason why there is none, and what is wrong."""
    try:
        message = message_of(record.data)
    except ValueError as exc:
        return MALFORMED, str(exc)
    line = _REQUEST.fullmatch(message.start)
    target = origin_form(line[1], line[2]) if line else None
    if line is None or target is None:
        return UNUSABLE, "not an HTTP/1 request"
    headers = tuple(end_to_end(message.headers))
    if obstacle := _obstacle(message, headers, host):
        return obstacle
    response = _response(answer, record, line[1], survey) if answer else None
    if response and response.status == _SWITCHED:
        return WEBSOCKET, ""
    return Exchange(
        start_ns=record.start_ns,
        client=_client(record, headers, survey),
        request=Request(
            method=line[1],
            target=target,
            headers=headers,
            body=message.body if message.framed else b"",
            keeps_alive=keeps_alive(headers, by_default=line[3] != "1.0"),
        ),
        response=response,
    )


def _obstacle(
    message: Message, headers: tuple[tuple[str, str], ...], host: str | None
) -> tuple[str, str] | None:
    """Why a request is left out: the first that applies, with its reason."""
    to = dict(headers).get("host", "").lower()
    upgrades = "websocket" in ",".join(message.values("upgrade")).lower()
    followed = message.followed or (not message.framed and message.body.strip())
    obstacles = (
        (message.missing, TRUNCATED, f"{message.missing} is missing"),
        (followed, MALFORMED, "more follows behind its end: is a separator missing?"),
        (upgrades, WEBSOCKET, ""),
        (host and not is_meant(host, to), OTHER_HOST, to),
    )
    return next(((reason, why) for hit, reason, why in obstacles if hit), None)


def _client(
    record: Record, headers: tuple[tuple[str, str], ...], survey: _Survey
) -> str:
    values = dict(reversed(headers))
    for name in _FORWARDED:
        if first := values.get(name, "").partition(",")[0].strip():
            return first
    return f"connection {record.name[:16]}" if survey.connections else ""


def _response(
    answer: Record, request: Record, method: str, survey: _Survey
) -> Response | None:
    """What came back; `None` where it is not HTTP, or its numbers are absurd."""
    try:
        status, message = _final(answer.data)
        bodiless = method == "HEAD" or status in _BODILESS
        passed_ns = answer.start_ns + answer.transfer_ns - request.start_ns
        return response_of(
            status,
            0 if bodiless else _size(message),
            passed_ns if survey.latencies and passed_ns > 0 else None,
            headers=tuple(end_to_end(message.headers)),
            body=b"" if bodiless else _content(message),
        )
    except ValueError:
        return None


def _final(data: bytes) -> tuple[int, Message]:
    """The answer behind those that only announce it, and its status."""
    status = 0
    while status < _FINAL and status != _SWITCHED:
        message = message_of(data)
        line = _STATUS.fullmatch(message.start)
        if line is None:
            raise ValueError("not an answer of HTTP/1")
        data, status = message.body, int(line[1])
    return status, message


def _size(message: Message) -> int | None:
    if not message.missing:
        return len(message.body)
    return next(map(int, message.values("content-length")), None)


def _content(message: Message) -> bytes | None:
    coding = ",".join(message.values("content-encoding"))
    return None if message.missing else plain(message.body, coding, KEPT_BYTES)
