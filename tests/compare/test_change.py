from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.compare.behaviour import Behaviour, Changed, Comparison, Place
from harness.compare.boundary import Looks
from harness.compare.change import found_changes
from harness.compare.good import EMPTY, UNLIKE
from harness.compare.judge import judge
from harness.compare.measure import Signature
from harness.model.behaviour import BehaviourRules
from harness.model.symptom import Symptom
from harness.model.verdict import FixOutcome, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import TrialEvidence
    from harness.model.verdict import Finding
    from tests.compare.conftest import Make

PRICE = Place("GET /a", "$.price", "value")


def comparison(share: float, place: Place = PRICE) -> Comparison:
    """A place that so many of 1,000 answers differ in; none for 0."""
    answers = round(1_000 * share)
    changed = Changed(answers=answers, share=share, examples=("GET /a: 1 → 2",))
    return {place: changed} if answers else {}


def trial(
    make: Make,
    changed: Sequence[float],
    noise: Sequence[float] | None = None,
    place: Place = PRICE,
    **given: Any,
) -> TrialEvidence:
    """So many rounds, each with the share in which the candidate differs.

    `noise` is of the second round and those after it.
    """
    of_itself = [None, *(noise or [0.0] * (len(changed) - 1))]
    arm = make.arm()
    rounds = [
        replace(
            make.round(index, arm, arm),
            behaviour=Behaviour(
                comparison(share, place),
                None if itself is None else comparison(itself, place),
            ),
        )
        for index, (share, itself) in enumerate(
            zip(changed, of_itself, strict=True), start=1
        )
    ]
    return make.trial(rounds, **{"looks": Looks(4, 10), **given})


def behaving(evidence: TrialEvidence) -> tuple[Outcome, list[Finding]]:
    verdict = judge(evidence).verdict
    return verdict.outcome, [
        each for each in verdict.findings if each.metric == "behaviour"
    ]


def test_never_in_the_baseline(make: Make) -> None:
    """What only the candidate answers, round after round, fails by its place."""
    outcome, (finding,) = behaving(trial(make, [0.4] * 8))

    assert outcome is Outcome.FAIL
    assert finding.message == (
        "behaviour of GET /a: $.price: value; 40.0% of the answers (3,200 seen) in 8 of"
        " 8 rounds, 0% of the baseline against itself; if it is meant, declare it in"
        " `behaviour.expect`"
    )
    assert finding.examples == ("GET /a: 1 → 2",)


def test_too_early(make: Make) -> None:
    """After four rounds the same may be chance, and is too much for a PASS."""
    outcome, (finding,) = behaving(trial(make, [0.4] * 4))

    assert (outcome, finding.severity) == (Outcome.INCONCLUSIVE, "inconclusive")


@pytest.mark.parametrize(
    ("changed", "noise", "expected"),
    [
        ([0.4] * 8, [0.4] * 7, Outcome.PASS),
        ([0.4] * 8, [0.1] * 7, Outcome.FAIL),
        ([0.4] * 7 + [0.15], [0.1] * 7, Outcome.FAIL),
        ([0.9] * 7 + [0.0], [0.0] * 6 + [0.001], Outcome.FAIL),
        ([0.9] * 4 + [0.0] * 4, [0.0] * 7, Outcome.INCONCLUSIVE),
        ([0.9] * 4 + [0.0] * 4, [0.0] * 6 + [0.001], Outcome.PASS),
        ([0.4] * 3 + [0.15] * 5, [0.1] * 7, Outcome.PASS),
        ([0.4] * 8, [0.0] * 6 + [0.3], Outcome.PASS),
        ([0.4, 0, 0, 0, 0, 0, 0, 0], [0.0] * 7, Outcome.PASS),
    ],
)
def test_noise(
    make: Make, changed: list[float], noise: list[float], expected: Outcome
) -> None:
    """What the baseline shows against itself counts only far above that."""
    assert expected is behaving(trial(make, changed, noise))[0]


