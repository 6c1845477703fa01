"""The noise by the length of a pair, and the rounds that make the most of a minute.

The trial of the noise is two rounds of A/A, each 120 slices of a second an arm that
alternate. Re-cut into pairs of L seconds an arm (L slices in a row, their requests
taken together), each pair has a log ratio d of candidate over baseline for a quantile.
SD(L) is the deviation of d about the mean of its own round, so that the luck of a start
is not in it:

    v(L) = sum (d - mean of its round)^2 / sum (pairs of a round - 1)

If seconds were independent, v(L) would fall as 1/L, and SD(L) x sqrt(L) would be
constant. The luck of a start is what the rounds of the A/A trials vary more than that;
their true change is 0, so the mean square of their log ratios D is their variance:

    between = max(0, mean(D^2) - v(slice) / slices)       of the rounds as they were cut
    SD of a round of n slices of L s = sqrt(between + v(L) / n)

A round takes 2 n L seconds, and what the A/A trials took beyond their slices, by the
round. Ten minutes hold R of them. The power is that of the verdict itself: the chance
of FAIL by one quantile at a change of +20 % over a budget of 10 %, looked at from the
4th round. Precision a minute is 1 / (SD^2 x minutes of a round). Rounds are chosen by
p50 or p95, whichever varies more: the shop's p95 is the wait for its payment provider,
which hardly varies, and few services have a p95 like that.

Not in it: what slices far apart in time would add, and the queue that a drain after
each slice empties, which is why slices under 4 s are not recommended.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.boundary import Looks
from harness.compare.measure import quantile
from harness.compare.paired import FEWEST
from harness.compare.power import Gate, power

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tests.bench.trust.rules import Pair
    from tests.bench.trust.stored import Played

__all__ = [
    "BUDGET",
    "CHANGE",
    "CHOSEN_BY",
    "LENGTHS",
    "MINUTES",
    "PERCENTS",
    "Choice",
    "Law",
    "between",
    "choices",
    "law",
    "recommended",
]

LENGTHS: Final = (1, 2, 4, 8, 16)
PERCENTS: Final = (50, 95, 99)
CUTS: Final = (
    *((4, slices) for slices in (3, 6, 9, 12, 18)),
    *((1, 24), (2, 12), (8, 3), (8, 6), (16, 3)),
)
"""Seconds and slices of an arm in a round, to choose from."""
_BEYOND: Final = 4
_SECOND: Final = 1_000_000_000
MINUTES: Final = 10.0
CHOSEN_BY: Final = (50, 95)
BUDGET: Final = 0.10
CHANGE: Final = 0.20
_CAP: Final = log(1.25)
_NEGLIGIBLE: Final = 1e-12
_FIRST_LOOK: Final = 4
_LAST_LOOK: Final = 10
_SHORTEST_S: Final = 4
_TIED: Final = 0.02
_KEPT: Final = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """How a quantile's log ratio varies, by the length of a pair.

    Attributes:
        percent: which quantile.
        deviation: by seconds an arm; a length with fewer than 4 requests beyond the
            quantile is left out.
        freedom: degrees of freedom of each deviation, whose own relative error is
            about 1 / sqrt(2 x freedom).
    """

    percent: int
    deviation: Mapping[int, float]
    freedom: Mapping[int, int]


def log_ratios(pair: Pair, length: int, percent: int) -> NDArray[np.float64]:
    """Of a round cut into pairs of so many slices in a row; pairs too thin left out."""
    found = []
    for start in range(0, len(pair.baseline) - length + 1, length):
        arms = [
            np.concatenate(arm[start : start + length])
            for arm in (pair.baseline, pair.candidate)
        ]
        if min(map(len, arms)) * (100 - percent) >= _BEYOND * 100:
            before, after = (quantile(arm, percent) for arm in arms)
            found.append(log(after / before))
    return np.array(found)


def law(pairs: Sequence[Pair], percent: int) -> Law:
    """The deviation by length of the trial of the noise, whose slices are seconds."""
    deviation, freedom = {}, {}
    for length in LENGTHS:
        cut = [log_ratios(each, length, percent) for each in pairs]
        degrees = sum(max(0, len(each) - 1) for each in cut)
        if degrees:
            squares = sum(float(((d - d.mean()) ** 2).sum()) for d in cut if len(d))
            deviation[length] = sqrt(squares / degrees)
            freedom[length] = degrees
    return Law(percent=percent, deviation=deviation, freedom=freedom)


def between(same: Sequence[Played], found: Law) -> float:
    """The deviation that the luck of a start adds to the rounds of the A/A trials."""
    slices, seconds = _cut(same)
    rounds = [
        log_ratios(pair, slices, found.percent)
        for trial in same
        for pair in trial.pairs
    ]
    within = found.deviation[seconds] ** 2 / slices
    return sqrt(max(0.0, float(np.mean(np.concatenate(rounds) ** 2)) - within))


def _cut(same: Sequence[Played]) -> tuple[int, int]:
    """Slices of an arm in a round of those trials, and seconds of each."""
    rounds = same[0].scenario.rounds
    return rounds.slices, round(rounds.slice / _SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Rounds that a trial could have.

    Attributes:
        seconds: of a slice.
        slices: of an arm in a round.
        minutes: of a round, with its share of what a trial takes besides.
        deviation: of a round's log ratio of the quantile.
        precision: by the minute.
        rounds: that ten minutes hold, at most the default maximum.
        power: chance of FAIL within them.
    """

    seconds: int
    slices: int
    minutes: float
    deviation: float
    precision: float
    rounds: int
    power: float


