"""What the trial says: estimates, findings and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.model.profile import Profile  # noqa: TC001 - pydantic reads the annotation

__all__ = [
    "SCHEMA_VERSION",
    "UNITS",
    "Estimate",
    "Finding",
    "FixOutcome",
    "Label",
    "Outcome",
    "Proof",
    "Report",
    "SlowRequest",
    "Verdict",
]

UNITS: Final = (
    "ns",
    "bytes",
    "ratio",
    "ns/request",
    "bytes/request",
    "1/request",
    "bytes/1000 requests",
    "1/1000 requests",
)
"""Of the figures in an estimate."""

SCHEMA_VERSION: Final = 1
"""Of `verdict.json` and `agent.json`; a reader refuses a larger one."""


class Outcome(StrEnum):
    """The verdict's first word."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


class FixOutcome(StrEnum):
    """Whether the candidate fixes what it claims to."""

    FIXED = "FIXED"
    FIXED_BUT_REGRESSED = "FIXED_BUT_REGRESSED"
    NOT_FIXED = "NOT_FIXED"
    NOT_REPRODUCED = "NOT_REPRODUCED"
    UNPROVEN = "UNPROVEN"


class Label(StrEnum):
    """What an estimate says by itself."""

    IMPROVED = "improved"
    EQUIVALENT = "equivalent"
    WITHIN = "within budget"
    REGRESSED = "regressed"
    UNCLEAR = "unclear"
    SHOWN = "not gated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One metric of the service or of a route, compared over the rounds.

    Attributes:
        metric: `p50`, `p95`, `p99`, `errors`, `goodput`, `memory`, `growth`, `cpu`;
            the growth of `descriptors`, `threads` and `sockets`; by the request,
            `throttled` time, page `faults`, `read`, `written`, `received` and `sent`.
        route: the route, or `service`.
        unit: of `baseline` and `candidate`: one of `UNITS`.
        relative: whether `change` is a ratio (1.1: ten percent more) or a difference
            in `unit` (0.01: one percentage point more).
        baseline: centre over the rounds (geometric mean for ratios), `None` if
            undefined.
        candidate: likewise.
        change: candidate over baseline, or candidate - baseline.
        lower: lower end of the 90 % confidence interval of `change`.
        upper: its upper end.
        rounds: rounds that it rests on.
        budget: what was allowed, in words with units; empty if not gated.
        allowed: the change that uses the budget up, as `change` is given; `None` if not
            gated or undefined.
        t: mean excess over the budget in standard errors; `None` if not gated or
            undefined.
        label: what it says by itself.
        undefined: why there is no value, empty if there is one.
        worst_round: the index of the round with the largest change, 0 if undefined.
        per_round: baseline and candidate of each round, in order.
    """

    metric: str
    route: str
    unit: str
    relative: bool
    baseline: float | None = None
    candidate: float | None = None
    change: float | None = None
    lower: float | None = None
    upper: float | None = None
    rounds: int = 0
    budget: str = ""
    allowed: float | None = None
    t: float | None = None
    label: Label = Label.SHOWN
    undefined: str = ""
    worst_round: int = 0
    per_round: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"{self.unit!r} is not one of {', '.join(UNITS)}")
        if (self.change is None) != bool(self.undefined):
            raise ValueError("an estimate is either defined or says why not")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence of the reason.

    Attributes:
        severity: `fail`, `inconclusive`, `invalid` or `note`; the worst come first.
        metric: what it is about: a metric, or `crash`, `generator`, `rounds`, ….
        route: the route, or `service`.
        message: a sentence with figures and units.
        examples: what it was seen in, a few lines each.
    """

    severity: str
    metric: str
    route: str
    message: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer. Whatever is not a PASS names at least one finding."""

    outcome: Outcome
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.outcome is not Outcome.PASS and not self.findings:
            raise ValueError(f"{self.outcome} without a finding")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What became of the claim that the candidate fixes something.

    Attributes:
        outcome: the answer.
        symptom: what the baseline should show, in words.
        message: why, a sentence with figures.
        per_round: baseline and candidate of each sound round: 1 or 0 where the symptom
            happens or does not, else the rate or level; empty if undefined.
    """

    outcome: FixOutcome
    symptom: str
    message: str
    per_round: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowRequest:
    """One of the slowest requests of an arm, in the sound rounds.

    Attributes:
        arm: which.
        round: its index.
        slice: in which it fell due.
        shot: its number in the plan.
        route: such as `GET /orders/{id}`.
        latency_ns: done - due.
        status: of the answer; 0 without one.
        at_s: seconds after the first measured request of the arm's round.
        log: what the build wrote while it waited, as far as the log has times.
    """

    arm: str
    round: int
    slice: int
    shot: int
    route: str
    latency_ns: int
    status: int
    at_s: float
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a reporter needs; the content of `verdict.json`.

    Attributes:
        scenario: its name.
        why: the scenario's own words.
        baseline: the build that ran, by reference and digest.
        candidate: likewise.
        rounds: sound rounds.
        void_rounds: rounds that were not, each with its reason.
        requests: planned requests an arm and round, warm-up excluded.
        verdict: the answer.
        estimates: the service first, then routes.
        proof: of the fix, `None` where none is claimed.
        environment: facts of the trial in words: driver, load, machine, pinning.
        generator: worst generator health over the sound rounds, name → value, units in
            the name.
        calibration: what this machine could have seen, in words.
        held_out: share of `requests` in sessions that are not in `agent.json`.
        profile: in which functions time grew, where that was asked.
        slowest: the slowest requests of each arm, the slowest first.
        passed_over: share of the answers that are not compared, as they come behind a
            failure of one arm alone in their session.
    """

    scenario: str
    why: str
    baseline: str
    candidate: str
    rounds: int
    void_rounds: tuple[str, ...]
    requests: int
    verdict: Verdict
    estimates: tuple[Estimate, ...]
    environment: tuple[str, ...]
    generator: tuple[tuple[str, float], ...]
    proof: Proof | None = None
    calibration: str = ""
    held_out: float = 0.0
    profile: Profile | None = None
    slowest: tuple[SlowRequest, ...] = ()
    passed_over: float = 0.0
