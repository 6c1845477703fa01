"""A YAML file that can say where in it something stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from harness.model.quantity import cut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.errors import InputError

__all__ = ["YamlFile", "read_yaml"]

_MOST_NODES: Final = 10_000
_NUMBERS: Final = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFile:
    """What a file says, and where.

    Attributes:
        path: of the file.
        value: its content as lists, mappings and scalars.
        root: likewise, with its places; `None` where the file is empty.
    """

    path: Path
    value: Any
    root: yaml.Node | None

    def at(
        self, location: Sequence[str | int], message: str, *, key: bool = False
    ) -> str:
        """The message after `file:line:column: `.

        Args:
            location: keys and indices; the innermost that exists is the place.
            message: what is wrong there.
            key: whether it is wrong about the key, not its value.
        """
        mark = _mark(self.root, location, key=key) if self.root else None
        return _at(self.path, mark, message)


class _Loader(yaml.SafeLoader):
    """Says where a value stands that YAML would misread, or repeat without end."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._nodes = 0
        self._nodes_in: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node; an alias counts as all that it repeats."""
        before, alias = self._nodes, self.check_event(yaml.AliasEvent)
        event = self.peek_event()  # type: ignore[no-untyped-call] # so in its stubs
        node = super().compose_node(parent, index)
        assert node is not None, "there was an event"
        self._nodes += self._nodes_in.get(node, 1) if alias else 1
        if not alias:
            self._nodes_in[node] = self._nodes - before
        if self._nodes > _MOST_NODES:
            problem = f"more than {_MOST_NODES:,} values; repeat less with aliases"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return node

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if _NO_TEXT.search(value):
            raise ValueError("a NUL or half a surrogate pair is no text")
        if node.tag in _NUMBERS and ":" in value:
            raise ValueError("YAML reads digits with colons in base 60")
        return value

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (AttributeError, LookupError, ValueError) as error:
            problem = f"{cut(repr(node.value))}: {error}; a text needs quotes"
            raise yaml.constructor.ConstructorError(
                None, None, problem, node.start_mark
            ) from error


def read_yaml(path: Path, error: type[InputError]) -> YamlFile:
    """Read a file; repeated keys, numbers in base 60 and the like are refused.

    Args:
        path: of the file.
        error: what to raise where it cannot be read or is no YAML, with its place.
    """
    text = _text(path, error)
    try:
        root = yaml.compose(text, _Loader)
        value = yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
        _refuse_duplicates(root)
    except yaml.MarkedYAMLError as found:
        raise error(_at(path, found.problem_mark, found.problem)) from found
    except yaml.YAMLError as found:
        raise error(f"{path}:1:1: {found}") from found
    except RecursionError as found:
        raise error(f"{path}:1:1: nested too deeply, or in itself") from found
    return YamlFile(path=path, value=value, root=root)


def _text(path: Path, error: type[InputError]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as found:
        raise error(f"{path}: there is no such file") from found
    except IsADirectoryError as found:
        raise error(f"{path}: is a directory") from found
    except (OSError, UnicodeDecodeError) as found:
        raise error(f"{path}: cannot be read: {found}") from found


def _at(path: Path, mark: yaml.Mark | None, message: str | None) -> str:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return f"{path}:{line}:{column}: {message}"


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


def _refuse_duplicates(node: yaml.Node | None) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for name, value in node.value:
        if name.value in seen:
            raise yaml.composer.ComposerError(
                None, None, f"`{name.value}` is given twice", name.start_mark
            )
        seen.add(name.value)
        _refuse_duplicates(value)
