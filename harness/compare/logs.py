"""What only the candidate logs: judged over rounds as a new error is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.compare.chance import chance
from harness.compare.logline import ERROR
from harness.model.result import Arm
from harness.model.route import SERVICE
from harness.model.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.compare.case import Case
    from harness.compare.evidence import TrialEvidence
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
        proven: whether chance is no explanation.
        moved: whether the baseline raises the same from a function of another name.
    """

    kind: Kind
    logged: Mapping[int, Logged]
    rounds: int
    proven: bool
    moved: bool

    def finding(self, severity: str, remark: str = "") -> Finding:
        """It as a finding, with the first entry whole."""
        entries = sum(each.entries for each in self.logged.values())
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

    None in a soak, whose two rounds tell nothing from chance.
    """
    if trial.soak:
        return ()
    known = _raised(trial, Arm.BASELINE)
    sound = [each for each in trial.sound if Arm.CANDIDATE in each.logs]
    logged: dict[Kind, dict[int, Logged]] = {}
    for each in sound:
        for kind, entries in each.logs[Arm.CANDIDATE].kinds.items():
            if kind not in known:
                logged.setdefault(kind, {})[each.round.index] = entries
    if not logged:
        return ()
    gone = {each.raised for each in known - _raised(trial, Arm.CANDIDATE)} - {""}
    level = trial.looks.nominal(_LEVEL / len(logged), len(sound))
    found = [
        NewKind(
            kind=kind,
            logged=rounds,
            rounds=len(sound),
            proven=chance(len(rounds), len(sound), len(sound)) < level,
            moved=kind.raised in gone,
        )
        for kind, rounds in logged.items()
    ]
    return tuple(sorted(found, key=lambda each: (-len(each.logged), each.kind)))


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
        yield each.finding("fail")


def rare_log_entries(case: Case) -> Iterator[Finding]:
    """Errors in more than half of the rounds, not proven yet."""
    for each in _grave(case, proven=False):
        if len(each.logged) > _HALF * each.rounds:
            yield each.finding(
                "inconclusive", ": too few to tell from chance, too many for a PASS"
            )


def noted_log_entries(case: Case) -> Iterator[Finding]:
    """Warnings, and errors that only moved."""
    for each in case.new_kinds[:_SHOWN]:
        if each.proven and (each.kind.severity != ERROR or each.moved):
            moved = "; the baseline raises it from another function" * each.moved
            yield each.finding("note", moved)
