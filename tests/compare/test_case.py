from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.boundary import Looks
from harness.compare.case import Case, rejected
from harness.model.result import Arm
from harness.model.verdict import Label

if TYPE_CHECKING:
    from tests.compare.conftest import Make


def test_undefined_hypotheses_count_in_the_family(make: Make) -> None:
    """Nobody lowers the bar by measuring less."""
    whole = Case(trial=make.steady())
    poor = Case(trial=make.steady(make.arm(memory_bytes=None, cpu_ns=None)))

    assert whole.family == poor.family == 7


def test_nothing_is_rejected_before_all_rounds_are_in(make: Make) -> None:
    """Three of four rounds, however bad, are not looked at."""
    slow = make.arm(scale=3.0)
    early, late = (
        Case(trial=make.steady(slow, rounds=3)),
        Case(trial=make.steady(slow)),
    )

    assert (early.looked, early.regressed) == (False, frozenset())
    assert late.looked
    gated = tuple(late.gated.values())
    assert len(late.regressed) == len(rejected(gated, Looks(4, 4), 4)) > 0
    assert {each.label for each in early.estimates} == {Label.UNCLEAR, Label.SHOWN}


def test_a_share_is_of_all_requests_of_the_sound_rounds(make: Make) -> None:
    """70 of 700 in each round is a tenth; without requests it is nothing."""
    case = Case(trial=make.steady(make.arm(errors=70)))
    empty = Case(trial=make.trial([]))

    shares = [
        each.share(Arm.CANDIDATE, lambda measures: sum(measures.errors.values()))
        for each in (case, empty)
    ]

    assert shares == [0.1, 0.0]
