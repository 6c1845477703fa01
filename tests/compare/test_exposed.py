from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.compare.exposed import ArmMetrics, arm_metrics
from harness.compare.judge import judge
from harness.model.result import Arm

if TYPE_CHECKING:
    from tests.compare.conftest import Make


def test_by_the_answer() -> None:
    """Counters by 1,000 answers, gauges as they are last; new counters from 0."""
    found = arm_metrics(
        "# TYPE q counter\nq_total 10\npool 3",
        "# TYPE q counter\nq_total 30\nnew_total 5\npool 4",
        answered=200,
    )

    assert ArmMetrics({"q_total": 100.0, "new_total": 25.0, "pool": 4.0}) == found


def test_no_page() -> None:
    """A page that is none has a fault and no values."""
    assert ({}, "not a page of metrics: '<p>'") == arm_metrics("<p>", "a 1", 9)


def notes(make: Make, baseline: list[float], candidate: list[float]) -> list[str]:
    arm = make.arm()
    rounds = [
        replace(
            make.round(index, arm, arm),
            metrics={
                of: ArmMetrics({"queries_total": value, "same": 1.0})
                for of, value in zip(Arm, values, strict=True)
            },
        )
        for index, values in enumerate(zip(baseline, candidate, strict=True), start=1)
    ]
    findings = judge(make.trial(rounds)).verdict.findings
    return [each.message for each in findings if each.metric == "metrics"]


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected"),
    [
        ([3.0] * 4, [12.0] * 4, ["metrics: queries_total: 3.00 → 12.0"]),
        ([3.0, 3.1, 2.9, 3.0], [12.0, 12.2, 11.9, 12.1], None),
        ([3.0, 9.0, 1.0, 5.0], [12.0, 2.0, 8.0, 4.0], []),
        ([100.0] * 4, [101.0] * 4, []),
        ([0.0] * 4, [0.0] * 4, []),
    ],
)
def test_what_moved(
    make: Make,
    baseline: list[float],
    candidate: list[float],
    expected: list[str] | None,
) -> None:
    """A series is noted where it changed by more than chance, and by enough."""
    found = notes(make, baseline, candidate)

    assert 1 == len(found) if expected is None else expected == found


def test_a_fault_is_told_once(make: Make) -> None:
    """What is wrong with a page is told, and decides nothing."""
    arm = make.arm()
    fault = {of: ArmMetrics({}, "status is 404") for of in Arm}
    rounds = [replace(make.round(n, arm, arm), metrics=fault) for n in range(1, 5)]

    findings = judge(make.trial(rounds)).verdict.findings

    assert [f"metrics of the {of}: status is 404" for of in Arm] == [
        each.message for each in findings if each.metric == "metrics"
    ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("", ArmMetrics({}, "the page is empty")),
        ("# TYPE q counter\nq_total 1", ArmMetrics({})),
    ],
)
def test_pages_that_tell_nothing(after: str, expected: ArmMetrics) -> None:
    """An empty page is a fault; a counter that fell is left out."""
    assert expected == arm_metrics("# TYPE q counter\nq_total 9", after, 9)


def test_a_page_too_long() -> None:
    """What is not read of a page is told."""
    page = "\n".join(f"a{n} 1" for n in range(20_001))

    assert (
        "over 20,000 series; the first are compared" == arm_metrics("", page, 9).fault
    )
