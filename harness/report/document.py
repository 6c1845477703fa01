"""`verdict.json`: a report as a JSON document, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from pydantic import TypeAdapter, ValidationError

from harness.compare.figure import significant
from harness.errors import ComparisonError
from harness.model.verdict import SCHEMA_VERSION, Report

__all__ = ["check_version", "dump", "load"]

_REPORT: Final = TypeAdapter(Report)
_VERSION: Final = "schema_version"


def dump(report: Report) -> str:
    """The report as JSON: no time, no path, floats at 6 significant digits."""
    document = {_VERSION: SCHEMA_VERSION, **asdict(report)}
    text = json.dumps(_rounded(document), indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n"


def _rounded(value: object) -> object:
    match value:
        case float():
            return significant(value)
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [_rounded(item) for item in value]
        case _:
            return value


def load(text: str, where: str = "verdict.json") -> Report:
    """The report that `dump` wrote.

    Args:
        text: the document.
        where: what to call it in an error.

    Raises:
        ComparisonError: not such a document, or one of a newer Seatrial.
    """
    check_version(text, where)
    try:
        return _REPORT.validate_json(text, strict=True)
    except ValidationError as exc:
        first = exc.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise _broken(where, f"{field}: {first['msg']}") from exc


def check_version(text: str, where: str) -> None:
    """Refuse what is no JSON document of a version that is read here.

    Raises:
        ComparisonError: that it is not.
    """
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise _broken(where, str(exc)) from exc
    version = document.get(_VERSION) if isinstance(document, dict) else None
    if type(version) is not int or version < 1:
        raise _broken(where, f"{_VERSION}: not a version")
    if version > SCHEMA_VERSION:
        raise ComparisonError(
            f"{where}: {_VERSION} {version} is newer than this Seatrial,"
            f" which reads up to {SCHEMA_VERSION}",
            hint="install the Seatrial that wrote it, or a newer one",
        )


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def _broken(where: str, message: str) -> ComparisonError:
    return ComparisonError(
        f"{where}: {message}", hint="`seatrial judge DIR` writes it anew"
    )
