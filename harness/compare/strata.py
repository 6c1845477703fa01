"""Which of two arms' answers can be compared, and which are worth a closer look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zlib import crc32

import numpy as np

from harness.model.draw import SPREAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "DENIED",
    "FAILED",
    "REDIRECT",
    "SAYS_NOTHING",
    "Answers",
    "Strata",
    "answers_by_shot",
    "chosen",
    "passed_over",
    "strata",
    "works",
]

DENIED: Final = (401, 403)
"""Statuses of a shut door."""
REDIRECT: Final = 300
"""The first status that is not plainly good."""
_WRONG: Final = 400
FAILED: Final = 500
"""The first status by which the service says that it failed."""
SAYS_NOTHING: Final = tuple(
    crc32(body + end)
    for body in (b"", b"{}", b"[]", b"null", b'""')
    for end in (b"", b"\n")
)
"""Digests of bodies without a content."""
_DIFFERING: Final = 4_000
"""Shots of one comparison whose differing answers are looked into."""
_ALIKE: Final = 400
"""Shots whose bodies are the same, and whose headers are looked at."""
_MOVED: Final = 400
"""Shots with another status, whose answers are shown, and may have to look good."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What one arm answered, by shot.

    Attributes:
        status: 0 where there is no complete answer.
        digest: of the content.
        measured: whether it was sent in a measured slice.
    """

    status: NDArray[Any]
    digest: NDArray[Any]
    measured: NDArray[np.bool_]


def answers_by_shot(samples: Mapping[str, NDArray[Any]], shots: int) -> Answers:
    """The samples as columns with a row a shot."""
    good = samples["cause"] == 0
    shot = samples["shot"][good]
    status, digest = np.zeros(shots, "u2"), np.zeros(shots, "u4")
    measured = np.zeros(shots, bool)
    status[shot] = samples["status"][good]
    digest[shot] = samples["digest"][good]
    measured[shot] = samples["slice"][good] != 0
    return Answers(status=status, digest=digest, measured=measured)


class Strata(NamedTuple):
    """Shots that both answered and can be compared.

    Attributes:
        moved: with different statuses.
        apart: with the same status and different bodies.
        alike: with the same of both.
    """

    moved: NDArray[np.bool_]
    apart: NDArray[np.bool_]
    alike: NDArray[np.bool_]


def strata(before: Answers, after: Answers, session: NDArray[Any]) -> Strata:
    """The shots that can be compared, by what became of them.

    Args:
        before: of the one that is compared with.
        after: of the other.
        session: of each shot, as a number.
    """
    moved = before.status != after.status
    well, still_well = works(before), works(after)
    repaired = _later(~well & still_well, session)
    later = _later(well != still_well, session) | repaired
    grave = _opens(before, after) & ~repaired
    counts = _answered(before, after) & (~later | grave)
    same = before.digest == after.digest
    return Strata(counts & moved, counts & ~moved & ~same, counts & ~moved & same)


def passed_over(before: Answers, after: Answers, session: NDArray[Any]) -> float:
    """The share of what both answered that is a consequence, and not compared.

    Args:
        before: of the one that is compared with.
        after: of the other.
        session: of each shot, as a number.
    """
    both = int(_answered(before, after).sum())
    looked_at = sum(int(each.sum()) for each in strata(before, after, session))
    return 1 - looked_at / both if both else 0.0


def _answered(before: Answers, after: Answers) -> NDArray[np.bool_]:
    """By both, in a measured slice."""
    answered: NDArray[np.bool_] = (before.status != 0) & (after.status != 0)
    return answered & before.measured & after.measured


def works(answers: Answers) -> NDArray[np.bool_]:
    """By shot, whether it is answered, and not by an error."""
    well: NDArray[np.bool_] = (answers.status > 0) & (answers.status < _WRONG)
    return well


def _opens(before: Answers, after: Answers) -> NDArray[np.bool_]:
    """Whether what was denied, or failed, is answered as if all were well."""
    shut = np.isin(before.status, DENIED)
    hidden = (before.status >= FAILED) & np.isin(after.digest, SAYS_NOTHING)
    good = (after.status > 0) & (after.status < REDIRECT)
    return (shut | hidden) & good


def _later(moved: NDArray[np.bool_], session: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether something moved in a shot's session before it."""
    so_far: NDArray[np.int64] = np.cumsum(moved) - moved
    _, starts, lengths = np.unique(session, return_index=True, return_counts=True)
    later: NDArray[np.bool_] = so_far > np.repeat(so_far[starts], lengths)
    return later


def chosen(parts: Strata, route: NDArray[Any]) -> NDArray[np.intp]:
    """Shots whose answers are worth a closer look, the first of them first.

    Of those that differ, of those that are alike, and of those with another status, so
    many each, drawn by their numbers so that they are the same in every round, and from
    all routes evenly.

    Args:
        parts: of the shots that can be compared.
        route: of each shot, as a number.
    """
    return np.concatenate(
        [
            _drawn(np.flatnonzero(parts.apart), route, _DIFFERING),
            _drawn(np.flatnonzero(parts.alike), route, _ALIKE),
            _drawn(np.flatnonzero(parts.moved), route, _MOVED),
        ]
    )


def _drawn(shots: NDArray[np.intp], route: NDArray[Any], most: int) -> NDArray[np.intp]:
    """The first of each route, then the second of each, and so on."""
    drawn = shots.astype(np.uint32) * np.uint32(SPREAD)
    by_route = shots[np.lexsort((drawn, route[shots]))]
    _, starts, counts = np.unique(
        route[by_route], return_index=True, return_counts=True
    )
    rank = np.arange(len(shots)) - np.repeat(starts, counts)
    return by_route[np.argsort(rank, kind="stable")][:most]
