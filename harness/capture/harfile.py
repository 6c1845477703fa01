"""The entries of a HAR file, one in memory at a time where its JSON allows that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import ijson
from ijson.common import ObjectBuilder

from harness.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.capture.source import Source

__all__ = ["BROKEN", "Entry", "loaded", "streamed"]

Entry = dict[str, Any]

BROKEN: Final = (ijson.JSONError, ValueError, OverflowError)
"""What `streamed` raises where the file is no JSON, or JSON of an odd kind."""

_PATH: Final = ("log", "entries")
_STARTS: Final = frozenset({"start_map", "start_array"})
_ENDS: Final = frozenset({"end_map", "end_array"})
_DEEPEST: Final = 1_000


def streamed(source: Source) -> Iterator[Entry]:
    """The entries as they come; none where there is no list of them.

    Raises:
        RecordingError: the file cannot be read.
        JSONError: and the others of `BROKEN`; some entries may have come before.
    """
    events, items = ijson.sendable_list(), _Items()
    parser = ijson.basic_parse_coro(events, use_float=True)
    for piece in source.pieces():
        parser.send(piece)
        for event, value in events:
            items.take(event, value)
        yield from map(_entry, items.whole)
        events.clear()
        items.whole.clear()
    parser.close()


class _Items:
    """Puts the items of the list together.

    Attributes:
        whole: those that are complete.
    """

    def __init__(self) -> None:
        self.whole: list[object] = []
        self._depth = 0
        self._keys = ["", ""]
        self._item: ObjectBuilder | None = None

    def take(self, event: str, value: object) -> None:
        """The next event of the file."""
        self._depth -= event in _ENDS
        if self._item is not None:
            self._build(event, value)
        elif event == "map_key" and 0 < self._depth <= len(_PATH):
            self._keys[self._depth - 1] = str(value)
        elif event == "start_array" and self._depth == len(_PATH):
            self._item = ObjectBuilder() if tuple(self._keys) == _PATH else None
        self._depth += event in _STARTS
        if self._depth > _DEEPEST:
            raise ValueError("nested too deeply")

    def _build(self, event: str, value: object) -> None:
        assert self._item is not None
        if self._depth == len(_PATH):
            self._item = None
            return
        self._item.event(event, value)
        if self._depth == len(_PATH) + 1 and event not in _STARTS:
            self.whole.append(self._item.value)
            self._item = ObjectBuilder()


def loaded(source: Source) -> Sequence[Entry]:
    """All entries, of a file in memory.

    Raises:
        RecordingError: it is not JSON, is incomplete or has no list of entries.
    """
    text = source.content().decode(errors="replace")
    try:
        entries = json.loads(text)["log"]["entries"]
    except json.JSONDecodeError as exc:
        raise RecordingError(
            f"{source.name}:{exc.lineno}:{exc.colno}: not a complete HAR: {exc.msg}",
            hint="export it again and wait until the export has finished",
        ) from exc
    except ValueError as exc:
        raise RecordingError(
            f"{source.name}: not a HAR: a number in it has thousands of digits",
            hint="export it again",
        ) from exc
    except (LookupError, TypeError, RecursionError) as exc:
        raise RecordingError(
            f"{source.name}: not a HAR: there is no list log.entries",
            hint="export the network log as `HAR with content`",
        ) from exc
    if not isinstance(entries, list):
        raise RecordingError(
            f"{source.name}: not a HAR: log.entries is not a list",
            hint="export the network log as `HAR with content`",
        )
    return list(map(_entry, entries))


def _entry(found: object) -> Entry:
    return found if isinstance(found, dict) else {}
