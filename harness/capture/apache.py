"""The `LogFormat` strings of Apache.

Directives: https://httpd.apache.org/docs/current/mod/mod_log_config.html. `%t` is the
moment at which the request was received; `%{end:…}t` the one at which it was answered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.capture.layout import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIRECTIVE", "parts"]

DIRECTIVE: Final = re.compile(r"\s*(?:LogFormat|CustomLog\s+\S+)\s+", re.IGNORECASE)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s+\S+)?\s*')
_FIELD: Final = re.compile(
    r"%(?P<own>%)"
    r"|%(?:!?\d{3}(?:,\d{3})*)?[<>]?(?:\{(?P<name>[^}]*)\})?(?P<letter>\^[A-Za-z]{2}|[A-Za-z])"
)
_MEANINGS: Final[Mapping[str, str]] = {
    "B": "size",
    "D": "duration_us",
    "H": "protocol",
    "T": "duration_s",
    "U": "path",
    "V": "host",
    "a": "client",
    "b": "log_size",
    "h": "client",
    "m": "method",
    "p": "port",
    "q": "query",
    "r": "request",
    "s": "status",
    "u": "user",
    "v": "host",
}
_NAMED: Final[Mapping[str, str]] = {"i": "header:", "o": "answer:", "C": "cookie:"}
_UNITS: Final[Mapping[str, str]] = {
    "s": "duration_s",
    "ms": "duration_ms",
    "us": "duration_us",
}
_CLOCKS: Final[Mapping[str, str]] = {
    "": "[%d/%b/%Y:%H:%M:%S %z]",
    "sec": "%s",
    "msec": "%s%3f",
    "usec": "%s%6f",
    "msec_frac": "%3f",
    "usec_frac": "%6f",
}


def parts(text: str) -> list[str | Field]:
    """Literals and fields of a format, with or without its directive around it."""
    body = DIRECTIVE.sub("", text, count=1).strip()
    if body != text.strip() and (quoted := _QUOTED.fullmatch(body)):
        body = quoted[1].replace('\\"', '"')
    body = body.replace("\\t", "\t").replace("\\n", "")
    found: list[str | Field] = []
    end = 0
    for match in _FIELD.finditer(body):
        found += [body[end : match.start()], _field(match)]
        end = match.end()
    return [*found, body[end:]]


def _field(match: re.Match[str]) -> str | Field:
    if match["own"]:
        return "%"
    return Field(match[0], _meaning(match["letter"], match["name"] or ""))


def _meaning(letter: str, name: str) -> str:
    if letter == "t":
        side, colon, form = name.partition(":")
        if not colon or side not in {"begin", "end"}:
            side, form = "begin", name
        return f"{'start' if side == 'begin' else 'end'}@{_CLOCKS.get(form, form)}"
    if letter == "T":
        return _UNITS.get(name, _MEANINGS["T"])
    if letter in _NAMED:
        return _NAMED[letter] + (name if letter == "C" else name.lower())
    return _MEANINGS.get(letter, "")
