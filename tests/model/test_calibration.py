from dataclasses import replace
from typing import Any

import pytest

from harness.model.calibration import Calibration, Injected, Machine, Sensitivity

MACHINE = Machine(cpu="Elbrus", cores=1, memory_gib=4, architecture="e2k")


def calibration(**given: Any) -> Calibration:
    made = Calibration(
        scenario="shop",
        terms="t",
        machine=MACHINE,
        versions={"seatrial": "1"},
        day="2026-11-25",
        baseline="b",
        trials=2,
        failed=1,
        bound=0.9,
        inconclusive=1,
        invalid=0,
        rounds=8,
        family=6,
    )
    return replace(made, **given)


def test_machine_in_words() -> None:
    """A machine says what decides how well it measures."""
    assert "Elbrus, 1 core, 4 GiB, e2k" == MACHINE.words
    assert "2 cores" in replace(MACHINE, cores=2).words


@pytest.mark.parametrize(
    "given",
    [{"day": "25.11.2026"}, {"failed": 2}, {"inconclusive": 2}, {"failed": -2}],
)
def test_impossible_calibrations(given: dict[str, Any]) -> None:
    """Neither a day that is none nor more failures than trials can be held."""
    with pytest.raises(ValueError, match=r"."):
        calibration(**given)


def test_impossible_parts() -> None:
    """A curve reaches detection, and of one trial not two can fail."""
    with pytest.raises(ValueError, match="before a change is detected"):
        Sensitivity(
            metric="p95",
            unit="ns",
            relative=True,
            budget="10%",
            rounds=4,
            deviation=0.1,
            curve=((0.5, 1.1),),
        )
    with pytest.raises(ValueError, match="no more trials"):
        Injected(name="+10 ms", trials=1, failed=2)


def test_smallest_change() -> None:
    """The smallest change is the first of the curve that counts as detected."""
    curve = ((0.5, 1.1), (0.9, 1.2), (0.99, 1.3))
    sensitivity = Sensitivity(
        metric="p95",
        unit="ns",
        relative=True,
        budget="10%",
        rounds=4,
        deviation=0.1,
        curve=curve,
    )

    assert 1.2 == sensitivity.smallest
