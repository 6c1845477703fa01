"""What the machinery of containers puts around each line of a log."""

from __future__ import annotations

import json
import re
from typing import Final

from harness.capture.headerfield import wire

__all__ = ["bare", "is_wrapped"]

_KUBERNETES: Final = re.compile(r"\d{4}-\d\d-\d\dT\S+ std(?:out|err) F ")
"""CRI: `2026-01-01T00:00:00.5Z stdout F the line`."""
_DOCKER: Final = '{"log":"'
"""How `{"log":"the line\\n","stream":"stdout","time":"…"}` begins."""


def is_wrapped(line: str) -> bool:
    """Whether there is something around it."""
    return line.startswith(_DOCKER) or _KUBERNETES.match(line) is not None


def bare(line: str) -> str:
    """The line without what is around it, each byte as a latin-1 character."""
    if line.startswith(_DOCKER):
        try:
            text = line.encode("latin-1").decode(errors="surrogateescape")
            return wire(str(json.loads(text)["log"]))
        except (ValueError, LookupError, RecursionError):
            return line
    match = _KUBERNETES.match(line)
    return line[match.end() :] if match else line
