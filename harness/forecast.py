"""Before a trial: how long it will take, and what it will be able to see."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.calibration import doubts, told
from harness.compare.hypothesis import hypotheses_of
from harness.compare.measure import ArmColumns, measured, needed
from harness.compare.metric import QUANTILES
from harness.compare.paired import requests_needed
from harness.model.result import SAMPLE_FIELDS, USAGE_FIELDS
from harness.model.route import OTHER, SERVICE
from harness.opening import circumstances
from harness.planning.account import in_words
from harness.planning.planner import make_plan
from harness.store.plan import moments_ns, read_measured, read_requests, read_shots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.compare.hypothesis import Hypothesis
    from harness.compare.measure import ArmMeasures
    from harness.model.calibration import Calibration
    from harness.model.plan import Plan
    from harness.model.scenario import Rounds, Scenario
    from harness.model.traffic import Recording

__all__ = ["forecast"]

_MINUTE_S: Final = 60
_UNKNOWN: Final = "what a locustfile sends is not known beforehand"

Fact = tuple[str, str]


def forecast(
    scenario: Scenario, recording: Recording | None, calibration: Calibration | None
) -> tuple[Fact, ...]:
    """What a trial of a scenario will take and see, as names and values.

    Args:
        scenario: its terms.
        recording: the traffic; `None` where a locustfile is the load.
        calibration: of the scenario, if there is one.

    Raises:
        InputError: the plan would be empty or too large.
    """
    with tempfile.TemporaryDirectory(prefix="seatrial-plan-") as scratch:
        plan = make_plan(scenario, recording, Path(scratch))
        planned = _planned(plan) if plan.planned else {}
        live = in_words(read_requests(plan.requests_path))
    doubt = (
        doubts(calibration, circumstances(scenario, recording)) if calibration else ""
    )
    return (
        *_times(scenario.rounds, plan),
        *(_judged(scenario, plan, planned) if planned else [("requests", _UNKNOWN)]),
        *([("live values", live)] if live else []),
        ("calibration", told(calibration, doubt)),
    )


def _times(rounds: Rounds, plan: Plan) -> Iterator[Fact]:
    round_s = 2 * plan.total_ns / 1e9
    yield "rounds", f"{rounds.min} to {rounds.max}"
    yield "a round", f"{round_s:g} s, and what starting both builds takes"
    least, most = (_minutes(each * round_s) for each in (rounds.min, rounds.max))
    yield "time", f"{least} to {most}, and what building and starting takes"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), _MINUTE_S)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _planned(plan: Plan) -> Mapping[str, int]:
    """Requests of each route in the measured slices, if every answer comes at once."""
    routes = [each.route for each in read_requests(plan.requests_path)]
    request = read_shots(plan.shots_path)["request"]
    counted = read_measured(plan.requests_path)[request]
    measured_ones = request[counted & (moments_ns(plan) >= plan.warmup_ns)]
    counts = np.bincount(measured_ones, minlength=len(routes))
    total: Counter[str] = Counter()
    for route, count in zip(routes, counts.tolist(), strict=True):
        total[route] += count
    return {route: count for route, count in total.items() if count}


def _judged(
    scenario: Scenario, plan: Plan, planned: Mapping[str, int]
) -> Iterator[Fact]:
    """What will be judged, by the rule that will decide it in the first round."""
    yield "requests", f"{plan.planned:,} an arm and round, on {len(planned)} routes"
    if plan.planned_held_out:
        yield "held out", f"{plan.planned_held_out:,} of them, from agent.json"
    if scenario.rounds.soak:
        yield "hypotheses", "the growth of memory alone, over its budget in each round"
        return
    arm = _as_planned(plan, planned)
    family = hypotheses_of(scenario.budgets, arm, arm.routes)
    gated = [each for each in family if each.allowance is not None]
    main = max(gated, key=lambda each: each.share)
    most = f"{main.share:.0%} of it {main.metric.name} of {main.route}"
    yield "hypotheses", f"{len(gated)} share the 5% of a false FAIL, {most}"
    yield from _shares(gated, plan.planned, scenario.rounds)
    service = sum(planned.values())
    thick = [name for name, least in _least().items() if service >= least]
    thin = [name for name, least in _least().items() if service < least]
    missing = ", ".join(f"{each} needs {_least()[each]:,}" for each in thin)
    yield "service", "; ".join(part for part in (", ".join(thick), missing) if part)
    yield "routes", _routes(family, planned)


def _shares(
    gated: Sequence[Hypothesis], planned: int, rounds: Rounds
) -> Iterator[Fact]:
    """Budgets of shares that the first look has too few requests to be within."""
    for each in gated:
        assert each.allowance is not None, "gated ones have one"
        if each.metric.of is None:
            continue
        enough = requests_needed(each.allowance.larger)
        takes = -(-enough // planned)
        if takes > rounds.min:
            when = (
                f"no sooner than in round {takes}"
                if takes <= rounds.max
                else f"never: {rounds.max} rounds have {rounds.max * planned:,}"
            )
            text = f"within {each.budget} takes {enough:,} requests, {when}"
            yield each.metric.name, text


def _least() -> Mapping[str, int]:
    return {name: needed(percent) for name, percent in QUANTILES.items()}


def _routes(family: Sequence[Hypothesis], planned: Mapping[str, int]) -> str:
    names = dict.fromkeys(each.route for each in family)
    alone = [name for name in names if name not in (SERVICE, OTHER)]
    thick = [name for name in alone if planned.get(name, 0) >= needed(QUANTILES["p95"])]
    least = f"{needed(QUANTILES['p95']):,} requests an arm and round"
    if not thick:
        return f"none is thick enough for a p95 ({least})"
    pooled = len(planned.keys() - set(alone))
    rest = f"; {pooled} more together as `{OTHER}`" if pooled else ""
    return f"p95 of {', '.join(thick)}{rest}"


def _as_planned(plan: Plan, planned: Mapping[str, int]) -> ArmMeasures:
    """A round as the plan has it: every answer at once, nothing measured besides."""
    counts = list(planned.values())
    samples = {
        name: np.zeros(sum(counts), dtype=kind) for name, kind in SAMPLE_FIELDS.items()
    }
    samples["slice"][:], samples["status"][:], samples["done_ns"][:] = 1, 200, 1
    return measured(
        ArmColumns(
            samples=samples,
            route=np.repeat(np.arange(len(counts)), counts),
            routes=tuple(planned),
            recorded_status=np.full(sum(counts), 200),
            usage={
                name: np.zeros(0, dtype=kind) for name, kind in USAGE_FIELDS.items()
            },
            cpu_ns=None,
            deadline_ns=1,
            planned=plan.planned,
            open_loop=plan.open_loop,
        )
    )
