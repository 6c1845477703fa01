"""The shape of a load: a level over the measured part of a round."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from harness.model.part import Duration, HostPath, Level, Moment, Part, Whole

__all__ = ["TAGS", "Ramp", "Shape", "ShapeOrName", "Spike", "Step"]


class _Curve(Part):
    """Has keys that are words of Python's own; a stored trial names the fields."""

    model_config = ConfigDict(populate_by_name=True)


class Ramp(_Curve):
    """From one level to another, evenly over the measured part of a round."""

    start: Level = Field(alias="from")
    """The level at its beginning, and in the warm-up."""
    to: Level
    """The level at its end."""


class Step(_Curve):
    """A level that is reached evenly within 1 s and held."""

    length: Duration = Field(alias="for", gt=0)
    """How long, the second in which it is reached included; the last step holds."""
    level: Level
    """The level, relative to the load as `users` or `replay` gives it."""


class Spike(_Curve):
    """Level 1, but for a while another."""

    factor: Level
    """The level of the spike."""
    at: Duration
    """When the level begins to rise, on the clock of the measured part."""
    length: Duration = Field(alias="for", gt=0)
    """How long the factor holds, from the end of the rise."""
    rise: Duration = Field(default="1s", gt=0)  # type: ignore[assignment] # parsed
    """How long the rise takes, and afterwards the fall: both even."""


_KINDS: Final = ("ramp", "steps", "spike", "csv")


class Shape(_Curve):
    """A level over the measured part of a round; during the warm-up its first holds.

    Level 1 is the load as `users` or `replay` gives it: that many users on stage, or
    sessions that start at the recording's mean rate x speed x scale.
    """

    ramp: Ramp | None = None
    """From one level to another."""
    steps: tuple[Step, ...] | None = Field(default=None, min_length=1)
    """One level after another."""
    spike: Spike | None = None
    """Another level for a while."""
    csv: HostPath | None = None
    """Requests per minute, in columns `period` and `count`; from the scenario file.

    With `replay` the counts themselves are the load: a minute takes 60 s / speed, and
    count / 60 x speed x scale requests a second begin in it, by sessions of the
    recording's mean length; a round longer than the minutes holds the last one. With
    `users` the curve relative to its own peak is laid over the measured part.
    """
    start: Moment | None = Field(default=None, alias="from")
    """The first minute of the CSV that counts; left out, the first there is."""
    minutes: Whole | None = Field(default=None, gt=0)
    """How many minutes from there; left out, all there are."""

    @property
    def kind(self) -> str:
        """Which of its keys is given: `ramp`, `steps`, `spike` or `csv`."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError("give one of `ramp`, `steps`, `spike` and `csv`")
        if self.csv is None and (self.start or self.minutes):
            raise ValueError("`from` and `minutes` choose a part of a `csv`")
        return self


_NAME, _CURVE = "[name]", "[curve]"
TAGS: Final = (_NAME, _CURVE)
"""What pydantic puts into the location of an error although no file has such a key."""

ShapeOrName = Annotated[
    Annotated[Literal["recorded", "constant"], Tag(_NAME)]
    | Annotated[Shape, Tag(_CURVE)],
    Discriminator(lambda given: _CURVE if isinstance(given, dict | Shape) else _NAME),
]
