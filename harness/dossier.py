"""A stored trial, read back for the judge; the same while it runs and years later."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.compare.behaviour import Shots
from harness.compare.boundary import Looks
from harness.compare.calibration import told
from harness.compare.course import course
from harness.compare.evidence import RoundEvidence, TrialEvidence
from harness.compare.exposed import ArmMetrics, arm_metrics
from harness.compare.judge import judge
from harness.compare.log import read_log
from harness.compare.measure import ArmColumns, measured
from harness.compare.shown import shown, shown_logs, shown_round
from harness.compare.slowest import Nearby, slowest
from harness.compare.soundness import SoundLimits, sound_limits, void_reason
from harness.environment import authority
from harness.errors import ComparisonError, InputError
from harness.keeping import StoredAnswers
from harness.model.result import Arm
from harness.store.disk import EDITED, read_text
from harness.store.log import is_cut, read_lines
from harness.store.plan import digest_of, read_requests, read_shots, sessions
from harness.store.sample import read_samples, read_usage
from harness.store.trial import read_journal, read_rounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from harness.compare.course import Course
    from harness.compare.log import LogEvidence
    from harness.compare.measure import ArmMeasures
    from harness.model.budget import Budgets
    from harness.model.plan import Plan, PlannedRequest
    from harness.model.result import ArmResult, Round
    from harness.model.traffic import Request
    from harness.model.verdict import Report, SlowRequest
    from harness.store.trial import Journal

__all__ = ["Dossier", "evidence_of", "judged_by", "read_dossier"]

_SOAKED = 0.5
"""Of a soak, the share of the requests in which caches may fill."""


class _ArmRead(NamedTuple):
    """What an arm's files of a round come to.

    Attributes:
        measures: of all samples, and of those shown.
        log: `None` where none is stored.
        slowest: its slowest requests.
        metrics: that it exposed; `None` where it was not asked.
        course: what it did over the round's time.
    """

    measures: tuple[ArmMeasures, ArmMeasures]
    log: LogEvidence | None
    slowest: tuple[SlowRequest, ...]
    metrics: ArmMetrics | None
    course: Course


class Dossier:
    """What the rounds of a trial showed, collected round by round.

    Attributes:
        rounds: reduced to their measures; the columns are not kept.
        limits: what makes a round void, known with the first round.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._shots = _Shots(journal.plan)
        self._shown: list[RoundEvidence] = []
        hosts = {authority(each) for each in (journal.baseline, journal.candidate)}
        self._answers = StoredAnswers(self._shots.compared, hosts - {""})
        self.rounds: list[RoundEvidence] = []
        self.limits = SoundLimits(plan_digest=journal.plan.digest, timer_late_ns=0)

    def add(self, round_: Round) -> RoundEvidence:
        """Read a finished round, measure it and say whether it is sound."""
        arms = {arm: self._read(round_, arm) for arm in Arm}
        behaviours = self._answers.behaviour(round_)
        logs = {arm: read.log for arm, read in arms.items() if read.log is not None}
        metrics = {arm: read.metrics for arm, read in arms.items() if read.metrics}
        courses = {arm: read.course for arm, read in arms.items()}
        slow = tuple(each for read in arms.values() for each in read.slowest)
        round_ = replace(round_, void=void_reason(round_, self.limits))
        everything, part = (
            RoundEvidence(
                round=of,
                baseline=baseline,
                candidate=candidate,
                behaviour=behaviour,
                logs=logged,
                slowest=requests,
                metrics=metrics,
                courses=courses,
            )
            for of, baseline, candidate, behaviour, logged, requests in zip(
                (round_, shown_round(round_)),
                *(read.measures for read in arms.values()),
                behaviours,
                (logs, shown_logs(logs)),
                (slow, ()),
                strict=True,
            )
        )
        self.rounds.append(everything)
        self._shown.append(part if self._shots.held_out.any() else everything)
        return everything

    def evidence(self, journal: Journal) -> TrialEvidence:
        """All that was added, by the journal as it now stands."""
        scenario, plan = journal.scenario, journal.plan
        return TrialEvidence(
            scenario=scenario.name,
            why=scenario.why,
            baseline=journal.baseline,
            candidate=journal.candidate,
            budgets=scenario.budgets,
            looks=Looks(scenario.rounds.min, scenario.rounds.max),
            rounds=tuple(self.rounds),
            limits=self.limits,
            soak=scenario.rounds.soak is not None,
            rate_per_s=plan.rate_per_s,
            symptom=scenario.fix.symptom if scenario.fix else None,
            behaviour=scenario.behaviour,
            memory_limit=scenario.service.limits.memory,
            known=_known(journal),
            stopped=journal.stopped,
            failed_starts=journal.failed_starts,
            lost_rounds=journal.lost_rounds,
            environment=journal.environment,
            notes=journal.notes,
            calibration=told(journal.calibration, journal.doubt),
            held_out=plan.planned_held_out / plan.planned if plan.planned else 0.0,
            profile=journal.profile,
        )

    def reports(self, journal: Journal) -> tuple[Report, Report]:
        """On everything, and on what may be shown."""
        report = judge(self.evidence(journal))
        if not self._shots.held_out.any():
            return report, report
        return report, judge(self.shown(journal))

    def shown(self, journal: Journal) -> TrialEvidence:
        """The same of the part that may be shown to whoever writes the candidate.

        Rounds and what is void are the trial's; the measures are without the held-out
        samples.
        """
        return replace(self.evidence(journal), rounds=tuple(self._shown))

    def _read(self, round_: Round, arm: Arm) -> _ArmRead:
        """One arm of a round; its columns are not kept."""
        result = round_.arm(arm)
        columns = self.columns(result)
        near = Nearby(slowest(columns, arm, round_.index), result.ahead_ns)
        measures = self._measured(arm, columns)
        over_time = course(columns)
        del columns
        log = _log(result.logs, near) if result.logs else None
        metrics = _metrics(result, measures[0].answered)
        return _ArmRead(measures, log, near.requests, metrics, over_time)

    def _measured(
        self, arm: Arm, everything: ArmColumns
    ) -> tuple[ArmMeasures, ArmMeasures]:
        """Of all samples and of those shown; the columns of one arm are held at once.

        The first warm-up sets the limits, without what is held out: they are printed.
        """
        part = self._shown_part(everything)
        if not self.rounds and arm is Arm.BASELINE:
            budgets, digest = self._journal.scenario.budgets, self.limits.plan_digest
            self.limits = sound_limits(part, budgets, digest)
        if part is everything:
            return (measured(everything),) * 2
        of_part = measured(part)
        del part
        return measured(everything), of_part

    def _shown_part(self, columns: ArmColumns) -> ArmColumns:
        """Without the held-out samples, if there are any."""
        if not self._shots.held_out.any():
            return columns
        held_out = self._shots.held_out[columns.samples["shot"]]
        return shown(columns, held_out, self._journal.plan.planned_held_out)

    def columns(self, result: ArmResult) -> ArmColumns:
        """What an arm's round is measured by."""
        plan = self._journal.plan
        samples = read_samples(
            result.samples,
            shots=len(result.routes) or plan.shots,
            slices=plan.slices,
            settled=result.books.answered + result.books.failed,
        )
        if result.routes:
            routes, route = result.routes, samples["shot"]
            recorded_status = samples["status"]
        else:
            request = self._shots.request[samples["shot"]]
            routes, route = self._shots.routes, self._shots.route[request]
            recorded_status = self._shots.recorded_status[request]
        measured_shots = int((samples["slice"] != 0).sum())
        return ArmColumns(
            samples=samples,
            route=route,
            routes=routes,
            recorded_status=recorded_status,
            usage=read_usage(result.usage),
            cpu_ns=result.cpu_ns,
            deadline_ns=self._journal.scenario.load.deadline,
            planned=plan.planned or measured_shots,
            open_loop=plan.open_loop,
            settled=_SOAKED if self._journal.scenario.rounds.soak else 0.0,
        )


