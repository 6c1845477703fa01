"""Routes: `GET /orders/81723?full=1` becomes `GET /orders/{id}`.

A segment of a path that is a number, a date, a UUID, a hash or another key drawn by a
machine is an `{id}` by its form. Names that people give (`/posts/how-to-sail`) are told
by their number alone: `{slug}`, where a recording has too many of them at one place. An
OpenAPI document knows better than both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["OTHER", "SERVICE", "SLUG", "Routes", "is_name", "segments_of"]

SERVICE = "service"
"""The service as a whole, where a route is asked for."""

OTHER = "other"
"""The routes too thin to be judged alone, taken together."""

_IDENTIFIER: Final = "{id}"
SLUG: Final = "{slug}"

_HEX: Final = "[0-9a-fA-F]"
_FORM: Final = re.compile(
    r"\d+"
    r"|\d{4}-\d\d(?:-\d\d(?:T[\d:.Z+-]*)?)?"
    rf"|{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
    rf"|(?=[^/]*\d){_HEX}{{16,}}"
    r"|[0-7][0-9A-HJKMNP-TV-Z]{25}"
    r"|(?:[a-z]{1,8}_)?(?=\w*\d)(?=\w*[a-z])(?=\w*[A-Z])[0-9A-Za-z]{14,}"
)
"""Numbers, days and moments, UUIDs, hashes, ULIDs, and keys as `ord_8fK2mQx7TzP4aB`."""


@dataclass(frozen=True)
class Routes:
    """What is known of a service's routes.

    Attributes:
        slugs: paths below which each name is a `{slug}`, such as `/posts`.
        paths: of an OpenAPI document, such as `/orders/{orderId}`.
    """

    slugs: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    _known: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def of(self, method: str, target: str) -> str:
        """The route of a request."""
        path = target.partition("?")[0]
        known = self._known.get(path)
        if known is None:
            known = self._documented(path) or self._templated(path)
            if len(self._known) < _REMEMBERED:
                self._known[path] = known
        return f"{method} {known}"

    def _templated(self, path: str) -> str:
        below = ""
        first, *rest = segments_of(path)
        for segment in rest:
            is_slug = below in self.slugs and is_name(segment)
            below = f"{below}/{SLUG if is_slug else segment}"
        return first + below

    def _documented(self, path: str) -> str | None:
        """The path of the document that fits, one with fewer parameters first."""
        segments = path.split("/")
        return next(
            (
                written
                for written, pattern in self._by_length.get(len(segments), ())
                if pattern.fullmatch(path)
            ),
            None,
        )

    @cached_property
    def _by_length(self) -> Mapping[int, Sequence[tuple[str, re.Pattern[str]]]]:
        found: dict[int, list[tuple[str, re.Pattern[str]]]] = {}
        for written in sorted(self.paths, key=_parameters):
            found.setdefault(len(written.split("/")), []).append(
                (written, _pattern(written))
            )
        return found


_REMEMBERED: Final = 1 << 16
_PARAMETER: Final = re.compile(r"\{[^{}/]*\}")


def _parameters(path: str) -> int:
    return len(_PARAMETER.findall(path))


def _pattern(path: str) -> re.Pattern[str]:
    literals = map(re.escape, _PARAMETER.split(path))
    return re.compile("[^/]+".join(literals))


def is_name(segment: str) -> bool:
    """Whether somebody named it: it is neither empty nor an `{id}`."""
    return segment not in {"", _IDENTIFIER}


def segments_of(path: str) -> Iterable[str]:
    """The segments of a path, those that are identifiers by their form as `{id}`."""
    return map(_segment, path.split("/"))


@lru_cache(maxsize=_REMEMBERED)
def _segment(text: str) -> str:
    return _IDENTIFIER if _FORM.fullmatch(text) else text
