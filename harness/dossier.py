"""A stored trial, read back for the judge; the same while it runs and years later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.compare.boundary import Looks
from harness.compare.calibration import told
from harness.compare.evidence import RoundEvidence, TrialEvidence
from harness.compare.judge import judge
from harness.compare.measure import ArmColumns, measured
from harness.compare.soundness import SoundLimits, sound_limits, void_reason
from harness.errors import ComparisonError
from harness.model.result import Arm
from harness.store.disk import EDITED
from harness.store.plan import digest_of, read_requests, read_shots
from harness.store.sample import read_samples, read_usage
from harness.store.trial import read_journal, read_rounds

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from harness.model.plan import Plan
    from harness.model.result import ArmResult, Round
    from harness.model.verdict import Report
    from harness.store.trial import Journal

__all__ = ["Dossier", "evidence_of", "judged"]

_SOAKED = 0.5
"""Of a soak, the share of the requests in which caches may fill."""


class Dossier:
    """What the rounds of a trial showed, collected round by round.

    Attributes:
        rounds: reduced to their measures; the columns are not kept.
        limits: what makes a round void, known with the first round.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._shots = _Shots(journal.plan)
        self.rounds: list[RoundEvidence] = []
        self.limits = SoundLimits(plan_digest=journal.plan.digest, timer_late_ns=0)

    def add(self, round_: Round) -> RoundEvidence:
        """Read a finished round, measure it and say whether it is sound."""
        columns = {arm: self._columns(round_.arm(arm)) for arm in Arm}
        if not self.rounds:
            budgets = self._journal.scenario.budgets
            self.limits = sound_limits(
                columns[Arm.BASELINE], budgets, self._journal.plan.digest
            )
        evidence = RoundEvidence(
            round=replace(round_, void=void_reason(round_, self.limits)),
            baseline=measured(columns[Arm.BASELINE]),
            candidate=measured(columns[Arm.CANDIDATE]),
        )
        self.rounds.append(evidence)
        return evidence

    def evidence(self, journal: Journal) -> TrialEvidence:
        """All that was added, by the journal as it now stands."""
        scenario = journal.scenario
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
            rate_per_s=journal.plan.rate_per_s,
            symptom=scenario.fix.symptom if scenario.fix else None,
            memory_limit=scenario.service.limits.memory,
            known=_known(journal),
            stopped=journal.stopped,
            failed_starts=journal.failed_starts,
            lost_rounds=journal.lost_rounds,
            environment=journal.environment,
            notes=journal.notes,
            calibration=told(journal.calibration, journal.doubt),
        )

    def _columns(self, result: ArmResult) -> ArmColumns:
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
    """Errors that the baseline showed against itself, where that still holds."""
    calibration = journal.calibration
    return frozenset(
        calibration.signatures if calibration and not journal.doubt else ()
    )


def judged(directory: Path) -> Report:
    """Judge a stored trial again, from its files alone.

    Raises:
        InputError: the directory holds no trial.
        ComparisonError: its files are broken or do not fit together.
    """
    return judge(evidence_of(directory))


def evidence_of(directory: Path) -> TrialEvidence:
    """What a stored trial shows; raises what `judged` does."""
    journal = read_journal(directory)
    dossier = Dossier(journal)
    for round_ in read_rounds(directory, journal.finished):
        dossier.add(round_)
    return dossier.evidence(journal)


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
        self.routes = tuple(dict.fromkeys(each.route for each in requests))
        places = {route: place for place, route in enumerate(self.routes)}
        self.route = np.array([places[each.route] for each in requests])
        self.recorded_status = np.array([each.recorded_status for each in requests])
