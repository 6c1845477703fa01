"""Keeps what the builds answer, for the comparison after the round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.load.answer import KEPT_BYTES
from harness.store.answer import frame

if TYPE_CHECKING:
    from typing import BinaryIO

    from harness.load.answer import Said

__all__ = ["Keeper"]

_ROOM_BYTES: Final = 256 << 20
"""For the answers of one worker in a round."""


class Keeper:
    """A spool of answers with so much room; what does not fit is not kept.

    Args:
        spool: gets the frames; `None` to keep nothing.
        room_bytes: for all of them.
    """

    def __init__(self, spool: BinaryIO | None, room_bytes: int = _ROOM_BYTES) -> None:
        self._spool = spool
        self._room_bytes = room_bytes if spool is not None else 0

    @property
    def has_room(self) -> bool:
        """Whether the next answer is to be kept."""
        return self._room_bytes > 0

    def keep(self, shot: int, said: Said) -> None:
        """Keep the answer to a shot."""
        if self._spool is None or self._room_bytes <= 0:
            return
        body = b"".join(said.pieces)[:KEPT_BYTES]
        framed = frame(shot, said.headers, body)
        self._room_bytes -= len(framed)
        self._spool.write(framed)
