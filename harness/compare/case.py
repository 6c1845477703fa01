"""A trial with its statistics, each computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.compare.change import found_changes
from harness.compare.estimate import compared, estimate, label, where_defined
from harness.compare.hypothesis import hypotheses, shared
from harness.compare.logs import found_kinds
from harness.compare.paired import holm, p_value
from harness.compare.proof import prove
from harness.compare.signature import found_new
from harness.model.result import Arm
from harness.model.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.compare.boundary import Looks
    from harness.compare.change import Change
    from harness.compare.estimate import Comparison
    from harness.compare.evidence import RoundEvidence, TrialEvidence
    from harness.compare.hypothesis import Hypothesis
    from harness.compare.logs import NewKind
    from harness.compare.measure import ArmMeasures
    from harness.compare.signature import NewError
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
    def gated(self) -> Mapping[int, Comparison]:
        """What decides: hypotheses with a budget, by their places."""
        return {
            place: self._compared(each)
            for place, each in enumerate(self.hypotheses)
            if each.allowance is not None
        }

    def _compared(self, hypothesis: Hypothesis) -> Comparison:
        """Over all rounds; what can only fail, over those that measured it if most did.

        One that was too busy to be read often enough would else hide a leak that all
        others show, or withhold a PASS, which says nothing of it.
        """
        rounds: Sequence[RoundEvidence] = self.trial.sound
        if hypothesis.metric.only_fails:
            measured = where_defined(hypothesis, rounds)
            rounds = measured if 2 * len(measured) > len(rounds) else rounds
        return compared(hypothesis, rounds, self.trial.looks)

    @property
    def family(self) -> int:
        """How many hypotheses are gated, undefined ones included."""
        return len(self.gated)

    @cached_property
    def regressed(self) -> frozenset[int]:
        """Places of the hypotheses beyond their budgets, at a look."""
        if not self.looked:
            return frozenset()
        trial, places = self.trial, tuple(self.gated)
        if trial.soak:
            return frozenset(
                place
                for place, each in self.gated.items()
                if each.tests is not None and min(each.tests.excess) > 0
            )
        gated = tuple(self.gated.values())
        found = rejected(gated, trial.looks, len(trial.sound))
        return frozenset(places[each] for each in found)

    def estimate(self, place: int) -> Estimate:
        """What is reported of a hypothesis."""
        return estimate(
            self.gated.get(place) or self._compared(self.hypotheses[place]),
            regressed=place in self.regressed,
            looked=self.looked,
        )

    def is_unclear(self, place: int) -> bool:
        """Whether a gated hypothesis is neither within its budget nor beyond it."""
        found = label(
            self.gated[place], regressed=place in self.regressed, looked=self.looked
        )
        return found is Label.UNCLEAR

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """What is reported of all."""
        return tuple(map(self.estimate, range(len(self.hypotheses))))

    @cached_property
    def new_errors(self) -> tuple[NewError, ...]:
        """Of the candidate, that the baseline never showed."""
        return found_new(self.trial)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """In what the candidate answers otherwise than the baseline."""
        return found_changes(self.trial)

    @cached_property
    def new_kinds(self) -> tuple[NewKind, ...]:
        """Of log entries that only the candidate has."""
        return found_kinds(self.trial)

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
