from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.compare.boundary import Looks
from harness.compare.figure import significant
from harness.compare.judge import is_over, judge
from harness.model.verdict import Label, Outcome
from harness.report.document import dump

if TYPE_CHECKING:
    from harness.compare.evidence import TrialEvidence
    from tests.compare.conftest import Make

MIB = 2**20


def _noisy(make: Make, seed: int, *, scale: float = 1.0) -> TrialEvidence:
    """Four rounds whose arms each start with luck of their own, 3 % on latency."""
    random = np.random.default_rng(seed)

    def luck(deviation: float) -> float:
        return float(random.lognormal(0, deviation))

    rounds = [
        make.round(
            index,
            make.arm(scale=luck(0.02), memory_bytes=60 * MIB * luck(0.01)),
            make.arm(scale=scale * luck(0.02), memory_bytes=60 * MIB * luck(0.01)),
        )
        for index in range(1, 5)
    ]
    return make.trial(rounds)


def test_the_same_evidence_gives_the_same_bytes(make: Make) -> None:
    """`judge` twice is byte-identical."""
    first, second = (dump(judge(_noisy(make, 5))) for _ in range(2))

    assert first == second


def test_every_number_is_plain_finite_and_short(make: Make) -> None:
    """Python floats at 6 significant digits, even where a test statistic is endless."""
    report = judge(make.steady(make.arm(scale=2.0, errors=50)))
    values = [
        value
        for each in report.estimates
        for value in (each.baseline, each.candidate, each.change, each.lower, each.t)
        if value is not None
    ]

    assert {type(value) for value in values} == {float}
    assert all(math.isfinite(value) for value in values)
    assert [significant(value) for value in values] == values


def test_the_report_has_service_first_and_gated_ones_even_if_undefined(
    make: Make,
) -> None:
    """Undefined figures that nobody gates are left out, gated ones are explained."""
    report = judge(make.steady())

    assert [(each.metric, each.route) for each in report.estimates] == [
        *((name, "service") for name in ("p50", "p95", "p99", "errors", "goodput")),
        ("memory", "service"),
        ("cpu", "service"),
        ("p50", "GET /0"),
        ("p95", "GET /0"),
        ("errors", "GET /0"),
    ]
    assert (report.rounds, report.requests) == (4, 700)


def test_the_generator_is_shown_at_its_worst(make: Make) -> None:
    """The worst of each figure over both arms of the sound rounds and their workers."""
    arm = make.arm()
    rounds = [make.round(index, arm, arm) for index in range(1, 4)]
    rounds.append(make.round(4, arm, arm, health=({}, {"cpu_ratio": 0.7})))

    assert judge(make.trial(rounds)).generator == (
        ("workers", 1.0),
        ("cpu_ratio", 0.7),
        ("lag_p50_ms", 1.0),
        ("lag_p95_ms", 1.0),
        ("lag_p99_ms", 1.0),
        ("steal_ratio", 0.0),
        ("timer_late_p95_ms", 1.0),
        ("collected_ms", 0.0),
        ("descriptors", 9.0),
        ("open_files", 20_000.0),
        ("ports", 28_232.0),
        ("connections", 1.0),
        ("closed_by_the_build", 0.0),
        ("unfilled", 0.0),
    )


def test_lost_rounds_are_shown(make: Make) -> None:
    """A round that a load worker did not live through is listed with its cause."""
    arm = make.arm()
    rounds = [make.round(index, arm, arm) for index in range(1, 5)]
    lost = ("round 2: load worker 1 of 1 of the candidate arm is lost (SIGKILL)",)

    report = judge(replace(make.trial(rounds), lost_rounds=lost))

    assert (Outcome.PASS, lost) == (report.verdict.outcome, report.void_rounds)


def test_only_lost_rounds(make: Make) -> None:
    """Without the planned rounds a trial that lost workers is INVALID and says why."""
    lost = ("round 1: load worker 1 of 1 of the baseline arm is lost (SIGKILL)",)

    report = judge(replace(make.trial([]), lost_rounds=lost))

    assert Outcome.INVALID is report.verdict.outcome
    assert lost[0] in report.verdict.findings[0].message


def test_a_trial_without_rounds_is_reported(make: Make) -> None:
    """Nothing measured: INVALID, no estimates, no generator."""
    report = judge(make.trial([]))

    assert report.verdict.outcome is Outcome.INVALID
    assert (report.estimates, report.generator, report.requests) == ((), (), 0)


def test_a_fail_lists_every_regression_after_what_decided(make: Make) -> None:
    """A crash comes first, and what else got worse is not kept back."""
    slow = make.arm(scale=3.0)
    rounds = [
        make.round(index, make.arm(), slow, died=("", "OOM")) for index in range(1, 5)
    ]

    found = judge(make.trial(rounds)).verdict.findings

    failing = [each.metric for each in found if each.severity == "fail"]
    assert failing[0] == "crash"
    assert "p95" in failing


@pytest.mark.parametrize(
    ("scale", "expected"), [(1.0, Outcome.PASS), (1.5, Outcome.FAIL)]
)
def test_noise_hides_neither_equal_nor_worse_builds(
    make: Make, scale: float, expected: Outcome
) -> None:
    """20 seeded trials each: equal builds pass, half as slow again fails."""
    outcomes = {
        judge(_noisy(make, seed, scale=scale)).verdict.outcome for seed in range(20)
    }

    assert outcomes == {expected}


