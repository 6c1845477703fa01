"""The course of a calibration, with trials that only pretend."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from harness import calibration
from harness.calibration import calibrate
from harness.compare.boundary import Looks
from harness.compare.evidence import TrialEvidence
from harness.compare.judge import judge
from harness.compare.soundness import SoundLimits
from harness.environment import Kind, Reference
from harness.errors import InputError
from harness.model.budget import Budgets, LatencyBudgets
from harness.model.result import Arm
from harness.model.scenario import Scenario
from harness.opening import circumstances
from harness.store.calibration import calibration_path, read_calibration
from harness.trial import Terms

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.verdict import Report

DAY = "20261125"


def evidence(**given: Any) -> TrialEvidence:
    """A trial that was decided: its candidate did not start, twice."""
    decided = TrialEvidence(
        scenario="shop",
        why="",
        baseline="tree (abc)",
        candidate="tree (abc)",
        budgets=Budgets(),
        looks=Looks(4, 10),
        rounds=(),
        limits=SoundLimits(plan_digest="p", timer_late_ns=1),
        failed_starts=("once", "twice"),
    )
    return replace(decided, **given)


@dataclass
class Pretended:
    """Runs trials that end at once, as the number of each says."""

    ends: dict[int, BaseException | TrialEvidence] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    ran: list[Terms] = field(default_factory=list)
    stored: dict[Path, TrialEvidence] = field(default_factory=dict)

    def __call__(self, terms: Terms) -> tuple[Path, Report]:
        self.ran.append(terms)
        end = self.ends.get(len(self.ran), evidence())
        directory = terms.parent / f"{DAY}-120000-{len(self.ran)}"
        directory.mkdir(parents=True)
        (directory / "trial.json").touch()
        if isinstance(end, BaseException):
            self.stored[directory] = evidence(stopped="interrupted", failed_starts=())
            raise end
        self.stored[directory] = end
        return directory, judge(end)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    """Trials that pretend, read back from memory, on the day after the first."""
    runner = Pretended()
    monkeypatch.setattr(calibration, "evidence_of", runner.stored.__getitem__)
    monkeypatch.setattr(
        calibration,
        "circumstances",
        lambda *given: replace(circumstances(*given), day="2026-11-26"),
    )
    return runner


def terms(tmp_path: Path, told: list[str], **given: Any) -> Terms:
    scenario = Scenario.model_validate(
        {
            "name": "shop",
            "recording": "r.parquet",
            "service": {"command": ["python"], "env": {"KEPT": "1"}},
            "load": {"users": 1},
            "calibrate": {
                "changes": {
                    "+10 ms": {"env": {"DELAY": "10"}},
                    "errors": {"env": {"ERRORS": "1"}},
                }
            },
        }
    )
    same = Reference(kind=Kind.DIR, value="/tree", text="tree")
    every = Terms(
        scenario=scenario,
        recording=None,
        references=dict.fromkeys(Arm, same),
        scenario_dir=tmp_path,
        parent=tmp_path,
        build_args={},
        announce=lambda line: told.append(str(line)),
    )
    return replace(every, **given)


def test_course(tmp_path: Path, pretended: Pretended) -> None:
    """First the baseline against itself, then with each change, and all is stored.

    No command makes a trial of these go on, or asks for it again.
    """
    asked = terms(tmp_path / "out", pretended.told, command="seatrial verify s.yaml")
    result = calibrate(asked, trials=2, trials_of_change=1, run=pretended)

    assert [{}, {}, {"DELAY": "10"}, {"ERRORS": "1"}] == [
        each.candidate_env for each in pretended.ran
    ]
    names = [each.references[Arm.CANDIDATE].text for each in pretended.ran]
    assert ["tree", "tree", "tree with +10 ms", "tree with errors"] == names
    assert {"tree"} == {each.references[Arm.BASELINE].text for each in pretended.ran}
    assert {""} == {each.command for each in pretended.ran}
    assert (2, 2) == (result.trials, result.failed)
    assert [("+10 ms", 1, 1), ("errors", 1, 1)] == [
        (each.name, each.trials, each.failed) for each in result.injected
    ]
    assert "2026-11-25" == result.day
    assert result == read_calibration(calibration_path(tmp_path / "out", "shop"))
    assert "*\n" == (tmp_path / "out" / ".gitignore").read_text()


def test_what_is_there_is_not_run_again(tmp_path: Path, pretended: Pretended) -> None:
    """A second start with more trials runs only those, and counts all."""
    asked = terms(tmp_path, pretended.told)
    calibrate(asked, trials=2, trials_of_change=0, run=pretended)

    result = calibrate(asked, trials=3, trials_of_change=0, run=pretended)

    assert 3 == len(pretended.ran)
    assert 3 == result.trials


@pytest.mark.parametrize(
    "given", [{"budgets": Budgets(routes=LatencyBudgets())}, {"name": "other"}]
)
def test_another_scenario_starts_anew(
    tmp_path: Path, pretended: Pretended, given: dict[str, Any]
) -> None:
    """Trials under other terms are not those of this calibration."""
    asked = terms(tmp_path, pretended.told)
    calibrate(asked, trials=1, trials_of_change=0, run=pretended)

    other = replace(asked, scenario=asked.scenario.model_copy(update=given))
    calibrate(other, trials=1, trials_of_change=0, run=pretended)

    assert 2 == len(pretended.ran)


def test_old_trials_are_run_again(
    tmp_path: Path, pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would be stale is no part of a new calibration."""
    asked = terms(tmp_path, pretended.told)
    calibrate(asked, trials=1, trials_of_change=0, run=pretended)
    monkeypatch.setattr(
        calibration,
        "circumstances",
        lambda *given: replace(circumstances(*given), day="2027-01-01"),
    )
    later: list[Terms] = []

    def run(terms: Terms) -> tuple[Path, Report]:
        later.append(terms)
        directory = terms.parent / "20270101-120000-1"
        directory.mkdir(parents=True)
        (directory / "trial.json").touch()
        pretended.stored[directory] = evidence()
        return directory, judge(evidence())

    result = calibrate(asked, trials=1, trials_of_change=0, run=run)

    assert 1 == len(later)
    assert ("2027-01-01", 1) == (result.day, result.trials)


