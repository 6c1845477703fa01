"""Which comparisons a trial makes, decided once, by its first round."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.compare.measure import HELD, needed
from harness.compare.metric import METRICS, QUANTILES, Undefined
from harness.model.budget import Budgets
from harness.model.route import OTHER, SERVICE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from harness.compare.evidence import RoundEvidence
    from harness.compare.measure import ArmMeasures
    from harness.compare.metric import Metric
    from harness.model.budget import LatencyBudgets
    from harness.model.quantity import Allowance

__all__ = [
    "Hypothesis",
    "Pair",
    "has_plenty",
    "hypotheses",
    "hypotheses_of",
    "pair",
    "shared",
]

Pair = tuple[float, float]
"""Baseline and candidate."""

_THICK = 95
"""A route is judged alone where this quantile is defined."""

_MAIN = ("p95", "p50", "p99")
_MAIN_SHARE = 0.5

_DEFAULTS = Budgets()
"""What is asked for by name is told where it cannot be judged."""

_MARGIN = 1.1
"""And stays so where other rounds have a few requests less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One metric over some routes together.

    Attributes:
        metric: which.
        route: what the routes are called together.
        routes: over which it is read.
        allowance: the budget; `None` if it is only shown.
        required: whether the scenario asks for it by the route's name, so that a
            trial which cannot judge it cannot pass.
        share: of the chance of a false FAIL that the family has; 0 if not gated.
    """

    metric: Metric
    route: str
    routes: frozenset[str]
    allowance: Allowance | None
    required: bool = False
    share: float = 0.0

    @property
    def budget(self) -> str:
        """The allowance in words, empty for none."""
        if self.allowance is None:
            return ""
        if self.metric.relative or self.metric.unit != "ratio":
            return self.allowance.text
        points = self.allowance.larger * 100
        return f"{points:g} point{'s' * (points != 1)}"


def pair(hypothesis: Hypothesis, evidence: RoundEvidence) -> Pair | Undefined:
    """Both arms' values in one round, or why there are none; read once."""
    key = hypothesis.metric.name, hypothesis.routes
    if key not in evidence.pairs:
        evidence.pairs[key] = _read(hypothesis, evidence)
    return evidence.pairs[key]


def _read(hypothesis: Hypothesis, evidence: RoundEvidence) -> Pair | Undefined:
    read, routes = hypothesis.metric.read, hypothesis.routes
    baseline = read(evidence.baseline, routes)
    if isinstance(baseline, Undefined):
        return baseline
    candidate = read(evidence.candidate, routes)
    if isinstance(candidate, Undefined):
        return candidate
    if hypothesis.metric.relative and min(baseline, candidate) <= 0:
        return Undefined("is not above 0, which has no ratio")
    return baseline, candidate


def hypotheses(
    budgets: Budgets, rounds: Sequence[RoundEvidence]
) -> tuple[Hypothesis, ...]:
    """What is compared: the service first, then thick routes, then `other`.

    Which they are, the requests of the first round's baseline say, before there is
    anything to compare: a family that grew or shrank with the results would be no
    family.
    """
    everything = frozenset[str]().union(
        *(arm.routes for each in rounds for arm in (each.baseline, each.candidate))
    )
    return hypotheses_of(budgets, rounds[0].baseline, everything)


def hypotheses_of(
    budgets: Budgets, first: ArmMeasures, everything: frozenset[str]
) -> tuple[Hypothesis, ...]:
    """The same of the first round's baseline and of all routes there are."""
    alone = frozenset(name for name in first.routes if _is_thick(name, first))
    scopes = {name: frozenset({name}) for name in sorted(alone | {*budgets.by_route})}
    if alone and first.routes - alone:
        scopes[OTHER] = everything - alone
    found = (
        *_of_service(budgets, everything, first),
        *(
            each
            for name, routes in scopes.items()
            for each in _of_route(budgets, name, routes)
        ),
    )
    return shared(found, _main(found, first))


def shared(
    family: Iterable[Hypothesis], main: Hypothesis | None = None
) -> tuple[Hypothesis, ...]:
    """The family with everyone's share, fixed before there is anything to compare.

    Half of it is the main hypothesis's, since that sees what slows everything down;
    the others share the rest equally.
    """
    members = tuple(family)
    gated = sum(each.allowance is not None and each != main for each in members)
    rest = 1.0 if main is None else _MAIN_SHARE if gated else 0.0
    return tuple(
        replace(each, share=1.0 - rest)
        if each == main
        else replace(each, share=0.0 if each.allowance is None else rest / gated)
        for each in members
    )


def _main(family: Sequence[Hypothesis], first: ArmMeasures) -> Hypothesis | None:
    """The quantile by which the service as a whole is judged, where it has one."""
    gated = {
        each.metric.name: each
        for each in family
        if each.route == SERVICE and each.allowance is not None
    }
    defined = (gated[name] for name in _MAIN if name in gated)
    return next((each for each in defined if not _is_thin(each, first)), None)


def has_plenty(quantile: Hypothesis, arm: ArmMeasures) -> bool:
    """Whether an arm has so many requests that chance does not leave it too few."""
    percent = QUANTILES[quantile.metric.name]
    return _are_plenty(arm, quantile.routes, percent)


def _is_thick(route: str, first: ArmMeasures) -> bool:
    return _are_plenty(first, {route}, _THICK)


def _are_plenty(arm: ArmMeasures, routes: Collection[str], percent: int) -> bool:
    return len(arm.latencies_ns(routes)) >= needed(percent) * _MARGIN


def _of_service(
    budgets: Budgets, routes: frozenset[str], first: ArmMeasures
) -> Iterator[Hypothesis]:
    allowances: dict[str, Allowance | None] = {
        **_by_quantile(budgets.latency),
        "errors": budgets.errors,
        "goodput": budgets.goodput,
        "memory": budgets.memory.level,
        "growth": budgets.memory.growth,
        "cpu": budgets.cpu,
        **{name: getattr(budgets, name) for name in HELD},
    }
    gated = {
        name: Hypothesis(
            metric=metric, route=SERVICE, routes=routes, allowance=allowances.get(name)
        )
        for name, metric in METRICS.items()
        if name not in HELD
        or name in first.held
        or allowances[name] != getattr(_DEFAULTS, name)
    }
    if gated["p50"].allowance is None and _is_thin(gated["p95"], first):
        gated["p50"] = Hypothesis(
            metric=METRICS["p50"],
            route=SERVICE,
            routes=routes,
            allowance=gated["p95"].allowance,
        )
    yield from gated.values()


def _is_thin(hypothesis: Hypothesis, first: ArmMeasures) -> bool:
    value = hypothesis.metric.read(first, hypothesis.routes)
    return isinstance(value, Undefined)


def _of_route(
    budgets: Budgets, name: str, routes: frozenset[str]
) -> Iterator[Hypothesis]:
    allowances = _by_quantile(budgets.by_route.get(name, budgets.routes))
    for metric in METRICS.values():
        if metric.by_route:
            allowance = allowances.get(metric.name)
            yield Hypothesis(
                metric=metric,
                route=name,
                routes=routes,
                allowance=allowance,
                required=allowance is not None and name in budgets.by_route,
            )


def _by_quantile(budgets: LatencyBudgets) -> Mapping[str, Allowance | None]:
    return {name: getattr(budgets, name) for name in QUANTILES}
