"""How the headers of two answers differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.compare.format import masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Headers = Sequence[tuple[str, str]]

__all__ = ["head_differences"]

_OF_THE_MESSAGE: Final = frozenset(
    {
        "age",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "trailer",
        "transfer-encoding",
    }
)
"""They are about the connection, the moment or the body, which is compared itself."""

_COOKIES: Final = "set-cookie"
_MOVING: Final = frozenset({"expires", "max-age"})
"""Attributes of a cookie whose values follow the clock."""

_SHOWN: Final = 120


def head_differences(
    before: Headers, after: Headers
) -> Iterator[tuple[str, str, str, str]]:
    """Place, kind and both values of each difference.

    Headers are compared by name, whatever their order; what a cookie is set to is not
    compared, its presence and attributes are.
    """
    yield from _of("header", _by_name(before), _by_name(after))
    yield from _of("cookie", _cookies(before), _cookies(after))


def _of(
    what: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, str, str, str]]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old != new:
            shown = ((each or "")[:_SHOWN] for each in (old, new))
            yield (f"{what} {name}", _kind(old, new), *shown)  # type: ignore[misc] # two


def _kind(before: str | None, after: str | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    return "numbers" if masked(before) == masked(after) else "value"


def _by_name(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        if name not in _OF_THE_MESSAGE and name != _COOKIES:
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _cookies(headers: Headers) -> dict[str, str]:
    """By name, the attributes of each cookie that is set, in order."""
    found = {}
    for name, value in headers:
        if name == _COOKIES:
            crumb, *attributes = (part.strip() for part in value.split(";"))
            found[crumb.partition("=")[0]] = "; ".join(
                sorted(map(_attribute, filter(None, attributes)))
            )
    return found


def _attribute(text: str) -> str:
    name, equals, value = text.partition("=")
    name = name.strip().lower()
    moving = name in _MOVING or not equals
    return name if moving else f"{name}={value.strip()}"
