from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.compare.boundary import Looks
from harness.compare.judge import is_over, judge
from harness.model.budget import Budgets
from harness.model.scenario import Scenario
from harness.model.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import TrialEvidence
    from tests.compare.conftest import Make

KIB = 2**10
BUDGETS = Budgets.model_validate({"errors": "0.3%", "memory": {"growth": "64KiB"}})


def _soak(make: Make, growths: Sequence[float | None]) -> TrialEvidence:
    """Two pairs whose candidates grow by so many KiB per 1,000 requests."""
    rounds = [
        make.round(
            index,
            make.arm(growth_bytes=0.0),
            make.arm(growth_bytes=None if each is None else each * KIB, scale=3.0),
        )
        for index, each in enumerate(growths, start=1)
    ]
    return make.trial(
        rounds,
        soak=True,
        looks=Looks(2, 2),
        budgets=BUDGETS,
        rate_per_s=100.0,
        memory_limit=512 * KIB * KIB,
    )


@pytest.mark.parametrize(
    ("growths", "outcome"),
    [
        ([100, 90], Outcome.FAIL),
        ([100, 60], Outcome.INCONCLUSIVE),
        ([60, 60], Outcome.PASS),
        ([60, None], Outcome.INCONCLUSIVE),
    ],
)
def test_both_pairs(make: Make, growths: list[float | None], outcome: Outcome) -> None:
    """Both must exceed for a FAIL, neither for a PASS; latency is only shown."""
    trial = _soak(make, growths)

    assert is_over(trial)
    assert judge(trial).verdict.outcome is outcome


def test_words(make: Make) -> None:
    """Only here memory "leaks"; with the pace at the planned rate."""
    (finding, *_) = judge(_soak(make, [1024, 1024])).verdict.findings

    assert finding.message.startswith("growth: leaks: 0 KiB/1k → 1.00 MiB")
    assert finding.message.endswith("; at 100 req/s 8,640 MiB a day, 512 MiB in 1.42 h")


def test_a_round_only_says_that_it_grows(make: Make) -> None:
    """In a trial of short rounds growth can fail, and is called growth."""
    rounds = [
        make.round(i, make.arm(growth_bytes=0.0), make.arm(growth_bytes=1e6 + i))
        for i in range(1, 5)
    ]

    verdict = judge(make.trial(rounds, budgets=BUDGETS)).verdict

    assert verdict.outcome is Outcome.FAIL
    assert "growth: grows: " in verdict.findings[0].message


def test_growth_never_withholds_a_pass(make: Make) -> None:
    """What rounds are too short to see is said, and decides nothing."""
    rounds = [
        make.round(i, make.arm(growth_bytes=0.0), make.arm(growth_bytes=noise))
        for i, noise in enumerate((-9e5, 9e5, -8e5, 9e5), start=1)
    ]

    verdict = judge(make.trial(rounds, budgets=BUDGETS)).verdict

    assert verdict.outcome is Outcome.PASS
    assert verdict.findings[-1].message == (
        "growth: less than 1.13 MiB/1k would not be seen"
    )


def test_refused_with_a_fix() -> None:
    """Two rounds prove no fix, so that both together are a mistake."""
    fix = {"symptom": {"status": 500}}

    with pytest.raises(ValueError, match="too few rounds to prove a `fix`"):
        _scenario({"soak": "1min"}, {"memory": {"growth": "1KiB"}}, fix)


def _scenario(rounds: object, budgets: object, fix: object = None) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "x",
            "recording": "r",
            "service": {"image": "x"},
            "load": {"users": 1},
            "rounds": rounds,
            "budgets": budgets,
            "fix": fix,
        }
    )


def test_terms() -> None:
    """A soak is two rounds of one slice, and reads back as it was written."""
    scenario = _scenario({"soak": "10min"}, {"memory": {"growth": "64KiB"}})
    rounds = scenario.rounds

    assert (2, 2, 1) == (rounds.min, rounds.max, rounds.slices)
    assert rounds.slice == rounds.soak == 600_000_000_000
    assert scenario == Scenario.model_validate(scenario.model_dump(mode="json"))


def test_nothing_unseen(make: Make) -> None:
    """Of pairs that are all alike it is not said that less than 0 would be missed."""
    apart, alike = (judge(_soak(make, pair)).verdict for pair in ([50, 60], [60, 60]))

    assert "would not be seen" in apart.findings[-1].message
    assert not [each for each in alike.findings if "would not" in each.message]


def test_turned_into_a_soak() -> None:
    """Any terms soak as if their rounds had said so, with the same checks."""
    budgets = {"memory": {"growth": "64KiB"}}
    warm = {"warmup": "20s", "ramp": "9s"}
    usual = _scenario({"min": 5, "slices": 3, "slice": "2s", **warm}, budgets)

    assert _scenario({"soak": "10min", **warm}, budgets) == usual.soaked("10min")
    assert usual.soaked("10min") == usual.soaked("1min").soaked("10min")
    with pytest.raises(ValueError, match="needs a budget"):
        _scenario({}, {}).soaked("10min")
    with pytest.raises(ValueError, match="too few rounds to prove a `fix`"):
        _scenario({}, budgets, {"symptom": {"status": 500}}).soaked("10min")
    with pytest.raises(ValueError, match="'10' needs a number with a unit"):
        usual.soaked("10")


@pytest.mark.parametrize(
    ("rounds", "budgets", "message"),
    [
        ({"soak": "10min"}, {}, "needs a budget"),
        ({"soak": "10min", "min": 4}, {"memory": {"growth": "1KiB"}}, "without min"),
        ({"min": 5, "max": 4}, {}, "at least `min`"),
    ],
)
def test_refused(rounds: object, budgets: object, message: str) -> None:
    """What contradicts itself is refused with the remedy."""
    with pytest.raises(ValueError, match=message):
        _scenario(rounds, budgets)
