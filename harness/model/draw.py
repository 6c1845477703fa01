"""A draw of shots that is the same in every round and on both arms."""

from __future__ import annotations

from typing import Final

__all__ = ["SPREAD", "WHOLE", "drawn"]

SPREAD: Final = 2_654_435_761
"""Multiplied with it modulo `WHOLE`, numbers in a row are spread evenly (Knuth, The Art
of Computer Programming 3, section 6.4)."""
WHOLE: Final = 1 << 32


def drawn(shot: int) -> int:
    """A place below `WHOLE` for a shot; of all shots, the lowest are taken first."""
    return shot * SPREAD % WHOLE
