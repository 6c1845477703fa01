from pathlib import Path

import pytest

from harness.demo import TRIALS, builds_of, scenario_of
from harness.errors import BuildError
from harness.model.result import Arm
from harness.model.verdict import (
    Finding,
    FixOutcome,
    Outcome,
    Proof,
    Report,
    Verdict,
)


def report(outcome: Outcome, fix: FixOutcome, *findings: Finding) -> Report:
    return Report(
        scenario="demo",
        why="",
        baseline="a",
        candidate="b",
        rounds=5,
        void_rounds=(),
        requests=1,
        verdict=Verdict(outcome=outcome, findings=findings),
        estimates=(),
        environment=(),
        generator=(),
        proof=Proof(outcome=fix, symptom="s", message="m"),
    )


def finding(metric: str, severity: str = "fail") -> Finding:
    return Finding(severity=severity, metric=metric, route="service", message="m")


def test_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no engine answers, one line says so and the builds run as processes."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    said: list[str] = []

    scenario = scenario_of(said.append)

    assert "process" == scenario.service.driver
    assert 1 == len(said)
    assert "\n" not in said[0]


def test_right_for_the_right_reason() -> None:
    """The fix must be proven in both trials, and the FAIL of the leak name memory."""
    fix, leak = TRIALS
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


@pytest.mark.parametrize("candidate", [trial.candidate for trial in TRIALS])
def test_trees(candidate: str) -> None:
    """A candidate's tree is the shop with its patch; both are gone afterwards."""
    with builds_of(candidate) as (_, references):
        trees = [Path(references[arm].value) for arm in Arm]
        before, after = ((tree / "shop/orders.py").read_text() for tree in trees)

    assert before != after
    assert candidate == references[Arm.CANDIDATE].text
    assert not any(tree.exists() for tree in trees)


def test_unknown_candidate() -> None:
    """A patch that is not there is a build that failed, by name."""
    with pytest.raises(BuildError, match="nowhere"), builds_of("nowhere"):
        pass
