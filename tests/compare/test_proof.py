from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.compare.boundary import Looks
from harness.compare.judge import is_over, judge
from harness.compare.measure import Signature
from harness.model.scenario import Scenario
from harness.model.symptom import Symptom
from harness.model.verdict import FixOutcome, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import TrialEvidence
    from tests.compare.conftest import Make

LOOKS = Looks(6, 20)
BROKEN = {Signature("GET /0", 500, ""): frozenset({1})}
MS = 1_000_000


def _events(
    make: Make, pairs: Sequence[tuple[int, int]], **given: Any
) -> TrialEvidence:
    """A trial whose arms show a 500 in those rounds."""
    rounds = [
        make.round(i, *(make.arm(episodes=BROKEN if yes else {}) for yes in pair))
        for i, pair in enumerate(pairs, start=1)
    ]
    symptom = Symptom.model_validate({"status": 500, "route": "GET /0"})
    return make.trial(rounds, looks=LOOKS, symptom=symptom, **given)


@pytest.mark.parametrize(
    ("pairs", "fix", "outcome", "over"),
    [
        ([(1, 0)] * 6, FixOutcome.FIXED, Outcome.PASS, True),
        ([(1, 0)] * 5 + [(0, 0)], FixOutcome.UNPROVEN, Outcome.INCONCLUSIVE, False),
        ([(1, 0)] * 7 + [(1, 1)], FixOutcome.NOT_FIXED, Outcome.FAIL, True),
        ([(0, 1)], FixOutcome.NOT_FIXED, Outcome.FAIL, True),
        ([(0, 0)] * 20, FixOutcome.NOT_REPRODUCED, Outcome.INCONCLUSIVE, True),
        ([(0, 0)] * 16 + [(1, 0)] * 4, FixOutcome.UNPROVEN, Outcome.INCONCLUSIVE, True),
    ],
)
def test_events(
    make: Make,
    pairs: list[tuple[int, int]],
    fix: FixOutcome,
    outcome: Outcome,
    *,
    over: bool,
) -> None:
    """Six pairs without one in the candidate; a single one there is the end of it."""
    trial = _events(make, pairs)

    report = judge(trial)

    assert report.proof is not None
    assert (report.proof.outcome, report.verdict.outcome) == (fix, outcome)
    assert is_over(trial) == over


def test_residual(make: Make) -> None:
    """What six and twenty clean rounds leave open is printed."""
    six, twenty = (judge(_events(make, [(1, 0)] * n)).proof for n in (6, 20))

    assert six is not None
    assert twenty is not None
    assert "500 on GET /0 in 6 of 6 rounds of the baseline" in six.message
    assert "at most 39% of such rounds" in six.message
    assert "at most 14% of such rounds" in twenty.message


def test_seldom(make: Make) -> None:
    """A symptom that the baseline shows now and then needs longer rounds."""
    proof = judge(_events(make, [(1, 0), (0, 0)] * 6)).proof

    assert proof is not None
    assert proof.message.endswith("longer rounds would show it more often")


def test_elsewhere(make: Make) -> None:
    """The same status on another route is not the symptom."""
    trial = _events(make, [(1, 0)] * 6)
    other = Symptom.model_validate({"status": 500, "route": "GET /1"})

    proof = judge(replace(trial, symptom=other)).proof

    assert proof is not None
    assert proof.outcome is FixOutcome.NOT_REPRODUCED


def test_regressed(make: Make) -> None:
    """A fix that fixes and breaks a budget is a FAIL by that name."""
    trial = _events(make, [(1, 0)] * 6)
    slow = make.arm(scale=3.0)
    rounds = tuple(replace(each, candidate=slow) for each in trial.rounds)

    report = judge(replace(trial, rounds=rounds))

    assert report.proof is not None
    assert report.proof.outcome is FixOutcome.FIXED_BUT_REGRESSED
    assert report.verdict.outcome is Outcome.FAIL


def test_crash(make: Make) -> None:
    """That the baseline dies can be the symptom, too."""
    rounds = [
        make.round(i, make.arm(), make.arm(), died=("killed", "")) for i in range(1, 7)
    ]
    symptom = Symptom.model_validate({"crash": True})

    report = judge(make.trial(rounds, looks=LOOKS, symptom=symptom))

    assert report.proof is not None
    assert report.proof.outcome is FixOutcome.FIXED
    assert report.verdict.outcome is Outcome.PASS


