"""What the candidate answers otherwise than the baseline, told from noise over rounds.

A difference is noise as far as the baseline has it against itself, in two rounds that
follow each other. One that it never has there is judged as a new error is. One that it
has is judged by its share of the answers: of the candidate's rounds count those with at
least twice as much of it as any of the baseline's, and chance would have put so many of
them on top of the others in so many of all the ways to choose rounds. Places too rare
ever to be proven take no share of the error rate (Tarone, A Modified Bonferroni Method
for Discrete Data, Biometrics 46, 1990).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from harness.compare.chance import LIKELY, chance
from harness.compare.figure import figure
from harness.compare.finding import trial_finding
from harness.compare.good import EMPTY, UNLIKE
from harness.compare.strata import DENIED, FAILED, REDIRECT
from harness.model.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.compare.behaviour import Changed, Comparison, Place
    from harness.compare.case import Case
    from harness.compare.evidence import TrialEvidence
    from harness.model.symptom import Symptom

__all__ = ["Change", "behaviour_changes", "found_changes", "likely_changes", "repairs"]

_LEVEL: Final = 0.01
"""Of a false FAIL by a difference that only chance gave, over all of them."""
_APART: Final = 2.0
"""How many times the baseline's largest share that of a round must be to count."""
_SHOWN: Final = 20
_METRIC: Final = "behaviour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A place in which the candidate's answers differ from the baseline's.

    Attributes:
        place: which.
        seen: by the index of the sound round.
        rounds: sound rounds.
        noise: the largest share that it has of the baseline against itself.
        proven: whether chance is no explanation.
        likely: whether it is too much for a PASS, though it may be chance.
        rank: 0 for the worst kind.
        repair: whether the baseline failed where the candidate answers well.
    """

    place: Place
    seen: Mapping[int, Changed]
    rounds: int
    noise: float
    proven: bool
    likely: bool
    rank: int
    repair: bool

    @property
    def text(self) -> str:
        """What differs, and in how many answers."""
        route, place, kind = self.place
        answers = sum(each.answers for each in self.seen.values())
        share = float(np.mean([each.share for each in self.seen.values()]))
        return (
            f"behaviour of {route}: {place}: {kind}; {figure(share, 'ratio')} of the"
            f" answers ({answers:,} seen) in {len(self.seen)} of {self.rounds} rounds,"
            f" {figure(self.noise, 'ratio')} of the baseline against itself"
        )

    def finding(self, severity: str, remark: str = "") -> Finding:
        """It as a finding with examples."""
        examples = (text for each in self.seen.values() for text in each.examples)
        return Finding(
            severity=severity,
            metric=_METRIC,
            route=self.place.route,
            message=f"{self.text}{remark}",
            examples=tuple(dict.fromkeys(examples))[:2],
        )


def found_changes(trial: TrialEvidence) -> tuple[Change, ...]:
    """Every place that sound rounds differ in and no rule ignores, the worst first.

    None in a soak, whose two rounds tell nothing from noise.
    """
    if trial.soak:
        return ()
    sound = [each for each in trial.sound if each.behaviour is not None]
    noises = _noises(trial)
    seen: dict[Place, dict[int, Changed]] = {}
    for each in sound:
        assert each.behaviour is not None, "those are left out"
        for place, changed in each.behaviour.changed.items():
            if not _is_elsewhere(place, trial):
                seen.setdefault(place, {})[each.round.index] = changed
    if not seen or not noises:
        return ()
    weighed = {
        place: _weighed(place, rounds, noises, len(sound))
        for place, rounds in seen.items()
    }
    level = _level(trial, weighed.values(), len(sound))
    changes = [
        _change(place, seen[place], weight, level=level, trial=trial)
        for place, weight in weighed.items()
    ]
    return tuple(sorted(changes, key=lambda each: (each.rank, each.place)))


def _noises(trial: TrialEvidence) -> list[Comparison]:
    """The baseline against itself, as often as there was a round before."""
    behaviours = (each.behaviour for each in trial.rounds)
    return [each.noise for each in behaviours if each and each.noise is not None]


class _Weight(NamedTuple):
    """How a place stands out from the baseline's noise.

    Attributes:
        noise: the largest share that it has of the baseline against itself.
        above: rounds of the candidate that are far above that.
        rounds: sound ones.
        p: that chance puts so many of them there.
        least: the smallest `p` that a place so frequent could have.
    """

    noise: float
    above: int
    rounds: int
    p: float
    least: float

    @property
    def is_likely(self) -> bool:
        """Few rounds prove nothing, but all of them are too many for chance."""
        always = not self.noise and self.above == self.rounds
        return always or self.p <= LIKELY


def _weighed(
    place: Place,
    seen: Mapping[int, Changed],
    noises: Sequence[Mapping[Place, Changed]],
    rounds: int,
) -> _Weight:
    shares = [noise[place].share for noise in noises if place in noise]
    against, noise = len(noises), max(shares, default=0.0)
    above = sum(each.share >= _APART * noise for each in seen.values())
    most = min(rounds, len(seen) + len(shares))
    of = _on_top if shares else chance
    p = of(above, rounds, against) if above else 1.0
    return _Weight(noise, above, rounds, p, min(p, of(most, rounds, against)))


def _on_top(above: int, rounds: int, against: int) -> float:
    """That so many of the first rounds come to lie above all of the others."""
    every = rounds + against
    return comb(every - above, against) / comb(every, against)


def _level(trial: TrialEvidence, weights: Iterable[_Weight], rounds: int) -> float:
    """That chance must be below, for as many places as could be."""
    least = sorted(each.least for each in weights)

    def level(family: int) -> float:
        return trial.looks.nominal(_LEVEL / family, rounds)

    def suffices(family: int) -> bool:
        return bisect_right(least, level(family)) <= family

    families = range(1, len(least) + 1)
    return level(families[bisect_left(families, True, key=suffices)])


def _is_elsewhere(place: Place, trial: TrialEvidence) -> bool:
    """Whether it is ignored, or an error, which other questions are about."""
    kind = place.kind
    if place.place == "status" and _statuses(kind)[1] >= FAILED:
        return True
    grave = _rank(place) == 0
    return not grave and any(each.covers(*place) for each in trial.behaviour.ignore)


def _statuses(kind: str) -> tuple[int, int]:
    before, _, after = kind.partition(",")[0].partition(" → ")
    return int(before), int(after)


def _rank(place: Place) -> int:
    """The worst: a door that opens, or a failure that looks like success."""
    if place.place != "status":
        return 2 if place.kind == "added" else 1
    before, after = _statuses(place.kind)
    good = after < REDIRECT
    opened = before in DENIED and good
    hidden = before >= FAILED and good and EMPTY in place.kind
    return 0 if opened or hidden else 1


def _change(
    place: Place,
    seen: Mapping[int, Changed],
    weight: _Weight,
    *,
    level: float,
    trial: TrialEvidence,
) -> Change:
    before, after = _statuses(place.kind) if place.place == "status" else (0, 0)
    symptom = _is_the_symptom(before, place, trial.symptom)
    rank = 1 if _is_meant(before, place, trial) else _rank(place)
    repaired = before >= FAILED and after < REDIRECT
    looks_good = UNLIKE not in place.kind
    return Change(
        place=place,
        seen=seen,
        rounds=weight.rounds,
        noise=weight.noise,
        proven=weight.p < level,
        likely=weight.above > 0 and (rank == 0 or weight.is_likely),
        rank=rank,
        repair=rank > 0 and looks_good and (symptom or repaired),
    )


def _is_meant(before: int, place: Place, trial: TrialEvidence) -> bool:
    """Whether this very change is declared or claimed: its route and its status."""
    symptom = trial.symptom
    claimed = symptom and symptom.route and _is_the_symptom(before, place, symptom)
    return bool(claimed and before in DENIED) or any(
        each.route and each.status and each.covers(*place)
        for each in trial.behaviour.expect
    )


def _is_the_symptom(before: int, place: Place, symptom: Symptom | None) -> bool:
    """Whether the answer changes from the status that the candidate claims to fix."""
    if symptom is None or symptom.route not in {None, place.route}:
        return False
    return bool(before) and before == symptom.status


def _unexpected(case: Case) -> Iterator[Change]:
    rules = case.trial.behaviour.expect
    for each in case.changes:
        meant = any(rule.covers(*each.place) for rule in rules)
        if not each.repair and (each.rank == 0 or not meant):
            yield each


def behaviour_changes(case: Case) -> Iterator[Finding]:
    """Differences that are proven and not meant, and what was meant and is not seen."""
    if not case.looked or case.trial.soak:
        return
    proven = [each for each in _unexpected(case) if each.proven]
    for each in proven[:_SHOWN]:
        yield each.finding("fail", _REMEDY if each.rank else "")
    if more := proven[_SHOWN:]:
        message = f"behaviour: {len(more):,} more places differ"
        yield trial_finding("fail", _METRIC, message)
    for rule in case.trial.behaviour.expect if _noises(case.trial) else ():
        if not any(rule.covers(*each.place) for each in case.changes):
            message = f"behaviour: {rule.text} was to change, and no answer shows it"
            yield trial_finding("fail", _METRIC, message)


_REMEDY: Final = "; if it is meant, declare it in `behaviour.expect`"
_FEW: Final = ": too few rounds to tell from chance, too many for a PASS"


def likely_changes(case: Case) -> Iterator[Finding]:
    """Such differences, not proven yet."""
    likely = [each for each in _unexpected(case) if each.likely and not each.proven]
    for each in likely[:_SHOWN]:
        yield each.finding("inconclusive", f"{_FEW}{_REMEDY if each.rank else ''}")
    if more := likely[_SHOWN:]:
        message = f"behaviour: {len(more):,} more places may differ"
        yield trial_finding("inconclusive", _METRIC, message)


def repairs(case: Case) -> Iterator[Finding]:
    """Where the baseline failed and the candidate answers: good news, to be read."""
    for each in case.changes:
        if each.repair and each.proven:
            yield each.finding("note", "; the candidate repairs it")
