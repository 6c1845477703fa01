"""Profiles of stacks: read, summed by function, and compared.

The folded form is that of Brendan Gregg's stackcollapse: frames from the outermost to
the innermost, joined by `;`, then a blank and how often that stack was met.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from harness.model.profile import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Stacks", "folded", "grown"]

Stacks = Counter[tuple[str, ...]]
"""How often each stack was met, outermost frame first."""

_MOST: Final = 10
_LEAST_S: Final = 0.02
_LINE: Final = re.compile(r":\d+\)$")
"""A patch moves lines, and a function stays the same."""

_PROCESS: Final = "process "


def folded(lines: Iterable[str]) -> Stacks:
    """The stacks of a file in folded form; a line that is none is left out."""
    stacks: Stacks = Counter()
    for line in lines:
        frames, _, count = line.rstrip("\n").rpartition(" ")
        if frames and count.isascii() and count.isdigit():
            stacks[tuple(_frames(frames))] += int(count)
    return stacks


def _frames(text: str) -> Iterator[str]:
    for frame in text.split(";"):
        if not frame.startswith(_PROCESS):
            yield _LINE.sub(")", frame)


def _by_function(stacks: Stacks) -> Mapping[str, int]:
    """Samples in which a function was on the stack, itself or by what it called."""
    counts: Counter[str] = Counter()
    for frames, count in stacks.items():
        for frame in set(frames):
            counts[frame] += count
    return counts


def grown(baseline: Stacks, candidate: Stacks, per_s: int) -> tuple[Frame, ...]:
    """Functions in which the candidate spends more time, first the one by most.

    Of functions that grew by the same, as callers of one that grew do, the innermost
    comes first.

    Args:
        baseline: its stacks.
        candidate: its stacks, of as long and under the same load.
        per_s: samples a second.
    """
    before, after = _by_function(baseline), _by_function(candidate)
    depth = _depths(candidate)
    frames = [
        Frame(name=name, baseline_s=before.get(name, 0) / per_s, candidate_s=n / per_s)
        for name, n in after.items()
        if (n - before.get(name, 0)) / per_s > _LEAST_S
    ]
    frames.sort(
        key=lambda each: (
            each.baseline_s - each.candidate_s,
            -depth[each.name],
            each.name,
        )
    )
    return tuple(frames[:_MOST])


def _depths(stacks: Stacks) -> Mapping[str, int]:
    depths: dict[str, int] = {}
    for frames in stacks:
        for depth, frame in enumerate(frames):
            depths[frame] = max(depths.get(frame, 0), depth)
    return depths
