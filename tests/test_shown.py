"""Stored rounds, judged as a whole and by the part that is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.dossier import Dossier
from harness.model.plan import PlannedRequest
from harness.model.result import (
    CAUSES,
    SAMPLE_FIELDS,
    USAGE_FIELDS,
    Arm,
    ArmResult,
    Round,
)
from harness.model.scenario import Scenario
from harness.model.traffic import Request
from harness.model.verdict import Outcome
from harness.report.agent import agent
from harness.report.document import dump
from harness.store.plan import read_requests, read_shots, write_plan
from harness.store.sample import write_columns
from harness.store.trial import Journal
from tests.made import books, health

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.model.plan import Plan
    from harness.model.verdict import Report

    Samples = dict[str, NDArray[Any]]

MS = 1_000_000
SHOTS, WARM, ROUNDS = 1_000, 100, 4
SLICES = np.concatenate([np.zeros(WARM, int), np.arange(SHOTS - WARM) // 300 + 1])
HELD_OUT = np.arange(SHOTS) % 5 == 3
LATE = ROUNDS + 1
"""One more round, in which the generator's timer was late."""

ARMS = [(index, arm) for index in range(1, LATE + 1) for arm in Arm]
FIX = {"symptom": {"status": 500, "route": "GET /a"}}


def journal(directory: Path, *, open_loop: bool, **terms: Any) -> Journal:
    """A trial of four rounds; every fifth shot is held out."""
    plan = write_plan(
        directory,
        {
            "user": np.arange(SHOTS),
            "due_ns": np.arange(SHOTS) * MS,
            "think_ns": np.zeros(SHOTS),
            "fresh": np.ones(SHOTS),
            "request": np.arange(SHOTS) % 3 // 2,
            "held_out": HELD_OUT,
        },
        [
            PlannedRequest(
                request=Request(method="GET", target=target),
                route=f"GET {target}",
                cookies=None,
                recorded_status=200,
            )
            for target in ("/a", "/b")
        ],
        open_loop=open_loop,
        warmup_ns=WARM * MS,
        slice_ns=300 * MS,
        slices=3,
        planned=SHOTS - WARM,
        peak_users=1,
        planned_held_out=int(HELD_OUT[WARM:].sum()),
    )
    scenario: dict[str, Any] = {
        "name": "x",
        "recording": "r.parquet",
        "service": {"image": "i"},
        "load": {"replay": {}} if open_loop else {"users": 1},
        "rounds": {"min": ROUNDS, "max": ROUNDS},
        "budgets": {"memory": {"growth": "1KiB"}, "cpu": "1%"},
        **terms,
    }
    return Journal(
        id="t",
        scenario=Scenario.model_validate(scenario),
        recording_digest="",
        plan=plan,
        baseline="b",
        candidate="c",
    )


def samples(seed: int, scale: float) -> Samples:
    """Answered within 1 to 70 ms, times `scale`; a few go wrong."""
    random = np.random.default_rng(seed)
    columns = {name: np.zeros(SHOTS, kind) for name, kind in SAMPLE_FIELDS.items()}
    due_ns = np.arange(1, SHOTS + 1) * MS
    latency_ns = random.uniform(1, 70, SHOTS) * MS * scale
    failing = random.random(SHOTS) < 0.002
    return columns | {
        "shot": np.arange(SHOTS, dtype="u4"),
        "slice": SLICES.astype("u2"),
        "due_ns": due_ns,
        "sent_ns": due_ns,
        "done_ns": due_ns + latency_ns.astype("i8"),
        "status": np.where(failing, 500, 200).astype("u2"),
    }


def usage(grows: int) -> Samples:
    """A reading each 10 ms, of memory that grows by so many bytes a reading."""
    at_ns = np.arange(10 * MS, (SHOTS + 10) * MS, 10 * MS)
    columns = {name: np.zeros(len(at_ns), kind) for name, kind in USAGE_FIELDS.items()}
    memory = 2**26 + grows * np.arange(len(at_ns))
    return columns | {"at_ns": at_ns, "anonymous_bytes": memory}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A plan and its rounds, judged."""

    journal: Journal
    directory: Path

    def judged(
        self, of_arm: dict[tuple[int, Arm], Samples], unfilled: int = 0
    ) -> tuple[Report, Report]:
        """The reports on everything and on the shown part."""
        dossier = Dossier(self.journal)
        for index in range(1, LATE + 1):
            dossier.add(self._round(index, of_arm, unfilled))
        return dossier.reports(self.journal)

    def _round(
        self, index: int, of_arm: dict[tuple[int, Arm], Samples], unfilled: int
    ) -> Round:
        arms = {}
        for arm in Arm:
            path = self.directory / f"{arm}.parquet"
            write_columns(path, of_arm[index, arm])
            readings = path.with_suffix(".usage")
            write_columns(readings, usage(4_000 if arm is Arm.CANDIDATE else 1_000))
            arms[arm] = _result(index, arm, path, readings, unfilled)
        return Round(
            index=index,
            first=Arm.BASELINE,
            plan_digest=self.journal.plan.digest,
            baseline=arms[Arm.BASELINE],
            candidate=arms[Arm.CANDIDATE],
        )


def _result(
    index: int, arm: Arm, path: Path, readings: Path, unfilled: int
) -> ArmResult:
    late_ns = 3 * MS if index == LATE else MS
    return ArmResult(
        arm=arm,
        samples=path,
        usage=readings,
        cpu_ns=SHOTS * MS * (2 if arm is Arm.CANDIDATE else 1),
        books=books(SHOTS, unfilled=unfilled),
        health=health(timer_late_p95_ns=late_ns),
    )


@pytest.fixture(params=[True, False], ids=["replay", "users"])
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Trial]:
    """Makes a trial of an open and of a closed population."""

    def made(**terms: Any) -> Trial:
        stored = journal(tmp_path, open_loop=request.param, **terms)
        return Trial(journal=stored, directory=tmp_path)

    return made


def rounds(scale: float) -> dict[tuple[int, Arm], Samples]:
    """Of each arm and round; the candidate is slower by a factor."""
    return {
        (index, arm): samples(
            index + 100 * (arm is Arm.CANDIDATE),
            scale if arm is Arm.CANDIDATE else 1.0,
        )
        for index, arm in ARMS
    }


def told(report: Report, shown: Report) -> str:
    """What a fixing agent is told."""
    fix = report.proof.outcome if report.proof else None
    return agent(shown, outcome=report.verdict.outcome, fix=fix)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of held-out samples."""

    seed: int
    share: float
    slow_ms: float
    arms: frozenset[Arm]

    def of(self, rounds: dict[tuple[int, Arm], Samples]) -> dict[Any, Samples]:
        """The rounds, the same where they are shown."""
        random = np.random.default_rng(self.seed)
        return {
            (index, arm): self._of(each, random) if arm in self.arms else each
            for (index, arm), each in rounds.items()
        }

    def _of(self, given: Samples, random: np.random.Generator) -> Samples:
        drawn = HELD_OUT & (random.random(SHOTS) < self.share)
        latency_ns = random.exponential(self.slow_ms * MS, SHOTS).astype("i8")
        others = {
            "status": random.choice([0, 200, 401, 404, 500, 503], SHOTS),
            "cause": random.integers(0, len(CAUSES), SHOTS),
            "done_ns": given["due_ns"] + latency_ns,
            "sent_ns": given["due_ns"] + latency_ns // 2,
            "eligible_ns": given["due_ns"],
            "bytes": random.integers(0, 99, SHOTS),
            "digest": random.integers(0, 99, SHOTS),
            "reconnected": random.integers(0, 2, SHOTS),
        }
        return given | {
            name: np.where(drawn, column, given[name]).astype(SAMPLE_FIELDS[name])
            for name, column in others.items()
        }


