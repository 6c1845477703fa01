"""A night as a table, and as a document."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from harness.report.column import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.night import Turn

__all__ = ["NIGHT_VERSION", "night_json", "night_text"]

NIGHT_VERSION: Final = 1
"""Of the document."""

_HEADINGS: Final = ("scenario", "verdict", "directory", "reason")


def night_text(turns: Sequence[Turn]) -> str:
    """A row a scenario: its verdict, or why it has none."""
    return aligned([_HEADINGS, *(_row(turn) for turn in turns)])


def _row(turn: Turn) -> tuple[str, ...]:
    return (
        turn.scenario or turn.file,
        turn.end,
        turn.directory or "-",
        turn.reason,
    )


def night_json(turns: Sequence[Turn]) -> str:
    """The same for programs; ASCII alone."""
    document = {
        "schema_version": NIGHT_VERSION,
        "scenarios": [asdict(turn) for turn in turns],
    }
    return json.dumps(document, indent=2) + "\n"
