"""HTTP Archives, 1.1 and 1.2, as browsers and proxies write them.

Format: http://www.softwareishard.com/blog/har-12-spec/. Files differ from it in many
ways that are accepted here: a byte order mark, unsorted entries, headers as pairs,
bodies as `params` or `text`, entries without an answer or without times.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from harness.capture.answer import response_of
from harness.capture.harbody import content, decoded
from harness.capture.harfile import BROKEN, loaded, streamed
from harness.capture.head import end_to_end, keeps_alive, one_line
from harness.capture.headerfield import is_grpc, pair_of, wire
from harness.capture.host import is_meant
from harness.capture.tally import GRPC, MALFORMED, OTHER_HOST, UNUSABLE, WEBSOCKET
from harness.capture.timeformat import moment
from harness.model.traffic import Exchange, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.capture.harfile import Entry
    from harness.capture.source import Source
    from harness.capture.tally import Tally
    from harness.model.traffic import Response

__all__ = ["read", "sniff"]

_LOG: Final = re.compile(rb'"log"\s*:(?!\s*")')
"""Docker has one too, with a line of text in it."""
_SPOILT: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
"""What a value of the wrong type or size raises somewhere in an entry."""
_ABSURD: Final = 1e15
_TIMELESS_STEP_NS: Final = 1_000_000_000
_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))
_METHOD: Final = re.compile(r"[A-Z][A-Z_-]*")
_NEWER: Final = re.compile(r"(?:http/|h)([23])")
_OLD_VERSIONS: Final = frozenset({"http/1.0", "http/0.9"})
_OWN_PORTS: Final[Mapping[str, str]] = {"http": ":80", "https": ":443"}
_CACHES: Final = frozenset({"Memory Cache", "Disk Cache"})
"""Safari's words; Chrome says `_fromCache`."""
_NEVER_SENT: Final = re.compile(
    r"BLOCKED|NAME_NOT_RESOLVED|INTERNET_DISCONNECTED|CONNECTION_REFUSED|UNREACHABLE|CERT_"
)


def sniff(head: bytes) -> bool:
    """Whether this is JSON with a `log` in it."""
    return head.lstrip().startswith((b"{", b"[")) and _LOG.search(head) is not None


def read(
    sources: Sequence[Source], host: str | None, tally: Tally
) -> Iterator[Exchange]:
    """The exchanges with one host, in the order of the files; a file is one client.

    Args:
        sources: the files; each is read twice, one at a time.
        host: the host to keep; by default the most frequent.
        tally: takes what is left out.

    Raises:
        RecordingError: a file is not JSON, is incomplete or has no entries.
    """
    archives = list(map(_surveyed, sources))
    hosts: Counter[str] = sum((each.hosts for each in archives), Counter())
    most = next((name for name, _ in hosts.most_common(1)), "")
    keeps = partial(is_meant, host) if host else most.__eq__
    for index, archive in enumerate(archives):
        source, timeless = archive.source, archive.timeless
        for number, entry in enumerate(archive.entries()):
            start_ns = number * _TIMELESS_STEP_NS if timeless else _start_ns(entry)
            client = f"archive {index} {PurePath(source.name).name}"
            try:
                found = _exchange(entry, keeps, start_ns, client)
            except _SPOILT:
                found = MALFORMED, "a value in it has the wrong type or size"
            if isinstance(found, Exchange):
                if timeless:
                    tally.adapt("times made up, one a second: the archive has none")
                if newer := _NEWER.match(_version(entry["request"])):
                    tally.adapt(f"HTTP/{newer[1]}, replayed over HTTP/1.1")
                yield found
            else:
                tally.skip(found[0], f"{source.name}: entry {number}", found[1])


