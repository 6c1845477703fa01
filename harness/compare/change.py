"""What the candidate answers otherwise than the baseline, told from noise over rounds.

A difference is noise as far as the baseline has it against itself, in two rounds that
follow each other. One that it never has there is judged as a new error is. One that it
has is judged by its share of the answers: where every round of the candidate has at
least twice as much of it as any of the baseline, chance would have put so many rounds
on top of the others once in all the ways to choose them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.behaviour import EMPTY
from harness.compare.chance import chance
from harness.compare.figure import figure
from harness.compare.finding import trial_finding
from harness.model.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.compare.behaviour import Changed, Place
    from harness.compare.case import Case
    from harness.compare.evidence import TrialEvidence
    from harness.model.symptom import Symptom

__all__ = ["Change", "behaviour_changes", "found_changes", "likely_changes", "repairs"]

_LEVEL: Final = 0.01
"""Of a false FAIL by a difference that only chance gave, over all of them."""
_APART: Final = 2.0
"""How many times the baseline's largest share the candidate's smallest must be."""
_SHOWN: Final = 20
_METRIC: Final = "behaviour"
_FAILED: Final = 500
_DENIED: Final = frozenset({401, 403})
_REDIRECT: Final = 300


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
        repair: whether the baseline failed where the candidate does not.
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
    noises = [
        each.behaviour.noise
        for each in trial.rounds
        if each.behaviour is not None and each.behaviour.noise is not None
    ]
    seen: dict[Place, dict[int, Changed]] = {}
    for each in sound:
        assert each.behaviour is not None, "those are left out"
        for place, changed in each.behaviour.changed.items():
            if not _is_elsewhere(place, trial):
                seen.setdefault(place, {})[each.round.index] = changed
    if not seen or not noises:
        return ()
    level = trial.looks.nominal(_LEVEL / len(seen), len(sound))
    history = _History(noises=noises, rounds=len(sound), level=level)
    changes = [
        _change(place, rounds, history, trial.symptom) for place, rounds in seen.items()
    ]
    return tuple(sorted(changes, key=lambda each: (each.rank, each.place)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _History:
    """What all places are judged by.

    Attributes:
        noises: the baseline against itself, each time.
        rounds: sound ones.
        level: that chance must be below.
    """

    noises: Sequence[Mapping[Place, Changed]]
    rounds: int
    level: float


def _is_elsewhere(place: Place, trial: TrialEvidence) -> bool:
    """Whether it is ignored, or an error, which other questions are about."""
    kind = place.kind
    if place.place == "status" and _statuses(kind)[1] >= _FAILED:
        return True
    grave = _rank(place) == 0
    return not grave and any(each.covers(*place) for each in trial.behaviour.ignore)


def _statuses(kind: str) -> tuple[int, int]:
    before, _, after = kind.removesuffix(EMPTY).partition(" → ")
    return int(before), int(after)


def _rank(place: Place) -> int:
    """The worst: a door that opens, or a failure that looks like success."""
    if place.place != "status":
        return 2 if place.kind == "added" else 1
    before, after = _statuses(place.kind)
    good = after < _REDIRECT
    opened = before in _DENIED and good
    hidden = before >= _FAILED and good and place.kind.endswith(EMPTY)
    return 0 if opened or hidden else 1


def _change(
    place: Place,
    seen: Mapping[int, Changed],
    history: _History,
    symptom: Symptom | None,
) -> Change:
    noises, rounds = history.noises, history.rounds
    shares = [noise[place].share for noise in noises if place in noise]
    rank, most = _rank(place), max(shares, default=0.0)
    if shares:
        lowest = min(each.share for each in seen.values())
        everywhere = len(seen) == rounds and lowest >= _APART * most
        p = 1 / comb(rounds + len(noises), rounds) if everywhere else 1.0
        likely = everywhere
    else:
        p = chance(len(seen), rounds, len(noises))
        likely = rank == 0 or 2 * len(seen) > rounds
    before = _statuses(place.kind)[0] if place.place == "status" else 0
    return Change(
        place=place,
        seen=seen,
        rounds=rounds,
        noise=most,
        proven=p < history.level,
        likely=likely,
        rank=rank,
        repair=rank > 0
        and (before >= _FAILED or _is_the_symptom(before, place, symptom)),
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
    for rule in case.trial.behaviour.expect:
        if not any(rule.covers(*each.place) for each in case.changes):
            message = f"behaviour: {rule.text} was to change, and no answer shows it"
            yield trial_finding("fail", _METRIC, message)


_REMEDY: Final = "; if it is meant, declare it in `behaviour.expect`"


def likely_changes(case: Case) -> Iterator[Finding]:
    """Such differences, not proven yet."""
    for each in list(_unexpected(case))[:_SHOWN]:
        if each.likely and not each.proven:
            yield each.finding(
                "inconclusive",
                ": too few rounds to tell from chance, too many for a PASS",
            )


def repairs(case: Case) -> Iterator[Finding]:
    """Where the baseline failed and the candidate answers: good news, to be read."""
    for each in case.changes:
        if each.repair and each.proven:
            yield each.finding("note", "; the candidate repairs it")
