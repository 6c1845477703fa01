"""One round: a fresh pair up, warm-up, slices alternating strictly, all down again."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.environment import LOGS, asked, authority, page, running, this_machine
from harness.errors import BuildError, CandidateError, WorkerLostError
from harness.keeping import keep_answers
from harness.load.engine import generating
from harness.model.progress import Step
from harness.model.result import Arm, ArmResult, Round
from harness.store.disk import write_text
from harness.store.plan import moments_ns
from harness.store.sample import write_usage
from harness.store.trial import keep_void, partial_round, write_round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.environment import Build, Pinning, Target
    from harness.load.crew import Hire
    from harness.load.engine import Generator
    from harness.model.check import Check, CheckResult
    from harness.model.plan import Plan
    from harness.model.progress import Announcement, Pulse

__all__ = ["Pair", "first_arms", "load", "play_round", "up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What every round of a trial brings up and sends.

    Attributes:
        builds: by arm.
        plan: the same on both arms and in every round.
        deadline_ns: the longest that a request may take.
        pinning: which processors the generator and the service are given.
        hires: where each load worker of an arm comes from.
        directory: the trial's.
        announce: told what happens.
        locustfile_dir: where the locustfile stands, if that is the load.
        checks: what each arm is asked besides.
    """

    builds: Mapping[Arm, Build]
    plan: Plan
    deadline_ns: int
    pinning: Pinning
    hires: Sequence[Hire]
    directory: Path
    announce: Callable[[Announcement], None]
    locustfile_dir: str = ""
    checks: Sequence[Check] = ()


@dataclass(slots=True)
class _ArmUp:
    """One arm, up and under load."""

    arm: Arm
    target: Target
    generator: Generator
    directory: Path
    checks: Sequence[Check] = ()
    spent_ns: list[int] = field(default_factory=list)
    checked: list[CheckResult] = field(default_factory=list)
    metrics: str | None = None
    pages: list[tuple[str, str]] = field(default_factory=list)

    def play(self, number: int, watch: Callable[[Pulse], None]) -> None:
        if number == 1:
            self._look_at_metrics()
        self.generator.play(number, watch)
        if number:
            self._check(number)

    def read_cpu(self) -> None:
        """Call ahead of the first measured slice of either arm, and after the last."""
        if usage := self.target.usage:
            self.spent_ns.append(usage.read().cpu_ns)

    def _check(self, number: int = 0) -> None:
        """Ask what is due after a slice, or at the end of the round."""
        for check in self.checks:
            if (check.after == "slice") == (number > 0):
                self.checked.append(asked(self.target, check, number))

    def _look_at_metrics(self) -> None:
        if self.metrics:
            self.pages.append(page(self.target, self.metrics))

    def _stored_metrics(self) -> dict[str, Any]:
        """The pages as files, and what was wrong with one of them."""
        stored: dict[str, Any] = {}
        names = ("metrics_before", "metrics_after")
        for name, (text, fault) in zip(names, self.pages, strict=False):
            stored[name] = self.directory / f"{name}.txt"
            write_text(stored[name], text)
            stored["metrics_fault"] = stored.get("metrics_fault") or fault
        return stored

    def finish(self) -> ArmResult:
        self._check()
        self._look_at_metrics()
        samples = self.directory / "samples.parquet"
        books, health = self.generator.finish(samples)
        usage, path = self.target.usage, self.directory / "usage.parquet"
        write_usage(path, map(asdict, usage.readings if usage else ()))
        return ArmResult(
            arm=self.arm,
            samples=samples,
            usage=path,
            cpu_ns=max(0, self.spent_ns[-1] - self.spent_ns[0]) if usage else None,
            books=books,
            health=health,
            died=self.target.died(),
            routes=self.generator.routes,
            checks=tuple(self.checked),
            ahead_ns=time.time_ns() - time.monotonic_ns(),
            **self._stored_metrics(),
        )


def first_arms(seed: int) -> Iterator[Arm]:
    """The arm that goes first, round by round: balanced in twos, drawn by the seed."""
    random = np.random.default_rng(seed)
    while True:
        arm = list(Arm)[random.integers(2)]
        yield arm
        yield arm.other


def play_round(pair: Pair, index: int, first: Arm) -> Round:
    """Play one round and store it.

    Raises:
        CandidateError: the candidate did not come up although the baseline did.
        WorkerLostError: a load worker was lost; what there is of the round is kept.
        SeatrialError: the measurement failed; nothing is left running.
    """
    partial = partial_round(pair.directory, index)
    try:
        return _played(pair, index, first, partial)
    except WorkerLostError:
        keep_void(partial)
        raise


