"""A healthy generator and reports, for tests that are about something else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.model.plan import Plan
from harness.model.result import Books, GeneratorHealth, WorkerHealth
from harness.model.verdict import (
    Finding,
    FixOutcome,
    Outcome,
    Proof,
    Report,
    Verdict,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["books", "finding", "health", "plan", "report"]

_MS = 1_000_000
_BOOKS = Books(
    sent=9, answered=9, failed=0, in_flight=0, connections=1, closed=0, reconnects=0
)
_HEALTH = GeneratorHealth(
    cpu_ratio=0.3,
    timer_late_p95_ns=_MS,
    lag_p50_ns=_MS,
    lag_p95_ns=_MS,
    lag_p99_ns=_MS,
    lag_counts=(9,),
    steal_ratio=0.0,
    ports=28_232,
    workers=(
        WorkerHealth(
            title="load worker 1 of 1",
            cpu_ratio=0.3,
            timer_late_p95_ns=_MS,
            collected_ns=0,
            descriptors=9,
            open_files=20_000,
            books=_BOOKS,
        ),
    ),
)


def books(answered: int = 9, **given: Any) -> Books:
    """So many requests, all answered, but for what is given."""
    return replace(_BOOKS, **{"sent": answered, "answered": answered, **given})


def health(of: Books = _BOOKS, **given: Any) -> GeneratorHealth:
    """Of one worker with these books, healthy but for what is given."""
    worker = replace(_HEALTH.workers[0], books=of)
    return replace(_HEALTH, **{"workers": (worker,), **given})


def plan(directory: Path, **given: Any) -> Plan:
    """Of one shot, in files that need not be there."""
    plan = Plan(
        shots_path=directory / "plan.parquet",
        requests_path=directory / "requests.parquet",
        digest="p",
        shots=1,
        users=1,
        open_loop=True,
        warmup_ns=1,
        slice_ns=1,
        slices=1,
        planned=1,
        peak_users=1,
    )
    return replace(plan, **given)


def report(outcome: Outcome, fix: FixOutcome, *findings: Finding) -> Report:
    """A report of this verdict and no figures."""
    return Report(
        scenario="demo",
        why="",
        baseline="a",
        candidate="b",
        rounds=5,
        void_rounds=(),
        requests=1,
        verdict=Verdict(outcome=outcome, findings=findings),
        estimates=(),
        environment=(),
        generator=(),
        proof=Proof(outcome=fix, symptom="s", message="m"),
    )


def finding(metric: str, severity: str = "fail", message: str = "m") -> Finding:
    """One of the service."""
    return Finding(severity=severity, metric=metric, route="service", message=message)
