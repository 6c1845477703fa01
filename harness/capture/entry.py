"""What an entry of a log says, by its meaning, becomes an exchange.

Every reader of lines translates its own names into these meanings; the rest is here.

    start, end      Moment: the request came; the entry was written after its answer
    duration_s, duration_ms, duration_us, duration_ns
    request         "GET /p HTTP/1.1", or its parts: method, uri (or path and query),
                    protocol; an absolute uri names the host too
    host            client, client_port (an address with its port), user, session
    header:NAME     of the request; cookie:NAME; headers (pairs, all of them); body
    status, size    of the answer and its content; log_size, where `-` is 0
    answer:NAME     a header of the answer; answer_headers, answer_body
    received        bytes of the request's content
    flags           Envoy's, on what went wrong
    edge            present where the service was not asked; says who answered
    proxy           present where the service was asked, but did not answer
    kind            of connection, such as `wss`

An absent value is left out, never `-`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from harness.capture.answer import response_of
from harness.capture.head import end_to_end, keeps_alive, one_line
from harness.capture.headerfield import is_grpc
from harness.capture.host import is_meant
from harness.capture.requestline import BODILESS, WITH_CONTENT, asked, request_line
from harness.capture.tally import (
    EDGE,
    GRPC,
    MALFORMED,
    OTHER_HOST,
    UNUSABLE,
    WEBSOCKET,
    LeftOut,
)
from harness.capture.timeformat import count_ns
from harness.model.traffic import Exchange, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.capture.requestline import Asked
    from harness.capture.tally import Tally
    from harness.capture.timeformat import Moment
    from harness.model.traffic import Response

    Said = Mapping[str, Any]
    Fields = tuple[tuple[str, str], ...]

__all__ = ["exchange_of", "named"]

_SECOND_NS: Final = 1_000_000_000
_UNITS: Final[Mapping[str, int]] = {
    "duration_ns": 1,
    "duration_us": 1_000,
    "duration_ms": 1_000_000,
    "duration_s": _SECOND_NS,
}
"""The finest first, which is taken where a log has several."""
_DIGITS: Final = re.compile(r"\d{1,18}(?:\.0*)?")
_PORT: Final = re.compile(r":\d+$")
_SWITCHED: Final = 101
_OLD_VERSIONS: Final = frozenset({"1.0", "0.9"})
_NOT_FOR_THE_SERVICE: Final = frozenset({"DPE", "FI", "IH", "NR", "RL", "RLSE", "UAEX"})
_OF_THE_SERVICE: Final = frozenset({"DC", "DI", "URX"})
"""Flags beside which the answer is still the service's own."""
_LATE: Final = "times of the log's writing taken as starts: no duration is logged"
_PROXY: Final = "answered by the proxy, not by the service; no answer recorded"
_HIDDEN: Final = "sent without credentials, which the log hides"
_REDACTED: Final = "REDACTED"
"""What Caddy writes for cookies and credentials."""


def named(side: str, variable: str) -> str:
    """The meaning of a variable with a name in it.

    Args:
        side: `header:`, `answer:` or `cookie:`.
        variable: a header's name with `_` for `-`, or a cookie's name as it is.
    """
    return side + (
        variable if side == "cookie:" else variable.lower().replace("_", "-")
    )


def exchange_of(said: Said, host: str | None, tally: Tally) -> Exchange:
    """The exchange of an entry.

    Args:
        said: values by their meaning.
        host: keep only this one, in lower case.
        tally: takes what is adapted.

    Raises:
        LeftOut: there is none, and why.
        ValueError: a value has the wrong type or size.
    """
    _refuse_what_was_not_asked(said)
    line = _line(said)
    if line is None:
        raise LeftOut(UNUSABLE, "not an HTTP request")
    fields, adapted = _fields(said, line)
    named = dict(fields).get("host", "").lower()
    if host and not is_meant(host, named):
        raise LeftOut(OTHER_HOST, named)
    if is_grpc(fields):
        raise LeftOut(GRPC, "")
    duration_ns = _duration_ns(said)
    start_ns, *late = _start(said, duration_ns)
    body = said.get("body", b"")
    exchange = Exchange(
        start_ns=start_ns,
        client=_client(said, fields),
        session=str(said.get("session", "")),
        request=Request(
            method=line.method,
            target=line.target,
            headers=fields,
            body=body if isinstance(body, bytes) else body.encode("latin-1"),
            keeps_alive=keeps_alive(
                fields, by_default=line.version not in _OLD_VERSIONS
            ),
        ),
        response=_response(said, duration_ns),
    )
    for how in (*adapted, *late, *_lacking(said, exchange), *line.adapted):
        tally.adapt(how)
    return exchange


