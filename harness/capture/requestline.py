"""The request line of a log: escapes undone, the target in origin form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from harness.capture.head import origin_form

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BODILESS", "WITH_CONTENT", "Asked", "asked", "request_line", "unescaped"]

BODILESS: Final = "sent without the body, which the log does not hold"
WITH_CONTENT: Final = frozenset({"PATCH", "POST", "PUT"})
"""Methods whose requests mostly have a body."""

_LINE: Final = re.compile(r"([A-Z][A-Z_-]*) (\S+)(?: HTTP/(\d(?:\.\d)?))?", re.ASCII)
_METHOD: Final = re.compile(r"[A-Z][A-Z_-]*")
_ABSOLUTE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)")
_VERSION: Final = re.compile(r"(?:HTTP/|h)?(\d(?:\.\d)?)", re.IGNORECASE)
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2})|(.))", re.DOTALL
)
_ESCAPED: Final[Mapping[str, str]] = dict(zip("ntrbfv", "\n\t\r\b\f\v", strict=True))
_NEWER: Final = ("2", "3")
_DEFAULT_PORTS: Final[Mapping[str, str]] = {"http": ":80", "https": ":443"}


class Asked(NamedTuple):
    """What a client asked for.

    Attributes:
        method: as on the wire.
        target: in origin form, bytes beyond ASCII percent-encoded.
        version: of HTTP, such as `1.1`; empty if unknown.
        host: of an absolute target, in lower case, without its scheme's own port.
    """

    method: str
    target: str
    version: str
    host: str

    @property
    def adapted(self) -> tuple[str, ...]:
        """How its replay will differ from it."""
        newer = self.version[:1] in _NEWER
        return (f"HTTP/{self.version[0]}, replayed over HTTP/1.1",) if newer else ()


def request_line(text: str) -> Asked | None:
    """What a request line asks for; `None` if that is nothing a server could be sent.

    Args:
        text: without escapes, each byte as the latin-1 character of the same number.
    """
    match = _LINE.fullmatch(text)
    return asked(match[1], match[2], match[3] or "") if match else None


def asked(method: str, target: str, protocol: str) -> Asked | None:
    """The same from its parts.

    Args:
        method: as logged.
        target: in origin or absolute form.
        protocol: such as `HTTP/1.1`, `h2` or nothing.
    """
    if not _METHOD.fullmatch(method):
        return None
    origin = origin_form(method, target.replace(" ", "%20"))
    if origin is None:
        return None
    version, absolute = _VERSION.fullmatch(protocol), _ABSOLUTE.match(target)
    return Asked(
        method=method,
        target=origin,
        version=version[1] if version else "",
        host=_host(*absolute.groups()) if absolute else "",
    )


def _host(scheme: str, authority: str) -> str:
    host = authority.rpartition("@")[2].lower()
    return host.removesuffix(_DEFAULT_PORTS.get(scheme.lower(), " "))


def unescaped(text: str) -> str:
    r"""The text without `\"`, `\\`, `\xhh`, `\u00hh`, `\n` and the like."""

    def plain(match: re.Match[str]) -> str:
        *codes, character = match.groups()
        code = codes[0] or codes[1]
        return chr(int(code, 16)) if code else _ESCAPED.get(character, character)

    return _ESCAPE.sub(plain, text) if "\\" in text else text
