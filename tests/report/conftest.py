"""Reports as a trial would make them, built part by part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.compare.course import Course
from harness.model.profile import Frame, Profile
from harness.model.result import Arm
from harness.model.verdict import (
    Estimate,
    Finding,
    Label,
    Outcome,
    Report,
    SlowRequest,
    Verdict,
)
from tests.compare.conftest import Make as MakeEvidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.evidence import RoundEvidence

S = 1_000_000_000
HOSTILE = (
    "<script>alert(1)</script>",
    "</style></svg><img src=x onerror=alert(1)>",
    "\x1b[31mred\x00",
    "\u202egnp.exe",
    "{{ 7 * 7 }}",
    '" onmouseover="x',
    "a" * 10_000,
)


class Make:
    """Factories of reports."""

    def estimate(self, metric: str = "p95", **given: Any) -> Estimate:
        """A latency of 45 ms, 4 % up, well within its budget, unless told otherwise."""
        estimate = Estimate(
            metric=metric,
            route="service",
            unit="ns",
            relative=True,
            baseline=45e6,
            candidate=46.8e6,
            change=1.04,
            lower=1.01,
            upper=1.07,
            rounds=4,
            budget="10% or 5ms",
            t=-8.0,
            label=Label.WITHIN,
            worst_round=2,
            per_round=((44e6, 46e6), (45e6, 47.5e6)),
        )
        return replace(estimate, **given)

    def memory(self) -> Estimate:
        """A leak."""
        return self.estimate(
            "memory",
            unit="bytes",
            baseline=64_172_900.0,
            candidate=149_946_000.0,
            change=2.34,
            lower=2.21,
            upper=2.47,
            budget="10% or 16MiB",
            t=40.0,
            label=Label.REGRESSED,
        )

    def undefined(self) -> Estimate:
        """A gated figure without a value."""
        return Estimate(
            metric="p99",
            route="service",
            unit="ns",
            relative=True,
            budget="20% or 25ms",
            undefined="needs 3,000 requests an arm and round, had 700",
        )

    def finding(self, severity: str = "fail", **given: Any) -> Finding:
        """About memory."""
        message = "memory: 61.2 MiB → 143 MiB, x2.34"
        finding = Finding(
            severity=severity, metric="memory", route="service", message=message
        )
        return replace(finding, **given)

    def report(
        self,
        outcome: Outcome = Outcome.PASS,
        findings: Sequence[Finding] = (),
        estimates: Sequence[Estimate] | None = None,
        **given: Any,
    ) -> Report:
        """A report of one estimate, a PASS unless told otherwise."""
        report = Report(
            scenario="checkout-peak",
            why="2025-11-28 outage",
            baseline="git:main (sha256:aaaa)",
            candidate="dir:. (sha256:bbbb)",
            rounds=4,
            void_rounds=(),
            requests=7_200,
            verdict=Verdict(outcome=outcome, findings=tuple(findings)),
            estimates=(self.estimate(),) if estimates is None else tuple(estimates),
            environment=("docker", "2 cores"),
            generator=(("cpu_ratio", 0.312), ("timer_late_p95_ms", 0.87)),
        )
        return replace(report, **given)

    def leak(self) -> Report:
        """A FAIL that names memory, with notes, a void round and a route."""
        note = self.finding("note", metric="p99", message="p99: not judged: too few")
        return self.report(
            Outcome.FAIL,
            [self.finding(), note],
            [
                self.estimate(),
                self.undefined(),
                self.memory(),
                self.estimate(route="GET /cart", label=Label.UNCLEAR, t=-1.0),
            ],
            void_rounds=("round 3: the baseline's load generator ran 9 ms late",),
        )

    def crowd(self, routes: int, outcome: Outcome = Outcome.FAIL) -> Report:
        """Many routes, all of them regressed and all of them found."""
        names = [f"GET /route/{place}" for place in range(routes)]
        return self.report(
            outcome,
            [
                *(self.finding(metric="p95", route=name) for name in names),
                *(self.finding("note") for _ in names),
            ],
            [
                *(self.estimate(name) for name in ("p50", "p95", "p99", "cpu")),
                *(
                    self.estimate(metric, route=name, label=Label.REGRESSED)
                    for name in names
                    for metric in ("p50", "p95", "p99", "errors")
                ),
            ],
        )


@pytest.fixture(scope="session")
def make() -> Make:
    """Factories of reports."""
    return Make()


@pytest.fixture(scope="session")
def golden() -> Path:
    """Where whole reports are kept, as a reader sees them."""
    return Path(__file__).resolve().parents[1] / "data" / "report"


def _course(round_: int) -> Course:
    from_ns = (np.arange(4) + 10 * round_) * S
    return Course(
        slice=np.array([1, 1, 2, 2]),
        from_ns=from_ns,
        until_ns=from_ns + S,
        requests=np.array([10, 12, 11, 9]),
        errors=np.array([0, 1, 0, 0]),
        p95_ns=np.full(4, 9e6),
        read_at_ns=from_ns,
        memory_bytes=np.full(4, 2**26),
        cores=np.array([np.nan, 0.5, 0.5, 0.25]),
    )


def rounds(routes: int = 2) -> list[RoundEvidence]:
    make = MakeEvidence()
    found = []
    for index in range(1, 4):
        evidence = make.round(index, make.arm(routes=routes), make.arm(routes=routes))
        object.__setattr__(evidence, "courses", {arm: _course(index) for arm in Arm})
        found.append(evidence)
    return found


def hostile(make: Make, text: str) -> Report:
    """A FAIL in which everything that somebody else wrote is `text`."""
    finding = make.finding(message=text, route=text, examples=(text, text))
    slow = SlowRequest(
        arm=str(Arm.CANDIDATE),
        round=1,
        slice=1,
        shot=3,
        route=text,
        latency_ns=S,
        status=200,
        at_s=0.5,
        log=(text, text),
    )
    return make.report(
        Outcome.FAIL,
        [finding, make.finding("note", message=text)],
        [make.estimate(route=text, allowed=1.1)],
        scenario=text,
        why=text,
        baseline=text,
        slowest=(slow,),
        profile=Profile(frames=(Frame(name=text, baseline_s=0.1, candidate_s=0.4),)),
    )
