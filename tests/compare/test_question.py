from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.compare.case import Case
from harness.compare.judge import judge
from harness.compare.note import notes
from harness.compare.question import QUESTIONS
from harness.model.budget import Budgets
from harness.model.verdict import Finding, Outcome

if TYPE_CHECKING:
    from harness.compare.evidence import TrialEvidence
    from tests.compare.conftest import Make

MS = 1_000_000
MIB = 2**20
HEALTHY: dict[str, Any] = {}
SICK = {"cpu_ratio": 0.95}


def _judged(trial: TrialEvidence) -> tuple[Outcome, list[Finding]]:
    verdict = judge(trial).verdict
    deciding = [each for each in verdict.findings if each.severity != "note"]
    return verdict.outcome, deciding


def test_a_healthy_trial_leaves_every_question_unanswered(make: Make) -> None:
    """Equal builds pass without a word."""
    case = Case(trial=make.steady())

    assert [finding for question in QUESTIONS for finding in question(case)] == []
    assert [each.message for each in notes(case)] == [
        "p99: not judged: needs 3,000 requests an arm and round, had 700"
    ]


@pytest.mark.parametrize(
    ("deaths", "expected"),
    [
        ([("", "OOM"), ("", "exit 1"), ("", ""), ("", "")], Outcome.FAIL),
        ([("", "OOM"), ("", ""), ("", ""), ("", "")], Outcome.INCONCLUSIVE),
        ([("", "OOM"), ("", "OOM"), ("OOM", ""), ("", "")], Outcome.INCONCLUSIVE),
        ([("OOM", ""), ("OOM", ""), ("", ""), ("", "")], Outcome.PASS),
    ],
)
def test_dying_twice_is_a_fail_and_dying_once_no_pass(
    make: Make, deaths: list[tuple[str, str]], expected: Outcome
) -> None:
    """Two deaths against none fail by themselves; a baseline that dies is a note."""
    arm = make.arm()
    rounds = [
        make.round(index, arm, arm, died=died)
        for index, died in enumerate(deaths, start=1)
    ]

    outcome, findings = _judged(make.trial(rounds))

    assert outcome is expected
    assert all(each.metric == "crash" for each in findings)


def test_failed_starts_fail_without_a_single_round(make: Make) -> None:
    """A candidate that never gets ready is judged, though nothing was measured."""
    trial = make.trial([], failed_starts=("start 1: exit 3", "start 2: exit 3"))

    outcome, findings = _judged(trial)

    assert outcome is Outcome.FAIL
    assert findings[0].message == (
        "crash: the candidate died 2 times, the baseline never"
        " (start 1: exit 3; start 2: exit 3)"
    )


def test_expired_credentials_say_nothing_about_the_candidate(make: Make) -> None:
    """Both arms full of 401 where the recording was let in: renew them first."""
    denied = make.arm(denied=400, errors=400)
    rounds = [make.round(index, denied, denied) for index in range(1, 5)]

    outcome, findings = _judged(make.trial(rounds))

    assert outcome is Outcome.INCONCLUSIVE
    assert findings[0].message.startswith(
        "expired credentials: 57.1% (baseline) and 57.1% (candidate)"
    )


def test_denying_only_on_the_candidate_is_a_fail(make: Make) -> None:
    """The credentials are good, the candidate does not accept them."""
    outcome, findings = _judged(make.steady(make.arm(denied=400, errors=400)))

    assert (outcome, findings[0].metric) == (Outcome.FAIL, "errors")
    assert findings[0].message == (
        "errors: 57.1% of the candidate's requests went wrong, 0% of the baseline's"
    )


def test_two_broken_arms_cannot_be_compared(make: Make) -> None:
    """A baseline that fails most of its traffic is nothing to compare with."""
    broken = make.arm(errors=500)
    rounds = [make.round(index, broken, broken) for index in range(1, 5)]

    outcome, findings = _judged(make.trial(rounds))

    assert (outcome, findings[0].metric) == (Outcome.INCONCLUSIVE, "errors")


