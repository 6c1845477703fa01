from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.compare.boundary import Looks
from harness.compare.judge import is_over, judge
from harness.compare.measure import Signature, measured
from harness.model.result import CAUSES
from harness.model.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import TrialEvidence
    from tests.compare.conftest import Make

NEW = Signature("GET /0", 500, "")
LOOKS = Looks(4, 10)


def _trial(
    make: Make, candidate: Sequence[int], baseline: Sequence[int] = (0, 0, 0, 0)
) -> TrialEvidence:
    """A trial whose rounds show the signature in so many slices."""
    rounds = [
        make.round(
            index,
            *(
                make.arm(episodes={NEW: frozenset(range(1, n + 1))} if n else {})
                for n in each
            ),
        )
        for index, each in enumerate(zip(baseline, candidate, strict=True), start=1)
    ]
    return make.trial(rounds, looks=LOOKS)


@pytest.mark.parametrize(
    ("candidate", "baseline", "outcome"),
    [
        ([2, 2, 2, 2, 2], [0] * 5, Outcome.FAIL),
        ([1, 1, 1, 1, 1, 1, 1, 0], [0] * 8, Outcome.FAIL),
        ([6, 6, 6, 6], [0] * 4, Outcome.INCONCLUSIVE),
        ([9, 9, 9, 0, 0, 0, 0, 0], [0] * 8, Outcome.INCONCLUSIVE),
        ([2, 2, 2, 2, 2], [0, 0, 0, 0, 1], Outcome.PASS),
        ([2] * 10, [1] + [0] * 9, Outcome.FAIL),
        ([2] * 8 + [0] * 2, [1] * 5 + [0] * 5, Outcome.PASS),
        ([0] * 5, [2] * 5, Outcome.PASS),
    ],
)
def test_zero_baseline(
    make: Make, candidate: list[int], baseline: list[int], outcome: Outcome
) -> None:
    """In five rounds of five against none it is a FAIL; fewer withhold a PASS.

    One that the baseline shows now and then is no excuse for one in every round.
    """
    assert judge(_trial(make, candidate, baseline)).verdict.outcome is outcome


def test_chance_is_no_regression(make: Make) -> None:
    """Three sick starts, of either build alike, are hardly ever called a regression."""
    ways = [*product((0, 2), repeat=3)]
    outcomes = [
        judge(_trial(make, [*way, 0], [*(2 - each for each in way), 0])).verdict.outcome
        for way in ways
    ]

    assert outcomes.count(Outcome.FAIL) / len(ways) <= 1 / 64


def test_found_by_name(make: Make) -> None:
    """The finding names the route, the status, how often, and against what."""
    (finding, *_) = judge(_trial(make, [2] * 5, [0] * 5)).verdict.findings

    assert (finding.metric, finding.route) == ("errors", "GET /0")
    assert finding.message == (
        "errors: 500 on GET /0 in 10 slices of 5 rounds, none on the baseline"
    )


def test_too_few_go_on(make: Make) -> None:
    """A trial with a rare new error is not ended, neither way, before its maximum."""
    assert not is_over(_trial(make, [1, 0, 0, 0]))


def test_known(make: Make) -> None:
    """What earlier runs of the baseline have shown is not new."""
    trial = replace(_trial(make, [2] * 5, [0] * 5), known=frozenset({NEW.text}))

    assert judge(trial).verdict.outcome is Outcome.PASS


def test_void_rounds_know_it_too(make: Make) -> None:
    """A round that does not count still shows what the baseline can do."""
    trial = _trial(make, [2] * 5, [0] * 5)
    sick = make.round(
        6,
        make.arm(episodes={NEW: frozenset({1})}),
        make.arm(),
        health=({"cpu_ratio": 0.95}, {"cpu_ratio": 0.95}),
    )

    known = replace(trial, rounds=(*trial.rounds, sick))

    assert judge(known).verdict.outcome is not Outcome.FAIL


@pytest.mark.parametrize("shown", [[0, 0, 0, 0, 0], [2, 2, 2, 0, 0]])
def test_void_rounds_withhold_too(make: Make, shown: list[int]) -> None:
    """What the candidate shows in rounds that do not count is seen, but no proof."""
    trial = _trial(make, shown, [0] * 5)
    sick = [
        make.round(
            index,
            make.arm(),
            make.arm(episodes={NEW: frozenset({1})}),
            health=({"cpu_ratio": 0.95}, {"cpu_ratio": 0.95}),
        )
        for index in (6, 7)
    ]

    verdict = judge(replace(trial, rounds=(*trial.rounds, *sick))).verdict

    assert verdict.outcome is Outcome.INCONCLUSIVE
    slices = sum(shown) + 2
    assert f"errors: 500 on GET /0 in {slices} slices" in verdict.findings[0].message


def test_measured(make: Make) -> None:
    """Slices are counted once by route, status and cause; ours are nobody's errors."""
    columns = make.columns(
        [1] * 6,
        routes=("GET /a", "GET /b"),
        route=[0, 0, 0, 1, 1, 0],
        slice=[1, 1, 2, 2, 0, 3],
        status=[500, 500, 500, 0, 500, 0],
        cause=[0, 0, 0, CAUSES.index("timeout"), 0, CAUSES.index("not sent")],
    )

    arm = measured(columns)

    assert arm.episodes == {
        Signature("GET /a", 500, ""): {1, 2},
        Signature("GET /b", 0, "timeout"): {2},
    }
    assert arm.by_slice == {
        "GET /a": ((2, 2), (1, 1), (1, 1)),
        "GET /b": ((0, 0), (1, 1), (0, 0)),
    }
    assert sum(n for n, _ in arm.by_slice["GET /a"]) == arm.requests["GET /a"]
    assert np.shape(arm.by_slice["GET /b"]) == (3, 2)