def _exchange(
    entry: Entry, keeps: Callable[[str], bool], start_ns: int | None, client: str
) -> Exchange | tuple[str, str]:
    """The exchange of an entry, or the reason why there is none, and what is wrong."""
    if start_ns is None:
        return MALFORMED, "startedDateTime is no ISO 8601 time"
    return _obstacle(entry, keeps) or Exchange(
        start_ns=start_ns,
        client=client,
        request=_request(entry["request"]),
        response=_response(entry),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Archive:
    """A file, read once.

    Attributes:
        source: the file.
        hosts: requests by host.
        timeless: whether no entry says when it was.
        read: how its entries are read.
    """

    source: Source
    hosts: Counter[str]
    timeless: bool
    read: Callable[[Source], Iterable[Entry]]

    def entries(self) -> Iterable[Entry]:
        return self.read(self.source)


def _surveyed(source: Source) -> _Archive:
    try:
        archive, entries = _archive(source, streamed)
    except BROKEN:
        entries = 0
    return archive if entries else _archive(source, loaded)[0]


def _archive(
    source: Source, read: Callable[[Source], Iterable[Entry]]
) -> tuple[_Archive, int]:
    hosts: Counter[str] = Counter()
    entries, timeless = 0, True
    for entry in read(source):
        entries += 1
        timeless = timeless and "startedDateTime" not in entry
        if (host := _host(entry)) is not None:
            hosts[host] += 1
    archive = _Archive(source=source, hosts=hosts, timeless=timeless, read=read)
    return archive, entries


def _host(entry: Entry) -> str | None:
    """The host of an HTTP request, in lower case and with its port if it needs one."""
    request = entry.get("request")
    url = request.get("url") if isinstance(request, dict) else None
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return None
    if parts.scheme not in _OWN_PORTS or not parts.netloc:
        return None
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(_OWN_PORTS[parts.scheme])


def _start_ns(entry: Entry) -> int | None:
    try:
        return moment(entry["startedDateTime"])[0]
    except (KeyError, ValueError):
        return None


def _obstacle(entry: Entry, keeps: Callable[[str], bool]) -> tuple[str, str] | None:
    """Why an entry is left out: the first that applies, with its reason."""
    request = entry.get("request")
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        return MALFORMED, "there is no request with a URL"
    host, method = _host(entry), str(request.get("method"))
    obstacles = (
        (_is_websocket(entry), WEBSOCKET, ""),
        (is_grpc(_headers(request.get("headers"))), GRPC, ""),
        (host is None, UNUSABLE, "not an http or https URL"),
        (not keeps(host or ""), OTHER_HOST, host or ""),
        (not _METHOD.fullmatch(method), UNUSABLE, "not an HTTP method"),
        (method == "CONNECT", UNUSABLE, "CONNECT asks for a proxy"),
        (_is_cached(entry), "from cache", "the service was not asked"),
        (
            _NEVER_SENT.search(_error(entry)),
            "never sent",
            "given up before the network",
        ),
    )
    return next(((reason, why) for hit, reason, why in obstacles if hit), None)


def _answer(entry: Entry) -> Mapping[str, Any]:
    answer = entry.get("response")
    return answer if isinstance(answer, dict) else {}


def _error(entry: Entry) -> str:
    return f"{_answer(entry).get('_error') or ''} {entry.get('_error') or ''}".upper()


def _is_cached(entry: Entry) -> bool:
    return bool(entry.get("_fromCache")) or entry.get("_fetchType") in _CACHES


def _is_websocket(entry: Entry) -> bool:
    return (
        entry["request"]["url"].lower().startswith(("ws:", "wss:"))
        or entry.get("_resourceType") == "websocket"
        or bool(entry.get("_webSocketMessages"))
        or _answer(entry).get("status") == 101  # noqa: PLR2004 - Switching Protocols
    )


def _version(request: Entry) -> str:
    return str(request.get("httpVersion") or "").lower()


def _request(request: Entry) -> Request:
    headers = _with_host(request, _headers(request.get("headers")))
    cookies = [pair for pair in map(pair_of, _list(request.get("cookies"))) if pair]
    if cookies and not any(name == "cookie" for name, _ in headers):
        headers.append(("cookie", "; ".join("=".join(pair) for pair in cookies)))
    body, content_type = content(request)
    if body and content_type:
        headers = _typed(
            headers, ("content-type", one_line(wire(content_type)).strip())
        )
    return Request(
        method=request["method"],
        target=_target(request),
        headers=tuple(headers),
        body=body,
        keeps_alive=keeps_alive(
            headers, by_default=_version(request) not in _OLD_VERSIONS
        ),
    )


def _with_host(request: Entry, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of HTTP/1.1, of which `:authority` is the `Host`."""
    if any(name == "host" for name, _ in headers):
        return headers
    pairs = filter(None, map(pair_of, _list(request.get("headers"))))
    hosts = [("host", value) for name, value in pairs if name == ":authority"]
    return [*hosts[:1], *headers]


def _typed(
    headers: list[tuple[str, str]], typed: tuple[str, str]
) -> list[tuple[str, str]]:
    """The headers with that one at its recorded place, or else the last."""
    names = [name for name, _ in headers]
    if typed[0] not in names:
        return [*headers, typed]
    place = names.index(typed[0])
    behind = [pair for pair in headers[place + 1 :] if pair[0] != typed[0]]
    return [*headers[:place], typed, *behind]


def _headers(listed: object) -> list[tuple[str, str]]:
    return end_to_end(pair for pair in map(pair_of, _list(listed)) if pair)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _target(request: Entry) -> str:
    parts = urlsplit(request["url"])
    query = parts.query
    if not query:
        pairs = filter(None, map(pair_of, _list(request.get("queryString"))))
        query = urlencode(list(pairs), encoding="latin-1", quote_via=quote)
    target = f"{parts.path or '/'}{'?' if query else ''}{query}"
    return quote(target, safe=_PRINTABLE, errors="replace")


def _response(entry: Entry) -> Response | None:
    answer = _answer(entry)
    status = answer.get("status")
    if type(status) is not int or status <= 0:
        return None
    found = answer.get("content")
    sizes = (
        answer.get("bodySize"),
        found.get("size") if isinstance(found, dict) else 0,
    )
    duration_ms = _positive(entry.get("time"))
    return response_of(
        status,
        next((int(size) for size in map(_positive, sizes) if size is not None), None),
        None if duration_ms is None else round(duration_ms * 1_000_000),
        headers=tuple(_headers(answer.get("headers"))),
        body=_text(found) if isinstance(found, dict) else None,
    )


def _text(content: Mapping[str, Any]) -> bytes | None:
    """Of `response.content`, decoded there already whatever Content-Encoding says."""
    text = content.get("text")
    if not isinstance(text, str):
        return None
    return (
        decoded(text)
        if content.get("encoding") == "base64"
        else text.encode(errors="replace")
    )


def _positive(value: object) -> float | None:
    return value if isinstance(value, int | float) and 0 <= value < _ABSURD else None
