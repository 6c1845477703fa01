"""The metrics: what each reads from an arm's round. A new metric is a row here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf, log
from typing import TYPE_CHECKING, Final

from harness.compare.measure import HELD, SPENT, ArmMeasures, needed, quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "GROWTH",
    "METRICS",
    "QUANTILES",
    "QUIET",
    "Metric",
    "Reading",
    "Undefined",
]


@dataclass(frozen=True, slots=True)
class Undefined:
    """Why there is no value."""

    reason: str


Reading = float | Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One kind of figure.

    Attributes:
        name: as in `Estimate.metric`.
        unit: as in `Estimate.unit`.
        relative: whether arms are compared by ratio, else by difference.
        cap: how far one round counts beyond its budget, and below no change at all.
            Capping is conservative both ways, and one catastrophic round cannot hide a
            FAIL by blowing up the standard deviation.
        worse: 1 if more is worse, -1 if less is.
        by_route: whether routes have it too, not only the service.
        only_fails: whether it can show a regression in the time of a trial, but not
            that there is none.
        read: its value in one arm's round over some routes together.
        of: how many requests it is a share of, likewise; `None` for what is no share.
    """

    name: str
    unit: str
    relative: bool = True
    cap: float = log(1.25)
    worse: int = 1
    by_route: bool = False
    only_fails: bool = False
    read: Callable[[ArmMeasures, frozenset[str]], Reading]
    of: Callable[[ArmMeasures, frozenset[str]], int] | None = None


def _quantile(percent: int, arm: ArmMeasures, routes: frozenset[str]) -> Reading:
    values = arm.latencies_ns(routes)
    if len(values) < needed(percent):
        return Undefined(
            f"needs {needed(percent):,} requests an arm and round, had {len(values):,}"
        )
    return float(quantile(values, percent))


def _errors(arm: ArmMeasures, routes: frozenset[str]) -> Reading:
    rate = arm.error_rate(routes)
    return Undefined("no requests") if rate is None else rate


def _planned(arm: ArmMeasures, _: frozenset[str]) -> int:
    return arm.planned


def _goodput(arm: ArmMeasures, _: frozenset[str]) -> Reading:
    return arm.correct / arm.planned if arm.planned else Undefined("nothing planned")


def _memory(arm: ArmMeasures, _: frozenset[str]) -> Reading:
    if not arm.memory_bytes:
        return Undefined("memory is not measured here")
    return arm.memory_bytes


def _growth(arm: ArmMeasures, _: frozenset[str]) -> Reading:
    if arm.growth_bytes is None:
        return Undefined("memory is not measured here, or not often enough")
    return arm.growth_bytes


def _held(name: str, arm: ArmMeasures, _: frozenset[str]) -> Reading:
    if name not in arm.held:
        return Undefined(f"{name} are not measured here, or not often enough")
    return arm.held[name]


def _spent(name: str, arm: ArmMeasures, _: frozenset[str]) -> Reading:
    return arm.spent.get(name, Undefined("it is not measured here"))


def _cpu(arm: ArmMeasures, _: frozenset[str]) -> Reading:
    if not arm.cpu_ns:
        return Undefined("CPU time is not measured here")
    return arm.cpu_ns / arm.answered if arm.answered else Undefined("no answers")


_POINT: Final = 0.01

GROWTH: Final = "growth"

_SPENT: Final = {name: name.rpartition("_")[0] or name for name in SPENT}
"""What columns of usage are called as metrics, without their units."""

QUIET: Final = frozenset({*HELD, *_SPENT.values()})
"""Metrics that are worth a row where they have regressed."""

QUANTILES: Final[Mapping[str, int]] = {"p50": 50, "p95": 95, "p99": 99}

METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric
    for metric in (
        *(
            Metric(
                name=name, unit="ns", by_route=True, read=partial(_quantile, percent)
            )
            for name, percent in QUANTILES.items()
        ),
        Metric(
            name="errors",
            unit="ratio",
            relative=False,
            cap=_POINT,
            by_route=True,
            read=_errors,
            of=ArmMeasures.requests_of,
        ),
        Metric(
            name="goodput",
            unit="ratio",
            relative=False,
            cap=_POINT,
            worse=-1,
            read=_goodput,
            of=_planned,
        ),
        Metric(name="memory", unit="bytes", read=_memory),
        Metric(
            name=GROWTH,
            unit="bytes/1000 requests",
            relative=False,
            cap=inf,
            only_fails=True,
            read=_growth,
        ),
        Metric(name="cpu", unit="ns/request", read=_cpu),
        *(
            Metric(
                name=name,
                unit="1/1000 requests",
                relative=False,
                cap=inf,
                only_fails=True,
                read=partial(_held, name),
            )
            for name in HELD
        ),
        *(
            Metric(
                name=called,
                unit=f"{name.removeprefix(called).lstrip('_') or 1}/request",
                relative=False,
                cap=inf,
                read=partial(_spent, name),
            )
            for name, called in _SPENT.items()
        ),
    )
}
