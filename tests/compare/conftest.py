"""Trials made to measure: each part says only what the test is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.compare.boundary import Looks
from harness.compare.evidence import RoundEvidence, TrialEvidence
from harness.compare.measure import ArmColumns, ArmMeasures
from harness.compare.soundness import SoundLimits, void_reason
from harness.model.budget import Budgets
from harness.model.result import (
    SAMPLE_FIELDS,
    USAGE_FIELDS,
    Arm,
    ArmResult,
    GeneratorHealth,
    Round,
)
from tests.made import books, health

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MS = 1_000_000
MIB = 2**20


class Make:
    """Factories of evidence."""

    limits = SoundLimits(plan_digest="plan", timer_late_ns=2 * MS)

    def columns(
        self,
        latency_ms: Sequence[float],
        *,
        route: Sequence[int] | None = None,
        routes: tuple[str, ...] = ("GET /a",),
        open_loop: bool = True,
        recorded_status: int = 200,
        anonymous_bytes: Sequence[int] = (),
        **samples: Any,
    ) -> ArmColumns:
        """Samples of these latencies, answered 200 in slice 1 unless told otherwise."""
        size = len(latency_ms)
        given = {"slice": 1, "status": 200, **samples}
        columns = {
            name: np.full(size, given.get(name, 0), dtype=kind)
            if np.ndim(given.get(name, 0)) == 0
            else np.array(given[name], dtype=kind)
            for name, kind in SAMPLE_FIELDS.items()
        }
        if "done_ns" not in samples:
            columns["done_ns"] = (np.array(latency_ms) * MS).astype("i8")
        usage = {name: np.arange(len(anonymous_bytes)) for name in USAGE_FIELDS}
        usage["anonymous_bytes"] = np.array(anonymous_bytes, dtype="i8")
        return ArmColumns(
            samples=columns,
            route=np.zeros(size, int) if route is None else np.array(route, int),
            routes=routes,
            recorded_status=np.full(size, recorded_status),
            usage=usage,
            cpu_ns=None,
            deadline_ns=1_000 * MS,
            planned=size,
            open_loop=open_loop,
        )

    def arm(
        self,
        latency_ns: NDArray[np.int64] | None = None,
        *,
        routes: int = 1,
        scale: float = 1.0,
        errors: int = 0,
        **given: Any,
    ) -> ArmMeasures:
        """A sound arm of 700 requests a route, 1 to 70 ms, times `scale`."""
        spread_ns = np.linspace(1, 70, 700) * MS if latency_ns is None else latency_ns
        scaled_ns = np.asarray(spread_ns * scale, dtype=np.int64)
        names = [f"GET /{place}" for place in range(routes)]
        size = routes * len(scaled_ns)
        measures = ArmMeasures(
            latency_ns=dict.fromkeys(names, scaled_ns),
            requests=dict.fromkeys(names, len(scaled_ns)),
            errors={names[0]: errors},
            answered=size,
            correct=size - errors,
            planned=size,
            denied=0,
            reconnected=0,
            cpu_ns=size * MS,
            memory_bytes=100.0 * MIB,
        )
        return replace(measures, **given)

    def health(self, in_flight: int = 0, **given: Any) -> GeneratorHealth:
        """A healthy generator of one worker, but for what is given."""
        return health(books(in_flight=in_flight), **given)

    def round(
        self,
        index: int,
        baseline: ArmMeasures,
        candidate: ArmMeasures,
        *,
        health: tuple[dict[str, Any], dict[str, Any]] = ({}, {}),
        died: tuple[str, str] = ("", ""),
        plan_digest: str = "plan",
        in_flight: int = 0,
    ) -> RoundEvidence:
        """A round, void where its health or books say so."""
        arms = [
            ArmResult(
                arm=arm,
                samples=Path(),
                usage=Path(),
                cpu_ns=None,
                books=books(in_flight=in_flight),
                health=self.health(in_flight, **health[place]),
                died=died[place],
            )
            for place, arm in enumerate(Arm)
        ]
        round_ = Round(
            index=index,
            first=Arm.BASELINE,
            plan_digest=plan_digest,
            baseline=arms[0],
            candidate=arms[1],
        )
        void = void_reason(round_, self.limits)
        return RoundEvidence(
            round=replace(round_, void=void), baseline=baseline, candidate=candidate
        )

    def trial(self, rounds: Sequence[RoundEvidence], **given: Any) -> TrialEvidence:
        """A trial of exactly four rounds under the default budgets."""
        trial = TrialEvidence(
            scenario="checkout",
            why="",
            baseline="git:main",
            candidate="git:fix",
            budgets=Budgets.model_validate({"errors": "0.3%"}),
            looks=Looks(4, 4),
            rounds=tuple(rounds),
            limits=self.limits,
        )
        return replace(trial, **given)

    def steady(
        self, candidate: ArmMeasures | None = None, *, rounds: int = 4, **given: Any
    ) -> TrialEvidence:
        """A trial whose rounds are all alike; by default the arms are, too."""
        baseline = self.arm()
        other = baseline if candidate is None else candidate
        every = [self.round(index, baseline, other) for index in range(1, rounds + 1)]
        return self.trial(every, **given)


@pytest.fixture(scope="session")
def make() -> Make:
    """Factories of evidence."""
    return Make()