def _known(journal: Journal) -> frozenset[str]:
    """Errors that this very baseline showed against itself.

    Those of another may be what it has since repaired.
    """
    calibration = journal.calibration
    if calibration is None or journal.doubt:
        return frozenset()
    return frozenset(
        calibration.signatures if calibration.baseline == journal.baseline else ()
    )


def judged_by(directory: Path, budgets: Budgets, whose: str) -> Report:
    """What a stored trial would have been by other budgets: never a gate.

    Its error rates hold for budgets that were fixed before the first round, so the
    report says that these were not. Which rounds are sound stays as it was.

    Args:
        directory: the trial's.
        budgets: instead of its own.
        whose: what they are called.

    Raises:
        InputError: the directory holds no trial, or the budgets leave nothing to judge.
        ComparisonError: its files are broken or do not fit together.
    """
    evidence = evidence_of(directory)
    if evidence.soak and budgets.memory.growth is None:
        raise InputError(
            f"{whose}: a soak is judged by memory: {{growth: ...}}, which it leaves out"
        )
    note = f"what if: judged by the budgets of {whose}, not by its own; no gate"
    return judge(replace(evidence, budgets=budgets, notes=(note, *evidence.notes)))


def evidence_of(directory: Path) -> TrialEvidence:
    """All that a stored trial shows; raises what `read_dossier` does."""
    journal, dossier = read_dossier(directory)
    return dossier.evidence(journal)


