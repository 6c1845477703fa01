"""Where a build spends its time, function by function."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Frame", "Profile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A function in the profiles of both arms, under the same load for as long.

    Attributes:
        name: of the function, with its file.
        baseline_s: seconds on the processor, callees included.
        candidate_s: likewise.
    """

    name: str
    baseline_s: float
    candidate_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One slice of each arm under a sampling profiler, after the verdict.

    Attributes:
        frames: that grew most, first the one that grew most.
        missing: why there is none, empty if there is one.
    """

    frames: tuple[Frame, ...] = ()
    missing: str = ""
