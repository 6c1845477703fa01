"""An OpenAPI document, of which only the paths count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["documented_paths"]

_METHODS: Final = frozenset(
    {"delete", "get", "head", "options", "patch", "post", "put", "trace"}
)
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documented_paths(path: Path | None) -> tuple[str, ...]:
    """The paths of a document, such as `/orders/{orderId}`; without one there are none.

    Each is there as it is written and below the base path of each server, since a proxy
    may have taken that off.

    Args:
        path: of OpenAPI 3 or Swagger 2, JSON or YAML.

    Raises:
        InputError: it cannot be read, or has no paths.
    """
    if path is None:
        return ()
    document = _read(path)
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict) or not paths:
        raise InputError(f"{path}: an OpenAPI document has `paths`; this one has none")
    written = [
        each
        for each, item in paths.items()
        if isinstance(each, str) and each.startswith("/") and _has_method(item)
    ]
    bases = dict.fromkeys(["", *_bases(document)])
    return tuple(f"{base}{each}" for base in bases for each in written)


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - safe
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise InputError(
            f"{path}{place}: neither JSON nor YAML", hint="name an OpenAPI document"
        ) from error


def _has_method(item: object) -> bool:
    return isinstance(item, dict) and bool({"$ref", *_METHODS} & item.keys())


def _bases(document: dict[str, Any]) -> Iterator[str]:
    servers = document.get("servers")
    for server in servers if isinstance(servers, list) else ():
        if isinstance(server, dict) and (path := _path_of(server)) is not None:
            yield path.rstrip("/")
    base = document.get("basePath")
    if isinstance(base, str):
        yield base.rstrip("/")


def _path_of(server: dict[str, Any]) -> str | None:
    """The path of its URL, variables by their defaults; `None` if it is not known."""
    url, variables = server.get("url"), server.get("variables")
    if not isinstance(url, str):
        return None
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        default = variable.get("default") if isinstance(variable, dict) else None
        if isinstance(default, str):
            url = url.replace(f"{{{name}}}", default)
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return None if "{" in path else path
