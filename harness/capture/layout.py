"""A line of a log by its format: literal text and fields, taken apart in linear time.

Each field ends where the literal text after it begins; inside quotes a quote may be
escaped. No part is tried twice (possessive quantifiers), so a line of any length that
does not fit fails as fast as one that does.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from harness.capture.requestline import unescaped
from harness.capture.tally import MALFORMED, LeftOut
from harness.capture.timeformat import complete, moment_of, time_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

__all__ = ["Field", "Layout"]

_QUOTED: Final = r'[^"\\]*+(?>(?:\\.[^"\\]*+)*)'
_BEGINS: Final[Mapping[str, str]] = {"uri": "/", "path": "/", "query": "?", "is": "?"}
"""With what the value of a field begins that follows another without a literal."""
_LIST: Final = r"[^\s,{stop}]*+(?>(?:(?:,| :) [^\s,{stop}]++)*)"
_OWN: Final[Mapping[str, str]] = {
    "is": r"\??",
    "port": r"(?:\d++|-)",
    "list": _LIST,
    "header:x-forwarded-for": _LIST,
}
"""Patterns of fields that may hold what ends others, or nothing."""
_BEFORE: Final[Mapping[tuple[str, str], str]] = {
    ("client", ":"): r"\S*?",
    ("request", " "): r"(?:[^ ]*+ [^ ]*+ HTTP/[^ ]*+|[^ ]*+)",
}
"""Patterns of fields before a character that they may hold."""
_PASSED_OVER: Final = frozenset({"", "is", "port", "list"})
_ABSENT: Final = frozenset({"", "-"})
_TIMES: Final = ("start", "end")
_OF_BYTES: Final = re.DOTALL | re.ASCII
"""Each character stands for a byte: 0x85 and 0xA0 are no spaces."""


class Field(NamedTuple):
    """A field of a format.

    Attributes:
        name: as the format writes it.
        meaning: of `entry`; a time as `start@FORMAT` or `end@FORMAT` of `strftime`;
            `is`, `port` and `list` for those with a pattern of their own; empty for one
            that is passed over.
    """

    name: str
    meaning: str


class Layout:
    """A format, compiled.

    Args:
        parts: literal texts and fields in their order.
        escapes: whether quotes are escaped inside quotes.

    Attributes:
        meanings: what its entries say; a time only if all its parts are there.

    Raises:
        InputError: a time has a part that cannot be read.
    """

    def __init__(self, parts: Sequence[str | Field], *, escapes: bool) -> None:
        self._parts = _joined(parts)
        self._escapes = escapes
        self._groups: dict[str, str] = {}
        self._times: set[str] = set()
        self._patterns = [
            re.escape(part) if isinstance(part, str) else self._pattern(place, part)
            for place, part in enumerate(self._parts)
        ]
        self._line = re.compile("".join(self._patterns), _OF_BYTES)
        self._clocks = {
            time: groups
            for time in _TIMES
            if complete(set(groups := self._clock(time)))
        }
        self.meanings = frozenset({*self._groups.values(), *self._clocks})

    def said(self, line: str) -> dict[str, Any]:
        """What a line says, by meaning.

        Raises:
            LeftOut: it does not fit, or there is no such time.
        """
        match = self._line.fullmatch(line.rstrip("\r\n"))
        if match is None:
            raise LeftOut(MALFORMED, self._fault(line))
        found = match.groupdict()
        said: dict[str, Any] = {}
        for group, meaning in self._groups.items():
            value = found[group]
            if value not in _ABSENT or meaning == "log_size":
                said.setdefault(meaning, unescaped(value) if self._escapes else value)
        for time, groups in self._clocks.items():
            said[time] = moment_of({each: found[name] for each, name in groups.items()})
        return said

    def _clock(self, time: str) -> dict[str, str]:
        """The groups of a time by their letters."""
        return {name[-1]: name for name in self._times if name[:-1] == f"{time}_"}

    def _pattern(self, place: int, field: Field) -> str:
        time, _, form = field.meaning.partition("@")
        if form:
            return time_pattern(form, f"{time}_", self._times)
        pattern = self._extent(place, field)
        if field.meaning in _PASSED_OVER:
            return f"(?:{pattern})"
        group = f"g{len(self._groups)}"
        self._groups[group] = field.meaning
        return f"(?P<{group}>{pattern})"

    def _extent(self, place: int, field: Field) -> str:
        """How far the field goes."""
        behind = [*self._parts[place + 1 :], ""][0]
        before = self._parts[place - 1] if place else ""
        stop = behind if isinstance(behind, str) else _BEGINS.get(behind.meaning, "")
        if self._escapes and str(before)[-1:] == '"' == stop[:1]:
            return _QUOTED
        if field.meaning in _OWN:
            return _OWN[field.meaning].replace("{stop}", re.escape(stop[:1]))
        if isinstance(behind, Field):
            return rf"[^{re.escape(stop)}\s]*+" if stop else r"\S*?"
        if place + 2 >= len(self._parts):
            return ".*"
        if special := _BEFORE.get((field.meaning, stop[0])):
            return special
        first = re.escape(stop[0])
        rest = rf"(?>(?:(?!{re.escape(stop)}){first}[^{first}]*+)*)"
        return rf"[^{first}]*+" + (rest if len(stop) > 1 else "")

    def _fault(self, line: str) -> str:
        place = 0
        for pattern, part in zip(self._steps, self._parts, strict=True):
            match = pattern.match(line, place)
            if match is None:
                name = repr(part) if isinstance(part, str) else part.name
                return f"expected {name} at column {place + 1}"
            place = match.end()
        return f"the line goes on after the format, at column {place + 1}"

    @cached_property
    def _steps(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern, _OF_BYTES) for pattern in self._patterns]


def _joined(parts: Sequence[str | Field]) -> list[str | Field]:
    """With neighbouring literals as one, and none that is empty."""

    def runs() -> Iterator[str | Field]:
        text = ""
        for part in parts:
            if isinstance(part, str):
                text += part
                continue
            if text:
                yield text
            text = ""
            yield part
        if text:
            yield text

    return list(runs())
