"""One row of the bench: trials of a model, what becomes of them, what ought to."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

import numpy as np

from harness import compare
from harness.compare.case import Case
from harness.compare.judge import verdict
from tests.bench.judge.evidence import played

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.compare.evidence import RoundEvidence, TrialEvidence
    from tests.bench.judge.evidence import Terms

BLOCK = 100
"""Trials that share a seed, so that their number of processes changes nothing."""


class Drawn(Protocol):
    """What draws the rounds of trials."""

    @property
    def terms(self) -> Terms:
        """Fixed before each of them."""

    def rounds(self, random: np.random.Generator) -> Iterator[RoundEvidence]:
        """Of one trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What share of the trials may come out in a way.

    Attributes:
        counted: the way, as `outcomes` names it; several are added up.
        most: of the trials; `None` where it is only shown or has a `least`.
        least: likewise.
    """

    counted: tuple[str, ...]
    most: float | None = None
    least: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Trials of one kind.

    Attributes:
        name: to call it by.
        model: what draws them.
        targets: what is asked of them.
    """

    name: str
    model: Drawn
    targets: tuple[Target, ...]

    @property
    def digest(self) -> str:
        """Of all that its figures depend on but their number."""
        return hashlib.sha256(f"{_CODE} {self.model!r}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of a cell's trials.

    Attributes:
        digest: of the cell.
        trials: how many.
        outcomes: how many of them came out in which way.
        rounds: of all of them.
        changes: of the p95 of the service in sound rounds: how many, sum and sum of
            squares of `d_r`.
    """

    digest: str
    trials: int
    outcomes: Mapping[str, int]
    rounds: int
    changes: tuple[float, ...]

    def share(self, target: Target) -> float:
        """Of the trials that came out so."""
        return sum(self.outcomes.get(each, 0) for each in target.counted) / self.trials

    def error(self, target: Target) -> float:
        """The Monte-Carlo standard error of that; as if one had, where none has."""
        least = 1 / self.trials
        share = min(max(self.share(target), least), 1 - least)
        return sqrt(share * (1 - share) / self.trials)

    @property
    def deviation(self) -> float:
        """SD of `d_r` of the service's p95, NaN where it is not read."""
        count, total, squares = self.changes
        return sqrt(squares / count - (total / count) ** 2) if count else float("nan")

    def __add__(self, other: Tally) -> Tally:
        assert self.digest == other.digest
        return Tally(
            digest=self.digest,
            trials=self.trials + other.trials,
            outcomes=dict(Counter(self.outcomes) + Counter(other.outcomes)),
            rounds=self.rounds + other.rounds,
            changes=tuple(
                mine + theirs
                for mine, theirs in zip(self.changes, other.changes, strict=True)
            ),
        )


def tally(cell: Cell, block: int, trials: int) -> Tally:
    """What becomes of the trials of one block."""
    random = np.random.default_rng([crc32(cell.name.encode()), block])
    outcomes: Counter[str] = Counter()
    rounds, changes = 0, np.empty(0)
    for _ in range(trials):
        trial = played(cell.model.terms, cell.model.rounds(random))
        outcomes.update(set(_ways(Case(trial=trial))))
        rounds += len(trial.rounds)
        changes = np.append(changes, [*_changes(trial)])
    return Tally(
        digest=cell.digest,
        trials=trials,
        outcomes=dict(outcomes),
        rounds=rounds,
        changes=(len(changes), float(changes.sum()), float((changes**2).sum())),
    )


def _ways(case: Case) -> Iterator[str]:
    """In which a trial came out, as targets count them."""
    found = verdict(case)
    yield found.outcome
    if case.proof:
        yield case.proof.outcome
    if case.trial.void:
        yield f"{found.outcome} with a void round"
    for each in found.findings:
        if each.severity == "fail":
            yield f"FAIL by {each.metric}"
        if "leaks: " in each.message:
            yield "leaks"


def _changes(trial: TrialEvidence) -> Iterator[float]:
    """`d_r` of the service's p95, as the judge read it."""
    for each in trial.sound:
        read = each.pairs.get(("p95", each.baseline.routes))
        if isinstance(read, tuple):
            baseline, candidate = read
            yield log(candidate / baseline)


_TABLE = {"__main__.py", "cells.py"}
_SOURCES = sorted(
    path
    for room in (Path(compare.__file__).parent, Path(__file__).parent)
    for path in room.glob("*.py")
    if path.name not in _TABLE
)
"""What decides over trials, and what draws them."""

_CODE = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()
