from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.compare.boundary import Looks
from harness.compare.judge import judge
from harness.compare.log import Kind, LogEvidence, Logged
from harness.compare.logs import found_kinds
from harness.compare.shown import shown_logs
from harness.model.result import Arm
from harness.model.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import TrialEvidence
    from harness.model.verdict import Finding
    from tests.compare.conftest import Make

NEW: Final = Kind("error", "KeyError", "cart.py, total")
OLD: Final = Kind("error", "KeyError", "cart.py, sum_of")
ELSEWHERE: Final = Kind("error", "KeyError", "checkout.py, pay")
OTHER: Final = Kind("error", "ValueError", "cart.py, sum_of")


def log(*kinds: Kind) -> LogEvidence:
    return LogEvidence(kinds={kind: Logged(3, "Traceback\n  x") for kind in kinds})


def trial(
    make: Make, baseline: Sequence[Kind], candidate: Sequence[Sequence[Kind]]
) -> TrialEvidence:
    """So many rounds, each with what the candidate logs in it."""
    arm = make.arm()
    return make.trial(
        [
            replace(
                make.round(index, arm, arm),
                logs={Arm.BASELINE: log(*baseline), Arm.CANDIDATE: log(*kinds)},
            )
            for index, kinds in enumerate(candidate, start=1)
        ],
        looks=Looks(4, 6),
    )


def logging(evidence: TrialEvidence) -> tuple[Outcome, list[Finding]]:
    verdict = judge(evidence).verdict
    return verdict.outcome, [each for each in verdict.findings if each.metric == "logs"]


def test_a_new_exception(make: Make) -> None:
    """What only the candidate raises fails, with the first entry whole."""
    outcome, (finding,) = logging(trial(make, [OTHER], [[NEW]] * 6))

    assert outcome is Outcome.FAIL
    assert finding.message == (
        "logs: error KeyError in cart.py, total: 18 times in 6 of 6 rounds, never on"
        " the baseline"
    )
    assert finding.examples == ("Traceback\n  x",)


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected", "severities"),
    [
        ([NEW], [[NEW]] * 6, Outcome.PASS, []),
        ([], [[NEW]] * 4, Outcome.INCONCLUSIVE, ["inconclusive"]),
        ([], [[NEW], *[[]] * 5], Outcome.PASS, []),
        ([], [*[[NEW]] * 2, *[[]] * 4], Outcome.PASS, []),
        ([], [*[[NEW]] * 3, *[[]] * 3], Outcome.INCONCLUSIVE, ["inconclusive"]),
        ([OLD], [[NEW]] * 6, Outcome.PASS, ["note"]),
        ([OLD], [[OLD, NEW]] * 6, Outcome.FAIL, ["fail"]),
        ([OLD], [[ELSEWHERE]] * 6, Outcome.FAIL, ["fail"]),
        (
            [OLD],
            [[NEW, NEW._replace(text="cart.py, pay")]] * 6,
            Outcome.FAIL,
            ["fail"] * 2,
        ),
        ([], [[Kind("warning", "", "slow")]] * 6, Outcome.PASS, ["note"]),
        ([NEW], [[]] * 6, Outcome.PASS, []),
    ],
)
def test_what_counts(
    make: Make,
    baseline: list[Kind],
    candidate: list[list[Kind]],
    expected: Outcome,
    severities: list[str],
) -> None:
    """New errors count by rounds; warnings, and what only moved, are noted."""
    outcome, findings = logging(trial(make, baseline, candidate))

    assert (expected, severities) == (outcome, [each.severity for each in findings])


def test_more_of_it(make: Make) -> None:
    """An exception that comes far more often has not only moved."""
    evidence = trial(make, [OLD], [[NEW]] * 6)
    for each in evidence.rounds:
        each.logs[Arm.CANDIDATE].kinds[NEW] = Logged(99, "")  # type: ignore[index]

    assert logging(evidence)[0] is Outcome.FAIL


@pytest.mark.parametrize(
    ("arm", "given", "expected", "message"),
    [
        (Arm.BASELINE, {"cut": True}, Outcome.INCONCLUSIVE, "as far as its log is"),
        (Arm.BASELINE, {"others": 5}, Outcome.INCONCLUSIVE, "as far as its log is"),
        (Arm.CANDIDATE, {"cut": True}, Outcome.FAIL, "never on the baseline"),
        (Arm.CANDIDATE, {"others": 5}, Outcome.FAIL, "never on the baseline"),
    ],
)
def test_what_is_not_read(
    make: Make, arm: Arm, given: dict[str, Any], expected: Outcome, message: str
) -> None:
    """What the baseline may have written, unread, is not said to be new."""
    evidence = trial(make, [], [[NEW]] * 6)
    rounds = [
        replace(each, logs={**each.logs, arm: replace(each.logs[arm], **given)})
        for each in evidence.rounds
    ]

    outcome, findings = logging(replace(evidence, rounds=tuple(rounds)))

    assert outcome is expected
    assert message in findings[0].message


def test_a_log_out_of_sight(make: Make) -> None:
    """Where only one arm's log can be read, nothing is said to be new."""
    evidence = trial(make, [], [[NEW]] * 6)
    rounds = [
        replace(each, logs={Arm.CANDIDATE: each.logs[Arm.CANDIDATE]})
        for each in evidence.rounds
    ]

    assert logging(replace(evidence, rounds=tuple(rounds))) == (Outcome.PASS, [])


def test_too_many_kinds(make: Make) -> None:
    """Kinds that are beyond all counting withhold a PASS, if only one arm has them."""
    evidence = trial(make, [], [[]] * 6)
    rounds = [
        replace(each, logs={**each.logs, Arm.CANDIDATE: LogEvidence(others=9)})
        for each in evidence.rounds
    ]

    outcome, (finding,) = logging(replace(evidence, rounds=tuple(rounds)))

    assert outcome is Outcome.INCONCLUSIVE
    assert "54 entries of the candidate's" in finding.message


def test_shown() -> None:
    """What may be shown has kinds and counts, and no entry."""
    (of,) = shown_logs({Arm.BASELINE: log(NEW)}).values()

    assert {NEW: Logged(3, "")} == of.kinds


def test_a_soak(make: Make) -> None:
    """Two long rounds tell nothing of logs, either."""
    assert () == found_kinds(replace(trial(make, [], [[NEW]] * 6), soak=True))
