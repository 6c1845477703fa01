from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.compare.soundness import (
    SoundLimits,
    breaches,
    candidate_only,
    sound_limits,
    void_reason,
)
from harness.model.budget import Budgets

if TYPE_CHECKING:
    from tests.compare.conftest import Make

MS = 1_000_000
HEALTHY = {
    "cpu_ratio": 0.8,
    "timer_late_p95_ns": 2 * MS,
    "lag_p99_ns": 90 * MS,
    "steal_ratio": 0.05,
}


def test_a_round_at_its_limits_is_sound(make: Make) -> None:
    """Limits are what may be reached; lag of single shots is none of them."""
    round_ = make.round(1, make.arm(), make.arm(), health=(HEALTHY, HEALTHY)).round

    assert void_reason(round_, make.limits) == ""
    assert not candidate_only(round_, make.limits)


@pytest.mark.parametrize(
    ("health", "reason", "alone"),
    [
        (
            {"cpu_ratio": 0.93},
            "the candidate's load generator used 93.0% of its core (limit 80%)",
            True,
        ),
        (
            {"timer_late_p95_ns": 5 * MS},
            "the candidate's load generator ran 5.00 ms late at p95 (limit 2.00 ms)",
            True,
        ),
        (
            {"steal_ratio": 0.2},
            "other machines took CPU unequally: 15.0 points between the arms (limit 5)",
            False,
        ),
    ],
)
def test_a_breach_is_named_with_figure_and_limit(
    make: Make, health: dict[str, float], reason: str, *, alone: bool
) -> None:
    """The generator's troubles belong to an arm, the machine's to nobody."""
    sick = {**HEALTHY, **health}
    round_ = make.round(1, make.arm(), make.arm(), health=(HEALTHY, sick)).round

    assert void_reason(round_, make.limits) == reason
    assert candidate_only(round_, make.limits) == alone


def test_steal_on_both_arms_is_too_much(make: Make) -> None:
    """Equal on both arms, yet more than a tenth of the machine."""
    sick = {**HEALTHY, "steal_ratio": 0.3}
    round_ = make.round(1, make.arm(), make.arm(), health=(sick, sick)).round

    assert void_reason(round_, make.limits) == (
        "other machines took 30.0% of the CPU (limit 10%)"
    )


def test_a_sick_baseline_clears_the_candidate(make: Make) -> None:
    """Where both arms' generators are overloaded, the candidate is not to blame."""
    sick = {**HEALTHY, "cpu_ratio": 0.9}
    round_ = make.round(1, make.arm(), make.arm(), health=(sick, sick)).round

    assert not candidate_only(round_, make.limits)


def test_books_must_balance_and_plans_agree(make: Make) -> None:
    """Lost requests and another plan void a round, worse than any overload."""
    sick = {**HEALTHY, "cpu_ratio": 5.0}
    unbalanced = make.round(
        1, make.arm(), make.arm(), in_flight=1, health=(sick, sick)
    ).round
    other_plan = make.round(1, make.arm(), make.arm(), plan_digest="another").round

    assert void_reason(unbalanced, make.limits) == (
        "the books of load worker 1 of 1 do not balance: 9 sent, but 9 answered"
        " + 0 failed + 1 in flight"
    )
    assert void_reason(other_plan, make.limits) == (
        "the arms were sent another plan than the trial's"
    )


def test_the_worst_breach_comes_first(make: Make) -> None:
    """By how many times its limit each was, not by order of asking."""
    sick = {**HEALTHY, "cpu_ratio": 0.9, "timer_late_p95_ns": 20 * MS}
    round_ = make.round(1, make.arm(), make.arm(), health=(HEALTHY, sick)).round

    found = breaches(round_, make.limits)

    assert [each.excess for each in found] == [10.0, pytest.approx(1.125)]


@pytest.mark.parametrize(
    ("latency_ms", "budgets", "expected_ns"),
    [
        (10, {}, 2 * MS),
        (10, {"latency": {"p95": "40ms"}, "routes": {}}, 10 * MS),
        (200, {"latency": {"p95": "10%"}, "routes": {}}, 5 * MS),
        (200, {"latency": {"p95": "1s"}, "routes": {"p50": "10%"}}, 5 * MS),
        (200, {"latency": {}, "routes": {}}, 2 * MS),
    ],
)
def test_the_timer_may_be_late_by_a_quarter_of_the_smallest_budget(
    make: Make, latency_ms: int, budgets: dict[str, object], expected_ns: int
) -> None:
    """The budget in ms comes from the baseline's first warm-up; 2 ms is the floor."""
    warm = make.columns([latency_ms] * 20 + [9_000] * 20, slice=[0] * 20 + [1] * 20)

    limits = sound_limits(warm, Budgets.model_validate(budgets), "plan")

    assert limits == SoundLimits(plan_digest="plan", timer_late_ns=expected_ns)


def test_without_a_warm_up_the_floor_holds(make: Make) -> None:
    """Nothing measured is no reason to allow more."""
    limits = sound_limits(make.columns([]), Budgets(), "plan")

    assert limits.timer_late_ns == 2 * MS
