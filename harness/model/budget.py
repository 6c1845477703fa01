"""How much worse than the baseline a candidate may be."""

from __future__ import annotations

from pydantic import Field

from harness.model.part import (
    CountAllowance,
    GrowthAllowance,
    LatencyAllowance,
    Part,
    RatioAllowance,
    Route,
    SizeAllowance,
)

__all__ = ["Budgets", "LatencyBudgets", "MemoryBudget"]


class LatencyBudgets(Part):
    """By quantile; one that is not given is shown but not gated."""

    p50: LatencyAllowance | None = None
    """How much later half of the answers may be; both parts: within either."""
    p95: LatencyAllowance | None = None
    """How much later 95 of 100 answers may be."""
    p99: LatencyAllowance | None = None
    """How much later 99 of 100 answers may be."""


class MemoryBudget(Part):
    """Of the service's anonymous memory."""

    level: SizeAllowance = "10% or 16MiB"  # type: ignore[assignment] # parsed
    """Median of the last third of a round's readings under load."""
    growth: GrowthAllowance | None = None
    """What it may grow more by 1,000 requests; not gated if left out.

    Rounds are short: it can show that memory grows, not that it does not.
    """


class Budgets(Part):
    """How much worse the candidate may be. The defaults gate what verdicts need."""

    latency: LatencyBudgets = LatencyBudgets.model_validate(
        {"p95": "10% or 5ms", "p99": "20% or 25ms"}
    )
    """The service as a whole."""
    routes: LatencyBudgets = LatencyBudgets.model_validate({"p95": "20% or 10ms"})
    """Each route with enough requests."""
    errors: RatioAllowance = "0.1%"  # type: ignore[assignment] # parsed
    """Percentage points over the baseline's error rate."""
    goodput: RatioAllowance = "1%"  # type: ignore[assignment] # parsed
    """Percentage points under the baseline's goodput."""
    memory: MemoryBudget = MemoryBudget()
    """The service's memory."""
    cpu: RatioAllowance = "15%"  # type: ignore[assignment] # parsed
    """CPU seconds per request."""
    descriptors: CountAllowance | None = "20"  # type: ignore[assignment] # parsed
    """Open files that there may be more of after 1,000 requests, as far as they can be
    counted. As of `memory.growth`, a trial can show that they grow, not that they do
    not."""
    threads: CountAllowance | None = "20"  # type: ignore[assignment] # parsed
    """Threads, likewise."""
    sockets: CountAllowance | None = "20"  # type: ignore[assignment] # parsed
    """Sockets, likewise."""
    by_route: dict[Route, LatencyBudgets] = Field(default_factory=dict)
    """Routes by name, such as `POST /checkout`, instead of `routes`."""
