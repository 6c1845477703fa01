from dataclasses import replace
from pathlib import Path

import pytest

from harness.expectation import DEMO, GALLERY, Expectation, given
from harness.model.verdict import FixOutcome, Outcome
from tests.made import finding, report

CANDIDATES = Path(__file__).parents[1] / "compose" / "shop" / "candidates"


def test_right_for_the_right_reason() -> None:
    """The fix must be proven in both trials, and the FAIL of the leak name memory."""
    fix, leak = DEMO.trials
    memory, cpu = finding("memory"), finding("cpu")
    fixed, spoilt = FixOutcome.FIXED, FixOutcome.FIXED_BUT_REGRESSED

    assert fix.met_by(report(Outcome.PASS, fixed))
    assert not fix.met_by(report(Outcome.PASS, FixOutcome.UNPROVEN))
    assert not fix.met_by(report(Outcome.FAIL, fixed, memory))
    assert leak.met_by(report(Outcome.FAIL, spoilt, cpu, memory))
    assert not leak.met_by(report(Outcome.FAIL, FixOutcome.NOT_FIXED, memory))
    assert not leak.met_by(report(Outcome.FAIL, spoilt, cpu))
    note = finding("memory", "note")
    assert not leak.met_by(report(Outcome.FAIL, spoilt, cpu, note))
    assert not leak.met_by(
        report(Outcome.INVALID, spoilt, finding("memory", "invalid"))
    )


def test_what_a_finding_must_say() -> None:
    """Of the findings of the metric, one must hold the expected words, or its route."""
    trial = Expectation(candidate="a", claim="", metric="check", says="oversold")
    spoilt = FixOutcome.FIXED_BUT_REGRESSED
    other, right = finding("check"), finding("check", message="oversold: 0 -> 3")

    assert trial.met_by(report(Outcome.FAIL, spoilt, other, right))
    assert not trial.met_by(report(Outcome.FAIL, spoilt, other))
    cpu = finding("cpu", message="oversold")
    assert not trial.met_by(report(Outcome.FAIL, spoilt, other, cpu))
    routed = replace(other, route="GET /oversold")
    assert trial.met_by(report(Outcome.FAIL, spoilt, routed))


@pytest.mark.parametrize(
    ("outcome", "metrics", "words"),
    [
        (Outcome.PASS, (), "PASS FIXED"),
        (Outcome.FAIL, ("cpu", "p95", "cpu"), "FAIL FIXED by cpu, p95"),
    ],
)
def test_given(outcome: Outcome, metrics: tuple[str, ...], words: str) -> None:
    """What a report says, with each failing metric once, and no note."""
    findings = (*map(finding, metrics), finding("memory", "note"))

    assert words == given(report(outcome, FixOutcome.FIXED, *findings))


def test_every_candidate_is_expected_once() -> None:
    """Each patch is in the gallery, and each of the demo's trials is one of them."""
    patches = sorted(path.stem for path in CANDIDATES.glob("*.patch"))

    assert patches == sorted(trial.candidate for trial in GALLERY.trials)
    assert set(DEMO.trials) < set(GALLERY.trials)


def test_only_the_true_fix_may_pass() -> None:
    """All others fail by a metric of their own."""
    passing = [each for each in GALLERY.trials if each.outcome is Outcome.PASS]

    assert ["true-fix"] == [each.candidate for each in passing]
    assert all(each.metric for each in GALLERY.trials if each not in passing)


def test_only() -> None:
    """A programme of some candidates keeps its terms and its order."""
    some = GALLERY.only("leak", "true-fix")

    assert GALLERY.scenario == some.scenario
    assert ["true-fix", "leak"] == [each.candidate for each in some.trials]
