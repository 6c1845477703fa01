from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.compare.metric import METRICS, Undefined

if TYPE_CHECKING:
    from tests.compare.conftest import Make

MS = 1_000_000
MIB = 2**20


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p50", 35_451_000),
        ("p95", 66_545_000),
        ("errors", 0.01),
        ("goodput", 0.99),
        ("memory", 100.0 * MIB),
        ("cpu", MS),
    ],
)
def test_each_metric_reads_its_figure(make: Make, name: str, expected: float) -> None:
    """Every row of the table gives its value in its unit."""
    value = METRICS[name].read(make.arm(errors=7), frozenset({"GET /0"}))

    assert value == pytest.approx(expected, rel=1e-4)


def test_a_thin_quantile_says_how_many_requests_it_needs(make: Make) -> None:
    """Undefined is a value with a reason, never a default."""
    value = METRICS["p99"].read(make.arm(), frozenset({"GET /0"}))

    assert value == Undefined("needs 3,000 requests an arm and round, had 700")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("errors", {"requests": {}}),
        ("goodput", {"planned": 0}),
        ("memory", {"memory_bytes": None}),
        ("memory", {"memory_bytes": 0.0}),
        ("cpu", {"cpu_ns": None}),
        ("cpu", {"answered": 0}),
    ],
)
def test_what_was_not_measured_has_a_reason(
    make: Make, name: str, given: dict[str, Any]
) -> None:
    """Nothing is divided by zero, and nothing unmeasured becomes a number."""
    value = METRICS[name].read(make.arm(**given), frozenset({"GET /0"}))

    assert isinstance(value, Undefined)
    assert value.reason
