"""Keeps what the builds answer, for the comparison after the round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.load.answer import KEPT_BYTES
from harness.model.draw import WHOLE, drawn
from harness.store.answer import frame

if TYPE_CHECKING:
    from typing import BinaryIO

    from harness.load.answer import Said

__all__ = ["Keeper"]

_ROOM_BYTES: Final = 256 << 20
"""For the answers of one worker in a round."""


class Keeper:
    """A spool of answers with so much room.

    Whenever half of what is left is used up, only every second shot is kept from then
    on, those that are drawn first: a long round is kept thinly to its end.

    Args:
        spool: gets the frames; `None` to keep nothing.
        room_bytes: for all of them.
    """

    def __init__(self, spool: BinaryIO | None, room_bytes: int = _ROOM_BYTES) -> None:
        self._spool = spool
        self._room_bytes = room_bytes if spool is not None else 0
        self._thinned_at = self._room_bytes // 2
        self._below = WHOLE

    def wants(self, shot: int) -> bool:
        """Whether the answer to a shot is to be kept."""
        return self._room_bytes > 0 and drawn(shot) < self._below

    def keep(self, shot: int, said: Said) -> None:
        """Keep the answer to a shot, if it is wanted."""
        if self._spool is None or not self.wants(shot):
            return
        body = b"".join(said.pieces)[:KEPT_BYTES]
        framed = frame(shot, said.headers, body)
        self._room_bytes -= len(framed)
        self._spool.write(framed)
        if self._room_bytes <= self._thinned_at:
            self._thinned_at = self._room_bytes // 2
            self._below //= 2
