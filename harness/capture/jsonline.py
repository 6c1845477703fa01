r"""Access logs of one JSON object a line: which keys of which server mean what.

nginx without `escape=json` writes `\x22`, and nothing at all for a number that it does
not have: both are mended. A key is looked up in lower case, `-` as `_`, without a
leading `@` or `:`; that of a nested object as `outer.inner`. A cookie's name is kept.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from harness.capture.entry import named
from harness.capture.headerfield import wire
from harness.capture.tally import MALFORMED, UNUSABLE, LeftOut
from harness.capture.timeformat import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.capture.logline import Parser

    Path = tuple[str, str]  # a key, and one inside its object or nothing
    Paths = tuple[Path, ...]

__all__ = ["DIALECTS", "Dialect", "json_object", "parser_of"]


class Dialect(NamedTuple):
    """The JSON of one server.

    Attributes:
        known_by: sets of keys of which one is there in every entry.
        meanings: of keys (see `entry`); of several with the same one the first counts.
        prefixes: of keys with a name behind them.
    """

    known_by: tuple[frozenset[str], ...]
    meanings: Mapping[str, str]
    prefixes: Mapping[str, str]


_TRAEFIK: Final = Dialect(
    known_by=(frozenset({"requestmethod", "requestpath"}),),
    meanings={
        "startutc": "start",
        "startlocal": "start",
        "time": "end",
        "duration": "duration_ns",
        "requestmethod": "method",
        "requestpath": "uri",
        "requestprotocol": "protocol",
        "requestaddr": "host",
        "requesthost": "host",
        "requestcontentsize": "received",
        "clienthost": "client",
        "clientaddr": "client_port",
        "clientusername": "user",
        "downstreamstatus": "status",
        "downstreamcontentsize": "size",
        "originstatus": "origin",
    },
    prefixes={"request_": "header:", "downstream_": "answer:"},
)
_CADDY: Final = Dialect(
    known_by=(frozenset({"ts", "request.method", "request.uri"}),),
    meanings={
        "ts": "end",
        "duration": "duration_s",
        "request.method": "method",
        "request.uri": "uri",
        "request.proto": "protocol",
        "request.host": "host",
        "request.headers": "headers",
        "request.client_ip": "client",
        "request.remote_ip": "client",
        "request.remote_addr": "client_port",
        "user_id": "user",
        "bytes_read": "received",
        "status": "status",
        "size": "size",
        "resp_headers": "answer_headers",
        "msg": "message",
    },
    prefixes={},
)
_ENVOY: Final = Dialect(
    known_by=(
        frozenset({"response_code", "method"}),
        frozenset({"response_code", "request_method"}),
    ),
    meanings={
        "start_time": "start",
        "timestamp": "start",
        "time": "start",
        "duration": "duration_ms",
        "method": "method",
        "request_method": "method",
        "x_envoy_original_path": "uri",
        "x_envoy_origin_path": "uri",
        "original_path": "uri",
        "path": "uri",
        "uri": "uri",
        "request_path": "uri",
        "protocol": "protocol",
        "authority": "host",
        "host": "host",
        "response_code": "status",
        "response_flags": "flags",
        "bytes_received": "received",
        "bytes_sent": "size",
        "x_forwarded_for": "header:x-forwarded-for",
        "downstream_remote_address": "client_port",
        "downstream_remote_address_without_port": "client",
        "user_agent": "header:user-agent",
        "referer": "header:referer",
        "request_id": "header:x-request-id",
        "x_request_id": "header:x-request-id",
        "content_type": "header:content-type",
    },
    prefixes={},
)
_NGINX: Final = Dialect(
    known_by=(
        frozenset({"request", "status"}),
        frozenset({"request_method", "status"}),
        frozenset({"request_method", "request_uri"}),
        frozenset({"method", "status", "remote_addr"}),
        frozenset({"method", "status", "request_time"}),
        frozenset({"method", "status", "body_bytes_sent"}),
    ),
    meanings={
        "msec": "end",
        "time_iso8601": "end",
        "time_local": "end",
        "timestamp": "end",
        "time": "end",
        "ts": "end",
        "date": "end",
        "datetime": "end",
        "request_time": "duration_s",
        "request": "request",
        "request_method": "method",
        "method": "method",
        "http_method": "method",
        "request_uri": "uri",
        "url": "uri",
        "uri": "path",
        "document_uri": "path",
        "path": "path",
        "args": "query",
        "query_string": "query",
        "query": "query",
        "server_protocol": "protocol",
        "http_version": "protocol",
        "protocol": "protocol",
        "http_host": "host",
        "host": "host",
        "remote_addr": "client",
        "client_ip": "client",
        "clientip": "client",
        "remote_ip": "client",
        "client": "client",
        "remote_user": "user",
        "user": "user",
        "status": "status",
        "http_status": "status",
        "body_bytes_sent": "size",
        "size": "size",
        "content_length": "received",
        "request_body": "body",
        "referer": "header:referer",
        "referrer": "header:referer",
        "http_referrer": "header:referer",
        "user_agent": "header:user-agent",
        "agent": "header:user-agent",
        "x_forwarded_for": "header:x-forwarded-for",
        "cookie": "header:cookie",
        "content_type": "header:content-type",
    },
    prefixes={"http_": "header:", "sent_http_": "answer:", "cookie_": "cookie:"},
)
DIALECTS: Final[Mapping[str, Dialect]] = {
    "traefik": _TRAEFIK,
    "caddy": _CADDY,
    "envoy-json": _ENVOY,
    "nginx-json": _NGINX,
}
"""The particular ones first."""

_ABSENT: Final = (None, "", "-")
_CACHED: Final = 256
_TIMES: Final = frozenset({"start", "end"})
_FIELDS: Final = frozenset({"headers", "answer_headers"})
_HANDLED: Final = "handled request"
_MARKS: Final = "@:"
_BYTE: Final = re.compile(r"\\x([0-9A-Fa-f]{2})")
_NOTHING: Final = re.compile(r'(":\s*)-?\s*(?=[,}])')
_ASCII: Final = 0x80
_SURROGATES: Final = 0xDC00


def parser_of(dialect: Dialect) -> Callable[[], Parser]:
    """What makes parsers of the lines of a dialect."""
    meant = _meant(dialect)

    def parse(line: str) -> dict[str, Any]:
        if not line.lstrip().startswith("{"):
            raise LeftOut(UNUSABLE, "not a JSON object, but a line between them")
        entry = json_object(line)
        found: dict[str, Any] = {}
        for (outer, inner), meaning in meant(tuple(_paths(entry))):
            value = entry[outer][inner] if inner else entry[outer]
            if value not in _ABSENT:
                found.setdefault(meaning, value)
        if not found or found.pop("message", _HANDLED) != _HANDLED:
            raise LeftOut(UNUSABLE, "not the entry of a request")
        if found.pop("origin", None) == 0:
            found["edge"] = "the proxy answered by itself"
        return {meaning: _value(meaning, value) for meaning, value in found.items()}

    return lambda: parse


def _meant(dialect: Dialect) -> Callable[[Paths], Sequence[tuple[Path, str]]]:
    """Of the paths in an entry those that mean something, in the table's order."""

    @lru_cache(maxsize=_CACHED)
    def meant(paths: Paths) -> Sequence[tuple[Path, str]]:
        names = {_name(path): path for path in paths}
        if not any(map(names.keys().__ge__, dialect.known_by)):
            return ()
        return [(names[name], meaning) for name, meaning in _named(dialect, names)]

    return meant


