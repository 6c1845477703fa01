from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.result import Arm

if TYPE_CHECKING:
    from tests.compare.conftest import Make

SICK = {"cpu_ratio": 1.0}


def test_extra_rounds_never_count(make: Make) -> None:
    """The planned number of sound rounds counts, the first ones; void ones apart."""
    arm = make.arm()
    rounds = [
        make.round(1, arm, arm),
        make.round(2, arm, arm, health=(SICK, SICK)),
        *(make.round(index, arm, arm) for index in range(3, 8)),
    ]
    trial = make.trial(rounds)

    assert [each.round.index for each in trial.sound] == [1, 3, 4, 5]
    assert [each.round.index for each in trial.void] == [2]


def test_each_arm_is_found_by_its_name(make: Make) -> None:
    """The measures of an arm are those it was given."""
    baseline, candidate = make.arm(), make.arm()
    evidence = make.round(1, baseline, candidate)

    assert evidence.arm(Arm.BASELINE) is baseline
    assert evidence.arm(Arm.CANDIDATE) is candidate
