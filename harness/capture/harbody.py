"""The body of a request in an HTTP Archive."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["content", "decoded"]

_BOUNDARY: Final = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)
_OWN_BOUNDARY: Final = "seatrial-boundary"
_DATA_URL: Final = re.compile(r"data:[^,]*;base64,(.*)", re.DOTALL)
_UNSAFE: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def content(request: Mapping[str, Any]) -> tuple[bytes, str]:
    """The bytes of `postData`, and the content type to send with them.

    `text` counts where it is not empty, otherwise the body is made from `params`. An
    empty `postData`, which Firefox and Fiddler write for a GET, is no body.
    """
    data = request.get("postData")
    if not isinstance(data, dict):
        return b"", ""
    declared = _header_type(request) or str(data.get("mimeType") or "")
    text = data.get("text")
    params = data.get("params")
    if isinstance(text, str) and text:
        coded = "base64" in {data.get("encoding"), data.get("_encoding")}
        return decoded(text) if coded else text.encode(errors="replace"), declared
    if isinstance(params, list) and params:
        known = [param for param in params if isinstance(param, dict)]
        return _from_params(known, declared)
    return b"", ""


def _header_type(request: Mapping[str, Any]) -> str:
    """The Content-Type header, which knows the boundary where `mimeType` may not."""
    for header in request.get("headers") or ():
        match header:
            case {"name": str(name), "value": str(value)} | [str(name), str(value)]:
                if name.lower() == "content-type":
                    return value
    return ""


def decoded(text: str) -> bytes:
    """What Base64 stands for, or the text itself where it is none."""
    try:
        return base64.b64decode(text)
    except ValueError:
        return text.encode(errors="replace")


def _from_params(
    params: Sequence[Mapping[str, Any]], declared: str
) -> tuple[bytes, str]:
    if not declared.lower().startswith("multipart/"):
        pairs = [(_text(param, "name"), _text(param, "value")) for param in params]
        kind = declared or "application/x-www-form-urlencoded"
        return urlencode(pairs, errors="replace").encode(), kind
    boundary = _BOUNDARY.search(declared)
    if boundary is None:
        declared = f"{declared.rstrip('; ')}; boundary={_OWN_BOUNDARY}"
    line = f"--{boundary[1].strip() if boundary else _OWN_BOUNDARY}".encode()
    parts = [line + b"\r\n" + _part(param) + b"\r\n" for param in params]
    return b"".join(parts) + line + b"--\r\n", declared


def _part(param: Mapping[str, Any]) -> bytes:
    """RFC 7578, section 4: a disposition, perhaps a type, an empty line, the value."""
    head = f'Content-Disposition: form-data; name="{_quoted(param, "name")}"'
    if param.get("fileName"):
        head += f'; filename="{_quoted(param, "fileName")}"'
    if param.get("contentType"):
        head += f"\r\nContent-Type: {_quoted(param, 'contentType')}"
    value = _text(param, "value")
    embedded = _DATA_URL.fullmatch(value) if param.get("fileName") else None
    body = decoded(embedded[1]) if embedded else value.encode(errors="replace")
    return head.encode(errors="replace") + b"\r\n\r\n" + body


def _text(param: Mapping[str, Any], key: str) -> str:
    value = param.get(key)
    return "" if value is None else str(value)


def _quoted(param: Mapping[str, Any], key: str) -> str:
    return _text(param, key).translate(_UNSAFE)
