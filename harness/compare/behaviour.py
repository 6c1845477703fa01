"""What two arms answered to the same shots in one round, and what came of it.

The status of every shot is compared; where it is the same, content by its digest; and
where that differs, headers and bodies, of as many as are stored. What the baseline
differs in from itself, in the round before, is noise. Once something in a session works
on one arm and not on the other, whatever comes later in it is a consequence, and not
compared; but a door that opens where the candidate is the one that failed before.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from harness.compare.difference import Difference, differences, start
from harness.compare.good import GoodAnswers
from harness.compare.strata import Answers, Strata, chosen, strata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from harness.model.link import Content

__all__ = [
    "Behaviour",
    "Changed",
    "Comparison",
    "Place",
    "Shots",
    "compared",
]

_EXAMPLES: Final = 2
_VALUES: Final = frozenset({"value", "numbers"})
_PLACES: Final = 2_000
"""That one comparison tells apart; further ones count as one."""
_FURTHER: Final = "further places"


class Place(NamedTuple):
    """Where and how answers of a route differ."""

    route: str
    place: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shots:
    """What the plan says of each shot.

    Attributes:
        route: its place in `routes`.
        routes: names.
        session: its number; the shots of one follow each other.
        held_out: whether it may not be shown.
        title: of a shot, method and target.
        own: route and place of values that each build gives as it likes, and later
            requests take from there.
    """

    route: NDArray[Any]
    routes: tuple[str, ...]
    session: NDArray[Any]
    held_out: NDArray[Any]
    title: Callable[[int], str]
    own: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A place that differs in some answers of a comparison.

    Attributes:
        answers: that were seen to differ there.
        share: of the route's answers that could, weighted by how many of them were
            looked into.
        examples: of them, in words.
    """

    answers: int
    share: float
    examples: tuple[str, ...] = ()


Comparison = dict[Place, Changed]


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """One round's answers compared.

    Attributes:
        changed: candidate against baseline.
        noise: the baseline against itself in the round before; `None` without one.
        passed_over: share of what both answered that comes behind a failure of one arm
            alone in its session, and is not compared.
    """

    changed: Comparison
    noise: Comparison | None = None
    passed_over: float = 0.0


def compared(
    before: Answers,
    after: Answers,
    shots: Shots,
    contents: Callable[[int], tuple[Content, Content] | None],
) -> tuple[Comparison, Comparison]:
    """Every place where two arms' answers differ, or an arm's in two rounds.

    Args:
        before: of the one that is compared with.
        after: of the other.
        shots: of the plan.
        contents: of a shot, what both said, as far as that is stored.

    Returns:
        Of all shots, and of those that may be shown.
    """
    parts = strata(before, after, shots.session)
    looks = chosen(parts, shots.route)
    moved = np.flatnonzero(parts.moved).tolist()
    apart, alike = (
        _looked_into(looks[stratum[looks]], contents) for stratum in parts[1:]
    )
    good = GoodAnswers(before, shots.route, looks, contents)

    def of_status(shot: int) -> Difference:
        old, new = int(before.status[shot]), int(after.status[shot])
        kind = f"{old} → {new}{good.remark(shot, after)}"
        return Difference("status", kind, *map(start, contents(shot) or ()))

    found: list[_Found] = [
        [(shot, (of_status(shot),)) for shot in moved],
        [
            *((shot, each or _beyond(contents(shot))) for shot, each in apart),
            *((shot, (_NOT_KEPT,)) for shot in _unseen(parts.apart, apart, shots)),
        ],
        alike,
    ]
    everything, shown = (
        _comparison(shots, parts, found, among)
        for among in (np.ones_like(shots.held_out), ~shots.held_out)
    )
    return everything, shown


_Found = list[tuple[int, tuple[Difference, ...]]]

_NOT_KEPT: Final = Difference("body", "not kept")


def _unseen(apart: NDArray[np.bool_], seen: _Found, shots: Shots) -> list[int]:
    """Of each route that differs and of which nothing is stored, the first shot."""
    known = {shots.route[shot] for shot, _ in seen}
    at = np.flatnonzero(apart)
    routes, first = np.unique(shots.route[at], return_index=True)
    pairs = zip(routes.tolist(), at[first].tolist(), strict=True)
    return [shot for route, shot in pairs if route not in known]


def _beyond(pair: tuple[Content, Content] | None) -> tuple[Difference, ...]:
    """Bodies that are known to differ, and of which the same start is stored.

    Whole bodies that are the same were packed otherwise, or named their own host.
    """
    if pair is None or not pair[0].cut or pair[0].body != pair[1].body:
        return ()
    return (Difference("body", "bytes", *(f"{len(e.body):,} bytes, …" for e in pair)),)


def _looked_into(
    looks: NDArray[np.intp],
    contents: Callable[[int], tuple[Content, Content] | None],
) -> _Found:
    pairs = ((shot, contents(shot)) for shot in looks.tolist())
    return [(shot, differences(*pair)) for shot, pair in pairs if pair is not None]


def _comparison(
    shots: Shots,
    parts: Strata,
    found: list[_Found],
    among: NDArray[np.bool_],
) -> Comparison:
    """What was found among those shots, each that was looked into standing for more."""
    tally = _Tally(shots)
    for stratum, looked_into in zip(parts, found, strict=True):
        seen = [each for each in looked_into if among[each[0]]]
        size = _by_route(shots, np.flatnonzero(stratum & among))
        weights = size / np.maximum(_by_route(shots, [shot for shot, _ in seen]), 1)
        for shot, differing in seen:
            for each in differing:
                tally.note(shot, each, weights[shots.route[shot]])
    answered = parts.moved | parts.apart | parts.alike
    return tally.comparison(_by_route(shots, np.flatnonzero(answered & among)))


def _by_route(shots: Shots, which: NDArray[np.intp] | list[int]) -> NDArray[Any]:
    route = shots.route[np.asarray(which, np.intp)]
    return np.bincount(route, minlength=len(shots.routes))


class _Tally:
    """Differences counted by place, with the first examples of each."""

    def __init__(self, shots: Shots) -> None:
        self._shots = shots
        self._answers: dict[Place, int] = defaultdict(int)
        self._weighted: dict[Place, float] = defaultdict(float)
        self._examples: dict[Place, list[str]] = defaultdict(list)

    def note(self, shot: int, difference: Difference, weight: float) -> None:
        """Count a difference in the answers to a shot that stands for so many."""
        route = self._shots.routes[self._shots.route[shot]]
        if difference.kind in _VALUES and (route, difference.place) in self._shots.own:
            return
        place = Place(route, difference.place, difference.kind)
        if place not in self._answers and len(self._answers) >= _PLACES:
            place = Place(route, _FURTHER, "")
        self._answers[place] += 1
        self._weighted[place] += weight
        examples = self._examples[place]
        if len(examples) < _EXAMPLES:
            examples.append("".join(self._words(shot, difference)))

    def _words(self, shot: int, difference: Difference) -> Iterator[str]:
        yield self._shots.title(shot)
        if difference.before or difference.after:
            before, after = (each or "nothing" for each in difference[2:])
            yield f": {before} → {after}"

    def comparison(self, population: NDArray[Any]) -> Comparison:
        """What was counted, as shares of so many answers a route."""
        size = dict(zip(self._shots.routes, population.tolist(), strict=True))
        return {
            place: Changed(
                answers=count,
                share=self._weighted[place] / size[place.route],
                examples=tuple(self._examples[place]),
            )
            for place, count in sorted(self._answers.items())
        }
