"""Invariants of a service that are asked for over HTTP, beside the load."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
)

from harness.model.link import is_json_path, value_at
from harness.model.part import Duration, Part, Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Check", "CheckResult"]

_FIRST_BAD: Final = 400
_SHOWN: Final = 80
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<=": le,
    ">=": ge,
    "!=": ne,
    "==": eq,
    "<": lt,
    ">": gt,
}
_COMPARISON: Final = re.compile(r"\s*(<=|>=|!=|==|<|>)\s*(.*)")


def _path(text: str) -> str:
    if not is_json_path(text):
        raise ValueError(f"{text!r} is no JSON path, as $.stock[0].left")
    return text


def _comparison(wanted: str) -> str:
    said = _COMPARISON.fullmatch(wanted)
    if said and not isinstance(_literal(said[2]), int | float):
        raise ValueError(f"{wanted!r} compares with no number, as '<= 5'")
    return wanted


def _literal(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


_Text = Annotated[str, AfterValidator(_comparison)]
Wanted = StrictBool | StrictInt | StrictFloat | _Text | None
"""A value of JSON, or a comparison with a number, such as `<= 5`."""


class Check(Part):
    """What a request to the service must answer, whatever the load has done to it."""

    model_config = ConfigDict(populate_by_name=True)

    after: Literal["slice", "round", "trial"] = "round"
    """When it is asked, of each arm: after each measured slice or each round.

    Each round has an environment of its own, and any may be the last: `trial` is asked
    after each round, too.
    """
    get: str = Field(pattern=r"^/")
    """The path."""
    name: str = ""
    """In findings and in `fix.symptom`; `GET` and the path if left out."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with it."""
    status: Whole | None = Field(default=None, ge=100, le=599)
    """Of the answer; any below 400 if left out."""
    json_: dict[Annotated[str, AfterValidator(_path)], Wanted] = Field(
        default_factory=dict, alias="json"
    )
    """JSON paths, and what must be there: a value, or a comparison as `<= 5`."""
    contains: str | None = None
    """A text that the body must contain."""
    timeout: Duration = Field(default="10s", gt=0)  # type: ignore[assignment] # parsed
    """After which there is no answer."""

    @property
    def title(self) -> str:
        """Its name."""
        return self.name or f"GET {self.get}"

    def failure(self, status: int, body: bytes) -> str:
        """What is wrong with an answer, in words; empty if nothing is.

        Args:
            status: of the answer.
            body: free of its codings.
        """
        if status != self.status and (self.status or status >= _FIRST_BAD):
            return f"status is {status}, not {self.status or 'below 400'}"
        if self.contains is not None and self.contains not in body.decode(
            errors="replace"
        ):
            return f"the body has no {self.contains[:_SHOWN]!r}"
        return self._failure_of_json(body) if self.json_ else ""

    def _failure_of_json(self, body: bytes) -> str:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return f"the body is no JSON: {body[:_SHOWN].decode(errors='replace')!r}"
        for path, wanted in self.json_.items():
            try:
                found = value_at(document, path)
            except LookupError:
                return f"{path} is not there"
            if not _holds(found, wanted):
                shown = json.dumps(found)[:_SHOWN]
                return f"{path} is {shown}, not {_shown(wanted)}"
        return ""


def _shown(wanted: Any) -> str:
    is_text = isinstance(wanted, str)
    return wanted if is_text and _COMPARISON.match(wanted) else json.dumps(wanted)


def _holds(found: Any, wanted: Any) -> bool:
    said = _COMPARISON.fullmatch(wanted) if isinstance(wanted, str) else None
    if said is None:
        return isinstance(found, bool) == isinstance(wanted, bool) and bool(
            found == wanted
        )
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return is_number and _OPERATORS[said[1]](found, _literal(said[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A check, asked once.

    Attributes:
        name: of the check.
        slice: after which it was asked, 0 for the end of the round.
        failure: what was wrong, in words; empty if it holds.
    """

    name: str
    slice: int
    failure: str
