"""Which sessions of a recording are held out: judged, but shown to no fixing agent."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["held_out"]

_BYTES: Final = 8


def held_out(sessions: Sequence[str], share: float, seed: int) -> NDArray[np.bool_]:
    """Whether each session is held out: about that share of them, never all.

    It depends on the session's name and the seed alone, not on the other sessions or
    their order. Where chance would hold out all or, where the share is a session at
    least, none, one session is the exception.

    Args:
        sessions: by name.
        share: of the sessions, from 0 to 1.
        seed: with the recording it tells which they are: whoever must not know is to be
            given neither, nor the plan nor `verdict.json`.
    """
    key = seed.to_bytes(_BYTES, "little")
    places = np.array(
        [
            int.from_bytes(blake2b(name.encode(), key=key, digest_size=_BYTES).digest())
            for name in sessions
        ],
        float,
    )
    held = places < share * 2.0 ** (8 * _BYTES)
    held[np.argmin(places)] |= share * len(sessions) >= 1
    held[np.argmax(places)] = False
    return held
