"""A report in the formats that people and machines read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from harness.report.document import dump
from harness.report.junit import junit
from harness.report.markdown import markdown
from harness.report.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.verdict import Report

__all__ = ["REPORTERS"]

REPORTERS: Final[Mapping[str, Callable[[Report], str]]] = MappingProxyType(
    {"terminal": terminal, "json": dump, "markdown": markdown, "junit": junit}
)
"""By format name: the report as text."""