@pytest.mark.parametrize("end", [KeyboardInterrupt(), InputError("disk full")], ids=str)
def test_interrupted(tmp_path: Path, pretended: Pretended, end: BaseException) -> None:
    """However it ends, what there is is stored; a trial cut short is run again."""
    asked = terms(tmp_path, pretended.told)
    pretended.ends[2] = end

    with pytest.raises(type(end)):
        calibrate(asked, trials=2, trials_of_change=0, run=pretended)
    kept = read_calibration(calibration_path(tmp_path, "shop"))
    result = calibrate(asked, trials=2, trials_of_change=0, run=pretended)

    assert kept is not None
    assert 1 == kept.trials
    assert 3 == len(pretended.ran)
    assert 2 == result.trials


def test_no_time(tmp_path: Path, pretended: Pretended) -> None:
    """Where not one trial fits, the message says so and nothing is stored."""
    asked = terms(tmp_path, pretended.told, max_time_s=1.0)

    with pytest.raises(InputError, match="no trial of the baseline"):
        calibrate(asked, trials=2, trials_of_change=0, run=pretended)

    assert not pretended.ran
    assert not calibration_path(tmp_path, "shop").exists()
    assert any("no time left for same-01" in each for each in pretended.told)


def test_trial_that_ran_out_of_time(tmp_path: Path, pretended: Pretended) -> None:
    """A trial that --max-time cut short says nothing, and is the last one."""
    asked = terms(tmp_path, pretended.told, max_time_s=3600.0)
    pretended.ends[2] = evidence(stopped="--max-time", failed_starts=())

    result = calibrate(asked, trials=4, trials_of_change=1, run=pretended)

    assert 1 == result.trials
    assert 2 == len(pretended.ran)
    assert () == result.injected


def test_a_url_has_no_switch(tmp_path: Path, pretended: Pretended) -> None:
    """What is deployed cannot be changed by environment variables."""
    there = Reference(kind=Kind.URL, value="http://x", text="http://x")
    asked = terms(tmp_path, pretended.told, references=dict.fromkeys(Arm, there))

    with pytest.raises(InputError, match="takes no environment"):
        calibrate(asked, trials=1, trials_of_change=1, run=pretended)
