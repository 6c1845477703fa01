"""Which exchanges belong to one user: the same visitor without a long pause."""

from __future__ import annotations

from typing import Final

__all__ = ["IDLE_NS", "Sessions"]

IDLE_NS: Final = 30 * 60 * 1_000_000_000
"""Half an hour, the habit of web analytics."""

_SWEEP_EVERY: Final = 65_536


class Sessions:
    """Gives each exchange its session; asked in the order of time.

    A session ends when its visitor pauses for longer than the idle gap. Memory holds
    the visitors of about the last gap, not those of the whole recording.

    Args:
        idle_ns: the idle gap.
    """

    __slots__ = ("_asked", "_idle_ns", "_open", "opened")

    def __init__(self, idle_ns: int = IDLE_NS) -> None:
        self.opened = 0
        self._idle_ns = idle_ns
        self._open: dict[tuple[str, object], tuple[int, str]] = {}
        self._asked = 0

    def session(self, visitor: tuple[str, object], start_ns: int) -> str:
        """The session of an exchange that `visitor` (client, user agent) started."""
        last_ns, name = self._open.get(visitor, (start_ns, ""))
        if not name or start_ns - last_ns > self._idle_ns:
            self.opened += 1
            name = f"s{self.opened}"
        self._open[visitor] = (start_ns, name)
        self._asked += 1
        if self._asked % _SWEEP_EVERY == 0:
            self._sweep(start_ns)
        return name

    def _sweep(self, now_ns: int) -> None:
        self._open = {
            visitor: (last_ns, name)
            for visitor, (last_ns, name) in self._open.items()
            if now_ns - last_ns <= self._idle_ns
        }
