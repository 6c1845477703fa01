"""Quantities as people write them: `10s`, `512MiB`, `10%`, `10% or 5ms`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DURATION",
    "PERCENT",
    "SIZE",
    "Allowance",
    "Unit",
    "allowance_pattern",
    "bytes_of",
    "cut",
    "duration_ns",
    "percent",
]

_MOST: Final = 2**63 - 1
_LONGEST: Final = 60

_NUMBER = re.compile(r"\s*(\d[\d_]*(?:\.\d+)?)\s*([A-Za-zµ%]*)\s*")

Unit = str
"""`ns` for durations, `bytes` for sizes, `ratio` where only percent make sense;
`growth` in bytes and `count` of something, where percent would be of nothing."""

_DURATIONS: Final[Mapping[str, int]] = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_SIZES: Final[Mapping[str, int]] = {
    "B": 1,
    "kB": 1_000,
    "KB": 1_000,
    "MB": 1_000_000,
    "GB": 1_000_000_000,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}
_PERCENT: Final[Mapping[str, float]] = {"%": 0.01}
_ABSOLUTE: Final[Mapping[Unit, Mapping[str, float]]] = {
    "ns": _DURATIONS,
    "bytes": _SIZES,
    "growth": _SIZES,
    "ratio": {},
    "count": {"": 1},
}
_RELATIVE: Final[Mapping[Unit, Mapping[str, float]]] = {
    "ns": _PERCENT,
    "bytes": _PERCENT,
    "growth": {},
    "ratio": _PERCENT,
    "count": {},
}
_EXAMPLES: Final[Mapping[Unit, str]] = {
    "ns": "10% or 5ms",
    "bytes": "10% or 16MiB",
    "growth": "64KiB",
    "ratio": "10%",
    "count": "20",
}


def _pattern(units: Mapping[str, float]) -> str:
    """What `_parsed` takes, as JSON Schema and Python both read it."""
    return rf"\s*[0-9][0-9_]*(\.[0-9]+)?\s*({'|'.join(units)})\s*"


DURATION: Final = f"^{_pattern(_DURATIONS)}$"
"""A pattern of what `duration_ns` takes, for editors."""
SIZE: Final = f"^{_pattern(_SIZES)}$"
"""Likewise of `bytes_of`."""
PERCENT: Final = f"^{_pattern(_PERCENT)}$"
"""Likewise of `percent`."""


def allowance_pattern(unit: Unit) -> str:
    """A pattern of what `Allowance.parse` takes in that unit, for editors."""
    parts = [_pattern(units) for units in (_RELATIVE[unit], _ABSOLUTE[unit]) if units]
    both = [" or ".join(pair) for pair in permutations(parts, 2)]
    return f"^({'|'.join((*parts, *both))})$"


def cut(text: str) -> str:
    """A text that somebody wrote, for a message: its first 60 characters."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _parsed(text: object, units: Mapping[str, float], example: str) -> float:
    match = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[2] not in units:
        known = ", ".join(units)
        said = cut(repr(text))
        raise ValueError(f"{said} needs a number with a unit ({known}), as {example}")
    amount = float(match[1].replace("_", "")) * units[match[2]]
    if amount > _MOST:
        raise ValueError(f"{cut(match[0])} is more than anything can hold")
    return amount


def duration_ns(text: object) -> int:
    """Nanoseconds of a duration such as `10s`, `500ms` or `1m`."""
    return round(_parsed(text, _DURATIONS, "10s"))


def bytes_of(text: object) -> int:
    """Bytes of a size such as `512MiB` or `1GB`."""
    return round(_parsed(text, _SIZES, "512MiB"))


def percent(text: object) -> float:
    """The ratio that a percentage such as `0.1%` stands for."""
    return _parsed(text, _PERCENT, "10%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much worse than the baseline is still within budget: either part suffices.

    Attributes:
        relative: as a ratio of the baseline (for rates: in percentage points / 100).
        absolute: in the metric's unit; 0 where only the relative part is given.
        text: as it was written.
    """

    relative: float
    absolute: float
    text: str

    @property
    def larger(self) -> float:
        """The larger part: what suffices where arms are compared by difference."""
        return max(self.relative, self.absolute)

    @classmethod
    def parse(cls, text: object, unit: Unit) -> Allowance:
        """`10%`, `5ms` or `10% or 5ms`, the absolute part in units of `unit`."""
        units = {**_RELATIVE[unit], **_ABSOLUTE[unit]}
        parts = text.split(" or ") if isinstance(text, str) else [text]
        values = {"relative": 0.0, "absolute": 0.0}
        for part in parts:
            value = _parsed(part, units, _EXAMPLES[unit])
            kind = "relative" if str(part).strip().endswith("%") else "absolute"
            if values[kind]:
                raise ValueError(f"{cut(repr(text))} gives its {kind} part twice")
            values[kind] = value
        return cls(**values, text=str(text))
