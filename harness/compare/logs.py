"""What only the candidate logs: judged over rounds as a new error is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from harness.compare.chance import LIKELY, chance
from harness.compare.finding import trial_finding
from harness.compare.logline import ERROR
from harness.model.result import Arm
from harness.model.route import SERVICE
from harness.model.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.compare.case import Case
    from harness.compare.evidence import RoundEvidence, TrialEvidence
    from harness.compare.log import Kind, Logged

__all__ = [
    "NewKind",
    "found_kinds",
    "new_log_entries",
    "noted_log_entries",
    "rare_log_entries",
]

_LEVEL: Final = 0.01
"""Of a false FAIL by a line that only chance gave to one arm, over all of them."""
_HALF: Final = 0.5
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKind:
    """Log entries of a kind that the baseline has not.

    Attributes:
        kind: which.
        logged: by the index of the sound round.
        rounds: sound rounds.
        p: that chance gave so many of them to the candidate alone.
        proven: whether it is no explanation.
        moved: whether the baseline raises the same from another function of the file.
        whole: whether every entry of the baseline's is known.
    """

    kind: Kind
    logged: Mapping[int, Logged]
    rounds: int
    p: float
    proven: bool
    moved: bool
    whole: bool

    @property
    def likely(self) -> bool:
        """Whether it is too much for a PASS, though it may be chance."""
        return self.p <= LIKELY or len(self.logged) > _HALF * self.rounds

    def finding(self, severity: str, remark: str = "") -> Finding:
        """It as a finding, with the first entry whole."""
        entries = _entries(self.logged.values())
        examples = (each.example for each in self.logged.values() if each.example)
        return Finding(
            severity=severity,
            metric="logs",
            route=SERVICE,
            message=(
                f"logs: {self.kind.severity} {self.kind.words}: {entries:,} times in"
                f" {len(self.logged)} of {self.rounds} rounds, never on the baseline"
                f"{remark}"
            ),
            examples=tuple(examples)[:1],
        )


def found_kinds(trial: TrialEvidence) -> tuple[NewKind, ...]:
    """Every kind of entry that only the candidate logs, the most frequent first.

    None in a soak, whose two rounds tell nothing from chance, and none of rounds in
    which the log of an arm is out of sight.
    """
    if trial.soak:
        return ()
    known = _raised(trial, Arm.BASELINE)
    sound = _read_on_both(trial)
    logged: dict[Kind, dict[int, Logged]] = {}
    for each in sound:
        for kind, entries in each.logs[Arm.CANDIDATE].kinds.items():
            if kind not in known:
                logged.setdefault(kind, {})[each.round.index] = entries
    if not logged:
        return ()
    moved = _moved(
        {kind: _entries(rounds.values()) for kind, rounds in logged.items()},
        _gone(trial),
    )
    whole = all(each.logs[Arm.BASELINE].whole for each in sound)
    level = trial.looks.nominal(_LEVEL / len(logged), len(sound))
    by_chance = {
        kind: chance(len(rounds), len(sound), len(sound))
        for kind, rounds in logged.items()
    }
    found = [
        NewKind(
            kind=kind,
            logged=rounds,
            rounds=len(sound),
            p=by_chance[kind],
            proven=by_chance[kind] < level,
            moved=kind in moved,
            whole=whole,
        )
        for kind, rounds in logged.items()
    ]
    return tuple(sorted(found, key=lambda each: (-len(each.logged), each.kind)))


def _read_on_both(trial: TrialEvidence) -> list[RoundEvidence]:
    return [each for each in trial.sound if len(each.logs) == len(Arm)]


def _entries(logged: Iterable[Logged]) -> int:
    return sum(each.entries for each in logged)


def _gone(trial: TrialEvidence) -> dict[Kind, int]:
    """Entries of the baseline's kinds that the candidate has none of."""
    still = _raised(trial, Arm.CANDIDATE)
    gone: dict[Kind, int] = defaultdict(int)
    for each in trial.rounds:
        if Arm.BASELINE in each.logs:
            for kind, logged in each.logs[Arm.BASELINE].kinds.items():
                if kind not in still:
                    gone[kind] += logged.entries
    return gone


def _moved(new: Mapping[Kind, int], gone: Mapping[Kind, int]) -> frozenset[Kind]:
    """Exceptions that took the place of others: same type, same file, as often.

    No more kinds than have gone there, and at most twice as many entries.
    """
    took: dict[tuple[str, str], list[Kind]] = defaultdict(list)
    left: dict[tuple[str, str], list[Kind]] = defaultdict(list)
    for kinds, by_place in ((new, took), (gone, left)):
        for kind in kinds:
            by_place[kind.raised, kind.file].append(kind)
    moved = (
        kinds
        for place, kinds in took.items()
        if place[0]
        and len(kinds) <= len(left[place])
        and sum(new[each] for each in kinds) <= 2 * sum(gone[e] for e in left[place])
    )
    return frozenset(chain.from_iterable(moved))


def _raised(trial: TrialEvidence, arm: Arm) -> frozenset[Kind]:
    logs = (each.logs[arm] for each in trial.rounds if arm in each.logs)
    return frozenset(kind for log in logs for kind in log.kinds)


def _grave(case: Case, *, proven: bool) -> list[NewKind]:
    found = [
        each
        for each in case.new_kinds
        if each.kind.severity == ERROR and not each.moved and each.proven == proven
    ]
    return found[:_SHOWN]


def new_log_entries(case: Case) -> Iterator[Finding]:
    """Errors in so many rounds that chance is no explanation."""
    for each in _grave(case, proven=True) if case.looked else ():
        if each.whole:
            yield each.finding("fail")


def rare_log_entries(case: Case) -> Iterator[Finding]:
    """Errors that are likely, not proven yet; and what is not read."""
    yield from _unread(case.trial)
    for each in _grave(case, proven=True):
        if not each.whole:
            yield each.finding("inconclusive", " as far as its log is read")
    for each in _grave(case, proven=False):
        if each.likely:
            yield each.finding(
                "inconclusive", ": too few to tell from chance, too many for a PASS"
            )


def _unread(trial: TrialEvidence) -> Iterator[Finding]:
    """Kinds beyond those that are told apart, which the baseline has not."""
    both = _read_on_both(trial)
    further = {arm: sum(each.logs[arm].others for each in both) for arm in Arm}
    if further[Arm.CANDIDATE] and not further[Arm.BASELINE]:
        message = (
            f"logs: {further[Arm.CANDIDATE]:,} entries of the candidate's are of kinds"
            " beyond the first 500 of a round, none of the baseline's"
        )
        yield trial_finding("inconclusive", "logs", message)


def noted_log_entries(case: Case) -> Iterator[Finding]:
    """Warnings, and errors that only moved."""
    for each in case.new_kinds[:_SHOWN]:
        if each.proven and (each.kind.severity != ERROR or each.moved):
            moved = "; the baseline raises it from another function" * each.moved
            yield each.finding("note", moved)
