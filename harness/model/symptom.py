"""What a change claims to fix: a symptom of the baseline that can be measured."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from harness.model.part import Duration, Part, Percentage, Route, Size, Whole
from harness.model.result import CAUSES

__all__ = ["EVENTS", "Fix", "Symptom"]

EVENTS: Final = frozenset({"status", "cause", "check", "crash"})
"""Kinds of symptoms that a round either shows or does not."""


class Symptom(Part):
    """One kind of trouble, of the service or of a route.

    A `status`, a `cause`, a `check` or a `crash` either happens in a round or does not.
    The others are rates and levels with a threshold: the symptom is there beyond it.
    """

    route: Route | None = None
    """Where; the whole service if left out."""
    status: Whole | None = Field(default=None, ge=100, le=599)
    """Answers with this status that are errors."""
    cause: str | None = None
    """Requests without an answer, for this cause, such as `timeout`."""
    check: str | None = Field(default=None, min_length=1)
    """A check of the scenario fails, by its name."""
    crash: Literal[True] | None = None
    """The build dies."""
    errors: Percentage | None = None
    """More errors than this share of the requests."""
    goodput: Percentage | None = None
    """Less goodput than this, of the whole service."""
    p50: Duration | None = Field(default=None, gt=0)
    """A median latency above this."""
    p95: Duration | None = Field(default=None, gt=0)
    """A p95 latency above this."""
    p99: Duration | None = Field(default=None, gt=0)
    """A p99 latency above this."""
    growth: Size | None = Field(default=None, gt=0)
    """Memory that grows by more than this in 1,000 requests, of the whole service."""

    @model_validator(mode="after")
    def _known_cause(self) -> Self:
        if self.cause is not None and self.cause not in CAUSES[1:]:
            raise ValueError(f"`cause` is one of {', '.join(CAUSES[1:])}")
        return self

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in type(self).model_fields if name != "route"]
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(kinds)}")
        if self.route and given[0] in {
            "check",
            "crash",
            "goodput",
            "growth",
        }:
            raise ValueError(f"`{given[0]}` is of the whole service: leave `route` out")
        return self

    @property
    def kind(self) -> str:
        """Which of the attributes is given."""
        kinds = (name for name in type(self).model_fields if name != "route")
        return next(name for name in kinds if getattr(self, name) is not None)


class Fix(Part):
    """The claim that the candidate fixes something, which the trial then proves."""

    symptom: Symptom
    """What the baseline shows, and the candidate must not."""
