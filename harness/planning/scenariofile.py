"""YAML to Scenario; every complaint has its file, line and column."""

from __future__ import annotations

import difflib
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel, ValidationError

from harness.errors import InputError, ScenarioError
from harness.model.quantity import cut
from harness.model.scenario import Scenario
from harness.model.shape import TAGS, Shape
from harness.planning.countfile import read_counts
from harness.planning.openapi import documented_paths
from harness.store.yamlfile import YamlFile, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["read_scenario"]


_MAPPING: Final = "a mapping of keys to values is wanted"
_TEXT: Final = "a text is wanted; put it in quotes"
_WHOLE: Final = "a whole number is wanted"
_KEY: Final = "[key]"
"""How pydantic ends the location of a key, where the key itself is wrong."""

_WANTED: Final[Mapping[str, str]] = {
    "dict_type": _MAPPING,
    "finite_number": "a finite number is wanted",
    "float_parsing": "a number is wanted",
    "float_type": "a number is wanted",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_type": _WHOLE,
    "invalid_key": "a key is a text; put it in quotes",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": _MAPPING,
    "path_type": _TEXT,
    "string_too_long": "must have at most {max_length} characters",
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "too_short": "must not be empty; leave it out",
    "tuple_type": "a list is wanted, as [python, -m, app]",
}
"""Our words for pydantic's types of error, with what its context knows."""

_HERE: Final[Mapping[tuple[str, str], str]] = {
    ("literal_error", "shape"): "must be recorded, constant, {ramp: …}, {steps: …}, "
    "{spike: …} or {csv: …}",
    ("tuple_type", "steps"): "a list is wanted, as [{for: 10s, level: 2}]",
}
"""Our words for a type of error where a certain key's value has it."""

_IMPORT_S: Final = 30
_PATTERNS: Final[Mapping[str, str]] = {
    "by_route": "a route is wanted, as POST /checkout",
    "as": "bearer or a header's name is wanted",
    "env": "a variable's name is neither empty nor has a =",
    "from": "a route is wanted, as POST /orders",
    "header": "a header's name is wanted, as X-Token",
    "headers": "a header's name is wanted, as X-Token",
    "name": "letters, digits, dot, dash and underscore are wanted, as shop-2",
    "post": "must start with /, as /login",
    "ready": "must start with /, as /healthz",
    "route": "a route is wanted, as GET /orders/{id}",
    "url": "must start with http:// or https:// and have a host",
    "volumes": "host:container[:ro] is wanted, as ./seed:/seed:ro",
}
"""What the field wants whose pattern does not match."""


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario file.

    `recording` comes back relative to the file's directory as it was written; the
    caller joins them. `load.shape.csv` and `openapi` come back joined, and are read
    once to see that they can be.

    Raises:
        ScenarioError: all that is wrong, each `file:line:column: message` on a line.
    """
    file = read_yaml(path, ScenarioError)
    if not isinstance(file.value, dict):
        raise ScenarioError(f"{path}:1:1: a scenario is a mapping of keys to values")
    try:
        scenario = Scenario.model_validate(
            file.value, context={"directory": path.parent}
        )
    except ValidationError as error:
        lines = [_complaint(file, dict(each)) for each in error.errors()]
        raise ScenarioError("\n".join(lines)) from error
    shape = scenario.load.shape
    if isinstance(shape, Shape) and shape.csv is not None:
        with _placed(file, "load", "shape", "csv"):
            read_counts(shape.csv, shape.start, shape.minutes)
    _refuse_locustfile(file, scenario.load.locustfile)
    with _placed(file, "openapi"):
        documented_paths(scenario.openapi)
    return scenario


@contextmanager
def _placed(file: YamlFile, *keys: str) -> Iterator[None]:
    """What is wrong with a file that is named there is told with that place."""
    try:
        yield
    except InputError as error:
        message = f"{'.'.join(keys)}: {error.message}"
        raise ScenarioError(file.at(keys, message), hint=error.hint) from error


def _refuse_locustfile(file: YamlFile, locustfile: Path | None) -> None:
    """Import it once, in a process of its own: Locust changes the one it is in."""
    if locustfile is None:
        return
    if locustfile.is_file():
        found = _broken(locustfile)
    else:
        found = f"{locustfile}: there is no such file"
    if found:
        message = f"load.locustfile: {found}"
        raise ScenarioError(file.at(("load", "locustfile"), message))


def _broken(locustfile: Path) -> str:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "harness.load.locustfile", str(locustfile)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_IMPORT_S,
        )
    except subprocess.TimeoutExpired:
        return f"{locustfile}: importing it takes more than {_IMPORT_S} s"
    return done.stdout.strip() or (
        done.stderr.strip()[-300:] if done.returncode else ""
    )


def _complaint(file: YamlFile, error: dict[str, Any]) -> str:
    location = [part for part in error["loc"] if part not in TAGS]
    where = ".".join(cut(str(part)) for part in location if part != _KEY)
    kind, message = error["type"], _in_our_words(error)
    if kind == "extra_forbidden":
        message = f"`{cut(str(location[-1]))}` is not a key here{_nearest(location)}"
    elif kind == "missing":
        message = f"`{location[-1]}` is missing"
    elif where:
        message = f"{where}: {message}"
    key = kind == "extra_forbidden" or _KEY in location
    return file.at(location, message, key=key)


def _in_our_words(error: dict[str, Any]) -> str:
    message: str = error["msg"].removeprefix("Value error, ")
    places = [part for part in error["loc"] if part not in TAGS]
    if places and (error["type"], places[-1]) in _HERE:
        return _HERE[error["type"], places[-1]]
    if error["type"] == "string_pattern_mismatch":
        fields = (part for part in error["loc"] if part in _PATTERNS)
        return _PATTERNS.get(next(fields, ""), message)
    wanted = _WANTED.get(error["type"])
    return wanted.format(**error.get("ctx", {})) if wanted else message


def _nearest(location: Sequence[str | int]) -> str:
    fields = _model_at(location[:-1]).model_fields
    keys = [field.alias or name for name, field in fields.items()]
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
