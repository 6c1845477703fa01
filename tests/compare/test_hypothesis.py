from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.compare.hypothesis import hypotheses, hypotheses_of, pair
from harness.compare.metric import Undefined
from harness.model.budget import Budgets

if TYPE_CHECKING:
    from harness.compare.evidence import RoundEvidence
    from tests.compare.conftest import Make

MS = 1_000_000


def _gated(budgets: Budgets, rounds: list[RoundEvidence]) -> dict[str, str]:
    return {
        f"{each.metric.name} {each.route}": each.budget
        for each in hypotheses(budgets, rounds)
        if each.budget
    }


def test_the_defaults_gate_what_the_design_names(make: Make) -> None:
    """p95 and p99, errors, goodput, memory, CPU of the service; p95 of each route."""
    arm = make.arm()

    assert _gated(Budgets(), [make.round(1, arm, arm)]) == {
        "p95 service": "10% or 5ms",
        "p99 service": "20% or 25ms",
        "errors service": "0.1 points",
        "goodput service": "1 point",
        "memory service": "10% or 16MiB",
        "cpu service": "15%",
        "p95 GET /0": "20% or 10ms",
    }


def test_the_first_baseline_says_which_routes_stand_alone(make: Make) -> None:
    """Decided once, before there is anything to compare; the rest is pooled."""
    thick = make.arm(routes=2)
    latencies = {**thick.latency_ns, "GET /1": np.arange(650)}
    thin = replace(thick, latency_ns=latencies)
    rounds = [make.round(1, thin, thick), make.round(2, thick, thick)]
    other = [make.round(1, thick, thin), make.round(2, thin, thin)]

    assert {each.route: each.routes for each in hypotheses(Budgets(), rounds)} == {
        "service": {"GET /0", "GET /1"},
        "GET /0": {"GET /0"},
        "other": {"GET /1"},
    }
    assert {each.route for each in hypotheses(Budgets(), other)} == {
        "service",
        "GET /0",
        "GET /1",
    }


def test_a_thin_service_is_gated_on_p50(make: Make) -> None:
    """With less than 600 requests the p95 budget applies to p50, and p95 counts on."""
    arm = make.arm(np.arange(1, 500) * MS)

    gated = _gated(Budgets(), [make.round(1, arm, arm)])

    assert gated["p50 service"] == gated["p95 service"] == "10% or 5ms"
    assert not any("GET" in name or "other" in name for name in gated)


def test_a_budget_by_name_replaces_that_of_routes(make: Make) -> None:
    """It is judged, or missed, under its name, however thin the route is."""
    budgets = Budgets.model_validate(
        {"by_route": {"GET /0": {"p50": "3%"}, "GET /no": {"p95": "1ms"}}}
    )
    arm = make.arm()
    found = hypotheses(budgets, [make.round(1, arm, arm)])

    required = {(each.metric.name, each.route) for each in found if each.required}

    assert required == {("p50", "GET /0"), ("p95", "GET /no")}


@pytest.mark.parametrize("arm", ["baseline", "candidate"])
def test_a_pair_needs_both_arms(make: Make, arm: str) -> None:
    """A value that one arm lacks is undefined for the round, with that arm's reason."""
    arms = {"baseline": make.arm(), "candidate": make.arm()}
    arms[arm] = make.arm(memory_bytes=None)
    evidence = make.round(1, arms["baseline"], arms["candidate"])
    memory = hypotheses(Budgets(), [evidence])[5]

    assert pair(memory, evidence) == Undefined("memory is not measured here")


def test_zero_has_no_ratio(make: Make) -> None:
    """A latency of nothing at all is not divided by."""
    arm = make.arm(np.zeros(700, np.int64))
    evidence = make.round(1, arm, arm)

    value = pair(hypotheses(Budgets(), [evidence])[0], evidence)

    assert value == Undefined("is not above 0, which has no ratio")


def test_shares(make: Make) -> None:
    """Half of the false alarms is the service's p95's; without one, all share alike."""
    thick, thin = make.arm(routes=3), make.arm(np.arange(1, 101) * MS)
    none = Budgets.model_validate({"latency": {}, "routes": {}})

    for budgets, arm, expected in (
        (Budgets(), thick, ("p95", 0.5)),
        (Budgets(), thin, ("p50", 0.5)),
        (none, thick, ("errors", 0.25)),
    ):
        found = hypotheses_of(budgets, arm, arm.routes)
        main = max(found, key=lambda each: each.share)
        assert expected[0] == main.metric.name
        assert expected[1] == pytest.approx(main.share)
        assert 1 == pytest.approx(sum(each.share for each in found))
        assert all(bool(each.share) == (each.allowance is not None) for each in found)
