"""What the parts of a scenario are made of: quantities with units, checked once."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from harness.model.quantity import (
    DURATION,
    PERCENT,
    SIZE,
    Allowance,
    allowance_pattern,
    bytes_of,
    cut,
    duration_ns,
    percent,
)

__all__ = [
    "CountAllowance",
    "Duration",
    "GrowthAllowance",
    "HostPath",
    "LatencyAllowance",
    "Level",
    "Moment",
    "Number",
    "Part",
    "Percentage",
    "RatioAllowance",
    "Route",
    "Size",
    "SizeAllowance",
    "Variable",
    "Volume",
    "Whole",
]


def _text(title: str, pattern: str, example: str) -> WithJsonSchema:
    """How an editor is told of a quantity that is written as a text."""
    return WithJsonSchema(
        {"type": "string", "title": title, "pattern": pattern, "examples": [example]}
    )


_AS_WRITTEN = PlainSerializer(lambda allowance: allowance.text, when_used="json")


def _in_units(unit: str) -> PlainSerializer:
    return PlainSerializer(lambda amount: f"{amount}{unit}", when_used="json")


def _allowed(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda text: Allowance.parse(text, unit))


def _not_a_truth(given: object) -> object:
    if isinstance(given, bool):
        raise ValueError("a number is wanted, not true or false")  # noqa: TRY004 - pydantic collects no TypeError
    return given


def _moment_of(given: object) -> object:
    if isinstance(given, date) and not isinstance(given, datetime):
        return datetime.combine(given, time())
    if isinstance(given, datetime):
        return given
    try:
        return datetime.fromisoformat(str(given))
    except ValueError:
        said = cut(repr(given))
        raise ValueError(f"{said} is no moment, as 1998-06-30 20:00") from None


def _beside_the_scenario(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("directory", "")) / path


HostPath = Annotated[Path, AfterValidator(_beside_the_scenario)]
"""A path that the scenario file names, from where that stands."""

Whole = Annotated[int, BeforeValidator(_not_a_truth)]
Number = Annotated[float, BeforeValidator(_not_a_truth)]
Variable = Annotated[str, Field(pattern=r"^[^=]+$")]
Volume = Annotated[str, Field(pattern=r"^[^:]+:/[^:]*(:[^:]+)?$")]
Route = Annotated[str, Field(pattern=r"^[A-Z-]+ [/*]")]
Level = Annotated[Number, Field(ge=0, le=1_000_000)]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment_of),
    _text("moment", "^[0-9]{4}-?[0-9W]", "1998-06-30 20:00"),
]
Duration = Annotated[
    int,
    BeforeValidator(duration_ns),
    _in_units("ns"),
    _text("duration", DURATION, "10s"),
]
Percentage = Annotated[
    float,
    BeforeValidator(percent),
    PlainSerializer(lambda ratio: f"{100 * ratio:.12g}%", when_used="json"),
    _text("percentage", PERCENT, "10%"),
]
"""As a ratio."""

Size = Annotated[
    int,
    BeforeValidator(bytes_of),
    _in_units("B"),
    _text("size", SIZE, "512MiB"),
]
LatencyAllowance = Annotated[
    Allowance,
    _allowed("ns"),
    _AS_WRITTEN,
    _text("allowance", allowance_pattern("ns"), "10% or 5ms"),
]
SizeAllowance = Annotated[
    Allowance,
    _allowed("bytes"),
    _AS_WRITTEN,
    _text("allowance", allowance_pattern("bytes"), "10% or 16MiB"),
]
GrowthAllowance = Annotated[
    Allowance,
    _allowed("growth"),
    _AS_WRITTEN,
    _text("allowance", allowance_pattern("growth"), "64KiB"),
]
CountAllowance = Annotated[
    Allowance,
    BeforeValidator(lambda given: Allowance.parse(str(given), "count")),
    _AS_WRITTEN,
    WithJsonSchema(
        {
            "type": ["number", "string"],
            "title": "allowance",
            "minimum": 0,
            "pattern": allowance_pattern("count"),
            "examples": ["20"],
        }
    ),
]
"""So many in 1,000 requests."""
RatioAllowance = Annotated[
    Allowance,
    _allowed("ratio"),
    _AS_WRITTEN,
    _text("percentage", allowance_pattern("ratio"), "10%"),
]


class Part(BaseModel):
    """A part of a scenario: frozen, and without unknown keys."""

    model_config = ConfigDict(
        allow_inf_nan=False, extra="forbid", frozen=True, validate_default=True
    )
