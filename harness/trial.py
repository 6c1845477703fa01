"""One trial: prepare, rounds, judge, report. Newcomers: open this first.

A trial builds both arms once, plans once, and plays rounds until as many sound ones are
there as the scenario asks for. Every round is stored as it ends; the verdict is made
from what is stored.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from harness.compare.judge import is_over, judge
from harness.dossier import Dossier
from harness.environment import (
    Order,
    machine_lock,
    pinning,
    prepare,
    remove_leftovers,
)
from harness.errors import CandidateError, SeatrialError, WorkerLostError
from harness.keeping import let_go
from harness.load.crew import hire_here
from harness.load.fleet import Post, hosting
from harness.load.selfcheck import (
    capacity,
    refuse_too_many_users,
    refuse_too_much_load,
)
from harness.model.progress import Complaint, Standing, Step
from harness.model.result import Arm
from harness.opening import opened, taken_up
from harness.planning.planner import make_plan
from harness.profiling import asks_why, profiled
from harness.report.step import so_far
from harness.reporting import spared, write_reports
from harness.rounds import Pair, first_arms, play_round
from harness.store.trial import (
    Journal,
    new_trial_directory,
    next_round,
    read_journal,
    read_rounds,
    write_journal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from harness.compare.evidence import RoundEvidence
    from harness.environment import Build, Pinning, Reference
    from harness.load.crew import Hire
    from harness.load.selfcheck import Capacity
    from harness.model.calibration import Calibration
    from harness.model.plan import Plan
    from harness.model.progress import Announcement
    from harness.model.scenario import Scenario
    from harness.model.traffic import Recording
    from harness.model.verdict import Report

__all__ = ["Terms", "verify"]

_ATTEMPTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a trial is asked for.

    Attributes:
        scenario: its terms.
        recording: the traffic; `None` where a locustfile is the load.
        references: which code each arm is.
        scenario_dir: relative host paths start here.
        parent: where the trial's directory is made.
        build_args: win over the scenario's own.
        max_time_s: no round starts that would probably end after it; `None`: no limit.
        since_s: moment of the monotonic clock from which that counts; `None`: when no
            other trial runs here any more.
        wait: wait for another trial on this machine instead of being refused.
        workers: load workers an arm on this machine.
        post: where other machines join, one more worker an arm on each.
        candidate_env: for the candidate alone, over the service's environment: how a
            calibration makes a change.
        calibration: what is known beforehand of what can be seen, if anything.
        command: that asks for the same again, empty where there is none.
        resume: directory of a trial that was stopped, to go on with.
        announce: told what happens.
    """

    scenario: Scenario
    recording: Recording | None
    references: Mapping[Arm, Reference]
    scenario_dir: Path
    parent: Path
    build_args: Mapping[str, str]
    max_time_s: float | None = None
    since_s: float | None = None
    wait: bool = False
    workers: int = 1
    post: Post = field(default_factory=Post)
    candidate_env: Mapping[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None
    command: str = ""
    resume: Path | None = None
    announce: Callable[[Announcement], None]


def verify(terms: Terms) -> tuple[Path, Report]:
    """Run a trial and return its directory and its report.

    Raises:
        SeatrialError: the measurement failed; nothing is left running.
        KeyboardInterrupt: interrupted; finished rounds are kept and can be judged.
    """
    trial = terms.resume.absolute().name if terms.resume else _new_id(terms)
    with ExitStack() as stack:
        stack.enter_context(machine_lock(trial, wait=terms.wait))
        started_s = time.monotonic() if terms.since_s is None else terms.since_s
        former = read_journal(terms.resume) if terms.resume else None
        for line in remove_leftovers(""):
            terms.announce(line)
        directory = terms.resume or stack.enter_context(_directory(terms.parent, trial))
        plan = _plan(terms, stack, directory)
        machines = terms.post.machines
        refuse_too_many_users(plan, terms.workers + machines, machines)
        far = stack.enter_context(hosting(terms.post, terms.announce))
        builds = {arm: stack.enter_context(_prepare(terms, arm, trial)) for arm in Arm}
        pins = pinning(terms.scenario.service.limits.cpus, workers=terms.workers)
        hires = [*[hire_here] * terms.workers, *far]
        locustfile = terms.scenario.load.locustfile
        check = None if locustfile else _self_check(terms, plan, pins, hires)
        journal = opened(
            trial,
            terms.scenario,
            terms.recording,
            plan=plan,
            builds=builds,
            pins=pins,
            workers=len(hires),
            check=check,
            calibration=terms.calibration,
            command=terms.command,
        )
        journal = taken_up(former, journal) if former else journal
        write_journal(directory, journal)
        pair = Pair(
            builds=builds,
            plan=journal.plan,
            deadline_ns=terms.scenario.load.deadline,
            pinning=pins,
            hires=hires,
            directory=directory,
            announce=terms.announce,
            checks=terms.scenario.checks,
            locustfile_dir=str(locustfile.absolute().parent) if locustfile else "",
        )
        report = _Course(pair, journal, terms).play(started_s)
    return directory, report


def _new_id(terms: Terms) -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{terms.scenario.name}"


def _plan(terms: Terms, stack: ExitStack, directory: Path) -> Plan:
    """The plan; beside the trial's own where that is to be gone on with."""
    if terms.resume:
        scratch = tempfile.TemporaryDirectory(prefix="seatrial-plan-")
        directory = Path(stack.enter_context(scratch))
    return make_plan(terms.scenario, terms.recording, directory)


def _self_check(
    terms: Terms, plan: Plan, pins: Pinning, hires: Sequence[Hire]
) -> Capacity:
    """Refuse a plan that the generator could not send in time."""
    terms.announce("self-check: the plan against a server that does nothing")
    with tempfile.TemporaryDirectory(prefix="seatrial-check-") as scratch:
        check = capacity(
            plan,
            host=terms.post.host,
            hires=hires,
            cores=pins.generator,
            server_cores=pins.service,
            directory=Path(scratch, "try"),
        )
    refuse_too_much_load(check)
    return check


@contextmanager
def _directory(parent: Path, name: str) -> Iterator[Path]:
    """The trial's directory; gone again if the trial did not get to its first round."""
    directory = new_trial_directory(parent, name)
    try:
        yield directory
    finally:
        if not (directory / "trial.json").exists():
            shutil.rmtree(directory)


def _prepare(terms: Terms, arm: Arm, trial: str) -> AbstractContextManager[Build]:
    terms.announce(f"preparing the {arm}: {terms.references[arm].text}")
    service = terms.scenario.service
    if arm is Arm.CANDIDATE and terms.candidate_env:
        env = {**service.env, **terms.candidate_env}
        service = service.model_copy(update={"env": env})
    order = Order(
        reference=terms.references[arm],
        service=service,
        arm=arm,
        trial=trial,
        name=terms.scenario.name,
        scenario_dir=terms.scenario_dir,
        build_args=terms.build_args,
        host=terms.post.host,
    )
    return prepare(order, terms.announce)


class _Course:
    """The rounds of a trial, and why there will be no more of them."""

    def __init__(self, pair: Pair, journal: Journal, terms: Terms) -> None:
        self._pair = replace(pair, announce=self._announce)
        self._terms = terms
        self._dossier = Dossier(journal)
        self._longest_s = 2 * pair.plan.total_ns / 1e9
        self._firsts: Iterator[Arm] = first_arms(terms.scenario.seed)
        self._first = next(self._firsts)
        self.journal = journal
        self.over = False
        for round_ in read_rounds(pair.directory, journal.finished):
            self._take(self._dossier.add(round_))
        if self._dossier.rounds:
            self.over = is_over(self._dossier.evidence(journal))

    def play(self, started_s: float) -> Report:
        """Play until enough rounds are sound, or it is clear that they will not be.

        However it ends, the journal and the reports say how far it came.
        """
        try:
            for index in count(next_round(self._pair.directory)):
                self._stop_if_late(index, started_s)
                if self.over:
                    break
                self._play_one(index)
        except KeyboardInterrupt:
            self.journal = replace(self.journal, stopped="interrupted")
            if command := self.journal.command:
                again = f"{command} --resume {shlex.quote(str(self._pair.directory))}"
                self._terms.announce(Complaint(line=f"to go on: {again}"))
            raise
        except SeatrialError as error:
            self.journal = replace(self.journal, stopped=error.message)
            raise
        finally:
            with spared("what was kept of answers", self._terms.announce):
                let_go(self._pair.directory)
            report = self._reported()
        return self._explained(report, started_s)

    def _reported(self) -> Report:
        directory, announce = self._pair.directory, self._terms.announce
        with spared("trial.json", announce):
            write_journal(directory, self.journal)
        return write_reports(directory, self.journal, self._dossier, announce).report

    def _explained(self, report: Report, started_s: float) -> Report:
        """With a profile, where there is something to explain and time left for it."""
        limit_s = self._terms.max_time_s
        late = limit_s and time.monotonic() - started_s + self._longest_s > limit_s
        if late or not asks_why(report):
            return report
        self.journal = replace(self.journal, profile=profiled(self._pair))
        return self._reported()

    def _announce(self, told: Announcement) -> None:
        """Hand on what a round tells, knowing how many may follow it."""
        if isinstance(told, Step):
            after = self._terms.scenario.rounds.min - self._sound - 1
            left_s = told.left_s + max(0, after) * self._longest_s
            told = replace(told, left_s=left_s)
        self._terms.announce(told)

    @property
    def _sound(self) -> int:
        return sum(1 for each in self._dossier.rounds if not each.round.void)

    def _stop_if_late(self, index: int, started_s: float) -> None:
        limit_s = self._terms.max_time_s
        spent_s = time.monotonic() - started_s
        if self.over or limit_s is None or spent_s + self._longest_s <= limit_s:
            return
        stopped = f"--max-time {limit_s:g}s left no room for round {index}"
        self.journal = replace(self.journal, stopped=stopped)
        self.over = True

    def _play_one(self, index: int) -> None:
        started_s = time.monotonic()
        try:
            played = play_round(self._pair, index, self._first)
        except CandidateError as error:
            self._note_failed_start(error)
            return
        except WorkerLostError as error:
            self._note_lost_round(index, error)
            return
        self._take(self._dossier.add(played))
        finished = tuple(each.round.index for each in self._dossier.rounds)
        self.journal = replace(self.journal, finished=finished)
        write_journal(self._pair.directory, self.journal)
        self._longest_s = max(self._longest_s, time.monotonic() - started_s)
        known = self._dossier.evidence(self.journal)
        self.over = is_over(known)
        if not self.over and len(known.sound) > 1:
            self._terms.announce(Standing(line=so_far(judge(known))))

    def _take(self, evidence: RoundEvidence) -> None:
        """Say so where a round is void; else another arm may be the next to begin."""
        if evidence.round.void:
            void = f"round {evidence.round.index} is void: {evidence.round.void}"
            self._terms.announce(void)
        else:
            self._first = next(self._firsts)

    def _note_lost_round(self, index: int, error: WorkerLostError) -> None:
        self._terms.announce(f"round {index} is void: {error.message}")
        lost = (*self.journal.lost_rounds, f"round {index}: {error.message}")
        self.journal = replace(self.journal, lost_rounds=lost)
        self.over = is_over(self._dossier.evidence(self.journal))

    def _note_failed_start(self, error: CandidateError) -> None:
        """The other arm is first in the retry: perhaps whoever is second cannot start.

        Whose turn it was is first after that.
        """
        self._terms.announce(error.message)
        reason = " | ".join((error.message, *error.log[-3:]))
        starts = (*self.journal.failed_starts, reason)
        self.journal = replace(self.journal, failed_starts=starts)
        self._firsts = chain([self._first], self._firsts)
        self._first = self._first.other
        decided = is_over(self._dossier.evidence(self.journal))
        self.over = decided or len(starts) == _ATTEMPTS