def read_dossier(directory: Path) -> tuple[Journal, Dossier]:
    """A stored trial with all its rounds.

    Raises:
        InputError: the directory holds no trial.
        ComparisonError: its files are broken or do not fit together.
    """
    journal = read_journal(directory)
    dossier = Dossier(journal)
    for round_ in read_rounds(directory, journal.finished):
        _refuse_foreign(round_, journal, directory)
        dossier.add(round_)
    return journal, dossier


def _refuse_foreign(round_: Round, journal: Journal, directory: Path) -> None:
    """Rounds are comparable where the same was sent from the same machine."""
    if journal.plan.digest not in round_.plan_digest:
        reason = "of another plan"
    elif round_.machine != journal.machine:
        reason = f"from another machine: {round_.machine}, not {journal.machine}"
    else:
        return
    raise ComparisonError(
        f"{directory}: round {round_.index} is {reason}",
        hint="rounds of two trials cannot be judged together; judge each by itself",
    )


def _log(path: Path, near: Nearby) -> LogEvidence:
    return read_log(near.noting(read_lines(path)), cut=is_cut(path))


def _metrics(result: ArmResult, answered: int) -> ArmMetrics | None:
    pages = result.metrics_before, result.metrics_after
    if None in pages:
        return None
    texts = [read_text(path) for path in pages if path]
    if result.metrics_fault:
        return ArmMetrics({}, result.metrics_fault)
    return arm_metrics(texts[0], texts[1], answered)


class _Shots:
    """What the plan says of each shot, as the samples need it."""

    def __init__(self, plan: Plan) -> None:
        requests = read_requests(plan.requests_path)
        shots = read_shots(plan.shots_path)
        if digest_of(shots, requests) != plan.digest:
            raise ComparisonError(
                f"{plan.shots_path}: it is not the plan of this trial", hint=EDITED
            )
        self.request: NDArray[Any] = shots["request"]
        self.held_out: NDArray[Any] = shots["held_out"]
        self.routes = tuple(dict.fromkeys(each.route for each in requests))
        places = {route: place for place, route in enumerate(self.routes)}
        self.route = np.array([places[each.route] for each in requests])
        self.recorded_status = np.array([each.recorded_status for each in requests])
        self.compared = Shots(
            route=self.route[self.request],
            routes=self.routes,
            session=sessions(shots),
            held_out=self.held_out.astype(bool),
            own=frozenset(_own(requests)),
            title=lambda shot: _title(requests[self.request[shot]].request),
        )


def _own(requests: Iterable[PlannedRequest]) -> Iterator[tuple[str, str]]:
    """Route and place of what answers give to later requests."""
    for each in requests:
        for extract in each.links.extracts:
            if extract.kind == "json":
                yield each.route, re.sub(r"\[\d+\]", "[*]", extract.name)
            elif extract.kind == "header":
                yield each.route, f"header {extract.name}"


def _title(request: Request) -> str:
    return f"{request.method} {request.target}"