def choices(same: Sequence[Played], found: Law) -> tuple[Choice, ...]:
    """What several cuts of a round would do; that of the A/A trials comes first."""
    slices, seconds = _cut(same)
    cuts = ((seconds, slices), *CUTS)
    return tuple(
        _choice(same, found, *cut)
        for cut in dict.fromkeys(cuts)
        if cut[0] in found.deviation
    )


def _choice(same: Sequence[Played], found: Law, seconds: int, slices: int) -> Choice:
    minutes = 2 * seconds * slices / 60 + _besides(same)
    variance = between(same, found) ** 2 + found.deviation[seconds] ** 2 / slices
    rounds = min(_LAST_LOOK, int(MINUTES / minutes))
    gate = Gate(
        deviation=sqrt(variance),
        allowed=log(1 + BUDGET),
        cap=_CAP,
        share=min(each.share for each in same),
        looks=Looks(min(_FIRST_LOOK, rounds), rounds),
    )
    return Choice(
        seconds=seconds,
        slices=slices,
        minutes=minutes,
        deviation=sqrt(variance),
        precision=1 / (max(variance, _NEGLIGIBLE) * minutes),
        rounds=rounds,
        power=power(gate, log(1 + CHANGE)) if rounds >= FEWEST else 0.0,
    )


def _besides(same: Sequence[Played]) -> float:
    """Minutes of a round that are no slice: warm-up, start, end, the trial's own."""
    slices, seconds = _cut(same)
    taken = sum(each.minutes for each in same) / sum(each.rounds for each in same)
    return max(0.0, taken - 2 * seconds * slices / 60)


def recommended(found: Sequence[Choice]) -> Choice:
    """The rounds with the most power in ten minutes, of slices of 4 s or longer.

    Within 2 points of the best the one with the highest precision a minute; the rounds
    as they are, which come first, stay if nothing is 5 % more precise.
    """
    long = [each for each in found if each.seconds >= _SHORTEST_S]
    best = max(each.power for each in long)
    good = [each for each in long if each.power >= best - _TIED]
    most = max(good, key=lambda each: each.precision)
    asis = found[0]
    return asis if asis in good and most.precision <= _KEPT * asis.precision else most
