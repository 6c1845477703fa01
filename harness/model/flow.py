"""What ties the requests of a session together, where the recording does not tell."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from harness.model.link import is_json_path
from harness.model.part import Part, Route, Whole

__all__ = ["Beginning", "Login", "Rule", "Token", "Use"]

_Header = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
_FORBIDDEN: Final = frozenset({"content-length", "cookie", "host", "transfer-encoding"})
"""Headers that a request has anyway, and gets otherwise."""


def _path_in_json(given: object) -> object:
    if isinstance(given, str) and not is_json_path(given):
        raise ValueError("a path in JSON is wanted, as $.order.id")
    return given


_JsonPath = Annotated[str, BeforeValidator(_path_in_json)]


def _header_to_fill(given: str) -> str:
    if given.lower() in _FORBIDDEN:
        raise ValueError(
            f"`{given}` is made for each request; cookies that answers set are sent by"
            " themselves"
        )
    return given


_Filled = Annotated[_Header, AfterValidator(_header_to_fill)]


def _regular_expression(given: object) -> object:
    if isinstance(given, str):
        try:
            groups = re.compile(given).groups
        except (re.error, OverflowError) as error:
            raise ValueError(f"no regular expression: {error}") from None
        if groups != 1:
            raise ValueError("one group is wanted, around the value, as id=([0-9]+)")
    return given


_Pattern = Annotated[str, BeforeValidator(_regular_expression)]


def _given(part: Part, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if getattr(part, name) is not None]


def _or_one_without_a_list(schema: dict[str, Any]) -> None:
    listed = {name: schema.pop(name) for name in ("type", "items", "minItems")}
    schema["anyOf"] = [listed["items"], listed]


def _or_cookies(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"const": "cookies", "type": "string"}, *schema["anyOf"]]


class Use(Part):
    """Where later requests of the session take a value."""

    route: Route | None = None
    """Which requests, such as `GET /orders/{id}`; all with the place if left out."""
    path: str | None = None
    """The name that `route` has for a part of the path, such as `id`."""
    query: str | None = None
    """A parameter of the query."""
    form: str | None = None
    """A field of a form in the body."""
    header: _Filled | None = None
    """A header, which is added where none was recorded."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = _given(self, ("path", "query", "form", "header"))
        if len(places) != 1:
            raise ValueError("give one of path, query, form, header")
        if self.path and (self.route or "").count(f"{{{self.path}}}") != 1:
            raise ValueError(
                f"`path: {self.path}` needs a `route` with {{{self.path}}} in it"
            )
        return self


class Rule(Part):
    """A value that an answer gives and later requests of the session need."""

    from_: Route = Field(alias="from")
    """The route whose answers give it; the last one counts."""
    json_: _JsonPath | None = Field(default=None, alias="json")
    """Its path in a JSON answer, such as `$.order.id`."""
    header: _Header | None = None
    """The header that it is in."""
    cookie: str | None = None
    """The cookie that it is set as."""
    field: str | None = None
    """The field of an HTML form, or the meta element."""
    text: _Pattern | None = None
    """A regular expression with one group, over the `header`, if given, or the body."""
    use: Annotated[
        tuple[Use, ...],
        BeforeValidator(lambda use: [use] if isinstance(use, dict) else use),
    ] = Field(min_length=1, json_schema_extra=_or_one_without_a_list)
    """Where it goes."""

    model_config = ConfigDict(populate_by_name=True)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = _given(self, ("json_", "header", "cookie", "field", "text"))
        if len(sources) != 1 and sources != ["header", "text"]:
            raise ValueError("give one of json, header, cookie, field, text")
        return self


class Token(Part):
    """What a login answers with, besides cookies."""

    json_: _JsonPath = Field(alias="json")
    """Its path in the JSON answer."""
    as_: _Filled = Field(default="bearer", alias="as")
    """How it is sent from then on: `bearer`, or the name of a header."""

    model_config = ConfigDict(populate_by_name=True)


class Login(Part):
    """A request that each session begins with, ahead of what was recorded.

    It is sent and answered like any other, and counted in the books, but not measured.
    In its texts `{user}` is the number of the user, counted from 1.
    """

    post: str = Field(pattern=r"^/")
    """Where to."""
    form: dict[str, str] | None = None
    """The body, as a form."""
    json_: dict[str, Any] | None = Field(default=None, alias="json")
    """The body, as JSON."""
    headers: dict[_Header, str] = Field(default_factory=dict)
    """Besides that of the body's type."""
    accounts: Whole | None = Field(default=None, ge=1)
    """`{user}` starts over after so many; as many as there are users if left out."""
    then: Annotated[
        Token | None, BeforeValidator(lambda then: None if then == "cookies" else then)
    ] = Field(default=None, json_schema_extra=_or_cookies)
    """What the session is known by afterwards: `cookies`, or a token."""

    model_config = ConfigDict(populate_by_name=True)

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.form is not None and self.json_ is not None:
            raise ValueError("give either `form` or `json`")
        return self


class Beginning(Part):
    """How a session begins."""

    login: Login | None = None
    """A login ahead of each recorded session; without one it begins as recorded."""