def json_object(line: str) -> dict[str, Any]:
    """The object of a line, mended where need be.

    Args:
        line: each byte as the latin-1 character of the same number.

    Raises:
        LeftOut: there is none.
    """
    text = line.encode("latin-1").decode(errors="surrogateescape")
    for attempt in (text, _mended(text)):
        try:
            found = json.loads(attempt)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
        break
    raise LeftOut(MALFORMED, "not a JSON object")


def _mended(text: str) -> str:
    def escape(match: re.Match[str]) -> str:
        code = int(match[1], 16)
        return f"\\u{code if code < _ASCII else _SURROGATES + code:04x}"

    return _NOTHING.sub(r"\1null", _BYTE.sub(escape, text))


def _paths(entry: Mapping[str, Any]) -> Iterator[Path]:
    for key, value in entry.items():
        yield key, ""
        if isinstance(value, dict):
            yield from ((key, inner) for inner in value)


def _name(path: Path) -> str:
    """As a key is looked up."""
    outer, inner = path
    name = outer.lstrip(_MARKS).lower().replace("-", "_")
    return f"{name}.{inner.lower()}" if inner else name


def _named(dialect: Dialect, names: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Keys that are there with their meanings, in the order of the table."""
    for key, meaning in dialect.meanings.items():
        if key in names:
            yield key, meaning
    for key in names:
        for prefix, meaning in dialect.prefixes.items():
            if key.startswith(prefix) and key not in dialect.meanings:
                written = "".join(names[key]).lstrip(_MARKS)
                yield key, named(meaning, written[len(prefix) :])


def _value(meaning: str, value: Any) -> Any:
    if meaning in _TIMES:
        return moment(value)
    if meaning in _FIELDS:
        return [(wire(name), wire(str(each))) for name, each in _pairs(value)]
    return wire(value) if isinstance(value, str) else value


def _pairs(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """One pair for each value of each field."""
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            yield name, value
