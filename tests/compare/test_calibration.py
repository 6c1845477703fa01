from __future__ import annotations

from dataclasses import replace
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.compare.boundary import Looks
from harness.compare.calibration import (
    Circumstances,
    calibrated,
    detects,
    doubts,
    false_alarms,
    told,
    worded,
)
from harness.compare.measure import Signature
from harness.model.budget import Budgets
from harness.model.calibration import Machine, Sensitivity

if TYPE_CHECKING:
    from harness.compare.evidence import TrialEvidence
    from harness.model.calibration import Calibration
    from tests.compare.conftest import Make

NOW = Circumstances(
    terms="t",
    machine=Machine(cpu="c", cores=2, memory_gib=8, architecture="x86_64"),
    versions={"seatrial": "1", "locust": "2"},
    day="2026-11-25",
)


def same(make: Make, seed: int, deviation: float = 0.02) -> TrialEvidence:
    """Four rounds of a build against itself, the candidate by luck slower or faster."""
    random = np.random.default_rng(seed)
    rounds = [
        make.round(
            index, make.arm(), make.arm(scale=float(random.lognormal(0, deviation)))
        )
        for index in range(1, 5)
    ]
    return make.trial(rounds, looks=Looks(4, 10))


def made(make: Make, trials: int = 3, deviation: float = 0.02) -> Calibration:
    return calibrated(NOW, [same(make, seed, deviation) for seed in range(trials)], {})


def of(calibration: Calibration, metric: str) -> Sensitivity:
    (found,) = (each for each in calibration.sensitivities if each.metric == metric)
    return found


def test_deviation_is_pooled(make: Make) -> None:
    """The noise is that of all rounds of all trials about no change at all."""
    trials = [same(make, seed) for seed in range(3)]
    ratios = [
        log(
            np.partition(each.candidate.latencies_ns({"GET /0"}), 664)[664]
            / np.partition(each.baseline.latencies_ns({"GET /0"}), 664)[664]
        )
        for trial in trials
        for each in trial.rounds
    ]

    p95 = of(calibrated(NOW, trials, {}), "p95")

    assert 12 == p95.rounds
    expected = sqrt(sum(each**2 for each in ratios) / len(ratios))
    assert expected == pytest.approx(p95.deviation, rel=1e-4)


def test_what_is_detected(make: Make) -> None:
    """Each gated metric of the service with values has its curve, and nothing else."""
    calibration = made(make)

    named = {each.metric for each in calibration.sensitivities}
    assert {"p95", "errors", "goodput", "memory", "cpu"} == named
    for each in calibration.sensitivities:
        changes = [abs(change) for _, change in each.curve]
        assert sorted(changes) == changes
    assert 1.1 < of(calibration, "p95").smallest < 1.2
    assert 0.003 == of(calibration, "errors").smallest
    assert -0.01 == of(calibration, "goodput").smallest


def test_more_noise_sees_less(make: Make) -> None:
    """The same scenario on a noisier machine detects less."""
    quiet, loud = (of(made(make, 3, noise), "p95").smallest for noise in (0.01, 0.08))

    assert quiet < loud


def test_false_alarms_are_counted(make: Make) -> None:
    """FAIL, INCONCLUSIVE and INVALID are told apart; INVALID is no trial."""
    good = make.steady()
    bad = make.steady(make.arm(scale=2.0))
    short = make.steady(rounds=2, stopped="--max-time left no room for round 3")
    invalid = make.trial([])

    calibration = calibrated(NOW, [good, good, bad, short, invalid], {})

    counted = (calibration.trials, calibration.failed, calibration.inconclusive)
    assert (4, 1, 1) == counted
    assert 1 == calibration.invalid
    assert "1 of 4 A/A trials failed (<= 75.1%)" == false_alarms(calibration)


def test_injected_changes(make: Make) -> None:
    """A change made on purpose says how often it was found, and by what."""
    found, missed = make.steady(make.arm(memory_bytes=300 * 2**20)), make.steady()

    calibration = calibrated(NOW, [missed], {"leak": [found, missed], "none": []})

    leak, none = calibration.injected
    assert ("leak", 2, 1, ("memory",)) == (
        leak.name,
        leak.trials,
        leak.failed,
        leak.metrics,
    )
    assert (0, 0) == (none.trials, none.failed)


