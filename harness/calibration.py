"""What this machine can see of a scenario: trials whose answer is known beforehand.

Trials of the baseline against itself, which no FAIL is right for, and against itself
with a change made on purpose, which only FAIL is right for. Each is a trial as any
other and is kept; what is there already is not run again.

    <out>/calibration-<scenario>.json
    <out>/calibration-<scenario>/<key>/
      same-01/<trial>/  same-02/<trial>/  …
      <change>-01/<trial>/  …
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from harness.compare.calibration import OLD_DAYS, calibrated
from harness.compare.judge import is_over, judge
from harness.dossier import evidence_of
from harness.environment import Kind
from harness.errors import InputError
from harness.model.result import Arm
from harness.opening import circumstances
from harness.store.calibration import calibration_path, write_calibration
from harness.store.disk import writing
from harness.store.trial import make_parent
from harness.trial import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.compare.calibration import Circumstances
    from harness.compare.evidence import TrialEvidence
    from harness.environment import Reference
    from harness.model.calibration import Calibration
    from harness.model.scenario import Scenario
    from harness.model.verdict import Report
    from harness.trial import Terms

__all__ = ["calibrate"]

_DIGITS: Final = 12
_SLUG: Final = 40
_NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9]+")


def calibrate(
    terms: Terms,
    *,
    trials: int,
    trials_of_change: int,
    run: Callable[[Terms], tuple[Path, Report]] = verify,
) -> Calibration:
    """Run what is missing of a calibration, store what it says and return it.

    However it ends, what there is of it is stored if it holds a trial of the baseline
    against itself.

    Args:
        terms: of each trial; both references are the baseline, so the claim of a fix is
            left out. Its `max_time_s` is for
            all of them together, its `parent` for the calibration.
        trials: of the baseline against itself.
        trials_of_change: of each change that the scenario names.
        run: runs a trial.

    Raises:
        InputError: there was no time for a single trial, or nothing can be changed.
        SeatrialError: a trial could not be measured.
        KeyboardInterrupt: interrupted; finished trials are kept.
    """
    unfixed = terms.scenario.model_copy(update={"fix": None})
    terms, changes = replace(terms, scenario=unfixed), unfixed.calibrate.changes
    if changes and terms.references[Arm.BASELINE].kind is Kind.URL:
        raise InputError("a deployed URL takes no environment: no `calibrate.changes`")
    now = circumstances(terms.scenario, terms.recording)
    course = _Course(terms, now, run)
    try:
        course.play(_plays(terms.scenario, trials, trials_of_change))
    finally:
        calibration = course.result()
    if calibration is None:
        raise InputError(
            "no trial of the baseline against itself was finished",
            hint="give it more time: a trial takes as long as with `seatrial verify`",
        )
    return calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class _Play:
    """One trial of a calibration.

    Attributes:
        place: the directory that holds it.
        change: the name of what is changed, empty for nothing.
        env: of the candidate alone.
    """

    place: str
    change: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


def _plays(scenario: Scenario, trials: int, each: int) -> Iterator[_Play]:
    for number in range(1, trials + 1):
        yield _Play(place=f"same-{number:02}")
    for number in range(1, each + 1):
        for name, change in scenario.calibrate.changes.items():
            slug = _NOT_A_NAME.sub("-", name).strip("-")[:_SLUG]
            digest = _digest([name, change.env])[:_DIGITS]
            place = f"{slug}-{digest}-{number:02}".removeprefix("-")
            yield _Play(place=place, change=name, env=change.env)


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class _Course:
    """The trials of a calibration, those of an earlier start included."""

    def __init__(
        self,
        terms: Terms,
        now: Circumstances,
        run: Callable[[Terms], tuple[Path, Report]],
    ) -> None:
        self._terms, self._now, self._run = terms, now, run
        self._started_s = time.monotonic()
        rounds = terms.scenario.rounds
        round_s = 2 * (rounds.warmup + rounds.slices * rounds.slice) / 1e9
        self._longest_s = rounds.min * round_s
        self._path = calibration_path(terms.parent, terms.scenario.name)
        self._place = self._path.with_suffix("") / _key(terms, now)[:_DIGITS]
        self._same: list[TrialEvidence] = []
        self._injected: dict[str, list[TrialEvidence]] = {}
        self._first_day = date.fromisoformat(now.day)

    def play(self, plays: Iterator[_Play]) -> None:
        """Run each trial that is not there, as long as there is time."""
        for play in plays:
            title = play.change or "the baseline against itself"
            played = self._finished(play)
            if played is None:
                left_s = self._left_s()
                if left_s is not None and left_s < self._longest_s:
                    self._terms.announce(f"no time left for {play.place}: {title}")
                    return
                self._terms.announce(f"\n== {play.place}: {title}")
                played = self._ran(play, left_s)
            if played is None:
                return
            outcome = judge(played.evidence).verdict.outcome
            self._terms.announce(f"{play.place}: {outcome}")
            self._keep(play, played)

    def _finished(self, play: _Play) -> _Played | None:
        today = date.fromisoformat(self._now.day)
        return _finished(self._place / play.place, today)

    def _left_s(self) -> float | None:
        limit_s = self._terms.max_time_s
        spent_s = time.monotonic() - self._started_s
        return None if limit_s is None else limit_s - spent_s

    def _ran(self, play: _Play, left_s: float | None) -> _Played | None:
        """A new trial; `None` where it ended before it was decided."""
        started_s = time.monotonic()
        same = self._terms.references[Arm.BASELINE]
        with writing(self._terms.parent):
            make_parent(self._terms.parent)
        self._run(
            replace(
                self._terms,
                references={Arm.BASELINE: same, Arm.CANDIDATE: _changed(same, play)},
                parent=self._place / play.place,
                candidate_env=play.env,
                max_time_s=left_s,
                since_s=started_s,
                calibration=None,
                command="",
            )
        )
        self._longest_s = max(self._longest_s, time.monotonic() - started_s)
        return self._finished(play)

    def _keep(self, play: _Play, played: _Played) -> None:
        self._first_day = min(self._first_day, played.day)
        if play.change:
            self._injected.setdefault(play.change, []).append(played.evidence)
        else:
            self._same.append(played.evidence)

    def result(self) -> Calibration | None:
        """What there is so far, stored; `None` without a trial against itself.

        It is as old as the oldest of its trials.
        """
        if not self._same:
            return None
        made = replace(self._now, day=self._first_day.isoformat())
        calibration = calibrated(made, self._same, self._injected)
        write_calibration(self._path, calibration)
        return calibration


def _changed(same: Reference, play: _Play) -> Reference:
    if not play.change:
        return same
    return replace(same, text=f"{same.text} with {play.change}")


def _key(terms: Terms, now: Circumstances) -> str:
    """The same where an earlier start's trials are as good as new ones."""
    baseline = terms.references[Arm.BASELINE]
    return _digest(
        [
            now.terms,
            now.machine.words,
            dict(now.versions),
            baseline.kind,
            baseline.commit or baseline.value,
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Played:
    """A trial and the day on which it began."""

    day: date
    evidence: TrialEvidence


def _finished(place: Path, today: date) -> _Played | None:
    """The trial in a place that is not old and came to its own end, if there is one."""
    for journal in sorted(place.glob("*/trial.json")):
        day = date.fromisoformat(journal.parent.name[:8])
        if (today - day).days > OLD_DAYS:
            continue
        evidence = evidence_of(journal.parent)
        if not evidence.stopped and is_over(evidence):
            return _Played(day=day, evidence=evidence)
    return None
