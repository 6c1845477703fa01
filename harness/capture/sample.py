"""Whole sessions by lot: the same names and share give the same sessions."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.capture.tally import Tally

__all__ = ["Sample"]

_BYTES: Final = 8


class Sample:
    """Keeps the sessions that are drawn.

    Args:
        share: of the sessions, above 0 and up to 1.
        tally: takes the count of the other rows.

    Attributes:
        sessions: how many are kept so far.
    """

    __slots__ = ("_drawn", "_share", "_tally", "sessions")

    def __init__(self, share: float, tally: Tally) -> None:
        self.sessions = 0
        self._share = share
        self._tally = tally
        self._drawn: dict[str, bool] = {}

    def rows(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The places of those whose session is kept.

        Args:
            names: of each row's session.
        """
        for name in dict.fromkeys(names):
            if name not in self._drawn:
                self._drawn[name] = drawn = self._draws(name)
                self.sessions += drawn
        kept = np.flatnonzero(list(map(self._drawn.__getitem__, names)))
        self._tally.filter("session not drawn", len(names) - len(kept))
        return kept

    def _draws(self, name: str) -> bool:
        digest = blake2b(name.encode(), digest_size=_BYTES).digest()
        return int.from_bytes(digest) / (1 << 8 * _BYTES) < self._share
