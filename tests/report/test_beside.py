"""Two trials beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.verdict import Outcome
from harness.report.beside import beside, beside_text

if TYPE_CHECKING:
    from tests.report.conftest import Make

NAMES = ("20261126-x", "20261127-x")


def test_text(make: Make) -> None:
    """Both verdicts, what only one says, and every figure; a mark where they differ."""
    second = make.leak()
    first = make.report(
        estimates=[make.estimate(), make.estimate("memory", lower=0.99, upper=1.01)]
    )

    lines = beside_text(first, second, NAMES).splitlines()

    assert lines[0].startswith("20261126-x  PASS checkout-peak: git:main")
    assert lines[1].startswith("20261127-x  FAIL checkout-peak: git:main")
    assert any(
        each.startswith("  only 20261127-x: memory: 61.2 MiB → 143 MiB")
        for each in lines
    )
    assert [each[0] for each in lines if each[1:].strip().startswith("memory ")] == [
        "*"
    ]
    assert [each[0] for each in lines if each[1:].strip().startswith("p95 ")] == [
        " "
    ] * 2


@pytest.mark.parametrize(
    ("lower", "upper", "apart"),
    [(1.01, 1.07, False), (1.07, 1.2, False), (1.08, 1.2, True), (0.8, 1.0, True)],
)
def test_apart(make: Make, lower: float, upper: float, apart: bool) -> None:
    """Changes differ where their intervals do not touch."""
    first = make.report()
    second = make.report(estimates=[make.estimate(lower=lower, upper=upper)])

    assert [each.apart for each in beside(first, second)] == [apart]


def test_what_only_one_has(make: Make) -> None:
    """A figure of one trial alone is shown, and so is one that was not judged."""
    first = make.report(estimates=[make.undefined(), make.estimate(route="GET /a")])
    second = make.report(Outcome.PASS)

    found = {(each.metric, each.route): each for each in beside(first, second)}

    assert found["p99", "service"].second is None
    assert not found["p99", "service"].apart
    assert not found["p95", "GET /a"].apart
    assert found["p95", "service"].first is None


def test_hostile_names(make: Make) -> None:
    """What somebody else wrote cannot move the cursor."""
    report = make.report(baseline="\x1b[2J", estimates=[make.estimate(route="\x1b[2J")])

    assert "\x1b" not in beside_text(report, report, NAMES)
