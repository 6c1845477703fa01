"""The table of the bench, by what its cells are about.

Targets are those of the design; a figure without one is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.boundary import Looks
from harness.model.budget import Budgets
from harness.model.symptom import Symptom
from tests.bench.judge.cell import Cell, Target
from tests.bench.judge.effect import Effect, Errors
from tests.bench.judge.evidence import Terms
from tests.bench.judge.heap import Heap, Heaps
from tests.bench.judge.machine import Machine
from tests.bench.judge.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

PASS, FAIL, UNCLEAR = (
    Target(counted=(outcome,)) for outcome in ("PASS", "FAIL", "INCONCLUSIVE")
)
NO_FALSE_FAIL = Target(counted=("FAIL",), most=0.01)
MOSTLY_CLEAR = Target(counted=("INCONCLUSIVE",), most=0.10)
SHOWN = (PASS, FAIL, UNCLEAR)
ALIKE = (NO_FALSE_FAIL, MOSTLY_CLEAR, PASS)
HARMLESS = (NO_FALSE_FAIL, UNCLEAR, PASS)
FOUND = (Target(counted=("FAIL",), least=0.95), UNCLEAR, PASS)
AT_BUDGET = (
    Target(counted=("PASS",), most=0.055),
    Target(counted=("FAIL",), most=0.055),
    UNCLEAR,
)
NEVER_PASSES = Target(counted=("PASS",), most=0.0005)
FIXED = ("FIXED",)
WRONG_EVENT = (Target(counted=FIXED, most=0.016), Target(counted=("NOT_FIXED",)))
WRONG_RATE = (Target(counted=FIXED, most=0.02), Target(counted=("NOT_FIXED",)))
AT_THRESHOLD = (Target(counted=FIXED, most=0.055), Target(counted=("NOT_FIXED",)))
MOSTLY_FIXED = (Target(counted=FIXED, least=0.95), Target(counted=("UNPROVEN",)))


def _alike() -> Iterator[Cell]:
    """A build against itself, by routes and by how much starts differ."""
    for routes, requests in ((1, 4212), (6, 702), (20, 702)):
        for percent in (3, 5, 8, 12):
            yield Cell(
                name=f"aa-sd{percent}-routes{routes}",
                model=Model(
                    routes=routes,
                    requests=requests,
                    machine=Machine(deviation=percent / 100),
                ),
                targets=ALIKE if percent <= 8 else HARMLESS,
            )
    by_route = Budgets.model_validate({"routes": {"p95": "10%", "p99": "10%"}})
    for percent in (3, 5):
        yield Cell(
            name=f"aa-sd{percent}-each-route-10%",
            model=Model(
                terms=Terms(budgets=by_route),
                requests=3_312,
                machine=Machine(deviation=percent / 100),
            ),
            targets=HARMLESS,
        )


def _disturbed() -> Iterator[Cell]:
    """A build against itself where the machine or both arms are restless."""
    for name, machine in {
        "own-luck": Machine(deviation=0.08, own=0.5),
        "load": Machine(load=0.2),
        "drift": Machine(drift=0.1),
        "neighbour": Machine(neighbour=1.5),
    }.items():
        yield Cell(name=f"aa-{name}", model=Model(machine=machine), targets=ALIKE)
    for name, errors in {
        "bursts-rare": Errors(bursts=0.02),
        "bursts": Errors(bursts=0.1),
        "bursts-often": Errors(bursts=0.3, share=0.01),
    }.items():
        yield Cell(name=f"aa-{name}", model=Model(errors=errors), targets=ALIKE)
    for name, errors in {
        "errors-0.02%": Errors(rate=0.0002),
        "errors-0.1%": Errors(rate=0.001),
        "errors-1%": Errors(rate=0.01),
        "sick-starts": Errors(sick=0.2),
    }.items():
        yield Cell(name=f"aa-{name}", model=Model(errors=errors), targets=HARMLESS)
    yield Cell(
        name="aa-errors-0.1%-routes20",
        model=Model(routes=20, errors=Errors(rate=0.001)),
        targets=HARMLESS,
    )


def _at_budget() -> Iterator[Cell]:
    """A candidate that is exactly at a budget, where PASS and FAIL are both wrong."""
    for name, effect in {
        "p95": Effect(slower=1.10),
        "memory": Effect(memory=1.10),
        "cpu": Effect(cpu=1.15),
    }.items():
        yield Cell(name=f"at-{name}", model=Model(effect=effect), targets=AT_BUDGET)
    yield Cell(name="at-goodput", model=Model(unsent=(0.02, 0.03)), targets=AT_BUDGET)
    yield Cell(
        name="at-p95-sd12",
        model=Model(effect=Effect(slower=1.10), machine=Machine(deviation=0.12)),
        targets=AT_BUDGET,
    )
    yield Cell(
        name="at-one-route-of-20",
        model=Model(routes=20, effect=Effect(slower_route=1.20)),
        targets=AT_BUDGET,
    )
    for spread in (0.0, 1.0):
        yield Cell(
            name=f"at-errors-spread{spread:g}",
            model=Model(
                errors=Errors(rate=0.010, slice_spread=spread),
                candidate_errors=Errors(rate=0.011, slice_spread=spread),
            ),
            targets=AT_BUDGET,
        )
    everywhere = {"p95": "10%", "p99": "10%"}
    budgets = Budgets.model_validate({"latency": everywhere, "routes": everywhere})
    yield Cell(
        name="at-all-at-once",
        model=Model(
            terms=Terms(budgets=budgets),
            effect=Effect(slower=1.10),
            machine=Machine(own=0.9),
        ),
        targets=AT_BUDGET,
    )


def _slower() -> Iterator[Cell]:
    """A candidate that is slower everywhere."""
    for percent in (5, 8, 10):
        yield Cell(
            name=f"slower-{percent}%-sd5",
            model=Model(effect=Effect(slower=1 + percent / 100)),
            targets=SHOWN,
        )
    for percent in (3, 5, 8):
        yield Cell(
            name=f"slower-20%-sd{percent}",
            model=Model(
                effect=Effect(slower=1.20), machine=Machine(deviation=percent / 100)
            ),
            targets=(FOUND[0] if percent <= 5 else FAIL, NEVER_PASSES, UNCLEAR),
        )
    for percent in (5, 8):
        yield Cell(
            name=f"slower-20%-sd{percent}-own-luck",
            model=Model(
                effect=Effect(slower=1.20),
                machine=Machine(deviation=percent / 100, own=0.5),
            ),
            targets=SHOWN,
        )


def _fitful() -> Iterator[Cell]:
    """A candidate that is bad now and then."""
    known = Errors(rate=0.001)
    for name, model in {
        "timeouts": Model(effect=Effect(timeouts=0.01)),
        "timeouts-sd12": Model(
            effect=Effect(timeouts=0.01), machine=Machine(deviation=0.12)
        ),
        "timeouts-beside-errors": Model(effect=Effect(timeouts=0.01), errors=known),
    }.items():
        yield Cell(name=name, model=model, targets=FOUND)
    yield Cell(name="bimodal", model=Model(effect=Effect(slow=0.011)), targets=FOUND)
    yield Cell(
        name="hopeless-round-of-a-slower",
        model=Model(effect=Effect(slower=1.4, hopeless=20)),
        targets=(Target(counted=("FAIL",), least=0.99), UNCLEAR, PASS),
    )
    yield Cell(
        name="hopeless-round-alone",
        model=Model(effect=Effect(hopeless=20)),
        targets=HARMLESS,
    )
    yield Cell(
        name="bad-rounds-1-in-10",
        model=Model(effect=Effect(bad=3, bad_chance=0.1)),
        targets=SHOWN,
    )
    for name, voids in (("", ""), ("-voids", "candidate"), ("-voids-both", "both")):
        yield Cell(
            name=f"stalls-1-in-5{name}",
            model=Model(effect=Effect(stall=20, stall_chance=0.2, stall_voids=voids)),
            targets=(
                Target(counted=("PASS with a void round",), most=0.0),
                *SHOWN,
                Target(counted=("INVALID",)),
            ),
        )


def _memory() -> Iterator[Cell]:
    """Heaps in rounds and in soaks of ten minutes."""
    budgets = Budgets.model_validate({"memory": {"growth": "64KiB"}})
    no_growth = Target(counted=("FAIL by growth",), most=0.01)
    no_leak = Target(counted=("leaks",), most=0.0)
    calm = Heap(garbage_mb=2)
    cache = Heap(garbage_mb=2, cache_mb=20)
    yield Cell(
        name="heap-sawtooth",
        model=Heaps(terms=Terms(budgets=budgets)),
        targets=(no_growth, *HARMLESS),
    )
    yield Cell(
        name="heap-cache-fills",
        model=Heaps(terms=Terms(budgets=budgets), baseline=calm, candidate=cache),
        targets=(no_leak, Target(counted=("FAIL by growth",)), *SHOWN),
    )
    budgets = Budgets.model_validate({"memory": {"growth": "1MiB"}})
    soak = Terms(soak=True, looks=Looks(2, 2), budgets=budgets)
    both = Target(counted=("FAIL",), most=0.02)
    for name, baseline, candidate, targets in (
        ("aa", Heap(), Heap(), (both, UNCLEAR, PASS)),
        ("cache-fills", calm, cache, (no_leak, both, UNCLEAR, PASS)),
        (
            "leak-0.05MB/s",
            Heap(),
            Heap(leak_mb_per_s=0.05),
            (Target(counted=("FAIL",), least=0.94), UNCLEAR, PASS),
        ),
        (
            "leak-0.1MB/s",
            Heap(),
            Heap(leak_mb_per_s=0.1),
            (Target(counted=("FAIL",), least=0.9995), UNCLEAR, PASS),
        ),
    ):
        yield Cell(
            name=f"soak-{name}",
            model=Heaps(
                terms=soak,
                rate_per_s=20,
                slice_s=600,
                slices=1,
                baseline=baseline,
                candidate=candidate,
            ),
            targets=targets,
        )


def _events() -> Iterator[Cell]:
    """A fix of what a round shows or not: no fix at all, and a true one."""
    terms = Terms(looks=Looks(6, 20), symptom=Symptom(status=500))
    for percent in (5, 20, 50, 80):
        sick = Errors(sick=percent / 100)
        yield Cell(
            name=f"no-op-event-{percent}%",
            model=Model(terms=terms, errors=sick),
            targets=WRONG_EVENT,
        )
    for percent in (50, 100):
        yield Cell(
            name=f"fix-event-{percent}%",
            model=Model(
                terms=terms,
                errors=Errors(sick=percent / 100),
                candidate_errors=Errors(),
            ),
            targets=MOSTLY_FIXED,
        )


def _rates() -> Iterator[Cell]:
    """A fix of errors above 1 %: one that leaves just that, none, and a true one."""
    symptom = Symptom.model_validate({"errors": "1%"})
    terms = Terms(looks=Looks(6, 20), symptom=symptom)
    for name, spread in {
        "even": Errors(),
        "slices-vary": Errors(slice_spread=1.0),
        "starts-vary": Errors(start_spread=0.3),
    }.items():
        wrong = AT_THRESHOLD if name == "even" else WRONG_RATE
        for change, before, after, targets in (
            ("half-a-fix", 0.03, 0.01, wrong),
            ("no-op", 0.01, 0.01, WRONG_RATE),
            ("fix", 0.03, 0.002, MOSTLY_FIXED),
        ):
            yield Cell(
                name=f"{change}-rate-{name}",
                model=Model(
                    terms=terms,
                    errors=_at(spread, before),
                    candidate_errors=_at(spread, after),
                ),
                targets=targets,
            )


def _at(spread: Errors, rate: float) -> Errors:
    return Errors(
        rate=rate, slice_spread=spread.slice_spread, start_spread=spread.start_spread
    )


CELLS = {
    each.name: each
    for source in (
        _alike,
        _disturbed,
        _at_budget,
        _slower,
        _fitful,
        _memory,
        _events,
        _rates,
    )
    for each in source()
}
