"""Numbers as people read them: three significant digits and a unit."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.verdict import Estimate

__all__ = ["change", "figure", "interval", "number", "significant", "wording"]

_SCALES: Final[Mapping[str, tuple[tuple[float, float, str], ...]]] = {
    "ns": ((0.0, 1e6, " ms"), (1e10, 1e9, " s")),
    "bytes": (
        (0.0, 2**10, " KiB"),
        (2**20, 2**20, " MiB"),
        (10 * 2**30, 2**30, " GiB"),
    ),
    "ratio": ((0.0, 0.01, "%"),),
    "ns/request": ((0.0, 1e6, " ms/req"),),
    "bytes/request": ((0.0, 1, " B/req"), (2**10, 2**10, " KiB/req")),
    "1/request": ((0.0, 1, "/req"),),
    "1/1000 requests": ((0.0, 1, "/1k"),),
    "bytes/1000 requests": (
        (0.0, 2**10, " KiB/1k"),
        (2**20, 2**20, " MiB/1k"),
    ),
}
"""By unit: from this value on, divide by this, and call it so; `1k` are requests."""


_HALF: Final = 0.5
_TWICE: Final = 2.0


def significant(value: float, digits: int = 6) -> float:
    """`value` at that many significant digits, as stored in `verdict.json`."""
    return float(f"{value:.{digits}g}")


def number(value: float) -> str:
    """Three significant digits, all digits before the point, no exponent."""
    rounded = significant(value, 3)
    magnitude = floor(log10(abs(rounded))) if rounded else 2
    return f"{rounded:,.{min(max(0, 2 - magnitude), 6)}f}"


def figure(value: float | None, unit: str) -> str:
    """A value in a unit of `Estimate.unit`, such as `61.2 MiB`; `-` for none."""
    if value is None:
        return "-"
    scales = [scale for scale in _SCALES[unit] if abs(value) >= scale[0]]
    _, divisor, name = scales[-1]
    return number(value / divisor) + name


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+,.1f}%"


def _times(ratio: float) -> str:
    return f"x{number(ratio)}"


def _points(difference: float) -> str:
    return f"{difference * 100:+,.2f} points"


def wording(
    unit: str, *, relative: bool, about: float | None
) -> Callable[[float], str]:
    """How changes of about that size are told, and the ends of their interval.

    `+4.1%`, from a doubling on `x2.34`; differences of rates `+0.43 points`, others in
    their unit.
    """
    if relative:
        doubled = about is not None and not _HALF < about < _TWICE
        return _times if doubled else _percent
    if unit == "ratio":
        return _points
    return lambda value: ("+" if value >= 0 else "") + figure(value, unit)


def _wording(estimate: Estimate) -> Callable[[float], str]:
    return wording(estimate.unit, relative=estimate.relative, about=estimate.change)


def change(estimate: Estimate) -> str:
    """The change in words; `-` for none."""
    return "-" if estimate.change is None else _wording(estimate)(estimate.change)


def interval(estimate: Estimate) -> str:
    """The ends of the change's 90 % interval: `+1.2% to +7.0%`; `-` for none."""
    if estimate.lower is None or estimate.upper is None:
        return "-"
    word = _wording(estimate)
    lower, upper = word(estimate.lower), word(estimate.upper)
    _, space, unit = upper.partition(" ")
    return f"{lower.removesuffix(space + unit)} to {upper}"
