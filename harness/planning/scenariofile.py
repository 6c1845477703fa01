"""YAML to Scenario; every complaint has its file, line and column."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import ScenarioError
from harness.model.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["read_scenario"]


class _Loader(yaml.SafeLoader):
    """Says where a value stands that looks like a date or a number but is none."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (AttributeError, KeyError, ValueError) as error:
            problem = f"{node.value!r}: {error}; a text needs quotes"
            raise yaml.constructor.ConstructorError(
                None, None, problem, node.start_mark
            ) from error


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario file.

    `recording` comes back relative to the file's directory as it was written; the
    caller joins them.

    Raises:
        ScenarioError: all that is wrong, each `file:line:column: message` on a line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ScenarioError(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    try:
        node = yaml.compose(text, _Loader)
        value = yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
        _refuse_duplicates(path, node)
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(_at(path, error.problem_mark, error.problem)) from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}:1:1: {error}") from error
    except RecursionError as error:
        raise ScenarioError(f"{path}:1:1: nested too deeply, or in itself") from error
    if not isinstance(node, yaml.MappingNode):
        raise ScenarioError(f"{path}:1:1: a scenario is a mapping of keys to values")
    try:
        return Scenario.model_validate(value)
    except ValidationError as error:
        lines = [_complaint(path, node, dict(each)) for each in error.errors()]
        raise ScenarioError("\n".join(lines)) from error


def _at(path: Path, mark: yaml.Mark | None, message: str | None) -> str:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return f"{path}:{line}:{column}: {message}"


def _complaint(path: Path, root: yaml.Node, error: dict[str, Any]) -> str:
    location: Sequence[str | int] = error["loc"]
    where = ".".join(str(part) for part in location)
    kind, message = error["type"], error["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        message = f"`{location[-1]}` is not a key here{_nearest(location)}"
    elif kind == "missing":
        message = f"`{location[-1]}` is missing"
    elif where:
        message = f"{where}: {message}"
    return _at(path, _mark(root, location, key=kind == "extra_forbidden"), message)


def _mark(node: yaml.Node, location: Sequence[str | int], *, key: bool) -> yaml.Mark:
    """Where the innermost part of a location that exists stands in the file."""
    mark = node.start_mark
    for part in location:
        child = _child(node, part)
        if child is None:
            break
        name, node = child
        mark = name.start_mark if key else node.start_mark
    return mark


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(part):
                return name, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part], node.value[part]
    return None


def _nearest(location: Sequence[str | int]) -> str:
    keys = list(_model_at(location[:-1]).model_fields)
    near = difflib.get_close_matches(str(location[-1]), keys, n=1)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; keys here: {', '.join(keys)}"


def _model_at(location: Sequence[str | int]) -> type[BaseModel]:
    model: type[BaseModel] = Scenario
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        candidates = (field.annotation, *_all_args(field.annotation))
        model = next(
            (
                each
                for each in candidates
                if isinstance(each, type) and issubclass(each, BaseModel)
            ),
            model,
        )
    return model


def _all_args(annotation: object) -> tuple[object, ...]:
    args = get_args(annotation)
    return (*args, *(inner for each in args for inner in _all_args(each)))


def _refuse_duplicates(path: Path, node: yaml.Node | None) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(path, item)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for name, value in node.value:
        if name.value in seen:
            raise ScenarioError(
                _at(path, name.start_mark, f"`{name.value}` is given twice")
            )
        seen.add(name.value)
        _refuse_duplicates(path, value)
