"""AWS load balancers: Application, and Classic.

Columns: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/
load-balancer-access-logs.html. New ones are appended and not read. The `time` of an
Application Load Balancer is that of the answer, and `request_creation_time` that of the
request; a Classic one logs the latter alone. Bytes sent include the head.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from harness.capture.requestline import unescaped
from harness.capture.tally import MALFORMED, LeftOut
from harness.capture.timeformat import moment

if TYPE_CHECKING:
    from harness.capture.logline import Parser

__all__ = ["parser"]

_VALUE: Final = re.compile(
    r'(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^" ]\S*))(?: |$)', re.ASCII
)
_CLASSIC: Final = (
    "start",
    "",
    "client_port",
    "target",
    "before",
    "meanwhile",
    "after",
    "status",
    "target_status",
    "",
    "",
    "request",
    "header:user-agent",
)
_APPLICATION: Final = (
    "kind",
    "end",
    *_CLASSIC[1:],
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "start",
    "actions",
)
_KINDS: Final = frozenset({"http", "https", "h2", "grpcs", "ws", "wss"})
_SPANS: Final = ("before", "meanwhile", "after")
_TIMES: Final = ("start", "end")
_ANSWERS: Final = frozenset({"waf", "fixed-response", "redirect", "authenticate"})
_NO_TARGET: Final = "no target was asked"
_NO_ANSWER: Final = "the target did not answer"


def parser() -> Parser:
    """A parser of such lines."""
    return _said


def _said(line: str) -> dict[str, Any]:
    values = _values(line.rstrip("\r\n"))
    columns = _APPLICATION if values[0] in _KINDS else _CLASSIC
    if len(values) < len(columns):
        raise LeftOut(MALFORMED, f"expected {len(columns)} values, found {len(values)}")
    said: dict[str, Any] = {
        meaning: unescaped(value)
        for meaning, value in zip(columns, values, strict=False)
        if meaning and value not in {"-", "-1"}
    }
    for time in _TIMES:
        if time in said:
            said[time] = moment(said[time])
    if all(span in said for span in _SPANS):
        said["duration_s"] = str(sum(float(said[span]) for span in _SPANS))
    if _ANSWERS & set(said.get("actions", "").split(",")) and "target" not in said:
        said["edge"] = _NO_TARGET
    if "target_status" not in said:
        said["proxy"] = _NO_ANSWER
    return said


def _values(line: str) -> list[str]:
    values = []
    place = 0
    while place < len(line) and (match := _VALUE.match(line, place)):
        values.append(match[1] if match[2] is None else match[2])
        place = match.end()
    if place < len(line) or not values:
        raise LeftOut(MALFORMED, f"expected a value at column {place + 1}")
    return values
