"""The `log_format` strings of nginx.

Variables: https://nginx.org/en/docs/varindex.html. Times are those of the log's
writing, after the last byte; `$time_local` and `$time_iso8601` tick once a second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.capture.entry import named
from harness.capture.layout import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIRECTIVE", "escapes", "parts"]

DIRECTIVE: Final = re.compile(r"\s*log_format\s+\S+\s+")
_ESCAPE: Final = re.compile(r"\s*escape=(\w+)\s+")
_QUOTED: Final = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*;?""")
_PROTECTED: Final = re.compile(r"""\\(['"\\])""")
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_MEANINGS: Final[Mapping[str, str]] = {
    "args": "query",
    "body_bytes_sent": "size",
    "content_length": "received",
    "content_type": "header:content-type",
    "document_uri": "path",
    "host": "host",
    "http_host": "host",
    "is_args": "is",
    "msec": "end@%s.%3f",
    "proxy_protocol_addr": "client",
    "query_string": "query",
    "remote_addr": "client",
    "remote_port": "port",
    "remote_user": "user",
    "request": "request",
    "request_body": "body",
    "request_method": "method",
    "request_time": "duration_s",
    "request_uri": "uri",
    "server_port": "port",
    "server_protocol": "protocol",
    "status": "status",
    "time_iso8601": "end@%Y-%m-%dT%H:%M:%S%z",
    "time_local": "end@%d/%b/%Y:%H:%M:%S %z",
    "uri": "path",
}
_PREFIXES: Final[Mapping[str, str]] = {
    "http_": "header:",
    "sent_http_": "answer:",
    "cookie_": "cookie:",
}


def escapes(text: str) -> bool:
    """Whether quotes are escaped: by default, and with `escape=json`."""
    found = _ESCAPE.search(text)
    return found is None or found[1] != "none"


def parts(text: str) -> list[str | Field]:
    """Literals and fields of a format, with or without its directive around it."""
    body = _ESCAPE.sub("", DIRECTIVE.sub("", text), count=1).strip()
    is_directive = DIRECTIVE.match(text) is not None or body.startswith("'")
    if is_directive and not _QUOTED.sub("", body):
        strings = [one or two for one, two in _QUOTED.findall(body)]
        body = "".join(_PROTECTED.sub(r"\1", each) for each in strings)
    found: list[str | Field] = []
    end = 0
    for match in _VARIABLE.finditer(body):
        name = match[1] or match[2]
        found += [body[end : match.start()], Field(f"${name}", _meaning(name))]
        end = match.end()
    return [*found, body[end:]]


def _meaning(name: str) -> str:
    if name in _MEANINGS:
        return _MEANINGS[name]
    if name.startswith("upstream_"):
        return "list"
    for prefix, meaning in _PREFIXES.items():
        if name.startswith(prefix):
            return named(meaning, name.removeprefix(prefix))
    return ""