CHANGES = st.builds(
    Change,
    seed=st.integers(0, 2**32),
    share=st.floats(0, 1),
    slow_ms=st.floats(0.1, 5_000),
    arms=st.frozensets(st.sampled_from(list(Arm)), min_size=1),
)


@pytest.mark.parametrize("terms", [{}, {"fix": FIX}], ids=["budgets", "fix"])
@pytest.mark.parametrize("scale", [1.0, 1.5])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=8,
    phases=[Phase.generate],
)
@given(change=CHANGES)
def test_what_is_held_out_is_not_told(
    trial: Callable[..., Trial], terms: dict[str, Any], scale: float, change: Change
) -> None:
    """Whatever held-out requests get, the agent reads the same, but for the outcome."""
    this, before = trial(**terms), rounds(scale)

    _, shown = this.judged(before)
    report, shown_after = this.judged(change.of(before), unfilled=change.seed % 99)

    assert dump(shown) == dump(shown_after)
    assert told(report, shown) == told(report, shown_after)


def held_out_fail(of_arm: Samples) -> Samples:
    """Every held-out request is answered 503."""
    return of_arm | {"status": np.where(HELD_OUT, 503, of_arm["status"]).astype("u2")}


def test_special_cased(trial: Callable[..., Trial]) -> None:
    """A candidate that is right only where it is seen fails, and is not told where."""
    special = {
        (index, arm): held_out_fail(each) if arm is Arm.CANDIDATE else each
        for (index, arm), each in rounds(1.0).items()
    }
    budgets = {
        "latency": {"p95": "50%"},
        "errors": "5%",
        "memory": {"growth": "9MiB"},
        "cpu": "900%",
    }

    report, shown = trial(budgets=budgets).judged(special)
    document = json.loads(told(report, shown))

    assert (Outcome.FAIL, Outcome.PASS) == (
        report.verdict.outcome,
        shown.verdict.outcome,
    )
    assert document["reason"].startswith("the shown part alone would be PASS: the held")
    assert [] == document["findings"]
    assert "503" not in told(report, shown)


def test_nothing_held_out(trial: Callable[..., Trial]) -> None:
    """Where all is shown, the shown part is all there is."""
    marked = trial()
    plan = without_marks(marked)
    unmarked = replace(marked, journal=replace(marked.journal, plan=plan))

    report, shown = unmarked.judged(rounds(1.5))

    assert report == shown
    assert json.loads(told(report, shown))["held_out"].startswith("nothing")


def without_marks(trial: Trial) -> Plan:
    """The trial's plan anew, with all of it shown."""
    plan = trial.journal.plan
    return write_plan(
        trial.directory,
        {**read_shots(plan.shots_path), "held_out": np.zeros(SHOTS)},
        read_requests(plan.requests_path),
        open_loop=plan.open_loop,
        warmup_ns=plan.warmup_ns,
        slice_ns=plan.slice_ns,
        slices=plan.slices,
        planned=plan.planned,
        peak_users=plan.peak_users,
    )


def test_whole_figures(trial: Callable[..., Trial]) -> None:
    """Memory and CPU are the whole build's: per request they are what all say."""
    report, shown = trial().judged(rounds(1.0))

    for metric in ("memory", "growth", "cpu"):
        everything, part = (_baseline(each, metric) for each in (report, shown))
        assert part == pytest.approx(everything, rel=0.02)
    assert (SHOTS - WARM, 720) == (report.requests, shown.requests)
    assert report.void_rounds == shown.void_rounds != ()


def _baseline(report: Report, metric: str) -> float | None:
    (found,) = (each for each in report.estimates if each.metric == metric)
    return found.baseline
