"""A kept trial, read back: its verdict by today's judge, and its samples."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.case import Case
from harness.compare.judge import judge
from harness.compare.measure import latencies_by_route
from harness.dossier import read_dossier
from harness.model.result import Arm
from harness.store.disk import write_text
from tests.bench.trust.rules import Pair

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.compare.measure import ArmColumns
    from harness.dossier import Dossier
    from harness.model.result import Round
    from harness.model.scenario import Scenario
    from harness.model.verdict import Outcome

__all__ = ["Played", "keep", "kept", "read", "took_s"]

_TOOK: Final = "took.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Played:
    """A trial that came to its own end.

    Attributes:
        kind: what was tried.
        trial: its id.
        minutes: from its plan to its verdict, builds included, waiting for the machine
            not.
        outcome: the verdict.
        named: metrics that it failed by.
        pairs: latencies of its sound rounds.
        rounds: how many, void ones included.
        share: of the chance of a false FAIL that the service's main quantile has.
        scenario: its terms.
    """

    kind: str
    trial: str
    minutes: float
    outcome: Outcome
    named: tuple[str, ...]
    pairs: tuple[Pair, ...]
    rounds: int
    share: float
    scenario: Scenario

    @property
    def day(self) -> str:
        """On which it began, as `2026-11-25`."""
        return f"{self.trial[:4]}-{self.trial[4:6]}-{self.trial[6:8]}"


def keep(directory: Path, seconds: float) -> None:
    """Note beside a trial that it is finished, and how long it took."""
    content = {"trial": directory.name, "seconds": round(seconds, 1)}
    write_text(directory.parent / _TOOK, json.dumps(content) + "\n")


def kept(place: Path) -> Path | None:
    """The finished trial in a place, `None` where there is none."""
    took = place / _TOOK
    if not took.is_file():
        return None
    return place / str(json.loads(took.read_text(encoding="utf-8"))["trial"])


def took_s(place: Path) -> float:
    """How long the finished trial in a place took."""
    return float(json.loads((place / _TOOK).read_text(encoding="utf-8"))["seconds"])


def read(directory: Path, kind: str, seconds: float) -> Played:
    """Read and judge a stored trial.

    Raises:
        ComparisonError: its files are broken.
    """
    journal, dossier = read_dossier(directory)
    evidence = dossier.evidence(journal)
    slices = journal.plan.slices
    pairs = [_pair(dossier, each.round, slices) for each in evidence.sound]
    verdict = judge(evidence).verdict
    failed = (each.metric for each in verdict.findings if each.severity == "fail")
    return Played(
        kind=kind,
        trial=directory.name,
        minutes=seconds / 60,
        outcome=verdict.outcome,
        named=tuple(dict.fromkeys(failed)),
        pairs=tuple(pairs),
        rounds=len(evidence.rounds),
        share=max(each.share for each in Case(trial=evidence).hypotheses),
        scenario=journal.scenario,
    )


def _pair(dossier: Dossier, round_: Round, slices: int) -> Pair:
    baseline, candidate = (
        _by_slice(dossier.columns(round_.arm(arm)), slices) for arm in Arm
    )
    return Pair(baseline=baseline, candidate=candidate)


def _by_slice(columns: ArmColumns, slices: int) -> tuple[NDArray[np.int64], ...]:
    """What counts for quantiles, slice by slice, the warm-up left out."""
    return tuple(
        np.concatenate(
            [
                np.empty(0, np.int64),
                *latencies_by_route(
                    columns, columns.samples["slice"] == number
                ).values(),
            ]
        )
        for number in range(1, slices + 1)
    )
