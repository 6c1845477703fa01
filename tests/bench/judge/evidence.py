"""What surrounds the figures of a modelled trial: sound rounds, terms, how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.compare.boundary import Looks
from harness.compare.evidence import RoundEvidence, TrialEvidence
from harness.compare.judge import is_over
from harness.compare.soundness import SoundLimits, void_reason
from harness.model.budget import Budgets
from harness.model.result import (
    Arm,
    ArmResult,
    Round,
)
from tests.made import books, health

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.compare.measure import ArmMeasures
    from harness.model.symptom import Symptom

LOOKS = Looks(4, 10)
LIMITS = SoundLimits(plan_digest="plan", timer_late_ns=5_000_000)
_BOOKS, _HEALTH = books(), health()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is fixed before a trial.

    Attributes:
        looks: at which rounds it may end.
        budgets: how much worse the candidate may be.
        soak: whether it looks for leaks alone.
        symptom: what the candidate claims to fix.
    """

    looks: Looks = LOOKS
    budgets: Budgets = field(default_factory=Budgets)
    soak: bool = False
    symptom: Symptom | None = None


def round_of(
    index: int,
    baseline: ArmMeasures,
    candidate: ArmMeasures,
    late: Collection[Arm] = (),
) -> RoundEvidence:
    """A round; void where the timer of an arm's generator was late."""
    return RoundEvidence(
        round=replace(_round(frozenset(late)), index=index),
        baseline=baseline,
        candidate=candidate,
    )


@cache
def _round(late: frozenset[Arm]) -> Round:
    round_ = round_of_nothing(LIMITS.plan_digest, late)
    return replace(round_, void=void_reason(round_, LIMITS))


def round_of_nothing(plan_digest: str, late: Collection[Arm] = ()) -> Round:
    """A round without samples, its generators healthy but for late timers."""
    baseline, candidate = (_result(arm, late=arm in late) for arm in Arm)
    return Round(
        index=0,
        first=Arm.BASELINE,
        plan_digest=plan_digest,
        baseline=baseline,
        candidate=candidate,
    )


def _result(arm: Arm, *, late: bool) -> ArmResult:
    timer_ns = LIMITS.timer_late_ns * 2 if late else _HEALTH.timer_late_p95_ns
    return ArmResult(
        arm=arm,
        samples=Path(),
        usage=Path(),
        cpu_ns=None,
        books=_BOOKS,
        health=replace(_HEALTH, timer_late_p95_ns=timer_ns),
    )


def played(terms: Terms, rounds: Iterable[RoundEvidence]) -> TrialEvidence:
    """The trial, ended after the first of its rounds at which it is over."""
    trial = TrialEvidence(
        scenario="model",
        why="",
        baseline="baseline",
        candidate="candidate",
        budgets=terms.budgets,
        looks=terms.looks,
        rounds=(),
        limits=LIMITS,
        soak=terms.soak,
        symptom=terms.symptom,
    )
    for each in rounds:
        trial = replace(trial, rounds=(*trial.rounds, each))
        if is_over(trial):
            break
    return trial
