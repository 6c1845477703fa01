"""Logs in W3C extended format: IIS, and CloudFront's standard logs.

`#Fields:` names the columns and may change inside a file. Both log, in UTC and whole
seconds, when an answer had ended. IIS parts columns by blanks and writes `+` for a
blank inside one; CloudFront parts them by tabs and percent-encodes.
Format: https://www.w3.org/TR/WD-logfile.html.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from harness.capture.tally import MALFORMED, LeftOut
from harness.capture.timeformat import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.capture.logline import Parser

__all__ = ["CLOUDFRONT", "IIS", "parser_of"]


class Dialect(NamedTuple):
    """How one server writes the format.

    Attributes:
        edge: whether it is a cache in front of the service.
        separator: between columns.
        duration: the meaning of `time-taken`.
        plain: undoes what was done to a header's value.
    """

    edge: bool
    separator: re.Pattern[str]
    duration: str
    plain: Callable[[str], str]


def _unquoted(text: str) -> str:
    """Decoded; twice where a blank is still encoded then, as in older logs."""
    once = unquote(text, encoding="latin-1")
    return unquote(once, encoding="latin-1") if "%20" in once else once


IIS: Final = Dialect(
    edge=False,
    separator=re.compile(" +"),
    duration="duration_ms",
    plain=lambda text: text.replace("+", " "),
)
CLOUDFRONT: Final = Dialect(
    edge=True,
    separator=re.compile("\t"),
    duration="duration_s",
    plain=_unquoted,
)

_MEANINGS: Final[Mapping[str, str]] = {
    "c-ip": "client",
    "cs-host": "host",
    "cs-method": "method",
    "cs-protocol-version": "protocol",
    "cs-uri": "uri",
    "cs-uri-query": "query",
    "cs-uri-stem": "path",
    "cs-username": "user",
    "cs-version": "protocol",
    "sc-content-len": "size",
    "sc-content-type": "answer:content-type",
    "sc-status": "status",
    "x-edge-response-result-type": "edge-answer",
    "x-edge-result-type": "edge-result",
    "x-forwarded-for": "header:x-forwarded-for",
    "x-host-header": "host",
}
_HEADER: Final = re.compile(r"(cs|sc)\((.+)\)")
_SIDES: Final[Mapping[str, str]] = {"cs": "header:", "sc": "answer:"}
_ORIGINS: Final = frozenset({"Miss", "RefreshHit", "Error"})
"""Results for which CloudFront asked the service."""
_ROUTING: Final = re.compile(r"(?:^|&)X-ARR-[A-Z-]+=[^&]*")
"""What Azure's front end adds to the query in the log of the server behind it."""
_DIRECTIVE: Final = re.compile(r"#(Fields|Date):\s*(.*)")


def parser_of(dialect: Dialect) -> Callable[[], Parser]:
    """What makes parsers of the lines of a dialect, each for one file."""
    return lambda: _Columns(dialect).said


class _Columns:
    """What the columns of a file are, so far."""

    __slots__ = ("_date", "_dialect", "_names")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._names: list[str] = []
        self._date = ""

    def said(self, line: str) -> dict[str, Any] | None:
        if line.startswith("#"):
            self._heed(line)
            return None
        values = self._dialect.separator.split(line.strip(" \r\n"))
        if not self._names:
            raise LeftOut(MALFORMED, "no #Fields line comes before it")
        if len(values) != len(self._names):
            expected = f"expected {len(self._names)} columns, found {len(values)}"
            raise LeftOut(MALFORMED, expected)
        row = dict(zip(self._names, values, strict=True))
        said: dict[str, Any] = {
            meaning: self._dialect.plain(value) if ":" in meaning else value
            for name, value in row.items()
            if value != "-" and (meaning := self._meaning(name))
        }
        said["end"] = moment(f"{row.get('date', self._date)} {row['time']}")
        if "query" in said:
            said["query"] = _ROUTING.sub("", said["query"]).removeprefix("&")
        results = {said.pop("edge-result", "Miss"), said.pop("edge-answer", "Miss")}
        if results - _ORIGINS:
            said["edge"] = ", ".join(sorted(results - _ORIGINS))
        return said

    def _heed(self, line: str) -> None:
        match = _DIRECTIVE.match(line)
        if match is None:
            return
        if match[1] == "Date":
            self._date = match[2].partition(" ")[0]
            return
        names = match[2].lower().split()
        is_edge = any(name.startswith("x-edge-") for name in names)
        self._names = names if is_edge == self._dialect.edge else []

    def _meaning(self, name: str) -> str:
        if name == "time-taken":
            return self._dialect.duration
        header = _HEADER.fullmatch(name)
        if header and header[2] == "host":
            return "host"
        if header:
            return _SIDES[header[1]] + header[2]
        return _MEANINGS.get(name, "")
