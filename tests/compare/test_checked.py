from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.compare.boundary import Looks
from harness.compare.judge import judge
from harness.model.check import CheckResult
from harness.model.symptom import Symptom
from harness.model.verdict import FixOutcome, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import TrialEvidence
    from harness.model.verdict import Finding
    from tests.compare.conftest import Make


def trial(
    make: Make, baseline: Sequence[str], candidate: Sequence[str]
) -> TrialEvidence:
    """A round each, with what was wrong with the check `stock` on both arms."""
    arm = make.arm()
    rounds = []
    for index, failures in enumerate(zip(baseline, candidate, strict=True), start=1):
        evidence = make.round(index, arm, arm)
        of = [
            (CheckResult(name="stock", slice=0, failure=failure),)
            for failure in failures
        ]
        played = replace(
            evidence.round,
            baseline=replace(evidence.round.baseline, checks=of[0]),
            candidate=replace(evidence.round.candidate, checks=of[1]),
        )
        rounds.append(replace(evidence, round=played))
    return make.trial(rounds, looks=Looks(4, 6))


def checking(evidence: TrialEvidence) -> tuple[Outcome, list[Finding]]:
    verdict = judge(evidence).verdict
    return verdict.outcome, [
        each for each in verdict.findings if each.metric == "check"
    ]


def test_only_on_the_candidate(make: Make) -> None:
    """A check that only the candidate fails is named with what was found."""
    outcome, (finding,) = checking(
        trial(
            make, [""] * 6, ["$.oversold is 3, not 0", *["$.oversold is 1, not 0"] * 5]
        )
    )

    assert outcome is Outcome.FAIL
    assert finding.message == (
        "check: stock: $.oversold is 3, not 0 in 6 of 6 rounds, never on the baseline"
    )


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected", "severities"),
    [
        ([""] * 6, [""] * 6, Outcome.PASS, []),
        ([""] * 6, ["bad", *[""] * 5], Outcome.INCONCLUSIVE, ["inconclusive"]),
        (["bad"] * 6, ["bad"] * 6, Outcome.PASS, ["note"]),
        (["bad"] * 6, [""] * 6, Outcome.PASS, ["note"]),
        (["bad", *[""] * 5], ["bad"] * 6, Outcome.INCONCLUSIVE, ["inconclusive"]),
        (["bad", *[""] * 5], ["bad"] * 3 + [""] * 3, Outcome.PASS, ["note"]),
        (["down", *[""] * 5], ["bad"] * 6, Outcome.FAIL, ["fail", "note"]),
        (["7 bad"] * 6, ["8 bad"] * 6, Outcome.PASS, ["note"]),
    ],
)
def test_what_counts(
    make: Make,
    baseline: list[str],
    candidate: list[str],
    expected: Outcome,
    severities: list[str],
) -> None:
    """What the baseline fails as often says nothing; one failure withholds a PASS."""
    outcome, findings = checking(trial(make, baseline, candidate))

    assert (expected, severities) == (outcome, [each.severity for each in findings])


def test_a_fix(make: Make) -> None:
    """A failing check may be what the change claims to repair."""
    symptom = Symptom.model_validate({"check": "stock"})
    evidence = replace(trial(make, ["bad"] * 6, [""] * 6), symptom=symptom)

    proof = judge(evidence).proof

    assert proof is not None
    assert proof.outcome is FixOutcome.FIXED
    assert proof.message.startswith("stock in 6 of 6 rounds of the baseline")