@pytest.mark.parametrize(
    ("kind", "expected", "severity"),
    [
        ("403 → 200", Outcome.FAIL, "fail"),
        ("500 → 200, empty", Outcome.FAIL, "fail"),
        ("500 → 200", Outcome.PASS, "note"),
        ("500 → 404", Outcome.FAIL, "fail"),
        ("500 → 302", Outcome.FAIL, "fail"),
        ("200 → 404", Outcome.FAIL, "fail"),
    ],
)
def test_statuses(make: Make, kind: str, expected: Outcome, severity: str) -> None:
    """A failure that is gone is good news, unless nothing is said in its place."""
    outcome, (finding,) = behaving(
        trial(make, [0.4] * 8, place=Place("GET /a", "status", kind))
    )

    assert (expected, severity) == (outcome, finding.severity)


def test_new_failures_are_errors(make: Make) -> None:
    """That the candidate fails is another question's answer."""
    place = Place("GET /a", "status", "200 → 500")

    assert (Outcome.PASS, []) == behaving(trial(make, [0.4] * 8, place=place))


@pytest.mark.parametrize("kind", ["403 → 200", "500 → 200, empty"])
def test_one_open_door(make: Make, kind: str) -> None:
    """The worst kinds withhold a PASS wherever they are seen.

    A rule that does not name the route hides them as little as one that ignores.
    """
    rules = {"ignore": [{"status": 200}], "expect": [{"status": 200}]}
    outcome, (finding,) = behaving(
        trial(
            make,
            [0.0] * 7 + [0.001],
            place=Place("GET /a", "status", kind),
            behaviour=BehaviourRules.model_validate(rules),
        )
    )

    assert (outcome, finding.severity) == (Outcome.INCONCLUSIVE, "inconclusive")


@pytest.mark.parametrize(
    ("kind", "status"), [("403 → 200", 200), ("500 → 204, empty", 204)]
)
def test_a_declared_door(make: Make, kind: str, status: int) -> None:
    """Whoever declares route and status means it."""
    rules = {"expect": [{"route": "GET /a", "status": status}]}
    place = Place("GET /a", "status", kind)

    outcome, findings = behaving(
        trial(
            make,
            [0.4] * 8,
            place=place,
            behaviour=BehaviourRules.model_validate(rules),
        )
    )

    assert outcome is Outcome.PASS
    assert "fail" not in {each.severity for each in findings}


@pytest.mark.parametrize(("route", "repair"), [("GET /a", True), (None, False)])
def test_a_door_that_was_shut_by_mistake(
    make: Make, route: str | None, repair: bool
) -> None:
    """Customers who were denied may be the claim; then it names their route."""
    place = Place("GET /a", "status", "403 → 200")
    symptom = Symptom.model_validate({"route": route, "status": 403})
    change, *_ = found_changes(trial(make, [0.4] * 8, place=place, symptom=symptom))

    assert repair == change.repair


def claimed(
    make: Make, kind: str, rounds: int, share: float = 0.2, **given: Any
) -> TrialEvidence:
    """The baseline fails in every round, which the candidate claims to repair."""
    evidence = trial(
        make,
        [share] * rounds,
        place=Place("GET /a", "status", kind),
        symptom=Symptom.model_validate({"route": "GET /a", "status": 500}),
        **{"looks": Looks(4, 20), **given},
    )
    broken = make.arm(episodes={Signature("GET /a", 500, ""): frozenset({1})})
    return replace(
        evidence,
        rounds=tuple(replace(each, baseline=broken) for each in evidence.rounds),
    )


