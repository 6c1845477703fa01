"""What is remembered of trials, night by night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.verdict import Estimate, Outcome

__all__ = ["Past", "Standing", "Trend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A trial that is over.

    Attributes:
        id: the name of its directory.
        scenario: its name.
        recorded_at: when it ended, UTC, ISO 8601 to the second.
        baseline: the reference, as it was given or chosen.
        candidate: likewise.
        baseline_commit: the commit whose content it is exactly, empty for none.
        candidate_commit: likewise.
        machine: in words.
        outcome: of the verdict.
        fix: what became of the claim of a fix, empty where none was made.
        rounds: sound ones.
        requests: planned, an arm and round.
        directory: of its files, absolute; together with `id` what makes it this one.
        estimates: by metric and route; read back without what a trend does not show.
    """

    id: str
    scenario: str
    recorded_at: str
    baseline: str
    candidate: str
    baseline_commit: str
    candidate_commit: str
    machine: str
    outcome: Outcome
    fix: str
    rounds: int
    requests: int
    directory: str
    estimates: tuple[Estimate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a scenario stands.

    Attributes:
        scenario: its name.
        outcome: of its last trial.
        recorded_at: when that ended, UTC, ISO 8601.
        counts: trials by outcome.
    """

    scenario: str
    outcome: Outcome
    recorded_at: str
    counts: Mapping[Outcome, int]

    @property
    def trials(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One figure of a scenario over its trials.

    Attributes:
        scenario: its name.
        metric: as in an estimate.
        route: likewise.
        points: the trials, oldest first, each with that estimate or, where it had none,
            without.
    """

    scenario: str
    metric: str
    route: str
    points: tuple[Past, ...]