def _played(pair: Pair, index: int, first: Arm, partial: Path) -> Round:
    order = (first, first.other)
    with ExitStack() as stack:
        targets = _both_up(stack, pair, order, partial)
        stages = {
            arm: _ArmUp(
                arm,
                targets[arm],
                stack.enter_context(load(pair, arm, targets[arm], partial / arm)),
                partial / arm,
                pair.checks,
                metrics=pair.builds[arm].order.service.metrics,
            )
            for arm in order
        }
        digests = {stage.generator.wait_ready() for stage in stages.values()}
        for step in _steps(pair, index, first):
            if step.number == 1 and step.arm is first:
                _read_cpu(stages)
            stages[step.arm].play(step.number, step.watch)
            step.end()
        _read_cpu(stages)
        results = {arm: stage.finish() for arm, stage in stages.items()}
    results = {arm: _with_logs(result) for arm, result in results.items()}
    if pair.plan.planned:
        results = keep_answers(results, pair.plan, pair.directory)
    return write_round(
        partial,
        Round(
            index=index,
            first=first,
            plan_digest=" and ".join(sorted(digests)),
            machine=this_machine().words,
            baseline=results[Arm.BASELINE],
            candidate=results[Arm.CANDIDATE],
        ),
    )


def _read_cpu(stages: Mapping[Arm, _ArmUp]) -> None:
    """Of both arms at one moment, so that what one puts off until it rests counts."""
    for stage in stages.values():
        stage.read_cpu()


def _both_up(
    stack: ExitStack, pair: Pair, order: Iterable[Arm], partial: Path
) -> dict[Arm, Target]:
    """The arms, ready; that the candidate is not counts once the baseline is."""
    targets, failure = {}, None
    for arm in order:
        try:
            targets[arm] = up(stack, pair, arm, partial / arm)
        except CandidateError as error:
            failure = error
    if failure:
        raise failure
    return targets


def _with_logs(result: ArmResult) -> ArmResult:
    """The result with what the build wrote, now that it has been taken down."""
    logs = result.samples.with_name(LOGS)
    return replace(result, logs=logs) if logs.exists() else result


@dataclass(slots=True, kw_only=True)
class _Step:
    """One arm's part of a round: the warm-up or a slice."""

    arm: Arm
    number: int
    title: str
    planned_per_s: float
    length_s: float
    left_s: float
    announce: Callable[[Announcement], None]
    _pulse: Pulse | None = None

    def watch(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._tell(self.left_s + max(0.0, self.length_s - pulse.elapsed_s))

    def end(self) -> None:
        self._tell(self.left_s, over=True)

    def _tell(self, left_s: float, *, over: bool = False) -> None:
        self.announce(
            Step(
                title=self.title,
                pulse=self._pulse,
                planned_per_s=self.planned_per_s,
                left_s=left_s,
                over=over,
            )
        )


def _planned(plan: Plan) -> list[int]:
    """Shots that fall due in the warm-up and in each slice; 0 for a locustfile's."""
    if not plan.planned:
        return [0] * (plan.slices + 1)
    after_ns = moments_ns(plan) - plan.warmup_ns
    part = np.where(after_ns < 0, 0, 1 + after_ns // plan.slice_ns)
    counts: list[int] = np.bincount(part, minlength=plan.slices + 1).tolist()
    return counts


def _steps(pair: Pair, index: int, first: Arm) -> Iterator[_Step]:
    """The parts of a round in their order."""
    plan = pair.plan
    planned = _planned(plan)
    left_s = 2 * plan.total_ns / 1e9
    for number in range(plan.slices + 1):
        part = f"slice {number}/{plan.slices}" if number else "warm-up"
        length_s = (plan.slice_ns if number else plan.warmup_ns) / 1e9
        for arm in (first, first.other):
            left_s -= length_s
            yield _Step(
                arm=arm,
                number=number,
                title=f"round {index}: {part}, {arm}",
                planned_per_s=planned[number] / length_s if length_s else 0.0,
                length_s=length_s,
                left_s=left_s,
                announce=pair.announce,
            )


def up(stack: ExitStack, pair: Pair, arm: Arm, directory: Path) -> Target:
    """An arm, ready, until the stack is closed; raises what `play_round` does."""
    cores = pair.pinning.service
    try:
        target = stack.enter_context(
            running(pair.builds[arm], directory=directory, cores=cores)
        )
    except BuildError as error:
        if arm is Arm.BASELINE:
            raise
        raise CandidateError(error.message, hint=error.hint, log=error.log) from error
    if target.unpinned:
        pair.announce(f"{arm} runs on any core: {target.unpinned}")
    return target


def load(
    pair: Pair, arm: Arm, target: Target, directory: Path
) -> AbstractContextManager[Generator]:
    """The workers that send an arm its plan; their files go to the directory."""
    return generating(
        pair.plan,
        arm=arm,
        host=target.host,
        port=target.port,
        tls=target.tls,
        authority=authority(pair.builds[arm].reference.text),
        deadline_ns=pair.deadline_ns,
        cores=pair.pinning.generator,
        directory=directory,
        hires=pair.hires,
        locustfile_dir=pair.locustfile_dir,
    )
