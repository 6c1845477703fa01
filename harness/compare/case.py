"""A trial with its statistics, each computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.compare.estimate import compared, estimate
from harness.compare.hypothesis import hypotheses, shared
from harness.compare.paired import holm, p_value
from harness.compare.proof import prove
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.compare.boundary import Looks
    from harness.compare.estimate import Comparison
    from harness.compare.evidence import TrialEvidence
    from harness.compare.hypothesis import Hypothesis
    from harness.compare.measure import ArmMeasures
    from harness.model.verdict import Estimate, Proof

__all__ = ["Case", "rejected"]


def rejected(
    comparisons: Sequence[Comparison], looks: Looks, rounds: int
) -> frozenset[int]:
    """Places of the comparisons that the family's test finds beyond their budgets.

    Args:
        comparisons: some of them, or all.
        looks: at which rounds.
        rounds: how many there are.
    """
    tested = [
        (place, p_value(each.tests.fail_t, len(each.pairs)), each.hypothesis.share)
        for place, each in enumerate(comparisons)
        if each.tests is not None
    ]
    found = holm(
        [p for _, p, _ in tested],
        [share for _, _, share in tested],
        lambda level: looks.nominal(level, rounds),
    )
    return frozenset(tested[place][0] for place in found)


def _soaked(hypothesis: Hypothesis) -> Hypothesis:
    """A soak gates nothing but the growth of memory."""
    if hypothesis.metric.only_fails:
        return hypothesis
    return replace(hypothesis, allowance=None, required=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """What is known of a trial when it is judged.

    Attributes:
        trial: its evidence.
    """

    trial: TrialEvidence

    @property
    def looked(self) -> bool:
        """Whether there are as many sound rounds as at a look."""
        return len(self.trial.sound) in self.trial.looks

    @cached_property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """What is compared; nothing without a sound round."""
        sound = self.trial.sound
        found = hypotheses(self.trial.budgets, sound) if sound else ()
        return shared(map(_soaked, found)) if self.trial.soak else found

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The hypotheses over the sound rounds."""
        trial = self.trial
        return tuple(
            compared(each, trial.sound, trial.looks) for each in self.hypotheses
        )

    @property
    def family(self) -> int:
        """How many hypotheses are gated, undefined ones included."""
        return sum(each.allowance is not None for each in self.hypotheses)

    @cached_property
    def regressed(self) -> frozenset[int]:
        """Places of the comparisons beyond their budgets, at a look."""
        if not self.looked:
            return frozenset()
        trial = self.trial
        if trial.soak:
            return frozenset(
                place
                for place, each in enumerate(self.comparisons)
                if each.tests is not None and min(each.tests.excess) > 0
            )
        return rejected(self.comparisons, trial.looks, len(trial.sound))

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """What is reported of each comparison."""
        return tuple(
            estimate(each, regressed=place in self.regressed, looked=self.looked)
            for place, each in enumerate(self.comparisons)
        )

    @cached_property
    def proof(self) -> Proof | None:
        """Of the fix that is claimed."""
        symptom = self.trial.symptom
        return prove(symptom, self.trial, looked=self.looked) if symptom else None

    def ends(self, arm: Arm) -> list[str]:
        """How the arm's build died, or did not come up, each time."""
        died = [
            f"round {each.round.index}: {each.round.arm(arm).died}"
            for each in self.trial.rounds
            if each.round.arm(arm).died
        ]
        failed = self.trial.failed_starts if arm is Arm.CANDIDATE else ()
        return [*failed, *died]

    def share(self, arm: Arm, part: Callable[[ArmMeasures], int]) -> float:
        """A part of the requests of an arm's sound rounds; 0 without a request."""
        arms = [each.arm(arm) for each in self.trial.sound]
        requests = sum(sum(each.requests.values()) for each in arms)
        return sum(part(each) for each in arms) / requests if requests else 0.0
