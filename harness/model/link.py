"""Values that an answer gives and later requests of its session need.

An `Extract` says where the answer has one, a `Fill` where a request takes it; what is
between them is a slot of the session.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.traffic import Request

__all__ = [
    "NO_LINKS",
    "Coding",
    "Content",
    "Extract",
    "Fill",
    "Kind",
    "Links",
    "Part",
    "filled",
    "is_json_path",
    "json_path",
    "value_at",
]

Kind = Literal["json", "header", "cookie", "field", "text"]
Part = Literal["target", "header", "body"]
Coding = Literal["plain", "text", "percent", "string", "number"]

_XSSI: Final = re.compile(rb"\s*\)\]\}',?\s*")
"""What some answers begin with, so that no other site can run them as a script."""

_STEP: Final = re.compile(
    r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]"
)
_PATH: Final = re.compile(rf"\$(?:{_STEP.pattern})*+")
_ESCAPED: Final = re.compile(r"\\(.)")
_CONTROL: Final = re.compile(r"<(?:input|meta|button)\b", re.IGNORECASE)
_ATTRIBUTES: Final = re.compile(r"(?:[^<>\"']|\"[^\"]*\"|'[^']*')*(?=>)")
_LONGEST_CONTROL: Final = 4096
_ATTRIBUTE: Final = re.compile(
    r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"""
)
_NAMES: Final = ("name", "property")
_VALUES: Final = ("value", "content")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d*)")


class Content:
    """What an answer said.

    Attributes:
        headers: name and value in their order; names in lower case.
        body: free of transfer and content codings.
        cut: whether the body went on.
    """

    def __init__(
        self, headers: tuple[tuple[str, str], ...], body: bytes, *, cut: bool = False
    ) -> None:
        self.headers = headers
        self.body = body
        self.cut = cut

    @cached_property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.body.decode(errors="replace")

    @cached_property
    def document(self) -> Any:
        """The body as JSON; `None` where it is none."""
        try:
            return json.loads(self.body[_after_guard(self.body) :])
        except (ValueError, RecursionError):
            return None

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Of HTML: the first value of each named input, button and meta element."""
        found: dict[str, str] = {}
        text = self.text
        for control in _CONTROL.finditer(text):
            start = control.end()
            inside = _ATTRIBUTES.match(text, start, start + _LONGEST_CONTROL)
            said = {
                name.lower(): html.unescape(double or single or bare)
                for name, double, single, bare in _ATTRIBUTE.findall(
                    inside[0] if inside else ""
                )
            }
            name = next((said[each] for each in _NAMES if each in said), "")
            value = next((said[each] for each in _VALUES if each in said), "")
            if name and value:
                found.setdefault(name, value)
        return found

    @property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """Names and values that it sets."""
        crumbs = (
            value.partition(";")[0].partition("=")
            for name, value in self.headers
            if name == "set-cookie"
        )
        return tuple((name.strip(), value.strip()) for name, _, value in crumbs)


def _after_guard(body: bytes) -> int:
    guard = _XSSI.match(body)
    return guard.end() if guard else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Where an answer has a value.

    Attributes:
        slot: of the session, which takes it.
        kind: a JSON value, a header, a cookie that is set, a field of an HTML form, or
            text of the body.
        name: the path in JSON such as `$.order.id`, or the name of the header, cookie
            or field.
        pattern: a regular expression whose group is the value, within the header or
            body; empty for a whole header.
    """

    slot: int
    kind: Kind
    name: str = ""
    pattern: str = ""

    def find(self, content: Content) -> str | None:
        """The value, or `None` where the answer has none."""
        return _FINDERS[self.kind](self, content) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Where a request takes a value.

    Attributes:
        slot: of the session, which has it.
        part: of the request.
        header: which, counted from 0, if the part is one.
        start: of the recorded value in that part, in bytes or characters.
        end: behind it.
        coding: how the value is written there: as it is, in a header or in a text;
            percent-encoded; or as JSON, in place of a string or of a number.
    """

    slot: int
    part: Part
    header: int = 0
    start: int
    end: int
    coding: Coding


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What ties a request to others of its session.

    Attributes:
        fills: in the order of their places, none within another.
        extracts: from its answer.
    """

    fills: tuple[Fill, ...] = ()
    extracts: tuple[Extract, ...] = ()


NO_LINKS: Final = Links()


def filled(
    request: Request, fills: tuple[Fill, ...], values: Mapping[int, str]
) -> tuple[Request, int]:
    """The request with the session's values, and how many of them there were not.

    Where there is none the recorded value stays; all else stays byte for byte.
    """
    target, headers, body = request.target, list(request.headers), request.body
    missing = 0
    for fill in reversed(fills):
        value = values.get(fill.slot)
        if value is None:
            missing += 1
            continue
        text, start, end = _CODINGS[fill.coding](value), fill.start, fill.end
        if fill.part == "target":
            target = target[:start] + text + target[end:]
        elif fill.part == "body":
            body = body[:start] + text.encode(errors="replace") + body[end:]
        else:
            name, old = headers[fill.header]
            headers[fill.header] = name, old[:start] + text + old[end:]
    return replace(request, target=target, headers=tuple(headers), body=body), missing


def json_path(steps: tuple[str | int, ...]) -> str:
    """A path such as `$.items[0].id`."""
    return "$" + "".join(map(_written, steps))


def is_json_path(text: str) -> bool:
    """Whether it is such a path, and nothing that other dialects have besides."""
    return _PATH.fullmatch(text) is not None


def _written(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if re.fullmatch(r"[A-Za-z_][\w-]*", step, re.ASCII):
        return f".{step}"
    escaped = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(
        int(place) if place else name or _ESCAPED.sub(r"\1", single or double)
        for name, place, single, double in _STEP.findall(path)
    )


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def value_at(document: Any, path: str) -> Any:
    """The value at a path of a JSON document.

    Raises:
        LookupError: there is none.
    """
    for step in _steps(path):
        wanted: type[Any] = dict if isinstance(step, str) else list
        if not isinstance(document, wanted):
            raise LookupError(path)  # noqa: TRY004 - as where the step leads nowhere
        document = document[step]
    return document


def _json(extract: Extract, content: Content) -> str | None:
    try:
        found = value_at(content.document, extract.name)
    except LookupError:
        return None
    if isinstance(found, str):
        return found
    whole = isinstance(found, int) and not isinstance(found, bool)
    return str(found) if whole else None


def _header(extract: Extract, content: Content) -> str | None:
    values = (value for name, value in content.headers if name == extract.name)
    if not extract.pattern:
        return next(values, None)
    found = map(_compiled(extract.pattern).search, values)
    return next((unquote(each[1] or "") for each in found if each), None)


def _cookie(extract: Extract, content: Content) -> str | None:
    return dict(content.cookies).get(extract.name)


def _field(extract: Extract, content: Content) -> str | None:
    return content.fields.get(extract.name)


def _text(extract: Extract, content: Content) -> str | None:
    found = _compiled(extract.pattern).search(content.text)
    return html.unescape(found[1] or "") if found else None


_FINDERS: Final[Mapping[str, Callable[[Extract, Content], str | None]]] = {
    "json": _json,
    "header": _header,
    "cookie": _cookie,
    "field": _field,
    "text": _text,
}


def _plain(value: str) -> str:
    """The bytes of UTF-8 as latin-1 characters, as in all headers."""
    return value.encode(errors="replace").decode("latin-1")


def _percent(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: str) -> str:
    return value if _INTEGER.fullmatch(value) else _string(value)


_CODINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "plain": _plain,
    "text": str,
    "percent": _percent,
    "string": _string,
    "number": _number,
}
