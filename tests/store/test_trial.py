import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ComparisonError, InputError
from harness.model.calibration import Calibration, Machine
from harness.model.result import (
    Arm,
    ArmResult,
    Round,
)
from harness.model.scenario import Scenario, Service
from harness.store.trial import (
    Journal,
    keep_void,
    new_trial_directory,
    partial_round,
    read_journal,
    read_rounds,
    write_journal,
    write_round,
)
from tests.made import books, health, plan


def journal(directory: Path) -> Journal:
    return Journal(
        id="t",
        scenario=Scenario.model_validate(
            {
                "name": "x",
                "recording": "r.parquet",
                "service": {"image": "i"},
                "load": {"replay": {"speed": 2}},
            }
        ),
        recording_digest="d",
        plan=plan(directory),
        baseline="a",
        candidate="b",
        notes=("n",),
        versions={"seatrial": "0"},
        failed_starts=("once",),
        stopped="why",
    )


def round_of(partial: Path, index: int) -> Round:
    arms = {
        arm: ArmResult(
            arm=arm,
            samples=partial / arm / "samples.parquet",
            usage=partial / arm / "usage.parquet",
            cpu_ns=None if arm is Arm.BASELINE else 5,
            books=books(failed=1),
            health=health(),
            died="",
        )
        for arm in Arm
    }
    return Round(
        index=index,
        first=Arm.CANDIDATE,
        plan_digest="p",
        baseline=arms[Arm.BASELINE],
        candidate=arms[Arm.CANDIDATE],
    )


def stored_round(directory: Path, index: int) -> Round:
    partial = partial_round(directory, index)
    round_ = round_of(partial, index)
    for arm in Arm:
        round_.arm(arm).samples.write_bytes(b"samples")
        round_.arm(arm).usage.write_bytes(b"usage")
    return write_round(partial, round_)


def test_journal(tmp_path: Path) -> None:
    """A trial's journal reads back as it was written, wherever the directory is."""
    write_journal(tmp_path, journal(tmp_path))
    moved = tmp_path.rename(tmp_path.with_name("moved"))

    assert journal(moved) == read_journal(moved)


def test_journal_with_a_calibration(tmp_path: Path) -> None:
    """What was known beforehand, and why it does not hold, are part of the trial."""
    known = Calibration(
        scenario="x",
        terms="t",
        machine=Machine(cpu="c", cores=2, memory_gib=8, architecture="a"),
        versions={"seatrial": "0"},
        day="2026-11-25",
        baseline="a",
        trials=1,
        failed=0,
        bound=0.95,
        inconclusive=0,
        invalid=0,
        rounds=4,
        family=5,
        signatures=("500 on GET /",),
    )
    written = replace(journal(tmp_path), calibration=known, doubt="stale: 31 days old")

    write_journal(tmp_path, written)

    assert written == read_journal(tmp_path)


def test_rounds(tmp_path: Path) -> None:
    """Finished rounds come back in order; one under way does not count."""
    for index in (2, 1):
        stored_round(tmp_path, index)
    partial_round(tmp_path, 3)

    rounds = list(read_rounds(tmp_path))

    assert [1, 2] == [each.index for each in rounds]
    final = tmp_path / "round-01"
    assert round_of(final, 1) == rounds[0]


def test_void_round_is_kept(tmp_path: Path) -> None:
    """What there is of a round that was not finished stays, and is no round."""
    partial = partial_round(tmp_path, 1)
    (partial / "baseline" / "generator-0.log").write_text("it ended here")

    keep_void(partial)

    kept = tmp_path / "round-01.void" / "baseline" / "generator-0.log"
    assert "it ended here" == kept.read_text()
    assert [] == list(read_rounds(tmp_path))


def test_other_files_than_were_stored(tmp_path: Path) -> None:
    """A round whose files were changed, lost or moved is refused by name."""
    stored_round(tmp_path, 1)
    stored_round(tmp_path, 2)
    usage = tmp_path / "round-01" / Arm.CANDIDATE / "usage.parquet"

    usage.write_bytes(b"less")
    with pytest.raises(ComparisonError, match=r"usage\.parquet: it is not the file"):
        list(read_rounds(tmp_path))
    usage.unlink()
    with pytest.raises(ComparisonError, match=r"usage\.parquet: is missing"):
        list(read_rounds(tmp_path))
    shutil.rmtree(tmp_path / "round-01")
    (tmp_path / "round-02").rename(tmp_path / "round-01")
    with pytest.raises(ComparisonError, match="it holds round 2"):
        list(read_rounds(tmp_path))
    (tmp_path / "round-01" / "round.json").unlink()
    with pytest.raises(ComparisonError, match=r"round\.json: is missing"):
        list(read_rounds(tmp_path))


def test_url_trial(tmp_path: Path) -> None:
    """The journal of a trial of deployed builds reads back, too."""
    service = Service.model_validate({"url": "http://127.0.0.1:1"})
    known = journal(tmp_path)
    scenario = known.scenario.model_copy(update={"service": service})
    write_journal(tmp_path, replace(known, scenario=scenario))

    assert scenario == read_journal(tmp_path).scenario


@pytest.mark.parametrize(
    ("field", "value"),
    [("notes", "text"), ("stopped", -1), ("plan", {}), ("scenario", None)],
)
def test_wrong_types(tmp_path: Path, field: str, value: object) -> None:
    """A field of another type than was stored is named."""
    write_journal(tmp_path, journal(tmp_path))
    path = tmp_path / "trial.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))

    with pytest.raises(ComparisonError, match=rf"trial\.json: {field}"):
        read_journal(tmp_path)


def test_taken_name(tmp_path: Path) -> None:
    """Two trials of one second get a directory each."""
    names = [new_trial_directory(tmp_path, "t").name for _ in range(3)]

    assert ["t", "t-2", "t-3"] == names


def test_git_sees_nothing_of_it(tmp_path: Path) -> None:
    """Trials in a work tree are no change of it; a place that was there is kept."""
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    new_trial_directory(tmp_path / "trials", "t").joinpath("file").touch()

    assert "" == subprocess.check_output([*git, "status", "--porcelain"], text=True)

    (tmp_path / "there").mkdir()
    new_trial_directory(tmp_path / "there", "t").joinpath("file").touch()

    assert not (tmp_path / "there" / ".gitignore").exists()


def test_no_place(tmp_path: Path) -> None:
    """A place where no directory can be made is named, with the remedy."""
    (tmp_path / "file").touch()

    with pytest.raises(InputError) as caught:
        new_trial_directory(tmp_path / "file" / "below", "t")

    assert "--out" in caught.value.hint


def test_broken(tmp_path: Path) -> None:
    """Broken and newer journals are refused by name; a stranger's folder, too."""
    with pytest.raises(InputError, match=r"holds no trial\.json"):
        read_journal(tmp_path)
    (tmp_path / "trial.json").write_text("{")
    with pytest.raises(ComparisonError, match="broken"):
        read_journal(tmp_path)
    (tmp_path / "trial.json").write_text('{"schema": 99}')
    with pytest.raises(ComparisonError, match="newer"):
        read_journal(tmp_path)