@pytest.mark.parametrize(
    ("health", "given", "expected", "message"),
    [
        (
            (SICK, SICK),
            {},
            Outcome.INVALID,
            (
                "rounds: 2 of 4 sound rounds; round 4: the candidate's load generator"
                " used 95.0% of its core (limit 80%)"
            ),
        ),
        (
            (HEALTHY, SICK),
            {},
            Outcome.INVALID,
            (
                "the candidate overloads the generator, the baseline does not;"
                " 2 of 4 sound rounds; round 4: the candidate's load generator used"
                " 95.0% of its core (limit 80%)"
            ),
        ),
        (
            (SICK, SICK),
            {"stopped": "--max-time 20m was reached"},
            Outcome.INCONCLUSIVE,
            "rounds: 2 of 4 sound rounds; --max-time 20m was reached",
        ),
    ],
)
def test_too_few_sound_rounds_have_a_reason(
    make: Make,
    health: tuple[dict[str, Any], dict[str, Any]],
    given: dict[str, Any],
    expected: Outcome,
    message: str,
) -> None:
    """Out of time is INCONCLUSIVE, unsound is INVALID and names whose fault it is."""
    arm = make.arm()
    rounds = [
        *(make.round(index, arm, arm) for index in (1, 2)),
        *(make.round(index, arm, arm, health=health) for index in (3, 4)),
    ]

    outcome, findings = _judged(make.trial(rounds, **given))

    assert outcome is expected
    assert [each.message for each in findings] == [message]