def test_faster_is_improved(make: Make) -> None:
    """A gain is a PASS and labelled as one."""
    report = judge(_noisy(make, 1, scale=0.5))
    labels = {(each.metric, each.route): each.label for each in report.estimates}

    assert report.verdict.outcome is Outcome.PASS
    assert labels["p95", "service"] is Label.IMPROVED


LOOKS = Looks(4, 10)


@pytest.mark.parametrize(
    ("scale", "outcome"), [(1.0, Outcome.PASS), (3.0, Outcome.FAIL)]
)
def test_a_clear_trial_ends_at_the_first_look(
    make: Make, scale: float, outcome: Outcome
) -> None:
    """Not before it, however clear it is."""
    slow = make.arm(scale=scale)
    early, at_look = (
        make.steady(slow, rounds=rounds, looks=LOOKS) for rounds in (3, 4)
    )

    assert not is_over(early)
    assert judge(early).verdict.outcome is Outcome.INVALID
    assert is_over(at_look)
    assert judge(at_look).verdict.outcome is outcome


def test_an_unclear_trial_ends_at_its_maximum(make: Make) -> None:
    """Exactly at its budget a candidate stays unclear, and more rounds are refused."""
    random = np.random.default_rng(3)
    arms = [make.arm(scale=1.1 * float(random.lognormal(0, 0.05))) for _ in range(10)]
    rounds = [make.round(i, make.arm(), arm) for i, arm in enumerate(arms, start=1)]

    over = [is_over(make.trial(rounds[:n], looks=LOOKS)) for n in range(4, 11)]

    assert [*[False] * 6, True] == over
    ended = judge(make.trial(rounds, looks=LOOKS))
    assert ended.verdict.outcome is Outcome.INCONCLUSIVE
    longer = make.trial([*rounds, make.round(11, make.arm(), make.arm())], looks=LOOKS)
    assert ended == judge(longer)


def test_more_rounds_do_not_help_what_is_hopeless(make: Make) -> None:
    """Expired credentials end a trial at its first look; nothing would change."""
    denied = make.arm(denied=600)

    trial = make.steady(denied, looks=LOOKS)
    both = replace(
        trial, rounds=tuple(replace(each, baseline=denied) for each in trial.rounds)
    )

    assert is_over(both)
    assert judge(both).verdict.findings[0].metric == "credentials"


def test_replacing_ends_after_two(make: Make) -> None:
    """A third void round ends the trial as INVALID, although more could be played."""
    sick = {"cpu_ratio": 0.95}
    arm = make.arm(scale=1.3)
    sound = [make.round(i, make.arm(), arm) for i in (1, 2)]
    void = [make.round(i, make.arm(), arm, health=(sick, sick)) for i in (3, 4, 5)]

    two, three = (make.trial([*sound, *void[:n]], looks=LOOKS) for n in (2, 3))

    assert not is_over(two)
    assert is_over(three)
    assert judge(three).verdict.outcome is Outcome.INVALID


def test_a_leak_of_open_files(make: Make) -> None:
    """One open file more with each request fails by their growth."""
    rounds = [
        make.round(
            index,
            make.arm(held={"descriptors": 0.3 * index}),
            make.arm(held={"descriptors": 1_000.0 + index}),
        )
        for index in range(1, 5)
    ]

    verdict = judge(make.trial(rounds)).verdict

    assert verdict.outcome is Outcome.FAIL
    assert verdict.findings[0].message.startswith("descriptors: 0.750/1k → 1,000/1k")


def test_a_void_round_in_which_files_are_opened(make: Make) -> None:
    """What never blocks a pass does not do so by a round that is void, either."""
    sick: tuple[dict[str, Any], dict[str, Any]] = ({}, {"cpu_ratio": 0.95})
    calm, busy = (
        make.arm(held={"descriptors": 0.0}),
        make.arm(held={"descriptors": 90.0}),
    )
    rounds = [
        make.round(1, calm, busy, health=sick),
        *(make.round(index, calm, calm) for index in range(2, 6)),
    ]

    assert judge(make.trial(rounds)).verdict.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("uncounted", "growth", "outcome"),
    [
        (1, 0.0, Outcome.PASS),
        (1, 1_000.0, Outcome.FAIL),
        (2, 1_000.0, Outcome.INCONCLUSIVE),
        (4, 0.0, Outcome.INCONCLUSIVE),
    ],
)
def test_rounds_in_which_open_files_were_not_counted(
    make: Make, uncounted: int, growth: float, outcome: Outcome
) -> None:
    """A round without readings hides no leak and no pass; most of them, both."""
    counted, leak = (make.arm(held={"descriptors": each}) for each in (0.0, growth))
    candidates = [*[make.arm()] * uncounted, *[leak] * (4 - uncounted)]
    rounds = [
        make.round(index, counted, each) for index, each in enumerate(candidates, 1)
    ]

    assert outcome is judge(make.trial(rounds)).verdict.outcome


def test_a_pool_that_fills(make: Make) -> None:
    """A few files more, on either arm, are no leak; and that none leaks is not told."""
    rounds = [
        make.round(
            index,
            make.arm(held={"descriptors": 5.0 - index}),
            make.arm(held={"descriptors": 4.0 + index}),
        )
        for index in range(1, 5)
    ]

    assert judge(make.trial(rounds)).verdict.outcome is Outcome.PASS
