"""The scenario format for people: a library of scenarios, then every key there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model.scenario import Scenario

__all__ = ["reference"]

_HEAD: Final = """\
<!-- Made by: seatrial schema --markdown scenarios/*.yaml > scenarios/README.md -->
# Scenarios

Each stands for an incident, and says in its `why` what happened, why no unit test saw
it, and what to watch. All run on the demo shop: `seatrial verify scenarios/spike.yaml`;
with `--plan` it only says how long it takes.

| scenario | incident |
| --- | --- |
"""
_KEYS: Final = """
## Keys

A key that is left out has its default. Editors check and complete keys with the JSON
Schema that `seatrial schema` prints, here `scenario.schema.json`; `seatrial validate`
checks more: what goes together, and the files that are named.
"""
_ROW_HEAD: Final = "| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s")
_BOUNDS: Final[Mapping[str, str]] = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
_TYPES: Final[Mapping[str, str]] = {
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "mapping",
    "string": "text",
}

Node = dict[str, Any]
"""A part of the JSON Schema."""


def reference(schema: Node, library: Mapping[str, Scenario]) -> str:
    """The library and all keys, as Markdown.

    Args:
        schema: of scenarios, as JSON Schema.
        library: scenarios by the names of their files.
    """
    rows = [
        f"| [{file}]({file}) | {_cell(_SENTENCE.split(scenario.why.strip())[0])} |\n"
        for file, scenario in library.items()
    ]
    return "".join((_HEAD, *rows, _KEYS, *_sections(schema)))


def _sections(schema: Node) -> Iterator[str]:
    """A section for each kind of mapping, under the first key that has it."""
    places: dict[str, list[str]] = {}
    _visit(schema, "", schema["$defs"], places)
    links = {kind: _link(first) for kind, (first, *_) in places.items()}
    yield _table(schema, links)
    for kind, (first, *others) in places.items():
        of, named = schema["$defs"][kind], [f"`{each}`" for each in others]
        also = f" Likewise {', '.join(named)}." if named else ""
        yield f"\n### `{first}`\n\n{of['description']}{also}\n{_table(of, links)}"


def _visit(
    node: Node, place: str, kinds: Mapping[str, Node], places: dict[str, list[str]]
) -> None:
    for key, value in node.get("properties", {}).items():
        below = f"{place}.{key}".removeprefix(".")
        for kind in _kinds(value):
            known = places.setdefault(kind, [])
            known.append(below)
            if len(known) == 1:
                _visit(kinds[kind], below, kinds, places)


def _kinds(node: Any) -> Iterator[str]:
    """The kinds of mappings that a key may hold, itself or in a list or mapping."""
    if isinstance(node, list):
        node = dict(enumerate(node))
    if isinstance(node, dict):
        if "$ref" in node:
            yield _kind(node)
        for each in node.values():
            yield from dict.fromkeys(_kinds(each))


def _kind(node: Node) -> str:
    return str(node["$ref"]).rpartition("/")[2]


def _link(place: str) -> str:
    return f"[`{place}`](#{place.replace('.', '')})"


def _table(node: Node, links: Mapping[str, str]) -> str:
    required = node.get("required", ())
    rows = [
        f"| `{key}` | {_cell(_type(value, links))} | "
        f"{'required' if key in required else _default(value)} | "
        f"{_cell(value['description'])} |\n"
        for key, value in node["properties"].items()
    ]
    return "\n" + "".join((_ROW_HEAD, *rows))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(node: Node) -> str:
    return f"`{_written(node['default'])}`" if "default" in node else ""


def _written(value: Any) -> str:
    """A value as YAML has it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_written(of)}' for key, of in value.items())}}}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _type(node: Node, links: Mapping[str, str]) -> str:
    tell = next((told for key, told in _TOLD.items() if key in node), _plain)
    return tell(node, links)


def _plain(node: Node, _: Mapping[str, str]) -> str:
    kind = node["type"]
    name = _TYPES[kind if isinstance(kind, str) else kind[0]]
    bounds = [f"{said} {node[key]:,}" for key, said in _BOUNDS.items() if key in node]
    return ", ".join((name, *bounds))


def _any(node: Node, links: Mapping[str, str]) -> str:
    choices = node.get("anyOf") or node["oneOf"]
    told = [_type(each, links) for each in choices if each.get("type") != "null"]
    return " or ".join(dict.fromkeys(told))


def _mapping(node: Node, links: Mapping[str, str]) -> str:
    named = [*node.get("patternProperties", {}).values()]
    value = named[0] if named else node["additionalProperties"]
    return "mapping" if value is True else f"mapping to {_type(value, links)}"


_TOLD: Final[Mapping[str, Callable[[Node, Mapping[str, str]], str]]] = {
    "$ref": lambda node, links: links[_kind(node)],
    "anyOf": _any,
    "oneOf": _any,
    "enum": lambda node, _: " or ".join(f"`{each}`" for each in node["enum"]),
    "const": lambda node, _: f"`{_written(node['const']).lower()}`",
    "title": lambda node, _: f"{node['title']}, as `{node['examples'][0]}`",
    "items": lambda node, links: f"list of {_type(node['items'], links)}",
    "additionalProperties": _mapping,
    "format": lambda node, _: node["format"],
}
"""How a type is told, by the first of these that its schema has."""
