"""A stored trial judged again: whole, and with each of its files damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.__main__ import main
from harness.dossier import Dossier, read_dossier
from harness.model.calibration import Calibration, Machine
from harness.model.plan import PlannedRequest
from harness.model.progress import Announcement, Complaint
from harness.model.result import (
    SAMPLE_FIELDS,
    Arm,
    ArmResult,
    Round,
)
from harness.model.scenario import Scenario
from harness.model.traffic import Request
from harness.model.verdict import Outcome
from harness.report.agent import AGENT_FILE
from harness.reporting import FILES, PAGE, write_reports
from harness.store.plan import write_plan
from harness.store.sample import write_columns, write_usage
from harness.store.trial import (
    Journal,
    partial_round,
    read_journal,
    write_journal,
    write_round,
)
from tests.made import books, health

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harness.model.plan import Plan
    from harness.model.verdict import Report

    Columns = dict[str, NDArray[Any]]
    Damage = Callable[[Path], None]

MS: Final = 1_000_000
SHOTS: Final = 800
WARM: Final = 100
SAMPLES: Final = "round-02/candidate/samples.parquet"
USAGE: Final = "round-02/candidate/usage.parquet"

SCENARIO: Final = Scenario.model_validate(
    {
        "name": "x",
        "recording": "r.parquet",
        "service": {"image": "i"},
        "load": {"replay": {}},
        "rounds": {"min": 3, "max": 3},
        "budgets": {"errors": "0.3%"},
    }
)


def _plan(directory: Path) -> Plan:
    """A user a shot, one each millisecond, after 100 of warm-up."""
    request = Request(method="GET", target="/")
    planned = PlannedRequest(
        request=request, route="GET /", cookies=(), recorded_status=200
    )
    shots = {
        "user": np.arange(SHOTS),
        "due_ns": np.arange(SHOTS) * MS,
        "think_ns": np.zeros(SHOTS),
        "fresh": np.ones(SHOTS),
        "request": np.zeros(SHOTS),
    }
    return write_plan(
        directory,
        shots,
        [planned],
        open_loop=True,
        warmup_ns=WARM * MS,
        slice_ns=(SHOTS - WARM) * MS,
        slices=1,
        planned=SHOTS - WARM,
        peak_users=SHOTS,
    )


def _arm(arm: Arm, directory: Path) -> ArmResult:
    """Answers after 1 to 70 ms, of 100 MB and a millisecond of CPU each."""
    shot = np.arange(SHOTS)
    due_ns = 10**12 + shot * MS
    values = {
        "shot": shot,
        "slice": shot >= WARM,
        "due_ns": due_ns,
        "eligible_ns": due_ns,
        "sent_ns": due_ns,
        "done_ns": due_ns + (1 + shot % 70) * MS,
        "status": np.full(SHOTS, 200),
    }
    samples, usage = directory / "samples.parquet", directory / "usage.parquet"
    write_columns(
        samples,
        {
            name: np.asarray(values.get(name, np.zeros(SHOTS)), kind)
            for name, kind in SAMPLE_FIELDS.items()
        },
    )
    readings = (
        {
            "at_ns": int(at_ns),
            "working_set_bytes": 10**8,
            "anonymous_bytes": 10**8,
            "cpu_ns": 0,
        }
        for at_ns in due_ns[::40]
    )
    write_usage(usage, readings)
    return ArmResult(
        arm=arm,
        samples=samples,
        usage=usage,
        cpu_ns=(SHOTS - WARM) * MS,
        books=books(SHOTS),
        health=health(),
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trial of three rounds that passes."""
    directory = tmp_path_factory.mktemp("whole")
    plan = _plan(directory)
    for index in (1, 2, 3):
        partial = partial_round(directory, index)
        arms = {arm: _arm(arm, partial / arm) for arm in Arm}
        write_round(
            partial,
            Round(
                index=index,
                first=Arm.BASELINE,
                plan_digest=plan.digest,
                baseline=arms[Arm.BASELINE],
                candidate=arms[Arm.CANDIDATE],
            ),
        )
    journal = Journal(
        id="t",
        scenario=SCENARIO,
        recording_digest="",
        plan=plan,
        baseline="a",
        candidate="b",
        finished=(1, 2, 3),
    )
    write_journal(directory, journal)
    return directory


