"""Our own open form of a capture: JSON Lines, one object a request.

    {"time": "2026-01-01T00:00:00.250Z", "method": "POST", "target": "/cart?x=1",
     "headers": {"content-type": "text/plain"}, "body": "7", "client": "10.0.0.1",
     "session": "u1", "status": 201, "duration_ms": 12.5,
     "response": {"headers": {"location": "/cart/7"}, "body": "done"}}

    time         when the request STARTED: ISO 8601, or seconds since 1970
    method       and
    target       path and query; or `url`, an absolute one, which names the host too
    headers      an object (a list for a header that is there twice) or a list of pairs
    body         text; or `body_base64`
    client       who sent it, such as an address
    session      which requests belong to one user, where the capture knows
    protocol     such as HTTP/1.0
    status       of the answer, with
    duration_ms  from start to end, and
    size         bytes of its content
    response     its `headers`, `body` or `body_base64`; may hold the three above

All but the first three may be left out; other keys are passed over.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from harness.capture.headerfield import pair_of, wire
from harness.capture.jsonline import json_object
from harness.capture.tally import MALFORMED, LeftOut
from harness.capture.timeformat import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.capture.logline import Parser

__all__ = ["parser"]

_PLAIN: Final[Mapping[str, str]] = {
    "method": "method",
    "target": "uri",
    "url": "uri",
    "client": "client",
    "session": "session",
    "protocol": "protocol",
}
_ANSWER: Final[Mapping[str, str]] = {
    "status": "status",
    "duration_ms": "duration_ms",
    "size": "size",
}


def parser() -> Parser:
    """A parser of such lines."""
    return _said


def _said(line: str) -> dict[str, Any]:
    entry = json_object(line)
    lacking = [key for key in ("time", "method") if key not in entry]
    if lacking or not {"target", "url"} & entry.keys():
        raise LeftOut(MALFORMED, f"expected {', '.join(lacking) or 'target or url'}")
    answer = entry.get("response") or {}
    said = {
        "start": moment(entry["time"]),
        "headers": _pairs(entry.get("headers")),
        "body": _body(entry) or b"",
        **_told(entry, _PLAIN),
        **_told(answer, _ANSWER),
        **_told(entry, _ANSWER),
    }
    if answer:
        said |= {"answer_headers": _pairs(answer.get("headers"))}
        said |= {"answer_body": _body(answer)}
    return said


def _told(values: Mapping[str, Any], meanings: Mapping[str, str]) -> dict[str, Any]:
    return {
        meaning: wire(value) if isinstance(value, str) else value
        for key, meaning in meanings.items()
        if (value := values.get(key)) is not None
    }


def _pairs(fields: Any) -> list[tuple[str, str]]:
    if not isinstance(fields, dict):
        found = [pair_of(each) for each in fields or ()]
        return [pair for pair in found if pair]
    return [
        (wire(name), wire(str(each)))
        for name, value in fields.items()
        for each in (value if isinstance(value, list) else [value])
    ]


def _body(values: Mapping[str, Any]) -> bytes | None:
    if (coded := values.get("body_base64")) is not None:
        return base64.b64decode(coded, validate=True)
    text = values.get("body")
    return None if text is None else wire(text).encode("latin-1")
