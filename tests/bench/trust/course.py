"""Plays the study's trials as long as there is time, and keeps every one.

    <out>/<key>/
      delays.json                  what +5 % of p95 is, from the first A/A trial
      a-a-001/<trial>/  a-a-001/took.json
      noise-001/…  p95-5-001/…

The key is made of the terms, the machine, the versions and the shop: where one of them
is another, the study starts anew. A place with `took.json` is not run again.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from harness.errors import InputError, SeatrialError
from harness.opening import circumstances
from harness.store.disk import write_text
from harness.store.trial import read_journal
from harness.trial import verify
from tests.bench.trust import study
from tests.bench.trust.stored import keep, kept, read, took_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.compare.calibration import Circumstances
    from harness.model.progress import Announcement
    from harness.model.scenario import Scenario
    from harness.model.traffic import Recording
    from harness.model.verdict import Report
    from harness.trial import Terms
    from tests.bench.trust.stored import Played
    from tests.bench.trust.study import Play

__all__ = ["Course", "here", "key", "trials"]

_DIGITS: Final = 12
_SETUP_S: Final = 30.0
_FAILURES: Final = 3
_DELAYS: Final = "delays.json"


def here(recording: Recording) -> Circumstances:
    """Machine, versions and terms of the study's A/A trials."""
    return circumstances(study.scenario(study.SAME), recording)


def key(now: Circumstances, shop: Path) -> str:
    """The same where trials that are there are as good as new ones.

    Args:
        now: terms, machine and versions.
        shop: its tree; every file counts.
    """
    files = (
        [str(each.relative_to(shop)), hashlib.sha256(each.read_bytes()).hexdigest()]
        for each in sorted(shop.rglob("*"))
        if each.is_file() and each.suffix != ".pyc"
    )
    parts = [now.terms, now.machine.words, dict(now.versions), list(files)]
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


@dataclass(slots=True, kw_only=True)
class Course:
    """The trials of one start.

    Attributes:
        terms: of each trial but for its scenario, its place and its change; `parent` is
            where they all are kept, `max_time_s` for all of them together.
        run: runs a trial.
        plays: the rotation.
        scenario: the terms of a kind.
        p95_ms: of the first sound A/A trial that is kept there.
    """

    terms: Terms
    run: Callable[[Terms], tuple[Path, Report]] = verify
    plays: Callable[[], Iterator[Play]] = study.plays
    scenario: Callable[[str], Scenario] = study.scenario
    p95_ms: Callable[[Path], float] = field(default_factory=lambda: _p95_of)
    _started_s: float = field(default_factory=time.monotonic)

    def play(self) -> None:
        """Run the rotation's next trials until there is no time for one more.

        A trial that was broken off by an error is told and left for the next start.

        Raises:
            SeatrialError: three trials in a row could not be measured.
            KeyboardInterrupt: interrupted; finished trials are kept.
        """
        failures = 0
        for play in self.plays():
            place = self.terms.parent / play.place
            if kept(place) is not None:
                continue
            if self._left_s() < self._expected_s(play):
                self.terms.announce(f"no time left for {play.place}")
                return
            try:
                if not self._finished(play, place):
                    return
                failures = 0
            except SeatrialError as error:
                failures += 1
                self.terms.announce(f"{play.place}: {error.message}")
                if failures == _FAILURES:
                    raise

    def _left_s(self) -> float:
        assert self.terms.max_time_s is not None, "a study is bounded"
        return self.terms.max_time_s - (time.monotonic() - self._started_s)

    def _expected_s(self, play: Play) -> float:
        """The longest of its kind so far, and no less than its fewest rounds take."""
        rounds = self.scenario(play.kind).rounds
        round_s = 2 * (rounds.warmup + rounds.slices * rounds.slice) / 1e9
        before = (took_s(place) for place, _ in _kept(self.terms.parent, play.kind))
        return max([_SETUP_S + rounds.min * round_s, *before])

    def _finished(self, play: Play, place: Path) -> bool:
        """Run a trial; false where the time was over before its own end."""
        env = study.switches(play.kind, self._p95_ms(play))
        changed = " ".join(f"{name}={value}" for name, value in env.items())
        self.terms.announce(f"\n== {play.place}: {play.kind} {changed}")
        clock = _Clock(tell=self.terms.announce)
        directory, report = self.run(
            replace(
                self.terms,
                scenario=self.scenario(play.kind),
                parent=place,
                candidate_env=env,
                max_time_s=self._left_s(),
                since_s=time.monotonic(),
                announce=clock.announce,
            )
        )
        stopped = read_journal(directory).stopped
        self.terms.announce(f"{play.place}: {report.verdict.outcome} {stopped}")
        if not stopped:
            keep(directory, clock.seconds)
        return not stopped

    def _p95_ms(self, play: Play) -> float:
        """Of the first sound A/A trial; stored, so that all delays are of the same."""
        if play.kind in {study.SAME, study.NOISE}:
            return 0.0
        path = self.terms.parent / _DELAYS
        if not path.is_file():
            p95 = self.p95_ms(self.terms.parent)
            delays = {kind: study.switches(kind, p95) for kind in study.KINDS}
            content = {"p95_ms": p95, "switches": delays}
            write_text(path, json.dumps(content, indent=2) + "\n")
        return float(json.loads(path.read_text(encoding="utf-8"))["p95_ms"])


@dataclass(slots=True, kw_only=True)
class _Clock:
    """Runs from the first word of a trial, which waits for others in silence."""

    tell: Callable[[Announcement], None]
    started_s: float = 0.0

    def announce(self, told: Announcement) -> None:
        self.started_s = self.started_s or time.monotonic()
        self.tell(told)

    @property
    def seconds(self) -> float:
        return time.monotonic() - (self.started_s or time.monotonic())


def _p95_of(parent: Path) -> float:
    for place, directory in _kept(parent, study.SAME):
        pairs = read(directory, study.SAME, took_s(place)).pairs
        if pairs:
            return study.p95_ms(pairs)
    raise InputError("no A/A trial has a sound round yet: nobody knows the p95")


def _kept(parent: Path, kind: str) -> Iterator[tuple[Path, Path]]:
    """Places of a kind whose trial is finished, and the trial in each, by number."""
    slug = study.Play(kind=kind, number=0).slug
    for place in sorted(parent.glob(f"{slug}-[0-9]*")):
        directory = kept(place)
        if directory is not None:
            yield place, directory


def trials(parent: Path) -> Iterator[Played]:
    """Every trial that is kept, by kind and number.

    Raises:
        ComparisonError: the files of one are broken.
    """
    for kind in (*study.KINDS, study.NOISE):
        for place, directory in _kept(parent, kind):
            yield read(directory, kind, took_s(place))
