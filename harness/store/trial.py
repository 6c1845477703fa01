"""A trial's directory: written as the trial goes, enough to judge it again offline.

    trials/<time>-<scenario>/
      trial.json  plan.parquet  requests.parquet
      round-01/   round.json
        baseline/ candidate/   samples.parquet  usage.parquet  logs.txt
      verdict.json  summary.md  junit.xml

A round under way is `round-01.partial`; a file appears under its name when it is whole.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from harness.errors import ComparisonError, InputError
from harness.model.plan import Plan
from harness.model.result import Arm, ArmResult, Books, GeneratorHealth, Round
from harness.model.scenario import Scenario
from harness.store.disk import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "Journal",
    "new_trial_directory",
    "partial_round",
    "read_journal",
    "read_rounds",
    "write_journal",
    "write_round",
    "write_text",
]

_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What `trial.json` holds: all that the verdict needs besides the rounds.

    Attributes:
        id: the trial's.
        scenario: with every default resolved.
        recording_digest: SHA-256 of the recording.
        plan: what each arm was sent; its paths are inside the directory.
        baseline: the build that ran, by reference and digest.
        candidate: likewise.
        environment: facts in words.
        notes: what the reader should know, in words.
        versions: of Seatrial, Python and what measures.
        failed_starts: how the candidate did not come up while the baseline did.
        stopped: why the trial ended before its last round, empty if it did not.
    """

    id: str
    scenario: Scenario
    recording_digest: str
    plan: Plan
    baseline: str
    candidate: str
    environment: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    failed_starts: tuple[str, ...] = ()
    stopped: str = ""


def new_trial_directory(parent: Path, name: str) -> Path:
    """Make a new directory `parent/name`, or `name-2`, … where that is taken.

    Raises:
        InputError: it cannot be made.
    """
    for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
        directory = parent / f"{name}{suffix}"
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(
                f"{directory}: cannot be made: {error.strerror}",
                hint="name another place with --out",
            ) from error
        return directory
    raise InputError(f"{parent}: too many trials named {name}")


def write_text(path: Path, text: str) -> None:
    """Write a file that appears under its name only when it is whole."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with writing(path):
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_journal(directory: Path, journal: Journal) -> None:
    """Write or replace `trial.json`."""
    plan = asdict(journal.plan)
    for name in ("shots_path", "requests_path"):
        plan[name] = plan[name].name
    content = {
        "schema": _SCHEMA,
        **{name: getattr(journal, name) for name in journal.__slots__},
        "scenario": journal.scenario.model_dump(mode="json", exclude_none=True),
        "plan": plan,
    }
    write_text(directory / "trial.json", json.dumps(content, indent=2) + "\n")


def read_journal(directory: Path) -> Journal:
    """Read `trial.json`.

    Raises:
        InputError: the directory holds no trial.
        ComparisonError: the file is broken or of a newer version.
    """
    path = directory / "trial.json"
    content = _read_json(path)
    with reading(path):
        plan = content["plan"]
        for name in ("shots_path", "requests_path"):
            plan[name] = directory / plan[name]
        del content["schema"]
        for name in ("environment", "notes", "failed_starts"):
            content[name] = tuple(content[name])
        content["scenario"] = Scenario.model_validate(content["scenario"])
        return Journal(**{**content, "plan": Plan(**plan)})


def partial_round(directory: Path, index: int) -> Path:
    """A new, empty directory for a round under way, with one for each arm."""
    partial = directory / f"round-{index:02}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    with writing(partial):
        for arm in Arm:
            (partial / arm).mkdir(parents=True)
    return partial


def write_round(partial: Path, round_: Round) -> Round:
    """Give a finished round its final name and return it with its final paths."""
    write_text(partial / "round.json", json.dumps(_plain(round_), indent=2) + "\n")
    final = partial.with_suffix("")
    partial.replace(final)
    return _round(final)


def read_rounds(directory: Path) -> Iterator[Round]:
    """The finished rounds in order."""
    for path in sorted(directory.glob("round-[0-9][0-9]")):
        yield _round(path)


def _plain(round_: Round) -> dict[str, Any]:
    content = asdict(round_)
    for arm in Arm:
        for name in ("samples", "usage"):
            content[arm][name] = content[arm][name].name
    return {"schema": _SCHEMA, **content}


def _round(directory: Path) -> Round:
    content = _read_json(directory / "round.json")
    with reading(directory / "round.json"):
        return _round_of(content, directory)


def _round_of(content: dict[str, Any], directory: Path) -> Round:
    arms = {arm: _arm_result(content[arm], directory / arm) for arm in Arm}
    return Round(
        index=content["index"],
        first=Arm(content["first"]),
        plan_digest=content["plan_digest"],
        baseline=arms[Arm.BASELINE],
        candidate=arms[Arm.CANDIDATE],
    )


def _arm_result(content: dict[str, Any], directory: Path) -> ArmResult:
    return ArmResult(
        arm=Arm(content["arm"]),
        samples=directory / content["samples"],
        usage=directory / content["usage"],
        cpu_ns=content["cpu_ns"],
        books=Books(**content["books"]),
        health=GeneratorHealth(**content["health"]),
        died=content["died"],
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise InputError(
            f"{path.parent}: this is not a trial's directory: it holds no {path.name}"
        )
    with reading(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        schema = int(content["schema"])
    if schema > _SCHEMA:
        raise ComparisonError(
            f"{path}: written by a newer Seatrial (schema {schema})",
            hint="judge it with that version",
        )
    return dict(content)