def test_a_no_op_is_seldom_fixed(make: Make) -> None:
    """Identical builds: FIXED in at most 1.6 % of trials, however often it happens."""
    random = np.random.default_rng(5)
    trials, wrong = 600, 0
    for chance in (0.3, 0.6, 0.9):
        for _ in range(trials // 3):
            pairs = [(int(a), int(b)) for a, b in random.random((20, 2)) < chance]
            for rounds in range(6, 21):
                proof = judge(_events(make, pairs[:rounds])).proof
                assert proof is not None
                if proof.outcome in {FixOutcome.FIXED, FixOutcome.NOT_FIXED}:
                    wrong += proof.outcome is FixOutcome.FIXED
                    break

    assert wrong / trials <= 0.016


def _levels(
    make: Make, symptom: dict[str, object], arms: Sequence[dict[str, Any]]
) -> TrialEvidence:
    """Six rounds whose arms are made of those, with 1 % of luck in their scale."""
    random = np.random.default_rng(2)
    rounds = [
        make.round(
            i,
            *(
                make.arm(
                    **{
                        **each,
                        "scale": each.get("scale", 1) * random.lognormal(0, 0.01),
                    }
                )
                for each in arms
            ),
        )
        for i in range(1, 7)
    ]
    return make.trial(rounds, looks=LOOKS, symptom=Symptom.model_validate(symptom))


def _wrong(errors: int, of: int = 1_100) -> dict[str, Any]:
    """An arm of that many requests in two slices."""
    counts = ((of // 2, errors // 2), (of // 2, errors // 2))
    return {
        "requests": {"GET /0": of},
        "errors": errors,
        "by_slice": {"GET /0": counts},
    }


@pytest.mark.parametrize(
    ("symptom", "baseline", "candidate", "expected"),
    [
        ({"p95": "100ms"}, {"scale": 2}, {"scale": 1}, FixOutcome.FIXED),
        ({"p95": "100ms"}, {"scale": 2}, {"scale": 1.9}, FixOutcome.NOT_FIXED),
        ({"p95": "100ms"}, {"scale": 1}, {"scale": 1}, FixOutcome.NOT_REPRODUCED),
        ({"p95": "67ms"}, {"scale": 2}, {"scale": 1}, FixOutcome.UNPROVEN),
        ({"errors": "1%"}, _wrong(40), _wrong(0), FixOutcome.FIXED),
        ({"errors": "1%"}, _wrong(40), _wrong(10), FixOutcome.UNPROVEN),
        ({"errors": "1%"}, _wrong(40), _wrong(30), FixOutcome.NOT_FIXED),
        ({"errors": "1%"}, _wrong(2), _wrong(0), FixOutcome.NOT_REPRODUCED),
        ({"errors": "1%"}, _wrong(10, 200), _wrong(0, 200), FixOutcome.UNPROVEN),
        ({"goodput": "98%"}, {"correct": 600}, {"correct": 700}, FixOutcome.FIXED),
        ({"goodput": "98%"}, {"correct": 600}, {"correct": 650}, FixOutcome.NOT_FIXED),
        (
            {"growth": "64KiB"},
            {"growth_bytes": 1e6},
            {"growth_bytes": 1e3},
            FixOutcome.FIXED,
        ),
    ],
)
def test_levels(
    make: Make,
    symptom: dict[str, object],
    baseline: dict[str, Any],
    candidate: dict[str, Any],
    expected: FixOutcome,
) -> None:
    """Baseline beyond the threshold, candidate not, and better than the baseline."""
    proof = judge(_levels(make, symptom, (baseline, candidate))).proof

    assert proof is not None
    assert proof.outcome is expected, proof.message


def test_a_level_in_words(make: Make) -> None:
    """The message names the symptom and both arms with their bounds."""
    proof = judge(_levels(make, {"errors": "1%"}, (_wrong(40), _wrong(0)))).proof

    assert proof is not None
    assert proof.message.startswith(
        "errors above 1.00%: baseline 3.64% (3.64% to 3.64%), candidate 0% (0% to 0.0"
    )


def test_a_baseline_below_the_threshold_ends_the_trial(make: Make) -> None:
    """More rounds of what is surely not there are idle."""
    trial = _levels(make, {"p95": "100ms"}, ({"scale": 1}, {"scale": 1}))

    assert is_over(trial)


@pytest.mark.parametrize(
    ("symptom", "message"),
    [
        ({}, "give one of status, cause, check, crash"),
        ({"status": 500, "p95": "1s"}, "give one of"),
        ({"cause": "bad luck"}, "`cause` is one of timeout"),
        ({"crash": True, "route": "GET /"}, "of the whole service"),
    ],
)
def test_refused(symptom: dict[str, object], message: str) -> None:
    """One kind of symptom, of what can be measured."""
    with pytest.raises(ValueError, match=message):
        Symptom.model_validate(symptom)


def test_rounds_of_a_fix() -> None:
    """A fix has at least 6 and at most 20 rounds unless the scenario says otherwise."""
    scenario = Scenario.model_validate(
        {
            "name": "x",
            "recording": "r",
            "service": {"image": "x"},
            "load": {"users": 1},
            "fix": {"symptom": {"errors": "1%"}},
        }
    )

    assert (6, 20) == (scenario.rounds.min, scenario.rounds.max)
    assert scenario == Scenario.model_validate(scenario.model_dump(mode="json"))
