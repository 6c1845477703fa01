"""Trials of a build against itself to what this machine can see, and in what words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.case import Case
from harness.compare.figure import number, significant, wording
from harness.compare.judge import judge
from harness.compare.level import rate_bounds
from harness.compare.paired import FEWEST, LEVEL, changes, ratio, slack
from harness.compare.power import Gate, smallest_change
from harness.model.calibration import (
    DETECTED,
    Calibration,
    Injected,
    Machine,
    Sensitivity,
)
from harness.model.route import SERVICE
from harness.model.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.compare.evidence import TrialEvidence
    from harness.compare.hypothesis import Hypothesis, Pair

__all__ = [
    "OLD_DAYS",
    "Circumstances",
    "calibrated",
    "detects",
    "doubts",
    "false_alarms",
    "told",
    "worded",
]

_POWERS: Final = (0.1, 0.5, DETECTED, 0.99)
OLD_DAYS: Final = 30
"""Days after which a machine may have become another."""

_NONE: Final = "none: `seatrial calibrate` says what this machine can see"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where, when and of what a calibration is made, or asked for.

    Attributes:
        terms: digest of what makes trials comparable.
        machine: which.
        versions: of Seatrial and what measures.
        day: as `2026-11-25`.
    """

    terms: str
    machine: Machine
    versions: Mapping[str, str]
    day: str


def calibrated(
    circumstances: Circumstances,
    same: Sequence[TrialEvidence],
    injected: Mapping[str, Sequence[TrialEvidence]],
) -> Calibration:
    """What some trials say of a machine.

    Args:
        circumstances: how they were made.
        same: trials of a build against itself, at least one.
        injected: by name, trials of it against itself with a change.
    """
    outcomes = [judge(each).verdict.outcome for each in same]
    sound = [
        each
        for each, outcome in zip(same, outcomes, strict=True)
        if outcome is not Outcome.INVALID
    ]
    failed, trials = outcomes.count(Outcome.FAIL), len(sound)
    cases = [Case(trial=each) for each in sound]
    return Calibration(
        scenario=same[0].scenario,
        terms=circumstances.terms,
        machine=circumstances.machine,
        versions=dict(circumstances.versions),
        day=circumstances.day,
        baseline=same[0].baseline,
        trials=trials,
        failed=failed,
        bound=significant(rate_bounds([(trials, failed)], 1.0, LEVEL).upper),
        inconclusive=outcomes.count(Outcome.INCONCLUSIVE),
        invalid=outcomes.count(Outcome.INVALID),
        rounds=sum(len(each.sound) for each in sound),
        family=max((each.family for each in cases), default=0),
        sensitivities=tuple(_sensitivities(cases)),
        injected=tuple(_injected(name, each) for name, each in injected.items()),
        signatures=tuple(sorted(_signatures(same))),
    )


def _signatures(same: Sequence[TrialEvidence]) -> set[str]:
    """Of errors on either arm, which are the same build."""
    return {
        signature.text
        for trial in same
        for each in trial.rounds
        for arm in (each.baseline, each.candidate)
        for signature in arm.episodes
    }


def _injected(name: str, trials: Sequence[TrialEvidence]) -> Injected:
    verdicts = [judge(each).verdict for each in trials]
    failed = [each for each in verdicts if each.outcome is Outcome.FAIL]
    named = [
        finding.metric
        for each in failed
        for finding in each.findings
        if finding.severity == "fail"
    ]
    return Injected(
        name=name,
        trials=len(verdicts),
        failed=len(failed),
        metrics=tuple(dict.fromkeys(named)),
    )


def _sensitivities(cases: Sequence[Case]) -> Iterator[Sensitivity]:
    """Of the service's gated hypotheses, over the rounds of all the trials."""
    found: dict[str, tuple[Hypothesis, list[Pair]]] = {}
    for case in cases:
        for each in case.gated.values():
            hypothesis = each.hypothesis
            if hypothesis.route == SERVICE:
                name = hypothesis.metric.name
                found.setdefault(name, (hypothesis, []))[1].extend(each.pairs)
    for hypothesis, pairs in found.values():
        if len(pairs) >= FEWEST:
            yield _sensitivity(hypothesis, pairs, cases)


def _sensitivity(
    hypothesis: Hypothesis, pairs: Sequence[Pair], cases: Sequence[Case]
) -> Sensitivity:
    metric, allowance = hypothesis.metric, hypothesis.allowance
    assert allowance is not None, "only gated hypotheses have a budget"
    baseline, candidate = np.array(pairs).T
    moved = changes(baseline, candidate, relative=metric.relative)
    allowed = slack(baseline, allowance, relative=metric.relative)
    gate = Gate(
        deviation=sqrt(float(np.mean(moved**2))),
        allowed=float(np.mean(allowed)),
        cap=metric.cap,
        share=hypothesis.share,
        looks=cases[0].trial.looks,
        only_fails=metric.only_fails,
        every=cases[0].trial.soak,
    )
    return Sensitivity(
        metric=metric.name,
        unit=metric.unit,
        relative=metric.relative,
        budget=hypothesis.budget,
        rounds=len(pairs),
        deviation=significant(gate.deviation),
        curve=tuple(_curve(gate, relative=metric.relative, worse=metric.worse)),
    )


def _curve(gate: Gate, *, relative: bool, worse: int) -> Iterator[tuple[float, float]]:
    for wanted in _POWERS:
        change = worse * smallest_change(gate, wanted)
        yield wanted, significant(ratio(change) if relative else change)


def doubts(calibration: Calibration, now: Circumstances) -> str:
    """Why a calibration says nothing of a trial; empty if it does.

    Args:
        calibration: which.
        now: what the trial is, at its start.
    """
    reasons = []
    if calibration.machine != now.machine:
        made = calibration.machine.words
        reasons.append(f"foreign: made on {made}, and this is {now.machine.words}")
    age = (date.fromisoformat(now.day) - date.fromisoformat(calibration.day)).days
    if age > OLD_DAYS:
        reasons.append(f"stale: {age} days old")
    before, here = calibration.versions, now.versions
    if before.get("seatrial") != here.get("seatrial"):
        versions = f"{before.get('seatrial')}, and this is {here.get('seatrial')}"
        reasons.append(f"stale: made by Seatrial {versions}")
    if calibration.terms != now.terms:
        reasons.append("stale: the scenario or its recording changed since")
    return "; ".join(reasons)


def told(calibration: Calibration | None, doubt: str) -> str:
    """What a verdict says of what could be seen, in a line.

    Args:
        calibration: of the scenario, if there is one.
        doubt: why its figures are not this trial's.
    """
    if calibration is None:
        return _NONE
    if doubt:
        return f"{doubt}; `seatrial calibrate` makes it anew ({calibration.day})"
    parts = (false_alarms(calibration), detects(calibration), calibration.day)
    return "; ".join(part for part in parts if part)


def false_alarms(calibration: Calibration) -> str:
    """How many trials of the build against itself failed, and the rate's bound."""
    bound = number(calibration.bound * 100)
    return (
        f"{calibration.failed} of {calibration.trials} A/A trials failed (<= {bound}%)"
    )


def detects(calibration: Calibration) -> str:
    """The smallest change that is detected of each gated metric."""
    found = ", ".join(
        f"{worded(each.smallest, each)} {'on' if each.relative else 'of'} {each.metric}"
        for each in calibration.sensitivities
    )
    return f"detects {found} with {DETECTED:.0%} power" if found else ""


def worded(change: float, of: Sensitivity) -> str:
    """A change of a metric, as in a verdict."""
    return wording(of.unit, relative=of.relative, about=change)(change)