@pytest.mark.parametrize(
    ("kind", "rounds", "fix", "expected"),
    [
        ("500 → 201", 6, FixOutcome.FIXED, Outcome.PASS),
        (f"500 → 302{UNLIKE}", 6, FixOutcome.FIXED, Outcome.INCONCLUSIVE),
        (f"500 → 200{UNLIKE}", 6, FixOutcome.FIXED, Outcome.INCONCLUSIVE),
        (f"500 → 302{UNLIKE}", 12, FixOutcome.FIXED_BUT_REGRESSED, Outcome.FAIL),
        (f"500 → 200{UNLIKE}", 12, FixOutcome.FIXED_BUT_REGRESSED, Outcome.FAIL),
        (f"500 → 302{EMPTY}{UNLIKE}", 12, FixOutcome.FIXED_BUT_REGRESSED, Outcome.FAIL),
        (f"500 → 302{EMPTY}", 6, FixOutcome.FIXED, Outcome.PASS),
    ],
)
def test_a_failure_in_disguise(
    make: Make, kind: str, rounds: int, fix: FixOutcome, expected: Outcome
) -> None:
    """A symptom that only looks otherwise is not repaired, and is no PASS."""
    report = judge(claimed(make, kind, rounds))

    assert (fix, expected) == (
        report.proof and report.proof.outcome,
        report.verdict.outcome,
    )


def test_a_failure_in_disguise_says_so(make: Make) -> None:
    """What is answered instead is told, and how to declare that it is meant."""
    outcome, (finding,) = behaving(claimed(make, f"500 → 302{UNLIKE}", 6))

    assert (outcome, finding.message) == (
        Outcome.INCONCLUSIVE,
        "behaviour of GET /a: status: 500 → 302, unlike the baseline's good answers;"
        " 20.0% of the answers (1,200 seen) in 6 of 6 rounds, 0% of the baseline"
        " against itself: too few rounds to tell from chance, too many for a PASS; if"
        " it is meant, declare it in `behaviour.expect`",
    )


def test_a_declared_disguise(make: Make) -> None:
    """Whoever means another answer declares it, and the fix passes."""
    rules = {"expect": [{"route": "GET /a", "status": 302}]}
    behaviour = BehaviourRules.model_validate(rules)

    assert (Outcome.PASS, []) == behaving(
        claimed(make, f"500 → 302{UNLIKE}", 6, behaviour=behaviour)
    )


def many(make: Make, rounds: int, among: dict[Place, float]) -> TrialEvidence:
    """The same places in every round, all of which the baseline has as noise."""
    arm = make.arm()
    noise = {
        Place("GET /a", f"$.a{number:03}", "value"): Changed(answers=9, share=0.5)
        for number in range(60)
    }
    changed = {
        **noise,
        **{place: Changed(answers=9, share=share) for place, share in among.items()},
    }
    return make.trial(
        [
            replace(
                make.round(index, arm, arm),
                behaviour=Behaviour(changed, noise if index > 1 else None),
            )
            for index in range(1, rounds + 1)
        ],
        looks=Looks(4, 10),
    )


def test_noise_hides_no_change(make: Make) -> None:
    """However many places are noise, one that is not withholds a PASS, by its name."""
    outcome, findings = behaving(many(make, 4, {PRICE: 1.0}))

    assert outcome is Outcome.INCONCLUSIVE
    assert ["$.price" in each.message for each in findings] == [True]


def test_what_is_too_much_to_show_is_counted(make: Make) -> None:
    """Further places than are shown are told of."""
    among = {Place("GET /b", f"$.x{n}", "value"): 1.0 for n in range(25)}

    _, findings = behaving(many(make, 4, among))

    assert "5 more places may differ" in findings[-1].message


def test_rare_places_cost_nothing(make: Make) -> None:
    """Names that are drawn anew in each answer do not keep a change from its FAIL."""
    arm = make.arm()
    rounds = [
        replace(
            make.round(index, arm, arm),
            behaviour=Behaviour(
                {
                    **comparison(1.0),
                    **{
                        Place("GET /a", f"$.{index}x{n}", "added"): Changed(
                            answers=1, share=0.01
                        )
                        for n in range(300)
                    },
                },
                {} if index > 1 else None,
            ),
        )
        for index in range(1, 9)
    ]

    outcome, findings = behaving(make.trial(rounds, looks=Looks(4, 10)))

    assert outcome is Outcome.FAIL
    assert ["$.price" in each.message for each in findings] == [True]