def _judged(trial: Path) -> Report:
    journal, dossier = read_dossier(trial)
    return dossier.reports(journal)[0]


def test_whole(whole: Path) -> None:
    """The trial that the others damage passes."""
    assert _judged(whole).verdict.outcome is Outcome.PASS


def test_a_round_that_was_not_measured(whole: Path, tmp_path: Path) -> None:
    """Stored as a trial was stopped, a round counts no more than it did then."""
    trial = tmp_path / "trial"
    shutil.copytree(whole, trial)
    write_journal(trial, replace(read_journal(trial), finished=(1, 2)))

    assert _judged(trial).rounds == 2


@pytest.mark.parametrize(("baseline", "known"), [("a", True), ("another", False)])
def test_known_errors_are_of_the_same_baseline(
    whole: Path, baseline: str, known: bool
) -> None:
    """What another build showed against itself may be what this one has repaired."""
    journal = read_journal(whole)
    calibration = Calibration(
        scenario="x",
        terms="t",
        machine=Machine(cpu="c", cores=1, memory_gib=1, architecture="a"),
        versions={},
        day="2026-11-25",
        baseline=baseline,
        trials=1,
        failed=0,
        bound=0.95,
        inconclusive=0,
        invalid=0,
        rounds=4,
        family=1,
        signatures=("500 on GET /",),
    )
    found = Dossier(journal).evidence(replace(journal, calibration=calibration))

    assert known == ("500 on GET /" in found.known)


def _missing(name: str) -> Damage:
    def damage(trial: Path) -> None:
        path = trial / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    return damage


def _cut(name: str, share: float = 0.5) -> Damage:
    """The first part of a file, as after a full disk."""

    def damage(trial: Path) -> None:
        content = (trial / name).read_bytes()
        (trial / name).write_bytes(content[: int(share * len(content))])

    return damage


def _edited(name: str, *path: str, value: object) -> Damage:
    """One field of a JSON document is another."""

    def damage(trial: Path) -> None:
        document = json.loads((trial / name).read_text())
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        (trial / name).write_text(json.dumps(document))

    return damage


def _columns(name: str, change: Callable[[Columns], Columns]) -> Damage:
    """Other columns, with a digest that fits them: a broken program wrote them."""

    def damage(trial: Path) -> None:
        table = pq.read_table(trial / name)
        columns = {each: table[each].to_numpy().copy() for each in table.column_names}
        pq.write_table(pa.table(change(columns)), trial / name)
        round_, _, file = name.partition("/")
        digest = hashlib.sha256((trial / name).read_bytes()).hexdigest()
        _edited(f"{round_}/round.json", "files", file, value=digest)(trial)

    return damage


def _put(field: str, value: int) -> Callable[[Columns], Columns]:
    """That value in row 5."""

    def change(columns: Columns) -> Columns:
        columns[field][5] = value
        return columns

    return change


def _nan(field: str) -> Callable[[Columns], Columns]:
    return lambda columns: {**columns, field: np.full(len(columns[field]), np.nan)}


def _without(field: str) -> Callable[[Columns], Columns]:
    return lambda columns: {k: v for k, v in columns.items() if k != field}


def _no_clock(columns: Columns) -> Columns:
    for name in ("due_ns", "eligible_ns", "sent_ns", "done_ns"):
        columns[name][:] = 0
    return columns


