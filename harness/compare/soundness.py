"""Whether a round may count: absolute limits, fixed before it, that read no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.figure import figure, number
from harness.compare.measure import latencies_by_route, quantile
from harness.compare.metric import QUANTILES
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from harness.compare.measure import ArmColumns
    from harness.model.budget import Budgets, LatencyBudgets
    from harness.model.result import ArmResult, Round, WorkerHealth

__all__ = [
    "STEAL_RATIO",
    "TIMER_FLOOR_NS",
    "TIMER_SHARE",
    "Breach",
    "SoundLimits",
    "breaches",
    "candidate_only",
    "sound_limits",
    "void_reason",
]

_CPU_RATIO: Final = 0.8
STEAL_RATIO: Final = 0.1
"""CPU time that the host may take, of all cores."""
_STEAL_APART: Final = 0.05
TIMER_FLOOR_NS: Final = 2_000_000
"""So late a timer may always be at p95."""
TIMER_SHARE: Final = 4
"""The smallest gated latency budget over how late the timer may be."""
_WARM_REQUESTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundLimits:
    """What is fixed before the first round is measured.

    Attributes:
        plan_digest: of the plan that every arm of every round must have been sent.
        timer_late_ns: how late the generator's free-running timer may be at p95.
    """

    plan_digest: str
    timer_late_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A limit that a round broke.

    Attributes:
        arm: whose generator broke it; `None` where it is the machine's or the trial's.
        excess: value over limit; the largest is the worst.
        message: a clause with figures and units.
    """

    arm: Arm | None
    excess: float
    message: str


def sound_limits(warm: ArmColumns, budgets: Budgets, plan_digest: str) -> SoundLimits:
    """The limits that the baseline's first warm-up gives.

    The timer may be late by a quarter of the smallest gated latency budget, at least
    by 2 ms.

    Args:
        warm: the baseline's columns in round 1, of which only the warm-up is read.
        budgets: the scenario's.
        plan_digest: of the trial's plan.
    """
    smallest_ns = min(_allowed_ns(warm, budgets), default=0.0)
    late_ns = max(TIMER_FLOOR_NS, round(smallest_ns / TIMER_SHARE))
    return SoundLimits(plan_digest=plan_digest, timer_late_ns=late_ns)


def _allowed_ns(warm: ArmColumns, budgets: Budgets) -> Iterator[float]:
    by_route = latencies_by_route(warm, warm.samples["slice"] == 0)
    if by_route:
        yield from _allowances_ns(np.concatenate([*by_route.values()]), budgets.latency)
    for name, latency_ns in by_route.items():
        of_route = budgets.by_route.get(name, budgets.routes)
        yield from _allowances_ns(latency_ns, of_route)


def _allowances_ns(
    latency_ns: NDArray[np.int64], budgets: LatencyBudgets
) -> Iterator[float]:
    if len(latency_ns) < _WARM_REQUESTS:
        return
    for name, percent in QUANTILES.items():
        allowance = getattr(budgets, name)
        if allowance is not None:
            level_ns = quantile(latency_ns, percent)
            yield max(allowance.relative * level_ns, allowance.absolute)


def breaches(round_: Round, limits: SoundLimits) -> tuple[Breach, ...]:
    """Every limit that the round broke, the worst first."""
    found = (
        *_of_trial(round_, limits),
        *_of_steal(round_),
        *_of_generator(round_.baseline, limits),
        *_of_generator(round_.candidate, limits),
    )
    return tuple(sorted(found, key=lambda breach: -breach.excess))


def void_reason(round_: Round, limits: SoundLimits) -> str:
    """Why the round does not count, by its worst breach; empty if it is sound."""
    found = breaches(round_, limits)
    return found[0].message if found else ""


def candidate_only(round_: Round, limits: SoundLimits) -> bool:
    """Whether the round is void and only the candidate's arm broke limits.

    Two of them, and none that is the baseline's as well, say that the candidate is what
    overloads the generator.
    """
    arms = {breach.arm for breach in breaches(round_, limits)}
    return arms == {Arm.CANDIDATE}


def _of_trial(round_: Round, limits: SoundLimits) -> Iterator[Breach]:
    if round_.plan_digest != limits.plan_digest:
        message = "the arms were sent another plan than the trial's"
        yield Breach(arm=None, excess=float("inf"), message=message)
    for arm in (round_.baseline, round_.candidate):
        for worker in arm.health.workers:
            if not worker.books.balanced:
                message = _unbalanced(worker)
                yield Breach(arm=None, excess=float("inf"), message=message)


def _unbalanced(worker: WorkerHealth) -> str:
    books = worker.books
    return (
        f"the books of {worker.title} do not balance: {books.sent:,} sent, but"
        f" {books.answered:,} answered + {books.failed:,} failed"
        f" + {books.in_flight:,} in flight"
    )


def _of_steal(round_: Round) -> Iterator[Breach]:
    steal = [arm.health.steal_ratio for arm in (round_.baseline, round_.candidate)]
    worst, apart = max(steal), max(steal) - min(steal)
    if worst > STEAL_RATIO:
        message = f"other machines took {figure(worst, 'ratio')} of the CPU (limit 10%)"
        yield Breach(arm=None, excess=worst / STEAL_RATIO, message=message)
    if apart > _STEAL_APART:
        message = (
            f"other machines took CPU unequally: {number(apart * 100)} points between"
            " the arms (limit 5)"
        )
        yield Breach(arm=None, excess=apart / _STEAL_APART, message=message)


def _of_generator(arm: ArmResult, limits: SoundLimits) -> Iterator[Breach]:
    health = arm.health
    if health.cpu_ratio > _CPU_RATIO:
        message = (
            f"the {arm.arm}'s load generator used {figure(health.cpu_ratio, 'ratio')}"
            " of its core (limit 80%)"
        )
        excess = health.cpu_ratio / _CPU_RATIO
        yield Breach(arm=arm.arm, excess=excess, message=message)
    if health.timer_late_p95_ns > limits.timer_late_ns:
        message = (
            f"the {arm.arm}'s load generator ran"
            f" {figure(health.timer_late_p95_ns, 'ns')} late at p95"
            f" (limit {figure(limits.timer_late_ns, 'ns')})"
        )
        excess = health.timer_late_p95_ns / limits.timer_late_ns
        yield Breach(arm=arm.arm, excess=excess, message=message)
