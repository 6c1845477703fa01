"""A trial's directory: written as the trial goes, enough to judge it again offline.

    trials/<time>-<scenario>/
      trial.json  plan.parquet  requests.parquet
      round-01/   round.json
        baseline/ candidate/   samples.parquet  usage.parquet  logs.txt  answers.parquet
        baseline/              before.parquet
      verdict.json  summary.md  junit.xml  agent.json  report.html

A round under way is `round-01.partial`, one that lost a load worker `round-01.void`. A
file appears under its name when it is whole.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter

from harness.errors import ComparisonError, InputError
from harness.model.calibration import (
    Calibration,  # noqa: TC001 - pydantic reads the annotation
)
from harness.model.plan import Plan  # noqa: TC001 - pydantic reads the annotation
from harness.model.profile import Profile  # noqa: TC001 - likewise
from harness.model.result import Arm, ArmResult, Round
from harness.model.scenario import Scenario  # noqa: TC001 - likewise
from harness.store.answer import drop_spools
from harness.store.disk import EDITED, reading, write_text, writing
from harness.store.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Journal",
    "keep_void",
    "make_parent",
    "new_trial_directory",
    "next_round",
    "partial_round",
    "read_journal",
    "read_report",
    "read_rounds",
    "write_journal",
    "write_round",
]


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
        machine: on which it was begun, in words.
        versions: of Seatrial, Python and what measures.
        failed_starts: how the candidate did not come up while the baseline did.
        lost_rounds: rounds that a load worker did not live through, and why.
        finished: indices of the rounds that are stored and measured; `None` in trials
            of before there was such a list.
        stopped: why the trial ended before its last round, empty if it did not.
        calibration: what was known beforehand of what could be seen, if anything.
        doubt: why that is not so of this trial, empty if it is.
        profile: of both arms, where the verdict asked for one.
        command: that asks for the same again, empty where there is none.
        workers: load workers an arm; 0 in trials of before that was told.
    """

    id: str
    scenario: Scenario
    recording_digest: str
    plan: Plan
    baseline: str
    candidate: str
    environment: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    machine: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    failed_starts: tuple[str, ...] = ()
    lost_rounds: tuple[str, ...] = ()
    finished: tuple[int, ...] | None = None
    stopped: str = ""
    calibration: Calibration | None = None
    doubt: str = ""
    profile: Profile | None = None
    command: str = ""
    workers: int = 0


def make_parent(parent: Path) -> None:
    """Make a directory for trials that git ignores; one that is there stays as it is.

    Else what is stored in a work tree would be a change of the build in it.

    Raises:
        OSError: it cannot be made.
    """
    if not parent.exists():
        parent.mkdir(parents=True, exist_ok=True)
        write_text(parent / ".gitignore", "*\n")


def new_trial_directory(parent: Path, name: str) -> Path:
    """Make a new directory `parent/name`, or `name-2`, … where that is taken.

    Raises:
        InputError: it cannot be made.
    """
    for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
        directory = parent / f"{name}{suffix}"
        try:
            make_parent(parent)
            directory.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(
                f"{directory}: cannot be made: {error.strerror}",
                hint="name another place with --out",
            ) from error
        return directory
    raise InputError(f"{parent}: too many trials named {name}")