@pytest.mark.parametrize(
    "spoiled", [[(HEALTHY, SICK)], [(HEALTHY, SICK), (SICK, HEALTHY)]]
)
def test_a_spoiled_round_may_be_chance(
    make: Make, spoiled: list[tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    """One of the candidate's alone, or one of each arm's, accuses nobody."""
    arm = make.arm()
    rounds = [
        *(
            make.round(index, arm, arm, health=each)
            for index, each in enumerate(spoiled, 1)
        ),
        *(make.round(index, arm, arm) for index in range(5, 9)),
    ]

    outcome, findings = _judged(make.trial(rounds))

    assert (Outcome.PASS, []) == (outcome, [*findings])


def test_rounds_that_are_simply_missing_are_invalid(make: Make) -> None:
    """No round void, none stopped, yet too few: never a PASS."""
    outcome, findings = _judged(make.steady(rounds=3))

    assert outcome is Outcome.INVALID
    assert findings[0].message.endswith("the others were not measured")


def test_a_leak_is_named_first(make: Make) -> None:
    """Memory stands out from its noise more than the latency that suffers with it."""
    random = np.random.default_rng(7)
    rounds = [
        make.round(
            index,
            make.arm(memory_bytes=60 * MIB * random.lognormal(0, 0.01)),
            make.arm(
                scale=1.4 * random.lognormal(0, 0.03),
                memory_bytes=140 * MIB * random.lognormal(0, 0.01),
            ),
        )
        for index in range(1, 5)
    ]

    outcome, findings = _judged(make.trial(rounds))

    assert outcome is Outcome.FAIL
    assert [each.metric for each in findings][:2] == ["memory", "p95"]


def test_a_service_too_thin_for_any_quantile_is_inconclusive(make: Make) -> None:
    """No gated latency at all, and how many requests are missing."""
    arm = make.arm(np.arange(1, 41) * MS)
    rounds = [make.round(index, arm, arm) for index in range(1, 5)]
    budgets = Budgets.model_validate({"errors": "2%", "goodput": "2%"})

    outcome, findings = _judged(make.trial(rounds, budgets=budgets))

    assert outcome is Outcome.INCONCLUSIVE
    assert [each.message for each in findings] == [
        (
            "latency: 40 requests an arm and round are too few; p50 needs 20 more,"
            " p95 needs 560 more"
        )
    ]


def test_a_scenario_without_latency_budgets_needs_no_latency(make: Make) -> None:
    """What nobody gates cannot be missing."""
    budgets = Budgets.model_validate(
        {"latency": {}, "routes": {}, "errors": "2%", "goodput": "2%"}
    )
    arm = make.arm(np.arange(1, 41) * MS)
    rounds = [make.round(index, arm, arm) for index in range(1, 5)]

    assert _judged(make.trial(rounds, budgets=budgets))[0] is Outcome.PASS


@pytest.mark.parametrize(("planned", "missing"), [(748, 3), (749, 0)])
def test_no_error_in_few_requests_may_be_chance(
    make: Make, planned: int, missing: int
) -> None:
    """An error rate needs as many requests as would show its budget exceeded.

    At 0.1 % in excess, 2,995 requests in four rounds show one in 95 of 100 trials.
    """
    arm = make.arm(np.arange(1, planned + 1) * MS // 10)
    rounds = [make.round(index, arm, arm) for index in range(1, 5)]

    outcome, findings = _judged(make.trial(rounds, budgets=Budgets()))

    assert outcome is (Outcome.INCONCLUSIVE if missing else Outcome.PASS)
    assert [each.message.rpartition("; ")[2] for each in findings] == [
        f"of so few requests none may go wrong by chance: {missing:,} more are needed"
    ][: bool(missing)]


def test_what_stops_failing_needs_no_more(make: Make) -> None:
    """Fewer requests without an error are no chance where 5 % failed before."""
    before, after = (make.arm(np.arange(1, 61) * MS, errors=n) for n in (3, 0))
    rounds = [make.round(index, before, after) for index in range(1, 5)]
    budgets = Budgets.model_validate({"latency": {}, "routes": {}})

    assert _judged(make.trial(rounds, budgets=budgets))[0] is Outcome.PASS


def test_a_named_budget_that_cannot_be_judged_withholds_the_pass(make: Make) -> None:
    """A route that the scenario names must be seen."""
    budgets = Budgets.model_validate(
        {"by_route": {"POST /pay": {"p95": "5ms"}}, "errors": "0.3%"}
    )

    outcome, findings = _judged(make.steady(budgets=budgets))

    assert outcome is Outcome.INCONCLUSIVE
    assert [each.message for each in findings] == [
        "p95 of POST /pay: not judged: needs 600 requests an arm and round, had 0"
    ]


def test_few_comparable_answers_withhold_the_pass(make: Make) -> None:
    """Closing every connection does not take latencies out of the comparison."""
    whole = make.arm()
    few = {"GET /0": whole.latency_ns["GET /0"][::3]}

    outcome, findings = _judged(make.steady(replace(whole, latency_ns=few)))

    assert outcome is Outcome.INCONCLUSIVE
    assert "requests" in {each.metric for each in findings}


def test_a_quantile_that_only_the_candidate_is_too_thin_for(make: Make) -> None:
    """Reconnecting takes latencies out of the p99; no budget is escaped by that."""
    whole = make.arm(np.linspace(1, 70, 3_400).astype(np.int64) * MS)
    few = replace(whole, latency_ns={"GET /0": whole.latency_ns["GET /0"][:2_900]})
    rounds = [make.round(index, whole, few) for index in range(1, 5)]

    outcome, findings = _judged(make.trial(rounds))

    assert outcome is Outcome.INCONCLUSIVE
    assert [each.message for each in findings if each.severity != "note"] == [
        "p99: not judged: needs 3,000 requests an arm and round, had 2,900"
    ]


def test_a_change_at_its_budget_is_unclear(make: Make) -> None:
    """It is neither a FAIL nor a PASS, and says so of the metric."""
    outcome, findings = _judged(make.steady(make.arm(memory_bytes=116.0 * MIB)))

    assert outcome is Outcome.INCONCLUSIVE
    assert [each.metric for each in findings] == ["memory"]


def test_a_stalling_candidate_never_passes_by_voiding(make: Make) -> None:
    """Four good rounds do not outweigh a void one that is beyond a budget."""
    good, stalled = make.arm(), make.arm(scale=2.0)
    rounds = [
        *(make.round(index, good, good) for index in range(1, 5)),
        make.round(5, good, stalled, health=(SICK, SICK)),
    ]

    outcome, findings = _judged(make.trial(rounds))

    assert outcome is Outcome.INCONCLUSIVE
    assert findings[0].message.startswith(
        "p95: beyond its budget (10% or 5ms) in round 5, which is void: "
    )


def test_a_harmless_void_round_is_no_obstacle(make: Make) -> None:
    """A replaced round whose figures are within budget leaves the PASS."""
    arm = make.arm()
    rounds = [
        make.round(1, arm, arm, health=(SICK, SICK)),
        *(make.round(index, arm, arm) for index in range(2, 6)),
    ]

    report = judge(make.trial(rounds))

    assert report.verdict.outcome is Outcome.PASS
    assert len(report.void_rounds) == 1


def test_adding_void_rounds_must_not_make_it_fail(make: Make) -> None:
    """Sound rounds just unclear plus void ones clearly over: not unclear any more."""
    baseline = make.arm()
    levels = [105.4, 106, 106.5, 106.1, 106.3, 106.4]
    rounds = [
        make.round(
            index,
            baseline,
            make.arm(memory_bytes=level * MIB),
            health=(SICK, SICK) if index > 4 else (HEALTHY, HEALTHY),
        )
        for index, level in enumerate(levels, start=1)
    ]
    budgets = Budgets.model_validate({"memory": {"level": "5%"}})

    outcome, findings = _judged(make.trial(rounds, budgets=budgets))
    without, _ = _judged(make.trial(rounds[:4], budgets=budgets))

    assert outcome is without is Outcome.INCONCLUSIVE
    assert any(
        "with the void rounds it would FAIL" in each.message for each in findings
    )


def test_a_fail_in_sound_rounds_stands_beside_void_ones(make: Make) -> None:
    """Void rounds can withhold a PASS, never a FAIL."""
    baseline, slow = make.arm(), make.arm(scale=2.0)
    rounds = [
        make.round(1, baseline, slow, health=(SICK, SICK)),
        *(make.round(index, baseline, slow) for index in range(2, 6)),
    ]

    assert _judged(make.trial(rounds))[0] is Outcome.FAIL


def test_notes_tell_what_was_not_judged_and_why(make: Make) -> None:
    """An environment without usage is a note, not an obstacle."""
    bare = make.arm(memory_bytes=None, cpu_ns=None, reconnected=100)
    rounds = [make.round(index, bare, bare) for index in range(1, 5)]

    verdict = judge(make.trial(rounds, notes=("pinning was not possible",))).verdict

    assert verdict.outcome is Outcome.PASS
    assert [each.message for each in verdict.findings] == [
        "pinning was not possible",
        "p99: not judged: needs 3,000 requests an arm and round, had 700",
        "memory: not judged: memory is not measured here",
        "cpu: not judged: CPU time is not measured here",
        (
            "reconnects: 14.3% (baseline) and 14.3% (candidate) of the requests,"
            " left out of quantiles"
        ),
    ]


def test_values_that_no_live_answer_gave_are_noted(make: Make) -> None:
    """A candidate that does not give what the recorded service gave is told of."""
    rounds = []
    for index in range(1, 5):
        each = make.round(index, make.arm(), make.arm())
        books = replace(each.round.candidate.books, unfilled=index)
        candidate = replace(each.round.candidate, books=books)
        round_ = replace(each.round, candidate=candidate)
        rounds.append(replace(each, round=round_))

    report = judge(make.trial(rounds))

    assert ("unfilled", 4.0) in report.generator
    assert [
        each.message for each in report.verdict.findings if each.metric == "unfilled"
    ] == [
        "unfilled: up to 0 (baseline) and 4 (candidate) values a round were sent as"
        " recorded, since no live answer gave them"
    ]
