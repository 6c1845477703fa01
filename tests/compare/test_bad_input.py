"""Bad input to the judge: each kind defined, and none of them a PASS by default."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.compare.boundary import Looks
from harness.compare.judge import is_over, judge
from harness.model.budget import Budgets
from harness.model.symptom import Symptom
from harness.model.verdict import Label, Outcome
from harness.report import REPORTERS
from tests.compare.conftest import Make

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.compare.evidence import TrialEvidence
    from harness.compare.measure import ArmMeasures

MS = 1_000_000
MIB = 2**20
NOTHING: Final[dict[str, Any]] = {"latency_ns": np.empty(0, np.int64), "planned": 700}
NO_LATENCY = Budgets.model_validate({"latency": {}, "routes": {}, "errors": "0.3%"})
ZERO = Budgets.model_validate(
    {
        "latency": {"p50": "0ms", "p95": "0%", "p99": "0% or 0ms"},
        "routes": {"p95": "0ms"},
        "errors": "0%",
        "goodput": "0%",
        "memory": {"level": "0B", "growth": "0B"},
        "cpu": "0%",
    }
)


def _odd_baseline(make: Make, odd: ArmMeasures, **given: Any) -> TrialEvidence:
    """Four rounds of equal arms; in the second the baseline is another one."""
    baselines = [make.arm(), odd, make.arm(), make.arm()]
    rounds = [
        make.round(index, each, make.arm())
        for index, each in enumerate(baselines, start=1)
    ]
    return make.trial(rounds, **given)


def _both(make: Make, arm: ArmMeasures, **given: Any) -> TrialEvidence:
    rounds = [make.round(index, arm, arm) for index in range(1, 5)]
    return make.trial(rounds, **given)


def _against(make: Make, baseline: ArmMeasures, **given: Any) -> TrialEvidence:
    """That baseline against a good candidate."""
    rounds = [make.round(index, baseline, make.arm()) for index in range(1, 5)]
    return make.trial(rounds, **given)


def _without_a_route(make: Make) -> TrialEvidence:
    """The candidate was never asked for the second of two routes."""
    whole = make.arm(routes=2)
    half = replace(
        whole,
        latency_ns={"GET /0": whole.latency_ns["GET /0"]},
        requests={"GET /0": 700},
    )
    rounds = [make.round(index, whole, half) for index in range(1, 5)]
    return make.trial(rounds)


def _thin_in_round_2(make: Make) -> TrialEvidence:
    thin = make.arm(np.arange(1, 301) * MS)
    trial = make.steady()
    rounds = list(trial.rounds)
    rounds[1] = make.round(2, thin, thin)
    return replace(trial, rounds=tuple(rounds))


CASES: Final[dict[str, tuple[Callable[[Make], TrialEvidence], Outcome, str]]] = {
    "no round": (
        lambda make: make.trial([]),
        Outcome.INVALID,
        "0 of 4 sound rounds; the others were not measured",
    ),
    "one round": (
        lambda make: make.steady(rounds=1, stopped="--max-time 1m"),
        Outcome.INCONCLUSIVE,
        "1 of 4 sound rounds; --max-time 1m",
    ),
    "too few requests": (
        lambda make: _both(make, make.arm(np.arange(1, 41) * MS)),
        Outcome.INCONCLUSIVE,
        "40 requests an arm and round are too few; p50 needs 20 more",
    ),
    "a quantile beyond the data of a round": (
        _thin_in_round_2,
        Outcome.INCONCLUSIVE,
        "300 requests an arm and round are too few; p95 needs 300 more",
    ),
    "answers that took no time": (
        lambda make: _both(make, make.arm(np.zeros(700, np.int64))),
        Outcome.INCONCLUSIVE,
        "latency: not judged: is not above 0, which has no ratio",
    ),
    "all errors on both arms": (
        lambda make: _both(make, make.arm(errors=700)),
        Outcome.INCONCLUSIVE,
        "100% (baseline) and 100% (candidate) of the requests went wrong",
    ),
    "all errors on the candidate": (
        lambda make: make.steady(make.arm(errors=700)),
        Outcome.FAIL,
        "100% of the candidate's requests went wrong, 0% of the baseline's",
    ),
    "all errors on the baseline": (
        lambda make: _against(make, make.arm(errors=700, scale=100)),
        Outcome.INCONCLUSIVE,
        "name it as `fix.symptom`",
    ),
    "no samples of either arm": (
        lambda make: _both(make, make.arm(**NOTHING)),
        Outcome.INCONCLUSIVE,
        "requests: none of the baseline in round 1",
    ),
    "no samples of either arm, no budget on latency": (
        lambda make: _both(make, make.arm(**NOTHING), budgets=NO_LATENCY),
        Outcome.INCONCLUSIVE,
        "requests: none of the candidate in round 4",
    ),
    "no samples of the candidate": (
        lambda make: make.steady(make.arm(**NOTHING)),
        Outcome.FAIL,
        "goodput: 100% → 0%",
    ),
    "no samples of the baseline in a round": (
        lambda make: _odd_baseline(make, make.arm(**NOTHING), budgets=NO_LATENCY),
        Outcome.INCONCLUSIVE,
        "requests: none of the baseline in round 2",
    ),
    "no readings of the candidate": (
        lambda make: make.steady(make.arm(memory_bytes=None)),
        Outcome.INCONCLUSIVE,
        "memory: not judged: memory is not measured here",
    ),
    "no readings of the baseline in a round": (
        lambda make: _odd_baseline(make, make.arm(memory_bytes=None)),
        Outcome.INCONCLUSIVE,
        "memory: not judged: memory is not measured here",
    ),
    "readings below nothing": (
        lambda make: make.steady(make.arm(memory_bytes=-4096.0)),
        Outcome.INCONCLUSIVE,
        "memory: not judged: is not above 0, which has no ratio",
    ),
    "a route of the baseline alone": (
        _without_a_route,
        Outcome.INCONCLUSIVE,
        "requests of GET /1: latency of 0 on the candidate, of 2,800 on the baseline",
    ),
    "budgets of zero and equal builds": (
        lambda make: make.steady(budgets=ZERO),
        Outcome.INCONCLUSIVE,
        "budget 0%; so close to its budget that more rounds hardly help",
    ),
    "budgets of zero and a slower candidate": (
        lambda make: make.steady(make.arm(scale=1.05), budgets=ZERO),
        Outcome.FAIL,
        "budget 0%",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_no_pass(make: Make, name: str) -> None:
    """Each has its outcome and says what is missing."""
    made, outcome, message = CASES[name]

    verdict = judge(made(make)).verdict

    assert verdict.outcome is outcome
    said = [each.message for each in verdict.findings if each.severity != "note"]
    assert any(message in each for each in said), said


def test_a_budget_of_zero_is_met_by_what_is_better(make: Make) -> None:
    """No worse at all, beyond doubt: of one metric, as only an improvement is."""
    budgets = NO_LATENCY.model_copy(update={"cpu": ZERO.cpu})
    better = make.arm(cpu_ns=600 * MS)

    report = judge(make.steady(better, budgets=budgets))

    assert report.verdict.outcome is Outcome.PASS
    (cpu,) = (each for each in report.estimates if each.metric == "cpu")
    assert (cpu.label, cpu.budget) == (Label.IMPROVED, "0%")


def test_rounds_that_are_all_alike(make: Make) -> None:
    """Without any variance equal builds pass, and beyond the budget they fail."""
    equal, worse = make.steady(), make.steady(make.arm(memory_bytes=200.0 * MIB))

    assert judge(equal).verdict.outcome is Outcome.PASS
    assert judge(worse).verdict.outcome is Outcome.FAIL


def test_a_baseline_that_fails_can_be_what_is_fixed(make: Make) -> None:
    """Where the proof says that it is, the failing baseline is no obstacle."""
    broken = make.arm(errors=700)
    rounds = [
        make.round(index, broken, make.arm(), died=("killed", ""))
        for index in range(1, 7)
    ]
    symptom = Symptom.model_validate({"crash": True})

    unnamed, named = (
        judge(make.trial(rounds, looks=Looks(6, 6), symptom=each))
        for each in (None, symptom)
    )

    assert unnamed.verdict.outcome is Outcome.INCONCLUSIVE
    assert named.verdict.outcome is Outcome.PASS


def test_an_interval_without_an_end(make: Make) -> None:
    """Two of up to fifty rounds that disagree tell next to nothing, in a number."""
    rounds = [
        make.round(index, make.arm(), make.arm(scale=scale))
        for index, scale in enumerate((0.7, 1.5), start=1)
    ]

    report = judge(make.trial(rounds, looks=Looks(2, 50)))

    assert report.verdict.outcome is Outcome.INCONCLUSIVE
    p95 = next(each for each in report.estimates if each.metric == "p95")
    assert (p95.lower, p95.upper) == (0.0, 1e18)


_make = Make()
_SIZES = st.sampled_from([0, 1, 59, 60, 599, 700, 3_300])
_LATENCIES = st.sampled_from([0, 1, MS, 1_000 * MS, 2**62])


@st.composite
def _arms(draw: st.DrawFn) -> ArmMeasures:
    size = draw(_SIZES)
    spread_ns = np.linspace(1, 70, size) * MS * draw(st.floats(0.5, 2))
    same_ns = np.full(size, draw(_LATENCIES), np.int64)
    return _make.arm(
        draw(st.sampled_from([spread_ns, same_ns])).astype(np.int64),
        errors=draw(st.integers(0, size)),
        routes=draw(st.integers(1, 2)),
        denied=draw(st.sampled_from([0, size])),
        planned=draw(st.sampled_from([0, size, 700])),
        cpu_ns=draw(st.sampled_from([None, -5, 0, 1, 10**9, 2**62])),
        memory_bytes=draw(st.sampled_from([None, -1.0, 0.0, 1e8, 1.1e8, 2.0**62])),
        growth_bytes=draw(st.sampled_from([None, -1e6, 0.0, 1e6, 1e18])),
    )


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(
    st.lists(st.tuples(_arms(), _arms()), max_size=5),
    st.sampled_from([Budgets(), NO_LATENCY, ZERO]),
    st.sampled_from([Looks(2, 2), Looks(2, 50), Looks(4, 10)]),
    st.booleans(),
)
def test_whatever_was_measured_gets_a_verdict(
    arms: Sequence[tuple[ArmMeasures, ArmMeasures]],
    budgets: Budgets,
    looks: Looks,
    soak: bool,
) -> None:
    """However odd, it breaks neither the judge nor a reporter."""
    rounds = [_make.round(place, *each) for place, each in enumerate(arms, start=1)]
    trial = _make.trial(rounds, budgets=budgets, looks=looks, soak=soak)

    report = judge(trial)

    assert isinstance(is_over(trial), bool)
    assert all(render(report) for render in REPORTERS.values())