DAMAGES: Final[dict[str, tuple[Damage, int, str]]] = {
    "no journal": (_missing("trial.json"), 2, "it holds no trial.json"),
    "no plan": (_missing("plan.parquet"), 4, "plan.parquet: is missing"),
    "no requests": (_missing("requests.parquet"), 4, "requests.parquet: is missing"),
    "no round": (_missing("round-02"), 4, "round-02: is missing"),
    "no last round": (_missing("round-03"), 4, "round-03: is missing"),
    "no arm": (_missing("round-02/candidate"), 4, "samples.parquet: is missing"),
    "no round.json": (_missing("round-02/round.json"), 4, "round.json: is missing"),
    "no samples": (_missing(SAMPLES), 4, f"{SAMPLES}: is missing"),
    "no usage": (_missing(USAGE), 4, f"{USAGE}: is missing"),
    "half a journal": (_cut("trial.json"), 4, "trial.json: broken: "),
    "half a plan": (_cut("plan.parquet"), 4, "plan.parquet: broken: "),
    "half the requests": (_cut("requests.parquet"), 4, "requests.parquet: broken: "),
    "half a round.json": (_cut("round-02/round.json"), 4, "round.json: broken: "),
    "half the samples": (_cut(SAMPLES), 4, f"{SAMPLES}: it is not the file that was"),
    "half the usage": (_cut(USAGE), 4, f"{USAGE}: it is not the file that was stored"),
    "empty journal": (_cut("trial.json", 0), 4, "trial.json: broken: "),
    "empty plan": (_cut("plan.parquet", 0), 4, "plan.parquet: broken: "),
    "empty round.json": (_cut("round-02/round.json", 0), 4, "round.json: broken: "),
    "empty samples": (_cut(SAMPLES, 0), 4, f"{SAMPLES}: it is not the file that was"),
    "another plan": (
        _edited("trial.json", "plan", "digest", value="x"),
        4,
        "plan.parquet: it is not the plan of this trial",
    ),
    "a plan without slices": (
        _edited("trial.json", "plan", "slices", value=0),
        4,
        "trial.json: plan: a plan has slices",
    ),
    "a newer round": (
        _edited("round-02/round.json", "schema", value=2),
        4,
        "round.json: written by a newer Seatrial",
    ),
    "an arm in the other's place": (
        _edited("round-02/round.json", "round", "candidate", "arm", value="baseline"),
        4,
        "round.json: round: each arm is in its own place",
    ),
    "no worker": (
        _edited("round-02/round.json", *("round", "candidate", "health"), value={}),
        4,
        "round.json: round.candidate.health.cpu_ratio: Field required",
    ),
    "NaN in a round": (
        _edited(
            "round-02/round.json",
            *("round", "candidate", "health", "steal_ratio"),
            value=float("nan"),
        ),
        4,
        "round.json: broken: NaN is not a number of JSON",
    ),
    "files that nobody checks": (
        _edited("round-02/round.json", "files", value={}),
        4,
        "round.json: files: not those of its arms",
    ),
    "a clock that is NaN": (
        _columns(SAMPLES, _nan("done_ns")),
        4,
        f"{SAMPLES}: broken: column done_ns is not as it was written",
    ),
    "a clock of 0": (
        _columns(SAMPLES, _no_clock),
        4,
        f"{SAMPLES}: broken: sample 0 has no times",
    ),
    "a clock that is missing": (
        _columns(SAMPLES, _without("sent_ns")),
        4,
        f"{SAMPLES}: broken: it has no column sent_ns",
    ),
    "done before it was sent": (
        _columns(SAMPLES, _put("done_ns", 10**12)),
        4,
        f"{SAMPLES}: broken: sample 5 ended before it was sent",
    ),
    "sent before it was due": (
        _columns(SAMPLES, _put("sent_ns", 1)),
        4,
        f"{SAMPLES}: broken: sample 5 was sent before it was due",
    ),
    "a shot that was not planned": (
        _columns(SAMPLES, _put("shot", SHOTS)),
        4,
        f"{SAMPLES}: broken: sample 5 is of a shot that there is not",
    ),
    "a slice that was not played": (
        _columns(SAMPLES, _put("slice", 2)),
        4,
        f"{SAMPLES}: broken: sample 5 is of a slice that was not played",
    ),
    "a cause that nobody knows": (
        _columns(SAMPLES, _put("cause", 200)),
        4,
        f"{SAMPLES}: broken: sample 5 has a cause that nobody knows",
    ),
    "readings that are NaN": (
        _columns(USAGE, _nan("anonymous_bytes")),
        4,
        f"{USAGE}: broken: column anonymous_bytes is not as it was written",
    ),
    "no samples in an arm": (
        _columns(SAMPLES, lambda columns: {k: v[:0] for k, v in columns.items()}),
        4,
        f"{SAMPLES}: broken: it holds 0 requests, the books 800",
    ),
    "samples twice": (
        _columns(
            SAMPLES,
            lambda columns: {k: np.concatenate([v, v]) for k, v in columns.items()},
        ),
        4,
        f"{SAMPLES}: broken: it holds 1,600 requests, the books 800",
    ),
    "only a warm-up in an arm": (
        _columns(SAMPLES, lambda columns: {**columns, "slice": np.zeros(SHOTS, "u2")}),
        3,
        "requests: none of the candidate in round 2",
    ),
    "readings by a clock that stands at 0": (
        _columns(USAGE, lambda columns: {**columns, "at_ns": columns["at_ns"] * 0}),
        4,
        f"{USAGE}: broken: reading 0 is before the one before it",
    ),
    "readings by a clock that goes back": (
        _columns(USAGE, lambda columns: {k: v[::-1] for k, v in columns.items()}),
        4,
        f"{USAGE}: broken: reading 1 is before the one before it",
    ),
    "no readings in an arm": (
        _columns(USAGE, lambda columns: {k: v[:0] for k, v in columns.items()}),
        3,
        "memory: not judged: memory is not measured here",
    ),
    "no CPU time of an arm": (
        _edited("round-02/round.json", "round", "candidate", "cpu_ns", value=None),
        3,
        "cpu: not judged: CPU time is not measured here",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged(
    tmp_path: Path,
    whole: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """Each damage is named with its file, or leaves no PASS; nothing is a crash."""
    damage, code, message = DAMAGES[name]
    trial = tmp_path / "trial"
    shutil.copytree(whole, trial)
    damage(trial)
    monkeypatch.setattr(sys, "argv", ["seatrial", "judge", str(trial)])

    with pytest.raises(SystemExit) as stopped:
        main()

    out, err = capsys.readouterr()
    assert code == stopped.value.code, out + err
    assert message in out + err
    assert ("error: " in err, "hint: " in err) == (code != 3, code == 4)
    assert "internal error" not in err


@pytest.mark.parametrize("name", [*FILES, AGENT_FILE, PAGE])
def test_a_report_that_cannot_be_written(
    whole: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """It is named, and costs neither the verdict, nor its code, nor the others."""
    trial = tmp_path / "trial"
    shutil.copytree(whole, trial)
    (trial / name).mkdir()
    (trial / name / "x").touch()
    monkeypatch.setattr(sys, "argv", ["seatrial", "judge", str(trial)])

    with pytest.raises(SystemExit) as stopped:
        main()

    out, err = capsys.readouterr()
    assert (0, True) == (stopped.value.code, out.startswith("PASS"))
    assert f"{name}: cannot be written: Is a directory" in err
    assert all((trial / each).is_file() != (each == name) for each in (*FILES, PAGE))


def test_a_page_that_cannot_be_made(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in a report's making ends nothing but that report."""
    trial = tmp_path / "trial"
    shutil.copytree(whole, trial)

    def broken(*_: object, **__: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("harness.reporting.html", broken)
    said: list[Announcement] = []

    written = write_reports(trial, *read_dossier(trial), said.append)

    assert written.report.verdict.outcome is Outcome.PASS
    assert written.missing == {PAGE}
    line = "report.html cannot be made: ZeroDivisionError: "
    assert said == [Complaint(line=line)]
    assert (trial / AGENT_FILE).exists()


@pytest.mark.parametrize(("form", "name"), [("html", PAGE), ("agent", AGENT_FILE)])
def test_an_old_report_is_no_answer(
    whole: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    form: str,
    name: str,
) -> None:
    """Where the new one cannot be made, the one of before is neither shown nor left."""
    trial = tmp_path / "trial"
    shutil.copytree(whole, trial)
    (trial / name).write_text("OLD")

    def broken(*_: object, **__: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(f"harness.reporting.{form}", broken)
    monkeypatch.setattr(
        sys, "argv", ["seatrial", "judge", str(trial), "--format", form]
    )

    with pytest.raises(SystemExit) as stopped:
        main()

    out, err = capsys.readouterr()
    assert (0, "") == (stopped.value.code, out)
    assert f"{name} cannot be made: ZeroDivisionError" in err
    assert not (trial / name).exists()


def test_a_verdict_that_cannot_be_said(whole: Path, tmp_path: Path) -> None:
    """A full disk where the report should be printed does not change the exit code."""
    trial = tmp_path / "trial"
    shutil.copytree(whole, trial)
    command = [sys.executable, "-m", "harness", "judge", str(trial)]

    with Path("/dev/full").open("w") as stdout:
        done = subprocess.run(
            command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 0
    assert "standard output: cannot be written" in done.stderr
