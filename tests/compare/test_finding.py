from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.boundary import Looks
from harness.compare.estimate import compared, estimate
from harness.compare.finding import named, regression, unclear
from harness.compare.hypothesis import Hypothesis
from harness.compare.metric import METRICS
from harness.model.quantity import Allowance

if TYPE_CHECKING:
    from harness.compare.estimate import Comparison
    from tests.compare.conftest import Make

MIB = 2**20

LOOKS = Looks(4, 4)


def _memory(make: Make, after: list[float], route: str = "service") -> Comparison:
    hypothesis = Hypothesis(
        metric=METRICS["memory"],
        route=route,
        routes=frozenset({"GET /0"}),
        share=1 / 8,
        allowance=Allowance.parse("10% or 16MiB", "bytes"),
    )
    rounds = [
        make.round(index, make.arm(), make.arm(memory_bytes=each * MIB))
        for index, each in enumerate(after, start=1)
    ]
    return compared(hypothesis, rounds, LOOKS)


def test_a_regression_has_figures_units_interval_and_budget(make: Make) -> None:
    """One sentence from which the reader knows what to look for."""
    comparison = _memory(make, [230, 234, 236, 238])

    found = regression(estimate(comparison, regressed=True, looked=True))

    assert found.severity == "fail"
    assert found.message == (
        "memory: 100 MiB → 234 MiB, x2.34 (90% interval x2.30 to x2.39);"
        " worst in round 4; budget 10% or 16MiB"
    )


def test_unclear_says_what_a_next_trial_needs(make: Make) -> None:
    """Never just 'unclear': a number of rounds, or that rounds do not help."""
    noisy, close = _memory(make, [90, 130, 95, 120]), _memory(make, [116.0] * 4)

    sentences = [
        unclear(estimate(each, regressed=False, looked=True), each).message
        for each in (noisy, close)
    ]

    assert sentences[0].endswith("; a next trial would need about 58 rounds")
    assert "more rounds hardly help" in sentences[1]


def test_the_service_goes_without_saying() -> None:
    """A route is named, the service is not."""
    assert named("p95", "service") == "p95"
    assert named("p95", "GET /cart") == "p95 of GET /cart"
