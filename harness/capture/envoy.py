"""The format strings of Envoy, and those that Envoy and Istio have by default.

Operators:
https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage.
Values are not escaped. `%START_TIME%` is the start of the request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.capture.layout import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULTS", "OPERATOR", "parts"]

OPERATOR: Final = re.compile(r"%([A-Z][A-Z0-9_]+)(?:\((.*?)\))?(?::\d+)?%")
_HEAD: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" '
    "%RESPONSE_CODE% %RESPONSE_FLAGS% "
)
_TAIL: Final = (
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" '
    '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
)
_MESH: Final = (
    " %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"
)
DEFAULTS: Final = (
    _HEAD
    + "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    + '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" '
    + _TAIL
    + _MESH,
    _HEAD + _TAIL,
    _HEAD
    + '"%DYNAMIC_METADATA(istio.mixer:status)%" '
    + '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" '
    + _TAIL
    + _MESH,
)
"""Of Istio since 1.9, of Envoy, and of Istio before."""

_MEANINGS: Final[Mapping[str, str]] = {
    "BYTES_RECEIVED": "received",
    "BYTES_SENT": "size",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": "client_port",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": "client",
    "DOWNSTREAM_REMOTE_ADDRESS": "client_port",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": "client",
    "DOWNSTREAM_REMOTE_PORT": "port",
    "DURATION": "duration_ms",
    "PATH": "uri",
    "PROTOCOL": "protocol",
    "RESPONSE_CODE": "status",
    "RESPONSE_FLAGS": "flags",
}
_PSEUDO: Final[Mapping[str, str]] = {
    ":METHOD": "method",
    ":PATH": "uri",
    ":AUTHORITY": "host",
    "X-ENVOY-ORIGINAL-PATH": "uri",
}
_TIMES: Final = frozenset({"START_TIME", "START_TIME_LOCAL"})
_ISO: Final = "%Y-%m-%dT%H:%M:%S.%3f%z"


def parts(text: str) -> list[str | Field]:
    """Literals and fields of a format."""
    body = text.replace("\\n", "").strip("\n")
    found: list[str | Field] = []
    end = 0
    for match in OPERATOR.finditer(body):
        meaning = _meaning(match[1], match[2] or "")
        found += [body[end : match.start()], Field(match[0], meaning)]
        end = match.end()
    return [*found, body[end:]]


def _meaning(name: str, argument: str) -> str:
    if name in _TIMES:
        return f"start@{argument or _ISO}"
    if name in {"REQ", "REQ_WITHOUT_QUERY", "RESP"}:
        header = argument.partition("?")[0].upper()
        if name == "RESP":
            return "" if header.startswith("X-ENVOY-") else f"answer:{header.lower()}"
        return _PSEUDO.get(header) or f"header:{header.lower()}"
    return _MEANINGS.get(name, "")
