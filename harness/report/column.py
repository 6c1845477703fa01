"""Rows of text as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["aligned"]


def aligned(rows: Iterable[Sequence[str]]) -> str:
    """A line a row, each column as wide as its widest cell; nothing but text."""
    shown = [[printable(" ".join(cell.split())) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "".join(
        "  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in shown
    )
