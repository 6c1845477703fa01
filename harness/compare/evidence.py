"""All that a verdict is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from harness.model.behaviour import NO_RULES
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.compare.behaviour import Behaviour
    from harness.compare.boundary import Looks
    from harness.compare.course import Course
    from harness.compare.exposed import ArmMetrics
    from harness.compare.log import LogEvidence
    from harness.compare.measure import ArmMeasures
    from harness.compare.metric import Undefined
    from harness.compare.soundness import SoundLimits
    from harness.model.behaviour import BehaviourRules
    from harness.model.budget import Budgets
    from harness.model.profile import Profile
    from harness.model.result import Round
    from harness.model.symptom import Symptom
    from harness.model.verdict import SlowRequest

__all__ = ["REPLACEMENTS", "RoundEvidence", "TrialEvidence"]

REPLACEMENTS: Final = 2
"""Void rounds that are replaced before the trial gives up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoundEvidence:
    """One round and what its arms measured.

    Attributes:
        round: the round, with the reason in `void` where it is not sound.
        baseline: measures of that arm.
        candidate: likewise.
        behaviour: their answers compared; `None` where no plan says what was asked.
        logs: what they logged, where that is stored.
        slowest: requests of both arms.
        metrics: that they exposed, where the scenario says where.
        courses: what they did over its time.
        pairs: what was read of both arms already, by metric and routes.
    """

    round: Round
    baseline: ArmMeasures
    candidate: ArmMeasures
    behaviour: Behaviour | None = None
    logs: Mapping[Arm, LogEvidence] = field(default_factory=dict)
    slowest: tuple[SlowRequest, ...] = ()
    metrics: Mapping[Arm, ArmMetrics] = field(default_factory=dict)
    courses: Mapping[Arm, Course] = field(default_factory=dict)
    pairs: dict[tuple[str, frozenset[str]], tuple[float, float] | Undefined] = field(
        init=False, repr=False, default_factory=dict
    )

    def arm(self, arm: Arm) -> ArmMeasures:
        """The measures of one arm."""
        return self.baseline if arm is Arm.BASELINE else self.candidate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialEvidence:
    """A trial that has ended, one way or another.

    Attributes:
        scenario: its name.
        why: the scenario's own words.
        baseline: the build that ran, by reference and digest.
        candidate: likewise.
        budgets: how much worse the candidate may be.
        looks: at how many sound rounds it may end, fixed before the start.
        rounds: all of them, sound and void, in order.
        limits: what makes a round void.
        soak: whether it is two long pairs that look for growing memory alone.
        rate_per_s: planned requests an arm and second.
        memory_limit: of a build, in bytes; 0 where it has none.
        known: signatures of errors that are not new, from earlier runs.
        symptom: what the candidate claims to fix.
        behaviour: which differences of answers do not count, or are meant.
        stopped: why the trial ended early, such as `--max-time 20m was reached`;
            empty if it did not.
        failed_starts: how the candidate failed to get ready while the baseline was,
            one an attempt.
        lost_rounds: rounds that a load worker did not live through, and why.
        environment: facts in words.
        notes: what else the reader should know, a sentence each.
        calibration: what could be seen, in words.
        held_out: share of the planned requests that are judged, but not shown to
            whoever writes the candidate.
        profile: of both arms, which decides nothing.
    """

    scenario: str
    why: str
    baseline: str
    candidate: str
    budgets: Budgets
    looks: Looks
    rounds: tuple[RoundEvidence, ...]
    limits: SoundLimits
    soak: bool = False
    rate_per_s: float = 0.0
    memory_limit: int = 0
    known: frozenset[str] = frozenset()
    symptom: Symptom | None = None
    behaviour: BehaviourRules = NO_RULES
    stopped: str = ""
    failed_starts: tuple[str, ...] = ()
    lost_rounds: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    calibration: str = ""
    held_out: float = 0.0
    profile: Profile | None = None

    @property
    def sound(self) -> tuple[RoundEvidence, ...]:
        """The rounds that count: the first sound ones, up to the maximum."""
        sound = tuple(each for each in self.rounds if not each.round.void)
        return sound[: self.looks.last]

    @property
    def given_up(self) -> bool:
        """Whether more rounds were lost or void than are replaced."""
        return len(self.void) + len(self.lost_rounds) > REPLACEMENTS

    @property
    def void(self) -> tuple[RoundEvidence, ...]:
        """The rounds that do not count, but are looked at."""
        return tuple(each for each in self.rounds if each.round.void)