def test_ignored(make: Make) -> None:
    """What is ignored is not compared."""
    rules = BehaviourRules.model_validate({"ignore": [{"json": "$.price"}]})

    assert (Outcome.PASS, []) == behaving(trial(make, [0.4] * 8, behaviour=rules))


def test_expected(make: Make) -> None:
    """What is declared may change, and must."""
    rules = BehaviourRules.model_validate({"expect": [{"json": "$.price"}]})

    assert (Outcome.PASS, []) == behaving(trial(make, [0.4] * 8, behaviour=rules))
    outcome, (finding,) = behaving(trial(make, [0.0] * 8, behaviour=rules))
    assert (outcome, finding.message) == (
        Outcome.FAIL,
        "behaviour: $.price was to change, and no answer shows it",
    )


def test_symptom(make: Make) -> None:
    """The status that the change claims to repair may turn into another one."""
    place = Place("GET /a", "status", "404 → 200")
    symptom = Symptom.model_validate({"route": "GET /a", "status": 404})
    change, *_ = found_changes(trial(make, [0.4] * 8, place=place, symptom=symptom))

    assert change.repair


def test_without_noise_nothing_is_told(make: Make) -> None:
    """One round has no noise to compare with."""
    assert () == found_changes(trial(make, [0.4], []))


def test_without_noise_nothing_was_to_change(make: Make) -> None:
    """What is declared cannot be seen, nor missed, in a round without noise."""
    rules = BehaviourRules.model_validate({"expect": [{"json": "$.price"}]})
    evidence = trial(make, [0.4], [], looks=Looks(1, 1), behaviour=rules)

    assert [] == behaving(evidence)[1]


@pytest.mark.parametrize(
    ("changed", "noise", "expected"),
    [
        ([1.0] * 2, [0.0], ["inconclusive"]),
        ([1.0] * 3, [0.0] * 2, ["inconclusive"]),
        ([1.0] * 2 + [0.0], [0.0] * 2, []),
        ([1.0, 0.0], [0.0], []),
        ([1.0, 0.0, 0.0], [0.0] * 2, []),
        ([1.0] * 3, [0.0, 0.3], []),
    ],
)
def test_few_rounds(
    make: Make, changed: list[float], noise: list[float], expected: list[str]
) -> None:
    """What all rounds show and the baseline never is no PASS, however few they are."""
    looks = Looks(len(changed), len(changed))
    _, findings = behaving(trial(make, changed, noise, looks=looks))

    assert expected == [each.severity for each in findings]


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5, 0.9])
def test_equal_builds_seldom_fail(make: Make, rate: float) -> None:
    """Of trials of equal builds that differ by chance in 30 places, few fail."""
    random = np.random.default_rng(5)
    places = [Place("GET /a", f"$.x{number}", "value") for number in range(30)]

    def seldom() -> Comparison:
        shares = random.uniform(0.5, 1, 30)
        return {
            place: Changed(answers=1, share=share)
            for place, share in zip(places, shares, strict=True)
            if random.random() < rate
        }

    arm = make.arm()
    failed = 0
    for _ in range(100):
        rounds = [
            replace(
                make.round(index, arm, arm),
                behaviour=Behaviour(seldom(), seldom()),
            )
            for index in range(1, 9)
        ]
        changes = found_changes(make.trial(rounds, looks=Looks(4, 10)))
        failed += any(each.proven for each in changes)

    assert failed <= 2


def test_a_soak(make: Make) -> None:
    """Two long rounds tell nothing of behaviour, whatever they differ in."""
    assert () == found_changes(trial(make, [0.4] * 8, soak=True))