def test_only_invalid_trials(make: Make) -> None:
    """Where no trial came to a verdict, nothing is claimed."""
    calibration = calibrated(NOW, [make.trial([])], {})

    assert "0 of 0 A/A trials failed (<= 100%)" == false_alarms(calibration)
    assert "" == detects(calibration)


def test_valid_calibration(make: Make) -> None:
    """A valid calibration is told with its false alarms, its power and its day."""
    calibration = made(make, 12)

    assert "" == doubts(calibration, NOW)
    line = told(calibration, "")
    assert line.startswith("0 of 12 A/A trials failed (<= 22.1%); detects ")
    assert "% on p95" in line
    assert "+0.30 points of errors" in line
    assert line.endswith(" with 90% power; 2026-11-25")


@pytest.mark.parametrize(
    ("now", "doubt"),
    [
        (replace(NOW, day="2026-12-25"), ""),
        (replace(NOW, day="2026-12-26"), "stale: 31 days old"),
        (
            replace(NOW, versions={"seatrial": "2"}),
            "stale: made by Seatrial 1, and this is 2",
        ),
        (replace(NOW, versions={"seatrial": "1", "locust": "3"}), ""),
        (
            replace(NOW, terms="u"),
            "stale: the scenario or its recording changed since",
        ),
        (
            replace(NOW, machine=replace(NOW.machine, cores=4)),
            "foreign: made on c, 2 cores, 8 GiB, x86_64,"
            " and this is c, 4 cores, 8 GiB, x86_64",
        ),
    ],
)
def test_doubts(make: Make, now: Circumstances, doubt: str) -> None:
    """A stale or foreign calibration is said to be so, and its figures are not."""
    calibration = made(make)

    assert doubt == doubts(calibration, now)
    if doubt:
        line = told(calibration, doubt)
        assert line.startswith(doubt)
        assert "detects" not in line
        assert "`seatrial calibrate`" in line


def test_no_calibration() -> None:
    """Without a calibration the verdict says how to get one."""
    assert told(None, "").startswith("none: `seatrial calibrate`")


@pytest.mark.parametrize(
    ("change", "unit", "words"),
    [
        (1.123, "ns", "+12.3%"),
        (2.345, "ns", "x2.35"),
        (0.00412, "ratio", "+0.41 points"),
        (-0.02, "ratio", "-2.00 points"),
        (2048.0, "bytes/1000 requests", "+2.00 KiB/1k"),
    ],
)
def test_words_of_a_change(change: float, unit: str, words: str) -> None:
    """A change is told in percent, as a factor from 2 on, in points or in its unit."""
    sensitivity = Sensitivity(
        metric="m",
        unit=unit,
        relative=unit == "ns",
        budget="",
        rounds=2,
        deviation=0.1,
        curve=((0.9, change),),
    )

    assert words == worded(change, sensitivity)


def test_errors_of_either_arm_are_known(make: Make) -> None:
    """Both arms are the baseline: what errors they show are no candidate's news."""
    wrong = Signature(route="GET /", status=503, cause="")
    rounds = [
        make.round(index, make.arm(), make.arm(episodes={wrong: frozenset({1})}))
        for index in range(1, 5)
    ]

    assert ("503 on GET /",) == calibrated(NOW, [make.trial(rounds)], {}).signatures


def test_a_soak_detects_growth_alone(make: Make) -> None:
    """A soak gates growth, which is found where each of its two rounds exceeds it."""
    budgets = Budgets.model_validate({"memory": {"growth": "64KiB"}})
    rounds = [
        make.round(index, make.arm(growth_bytes=0.0), make.arm(growth_bytes=grown))
        for index, grown in ((1, 1024.0), (2, -1024.0))
    ]
    trial = make.trial(rounds, looks=Looks(2, 2), soak=True, budgets=budgets)

    (growth,) = calibrated(NOW, [trial], {}).sensitivities

    assert "growth" == growth.metric
    assert 65 * 1024 < growth.smallest < 68 * 1024
