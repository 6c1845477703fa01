r"""YAML to the user's rules of redaction; every complaint has its line and column.

A name is matched as a whole, in capitals or not; a value wherever it stands.

    add:                          # what is hidden besides
      - name: customer_(id|no)    # of a parameter, header, cookie, JSON key
      - value: CUST-\d{6}
    allow: [theme, page_token]    # names whose values stay
    drop: [x-debug]               # headers that are removed
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, Final

from harness.capture.secret import NO_RULES, Rules, spelled
from harness.errors import InputError
from harness.store.yamlfile import YamlFile, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Place = tuple[str | int, ...]

__all__ = ["read_rules"]

_KEYS: Final = ("add", "allow", "drop")
_WAYS: Final = ("name", "value")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read_rules(path: Path | None) -> Rules:
    """Read and check a file of rules; without a file there are none.

    Raises:
        InputError: all that is wrong, each `file:line:column: message` on a line.
    """
    if path is None:
        return NO_RULES
    file = read_yaml(path, InputError)
    if not isinstance(file.value, dict):
        raise InputError(
            f"{path}:1:1: rules are a mapping of {', '.join(_KEYS)} to lists"
        )
    complaints = list(_complaints(file, file.value))
    if complaints:
        raise InputError("\n".join(complaints))
    added: list[dict[str, str]] = file.value.get("add") or []
    return Rules(
        names=tuple(
            re.compile(rule["name"], re.IGNORECASE) for rule in added if "name" in rule
        ),
        values=tuple(re.compile(rule["value"]) for rule in added if "value" in rule),
        allowed=frozenset(spelled(name)[1] for name in file.value.get("allow") or ()),
        dropped=frozenset(name.lower() for name in file.value.get("drop") or ()),
    )


def _complaints(file: YamlFile, content: dict[Any, Any]) -> Iterator[str]:
    for key, listed in content.items():
        if key not in _KEYS:
            yield file.at((str(key),), _unknown(key, _KEYS), key=True)
        elif listed is not None and not isinstance(listed, list):
            yield file.at((key,), f"{key}: a list is wanted, as {_EXAMPLES[key]}")
        else:
            for index, item in enumerate(listed or ()):
                if wrong := _wrong(key, item):
                    yield file.at((key, index), f"{key}: {wrong}")


_EXAMPLES: Final = {
    "add": "[{name: customer_id}]",
    "allow": "[page_token]",
    "drop": "[x-debug]",
}


def _wrong(key: str, item: object) -> str:
    if key == "add":
        return _wrong_rule(item)
    if not isinstance(item, str) or not spelled(item)[1]:
        return f"a name is wanted, as {_EXAMPLES[key]}; put it in quotes"
    if key == "drop" and not _HEADER.fullmatch(item):
        return f"`{item}` is no header's name"
    return ""


def _wrong_rule(item: object) -> str:
    if not isinstance(item, dict) or len(item) != 1:
        return "{name: regex} or {value: regex} is wanted, one in each"
    [(way, pattern)] = item.items()
    if way not in _WAYS:
        return _unknown(way, _WAYS)
    if not isinstance(pattern, str):
        return f"{way}: a regular expression is wanted; put it in quotes"
    try:
        found = re.compile(pattern).match("")
    except (re.error, OverflowError) as error:
        return f"{way}: not a regular expression of Python: {error}"
    return f"{way}: it matches an empty text; ask for something" if found else ""


def _unknown(key: object, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1)
    remedy = f"did you mean `{near[0]}`?" if near else f"keys here: {', '.join(known)}"
    return f"`{key}` is not a key here; {remedy}"
