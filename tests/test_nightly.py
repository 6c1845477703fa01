"""The course of a night, with trials that only pretend."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.environment import Kind, Reference
from harness.errors import BuildError, InputError
from harness.model.night import End, Turn
from harness.model.result import Arm
from harness.model.scenario import Scenario
from harness.model.verdict import Estimate, FixOutcome, Outcome, Report
from harness.nightly import Night, exit_code, scenario_files
from harness.store.history import read_standings, read_trend
from harness.trial import Terms
from tests.made import finding, report

if TYPE_CHECKING:
    from collections.abc import Callable

SCENARIO = Scenario.model_validate(
    {
        "name": "shop",
        "recording": "r.parquet",
        "service": {"command": ["python"]},
        "load": {"users": 1},
    }
)
ESTIMATE = Estimate(
    metric="p95",
    route="service",
    unit="ns",
    relative=True,
    baseline=45e6,
    candidate=46e6,
    change=1.02,
)


def said(outcome: Outcome, scenario: str = "shop") -> Report:
    """A verdict that claims no fix."""
    findings = () if outcome is Outcome.PASS else (finding("p95", message="why"),)
    made = report(outcome, FixOutcome.FIXED, *findings)
    return replace(made, scenario=scenario, proof=None, estimates=(ESTIMATE,))


@dataclass
class Pretended:
    """Trials that end at once, as the file of each says; each takes 60 s."""

    parent: Path
    ends: dict[str, BaseException | Outcome] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    ran: list[Terms] = field(default_factory=list)
    now_s: float = 0.0

    def asked(self, file: Path) -> Terms:
        end = self.ends.get(f"reading {file.stem}")
        if isinstance(end, BaseException):
            raise end
        arms = {
            arm: Reference(kind=Kind.DIR, value="/t", text=f"the {arm}", commit=arm * 2)
            for arm in Arm
        }
        return Terms(
            scenario=SCENARIO.model_copy(update={"name": file.stem}),
            recording=None,
            references=arms,
            scenario_dir=self.parent,
            parent=self.parent,
            build_args={},
            announce=self.announce,
        )

    def announce(self, told: object) -> None:
        self.told.append(str(told))

    def __call__(self, terms: Terms) -> tuple[Path, Report]:
        self.ran.append(terms)
        self.now_s += 60
        name = terms.scenario.name
        end = self.ends.get(name, Outcome.PASS)
        if isinstance(end, BaseException):
            raise end
        return self.parent / f"20261127-010000-{name}", said(end, name)

    def night(self, *names: str, max_time_s: float | None = None) -> Night:
        return Night(
            [Path(f"{name}.yaml") for name in names],
            self.asked,
            max_time_s=max_time_s,
            history=self.history,
            announce=self.announce,
            run=self,
            clock=lambda: self.now_s,
        )

    @property
    def history(self) -> Path:
        return self.parent / "history.sqlite"


@pytest.fixture
def pretended(tmp_path: Path) -> Pretended:
    """Trials that pretend, each a PASS unless told otherwise."""
    return Pretended(tmp_path)


def test_every_scenario_has_its_turn(pretended: Pretended) -> None:
    """Whatever becomes of one, the next is run, and each is remembered."""
    pretended.ends = {
        "a": Outcome.FAIL,
        "b": BuildError("no image", hint="make one", log=("line",)),
        "reading c": InputError("c.yaml:1:1: wrong"),
        "d": Outcome.INVALID,
        "f": OSError(28, "No space left on device"),
    }
    night = pretended.night(*"abcdfe")

    night.play()

    assert [
        (End.FAIL, "why"),
        (End.NOT_MEASURED, "no image"),
        (End.WRONG_INPUT, "c.yaml:1:1: wrong"),
        (End.INVALID, "why"),
        (End.NOT_MEASURED, "OSError: [Errno 28] No space left on device"),
    ] == [(turn.end, turn.reason) for turn in night.turns][:5]
    assert End.PASS == night.turns[5].end
    assert ["a", "b", "", "d", "f", "e"] == [turn.scenario for turn in night.turns]
    assert "make one" in "\n".join(pretended.told)
    assert {"a": Outcome.FAIL, "d": Outcome.INVALID, "e": Outcome.PASS} == {
        each.scenario: each.outcome for each in read_standings(pretended.history)
    }


def test_what_is_remembered(pretended: Pretended) -> None:
    """The builds by reference and commit, the verdict and its figures."""
    pretended.night("shop").play()

    (point,) = read_trend(
        pretended.history, "shop", metric="p95", route="service", last=9
    ).points

    assert ("20261127-010000-shop", "the candidate", "candidate" * 2) == (
        point.id,
        point.candidate,
        point.candidate_commit,
    )
    assert (Outcome.PASS, "", 5, 1) == (
        point.outcome,
        point.fix,
        point.rounds,
        point.requests,
    )
    assert str(pretended.parent / point.id) == point.directory
    assert point.recorded_at.endswith("Z")
    assert point.machine
    assert (ESTIMATE,) == point.estimates


def test_time(pretended: Pretended) -> None:
    """Each gets what is left; what would start after it is named as not run."""
    night = pretended.night(*"abcd", max_time_s=100.0)

    night.play()

    assert [100.0, 40.0] == [terms.max_time_s for terms in pretended.ran]
    assert [End.PASS, End.PASS, End.NOT_RUN, End.NOT_RUN] == [
        turn.end for turn in night.turns
    ]
    assert {"--max-time 100s was used up"} == {turn.reason for turn in night.turns[2:]}
    assert any("d.yaml: not run" in line for line in pretended.told)


def test_without_a_limit(pretended: Pretended) -> None:
    """No trial has one."""
    pretended.night(*"ab").play()

    assert [None, None] == [terms.max_time_s for terms in pretended.ran]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(143)], ids=repr)
def test_interrupted(pretended: Pretended, end: BaseException) -> None:
    """What was finished stays known and remembered; the interruption is handed on."""
    pretended.ends = {"b": end}
    night = pretended.night(*"abc")

    with pytest.raises(type(end)):
        night.play()

    assert [End.PASS, End.NOT_RUN, End.NOT_RUN] == [turn.end for turn in night.turns]
    assert "it did not come to its end" == night.turns[1].reason
    assert "the night ended before its turn" == night.turns[2].reason
    assert ["a"] == [each.scenario for each in read_standings(pretended.history)]


def test_history_that_cannot_be_written(pretended: Pretended) -> None:
    """It is said, with the remedy, and costs no verdict."""
    pretended.history.mkdir()
    pretended.ends = {"a": Outcome.FAIL}
    night = pretended.night(*"ab")

    night.play()

    assert [End.FAIL, End.PASS] == [turn.end for turn in night.turns]
    complaints = [each for each in pretended.told if "cannot be opened" in each]
    assert 2 == len(complaints)
    assert "name another file with --history" in complaints[0]


CODES = (
    (End.FAIL, 1),
    (End.NOT_MEASURED, 4),
    (End.INVALID, 4),
    (End.WRONG_INPUT, 2),
    (End.INCONCLUSIVE, 3),
    (End.NOT_RUN, 3),
    (End.PASS, 0),
)


def test_exit_code() -> None:
    """The worst decides, in whatever order; every end has its place."""
    assert {end for end, _ in CODES} == {*End}
    for place, (end, code) in enumerate(CODES):
        others = [other for other, _ in CODES[place:]]
        for pair in (*permutations(others, 2), (end,)):
            if end in pair:
                turns = [Turn(file="f", end=each, reason="") for each in pair]
                assert code == exit_code(turns)


def test_scenario_files(tmp_path: Path) -> None:
    """A directory stands for its *.yaml by name; no file is run twice."""
    for name in ("b.yaml", "a.yaml", "c.yml", "notes.txt", "z.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "deep.yaml").mkdir()

    files = scenario_files([tmp_path / "z.yaml", tmp_path, tmp_path / "missing.yaml"])

    assert ["z.yaml", "a.yaml", "b.yaml", "missing.yaml"] == [
        file.name for file in files
    ]


def _nothing(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.mark.parametrize("place", [_nothing, lambda tmp: tmp / ("x" * 300)])
def test_place_without_scenarios(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    """A directory without any is refused; so is a name that no file can have."""
    with pytest.raises(InputError, match=r"holds no scenario|cannot be read"):
        scenario_files([place(tmp_path)])