def read_report(path: Path) -> str:
    """The text of a report that stands in a trial's directory.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        parent = path.parent
        raise InputError(
            f"{path}: cannot be read: {error}",
            hint=f"seatrial judge {parent} makes it, if that is a trial's directory",
        ) from error


def write_journal(directory: Path, journal: Journal) -> None:
    """Write or replace `trial.json`."""
    plan = journal.plan
    named = replace(
        plan,
        shots_path=Path(plan.shots_path.name),
        requests_path=Path(plan.requests_path.name),
    )
    text = _JOURNAL.text(replace(journal, plan=named))
    write_text(directory / "trial.json", text)


def read_journal(directory: Path) -> Journal:
    """Read `trial.json`.

    Raises:
        InputError: the directory holds no trial.
        ComparisonError: the file is broken or of a newer version.
    """
    path = directory / "trial.json"
    if not path.is_file():
        raise InputError(
            f"{directory}: this is not a trial's directory: it holds no {path.name}"
        )
    journal = _read(path, _JOURNAL)
    plan = replace(
        journal.plan,
        shots_path=directory / journal.plan.shots_path,
        requests_path=directory / journal.plan.requests_path,
    )
    return replace(journal, plan=plan)


def next_round(directory: Path) -> int:
    """The index after all rounds that came to an end, void and lost ones too."""
    names = [path.name for path in directory.glob("round-[0-9][0-9]*")]
    ended = (int(name[6:8]) for name in names if not name.endswith(_PARTIAL))
    return 1 + max(ended, default=0)


def partial_round(directory: Path, index: int) -> Path:
    """A new, empty directory for a round under way, with one for each arm."""
    partial = directory / f"{_round_name(index)}{_PARTIAL}"
    shutil.rmtree(partial, ignore_errors=True)
    with writing(partial):
        for arm in Arm:
            (partial / arm).mkdir(parents=True)
    return partial


def keep_void(partial: Path) -> None:
    """Keep what there is of a round that was not finished, as `round-NN.void`."""
    void = partial.with_suffix(".void")
    shutil.rmtree(void, ignore_errors=True)
    for arm in Arm:
        drop_spools(partial / arm)
    with writing(void):
        partial.replace(void)


def write_round(partial: Path, round_: Round) -> Round:
    """Give a finished round its final name and return it with its final paths."""
    final = partial.with_suffix("")
    bare = _under(round_, partial, Path())
    files = {str(file): _digest(partial / file) for file in _files(bare)}
    text = _ROUND.text(_StoredRound(files=files, round=bare))
    write_text(partial / "round.json", text)
    with writing(final):
        partial.replace(final)
    return _under(round_, partial, final)


def _round_paths(directory: Path, finished: Iterable[int] | None) -> list[Path]:
    if finished is None:
        return sorted(directory.glob("round-[0-9][0-9]"))
    paths = [directory / _round_name(index) for index in finished]
    for path in paths:
        if not path.is_dir():
            raise _broken(path, "is missing, and a verdict without it is another one")
    return paths


def read_rounds(
    directory: Path, finished: Iterable[int] | None = None
) -> Iterator[Round]:
    """The finished rounds in order.

    Args:
        directory: the trial's.
        finished: indices of those that count; `None` for all that there are.

    Raises:
        ComparisonError: a round is missing, or not as it was stored.
    """
    for path in _round_paths(directory, finished):
        stored = _read(path / "round.json", _ROUND)
        if stored.files.keys() != {str(file) for file in _files(stored.round)}:
            raise _broken(path / "round.json", "files: not those of its arms")
        for file, digest in stored.files.items():
            if _digest(path / file) != digest:
                raise _broken(path / file, "it is not the file that was stored")
        if path.name != _round_name(stored.round.index):
            raise _broken(path, f"it holds round {stored.round.index}")
        yield _under(stored.round, Path(), path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredRound:
    files: dict[str, str]
    round: Round


_Content = TypeVar("_Content")
_JOURNAL: Final = Document(content=TypeAdapter(Journal), remedy=EDITED)
_ROUND: Final = Document(content=TypeAdapter(_StoredRound), remedy=EDITED)


_PARTIAL: Final = ".partial"


def _round_name(index: int) -> str:
    return f"round-{index:02}"


_FILES: Final = (
    *("samples", "usage", "answers", "before", "logs"),
    *("metrics_before", "metrics_after"),
)
"""Attributes of an arm's result that name a file, or none."""


def _files(round_: Round) -> Iterator[Path]:
    for arm in Arm:
        yield from _named(round_.arm(arm)).values()


def _named(result: ArmResult) -> dict[str, Path]:
    paths = ((name, getattr(result, name)) for name in _FILES)
    return {name: path for name, path in paths if path is not None}


def _under(round_: Round, before: Path, after: Path) -> Round:
    """The round with its files below another directory."""
    arms = {}
    for arm in Arm:
        result = round_.arm(arm)
        moved: dict[str, Any] = {
            name: after / path.relative_to(before)
            for name, path in _named(result).items()
        }
        arms[arm] = replace(result, **moved)
    return replace(round_, baseline=arms[Arm.BASELINE], candidate=arms[Arm.CANDIDATE])


def _digest(path: Path) -> str:
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, document: Document[_Content]) -> _Content:
    with reading(path):
        text = path.read_text(encoding="utf-8")
    return document.read(text, path)


def _broken(path: Path, message: str) -> ComparisonError:
    return ComparisonError(f"{path}: {message}", hint=EDITED)
