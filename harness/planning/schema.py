"""The scenario format as a JSON Schema, for editors: made of the models alone.

What a key means is said once, below it in its model; pydantic would read that, too, but
at every start of every command.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from harness.model.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

__all__ = ["SCHEMA_FILE", "json_schema", "schema_text"]

SCHEMA_FILE: Final = "scenario.schema.json"
"""What it is called beside scenarios."""
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ABOUT: Final = (
    "A trial's terms: which traffic, against which service, how long, within which"
    " budgets. What goes together with what, `seatrial validate` checks."
)
_GROUPED: Final = "^[0-9]+(_[0-9]+)+$"
"""YAML 1.1 reads 10_000 as a number, as we do; the YAML 1.2 of editors, as a text."""
_KEYWORDS: Final[Mapping[str, str]] = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}
"""What pydantic leaves of a bound behind a validator, and what JSON Schema calls it."""


def json_schema() -> dict[str, Any]:
    """What an editor may know of a scenario file: keys, meanings, types, defaults."""
    made = Scenario.model_json_schema(schema_generator=_Generator)
    bounded: dict[str, Any] = _bounded(made)
    return {
        "$schema": _DIALECT,
        **bounded,
        "title": "Seatrial scenario",
        "description": _ABOUT,
    }


def schema_text() -> str:
    """The schema as its file has it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """Pydantic's, with our meanings and as strict as our models."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's
        """A title would be the key again."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """With what each key means."""
        made = super().model_schema(schema)
        made.pop("title", None)
        model = schema["cls"]
        meanings = _meanings(model)
        for name, field in model.model_fields.items():
            key = field.alias or name
            made["properties"][key] = {
                **made["properties"][key],
                "description": meanings[name],
            }
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """No key but those of the pattern, where there is one."""
        made = super().dict_schema(schema)
        closed = {"additionalProperties": False} if "patternProperties" in made else {}
        return {**made, **closed}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Also 10_000."""
        made = super().int_schema(schema)
        if schema.get("strict"):
            return made
        return {**made, "type": ["integer", "string"], "pattern": _GROUPED}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Nothing is not a default worth telling."""
        made = super().default_schema(schema)
        if made.get("default", {}) in (None, {}, [], ""):
            made.pop("default", None)
        return made

    def encode_default(self, dft: Any) -> Any:
        """Of a part, only what differs from the part's own defaults."""
        if isinstance(dft, BaseModel):
            return dft.model_dump(mode="json", exclude_unset=True)
        return super().encode_default(dft)


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Of each field, the docstring below it."""
    tree = ast.parse(inspect.getsource(sys.modules[model.__module__]))
    (body,) = (
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == model.__name__
    )
    return {
        field.target.id: inspect.cleandoc(said.value.value)
        for field, said in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(said, ast.Expr)
        and isinstance(said.value, ast.Constant)
        and isinstance(said.value.value, str)
    }


def _bounded(node: Any) -> Any:
    """With bounds as JSON Schema calls them."""
    if isinstance(node, list):
        return [_bounded(each) for each in node]
    if not isinstance(node, dict):
        return node
    names = _KEYWORDS if "type" in node else {}
    return {names.get(key, key): _bounded(value) for key, value in node.items()}
