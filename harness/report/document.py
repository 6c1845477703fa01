"""`verdict.json`: a report as a JSON document, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from pydantic import TypeAdapter

from harness.compare.figure import significant
from harness.model.verdict import SCHEMA_VERSION, Report
from harness.store.document import Document

__all__ = ["check_version", "dump", "load"]

_REPORT: Final = Document(
    content=TypeAdapter(Report),
    version=SCHEMA_VERSION,
    key="schema_version",
    remedy="`seatrial judge DIR` writes it anew",
)


def dump(report: Report) -> str:
    """The report as JSON: no time, no path, floats at 6 significant digits."""
    document = {_REPORT.key: _REPORT.version, **asdict(report)}
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
    return _REPORT.read(text, where)


def check_version(text: str, where: str) -> None:
    """Refuse what is no JSON document of a version that is read here.

    Raises:
        ComparisonError: that it is not.
    """
    _REPORT.check(text, where)