def _refuse_what_was_not_asked(said: Said) -> None:
    flags = set(said["flags"].split(",")) if "flags" in said else frozenset()
    if "edge" in said or flags & _NOT_FOR_THE_SERVICE:
        raise LeftOut(EDGE, str(said.get("edge", "")))
    if said.get("kind") in {"ws", "wss"} or _count(said.get("status")) == _SWITCHED:
        raise LeftOut(WEBSOCKET, "")
    if said.get("kind") == "grpcs":
        raise LeftOut(GRPC, "")


def _line(said: Said) -> Asked | None:
    if "method" in said:
        path, query = str(said.get("path", "")), str(said.get("query", ""))
        uri = str(said.get("uri", "")) or path
        if query and "?" not in uri:
            uri = f"{uri}?{query.removeprefix('?')}"
        return asked(str(said["method"]), uri, str(said.get("protocol", "")))
    return request_line(str(said.get("request", "")))


def _fields(said: Said, line: Asked) -> tuple[Fields, list[str]]:
    """The request's header fields, and what had to be left out of them."""
    pairs = list(said.get("headers", ()))
    pairs += [(key[7:], value) for key, value in said.items() if key[:7] == "header:"]
    names = {name.lower() for name, _ in pairs}
    host = str(said.get("host", "")) or line.host
    if host and "host" not in names:
        pairs.insert(0, ("host", host))
    cookies = [
        f"{key[7:]}={value}" for key, value in said.items() if key[:7] == "cookie:"
    ]
    if cookies and "cookie" not in names:
        pairs.append(("cookie", "; ".join(cookies)))
    shown = [(name, one_line(str(value)).strip(" ")) for name, value in pairs]
    kept = [pair for pair in end_to_end(shown) if pair[1] != _REDACTED]
    hidden = any(value == _REDACTED for _, value in shown)
    return tuple(kept), [_HIDDEN] * hidden


def _duration_ns(said: Said) -> int | None:
    return next(
        (count_ns(said[name], unit) for name, unit in _UNITS.items() if name in said),
        None,
    )


def _start(said: Said, duration_ns: int | None) -> tuple[int, *tuple[str, ...]]:
    """When the request came, and what was taken for it.

    On a clock of seconds an answer that ended in a second most probably began in the
    one that is nearest to the difference.
    """
    if "start" in said:
        moment: Moment = said["start"]
        return (moment[0],)
    if "end" not in said:
        raise LeftOut(MALFORMED, "it has no time")
    end_ns, is_whole = said["end"]
    if duration_ns is None:
        return end_ns, _LATE
    start_ns = end_ns - duration_ns
    if is_whole:
        start_ns = (start_ns + _SECOND_NS // 2) // _SECOND_NS * _SECOND_NS
    if start_ns < 0:
        raise LeftOut(MALFORMED, "a start before 1970")
    return (start_ns,)


def _client(said: Said, fields: Fields) -> str:
    """Who asked: before the proxies, where they say so."""
    forwarded = dict(fields).get("x-forwarded-for", "").partition(",")[0].strip()
    beside = _PORT.sub("", str(said.get("client_port", ""))).strip("[]")
    address = forwarded or str(said.get("client", "")) or beside
    user = said.get("user")
    return f"{address} {user}" if user else address or str(said.get("session", ""))


def _response(said: Said, duration_ns: int | None) -> Response | None:
    status = _count(said.get("status"))
    if not status or _foreign(said):
        return None
    size = _count(said.get("size"))
    if size is None and "log_size" in said:
        size = 0 if said["log_size"] == "-" else _count(said["log_size"])
    fields = list(said.get("answer_headers", ()))
    fields += [(key[7:], value) for key, value in said.items() if key[:7] == "answer:"]
    shown = [(name, one_line(str(value)).strip(" ")) for name, value in fields]
    return response_of(
        status,
        size,
        duration_ns,
        headers=tuple(pair for pair in end_to_end(shown) if pair[1] != _REDACTED),
        body=said.get("answer_body"),
    )


def _foreign(said: Said) -> bool:
    flags = set(said["flags"].split(",")) if "flags" in said else frozenset()
    return "proxy" in said or bool(flags - _OF_THE_SERVICE)


def _lacking(said: Said, exchange: Exchange) -> list[str]:
    received = _count(said.get("received"))
    wants = exchange.request.method in WITH_CONTENT if received is None else received
    lacks_body = wants and not exchange.request.body and "body" not in said
    return [BODILESS] * bool(lacks_body) + [_PROXY] * _foreign(said)


def _count(value: Any) -> int | None:
    """A whole number; `None` where there is none.

    Raises:
        LeftOut: it is something else.
    """
    if value is None:
        return None
    text = str(value)
    if isinstance(value, bool) or not _DIGITS.fullmatch(text):
        raise LeftOut(MALFORMED, "not a whole number where one should be")
    return int(text.partition(".")[0])
