"""A night: a trial of each scenario, one after the other, whatever becomes of one."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from harness.environment import this_machine
from harness.errors import InputError, SeatrialError
from harness.model.history import Past
from harness.model.night import End, Turn
from harness.model.result import Arm
from harness.report.wording import printable, reasons
from harness.reporting import spared
from harness.store.history import record
from harness.trial import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.model.progress import Announcement
    from harness.model.verdict import Report
    from harness.trial import Terms

__all__ = ["Night", "exit_code", "scenario_files"]

_END_OF: Final[Mapping[int, End]] = {2: End.WRONG_INPUT, 4: End.NOT_MEASURED}
"""How a turn ends that an error ends, by the exit code of the error."""

_WORST_FIRST: Final = (
    (End.FAIL, 1),
    (End.NOT_MEASURED, 4),
    (End.INVALID, 4),
    (End.WRONG_INPUT, 2),
    (End.INCONCLUSIVE, 3),
    (End.NOT_RUN, 3),
)
"""The exit code of a night that has a turn which ended so, and none of those before."""


def exit_code(turns: Iterable[Turn]) -> int:
    """Of a whole night: its worst turn's."""
    ends = {turn.end for turn in turns}
    return next((code for end, code in _WORST_FIRST if end in ends), 0)


def scenario_files(places: Iterable[Path]) -> tuple[Path, ...]:
    """The files, and those of the directories in order of name; each once.

    Raises:
        InputError: a directory holds none, or cannot be read.
    """
    files = (file for place in places for file in _files_of(place))
    return tuple({file.absolute(): file for file in files}.values())


def _files_of(place: Path) -> Sequence[Path]:
    try:
        if not place.is_dir():
            return [place]
        files = sorted(
            file
            for file in place.iterdir()
            if file.suffix == ".yaml" and file.is_file()
        )
    except OSError as error:
        raise InputError(f"{place}: cannot be read: {error.strerror}") from error
    if not files:
        raise InputError(
            f"{place}: holds no scenario: no file there is named *.yaml",
            hint="`seatrial init` writes one",
        )
    return files


class Night:
    """The trials of a night, each remembered as it ends.

    Args:
        files: of the scenarios.
        asked: the terms of a file's trial.
        max_time_s: of all of them together: a trial gets what is left, and none starts
            after it; `None`: no limit.
        history: where their verdicts are remembered.
        announce: told what happens.
        run: runs a trial.
        clock: the time in seconds.
    """

    def __init__(
        self,
        files: Iterable[Path],
        asked: Callable[[Path], Terms],
        *,
        max_time_s: float | None,
        history: Path,
        announce: Callable[[Announcement], None],
        run: Callable[[Terms], tuple[Path, Report]] = verify,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asked, self._run, self._clock = asked, run, clock
        self._max_time_s, self._history, self._announce = max_time_s, history, announce
        self._turns = {
            file: _not_run(file, "the night ended before its turn") for file in files
        }

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What became of each scenario, as far as the night has come."""
        return tuple(self._turns.values())

    def play(self) -> None:
        """Run every trial that there is time for.

        Raises:
            KeyboardInterrupt: interrupted; what was finished is remembered.
        """
        started_s = self._clock()
        for file in self._turns:
            left_s = self._left_s(started_s)
            if left_s is None or left_s > 0:
                self._announce(f"\n== {printable(str(file))}")
                self._turns[file] = _not_run(file, "it did not come to its end")
                self._take(file, left_s)
            else:
                late = f"--max-time {self._max_time_s:g}s was used up"
                self._turns[file] = _not_run(file, late)
                self._announce(f"\n== {printable(str(file))}: not run: {late}")

    def _left_s(self, started_s: float) -> float | None:
        limit_s = self._max_time_s
        return None if limit_s is None else limit_s - (self._clock() - started_s)

    def _take(self, file: Path, left_s: float | None) -> None:
        turn = self._turns[file]
        try:
            terms = replace(self._asked(file), max_time_s=left_s, since_s=self._clock())
            turn = replace(turn, scenario=terms.scenario.name)
            directory, report = self._run(terms)
        except SeatrialError as error:
            end = _END_OF.get(error.exit_code, End.NOT_MEASURED)
            self._turns[file] = replace(turn, end=end, reason=error.message)
            self._announce(f"{end}: {error}")
            return
        except Exception as error:  # noqa: BLE001 - the night goes on
            reason = f"{type(error).__name__}: {error}"
            self._turns[file] = replace(turn, end=End.NOT_MEASURED, reason=reason)
            self._announce(f"{End.NOT_MEASURED}: {reason}")
            return
        self._turns[file] = replace(
            turn,
            end=End(report.verdict.outcome),
            reason=next(iter(reasons(report)), ""),
            directory=str(directory),
        )
        self._announce(f"{report.verdict.outcome}: {self._turns[file].reason}")
        self._announce(f"files: {directory}")
        with spared(str(self._history), self._announce):
            record(self._history, [_past(terms, directory, report)])


def _not_run(file: Path, why: str) -> Turn:
    return Turn(file=str(file), end=End.NOT_RUN, reason=why)


def _past(terms: Terms, directory: Path, report: Report) -> Past:
    baseline, candidate = (terms.references[arm] for arm in Arm)
    return Past(
        id=directory.name,
        scenario=report.scenario,
        recorded_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        baseline=baseline.text,
        candidate=candidate.text,
        baseline_commit=baseline.commit,
        candidate_commit=candidate.commit,
        machine=this_machine().words,
        outcome=report.verdict.outcome,
        fix=str(report.proof.outcome) if report.proof else "",
        rounds=report.rounds,
        requests=report.requests,
        directory=str(directory.absolute()),
        estimates=report.estimates,
    )
