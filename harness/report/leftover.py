"""What redaction left in a recording, for people and for machines; never a value."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.capture.leftover import Leftover
    from harness.model.traffic import Recording

__all__ = ["as_json", "as_text"]

_SCHEMA: Final = 1
_HEADINGS: Final = ("count", "kind", "place", "starts", "length", "route")


def as_json(recording: Recording, left: Sequence[Leftover]) -> str:
    """One versioned document."""
    content = {
        "schema": _SCHEMA,
        "recording": {"path": str(recording.path), "digest": recording.digest},
        "exchanges": recording.exchanges,
        "left": [asdict(each) for each in left],
    }
    return json.dumps(content, indent=2) + "\n"


def as_text(recording: Recording, left: Sequence[Leftover]) -> str:
    """A line for each kind in each place, and what to do."""
    if not left:
        return (
            f"{recording.path}: no secret found in {recording.exchanges:,} exchanges\n"
        )
    rows = [_HEADINGS, *map(_row, left)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    total = sum(each.count for each in left)
    lines += ["", f"{total:,} left; of each row the first is shown by how it starts"]
    lines += ["hint: import it again; seatrial import --redact RULES hides more"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _row(left: Leftover) -> tuple[str, ...]:
    cells = (left.count, left.kind, left.place, left.start, left.length, left.route)
    return tuple(printable(str(cell)) for cell in cells)
