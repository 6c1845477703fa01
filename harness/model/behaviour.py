"""Which differences between the arms' answers do not count, or are meant."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from harness.model.link import is_json_path
from harness.model.part import Part, Route, Whole

__all__ = ["NO_RULES", "BehaviourRules", "Spot"]

_ANY_ELEMENT: Final = "[*]"


def _path(text: str) -> str:
    if not is_json_path(text.replace(_ANY_ELEMENT, "[0]")):
        raise ValueError(f"{text!r} is no JSON path, as $.items[*].price")
    return text


class Spot(Part):
    """One place in the answers, of the whole service or of a route."""

    model_config = ConfigDict(populate_by_name=True)

    route: Route | None = None
    """Where; all routes if left out."""
    header: Annotated[str, AfterValidator(str.lower)] | None = Field(
        default=None, min_length=1
    )
    """A header, by its name."""
    cookie: str | None = Field(default=None, min_length=1)
    """A cookie that is set, by its name."""
    json_: Annotated[str, AfterValidator(_path)] | None = Field(
        default=None, alias="json"
    )
    """A JSON path and what is below it; `[*]` stands for each element of a list."""
    status: Whole | None = Field(default=None, ge=100, le=599)
    """The status that the candidate answers instead of another."""
    body: Literal[True] | None = None
    """The body as a whole, where it is no JSON."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        kinds = ("header", "cookie", "json_", "status", "body")
        if sum(getattr(self, name) is not None for name in kinds) != 1:
            raise ValueError("give one of header, cookie, json, status, body")
        return self

    @property
    def place(self) -> str:
        """As the comparison names it."""
        if self.header or self.cookie:
            return f"header {self.header}" if self.header else f"cookie {self.cookie}"
        return self.json_ or ("body" if self.body else "status")

    @property
    def text(self) -> str:
        """The spot in words."""
        status = f" {self.status}" if self.status else ""
        where = f" of {self.route}" if self.route else ""
        return f"{self.place}{status}{where}"

    def covers(self, route: str, place: str, kind: str) -> bool:
        """Whether a difference is one of this spot.

        Args:
            route: of the answers.
            place: where they differ.
            kind: how, such as `500 → 201`.
        """
        if self.route not in {None, route} or not place.startswith(self.place):
            return False
        if self.status:
            return f"→ {self.status}" in kind
        return place[len(self.place) :][:1] in {"", ".", "[", " "}


class BehaviourRules(Part):
    """How answers are compared between the arms."""

    ignore: tuple[Spot, ...] = ()
    """What may differ, as `{header: etag}` or `{json: $.request_id}`."""
    expect: tuple[Spot, ...] = ()
    """What the candidate changes on purpose, and must then be seen to."""


NO_RULES: Final = BehaviourRules()
