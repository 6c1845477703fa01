"""The table of the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.judge.cell import Cell, Target
from tests.bench.judge.machine import Machine
from tests.bench.judge.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_FALSE_FAIL = Target(counted=("FAIL",), most=0.01)
MOSTLY_CLEAR = Target(counted=("INCONCLUSIVE",), most=0.10)
PASS = Target(counted=("PASS",))


def _a_a() -> Iterator[Cell]:
    """A build against itself, by routes and by how much starts differ."""
    for routes, requests in ((1, 4212), (6, 702), (20, 702)):
        for percent in (3, 5, 8, 12):
            clear = MOSTLY_CLEAR if percent <= 8 else Target(counted=("INCONCLUSIVE",))
            yield Cell(
                name=f"a/a, SD {percent} %, routes: {routes}",
                model=Model(
                    routes=routes,
                    requests=requests,
                    machine=Machine(deviation=percent / 100),
                ),
                targets=(NO_FALSE_FAIL, clear, PASS),
            )


CELLS = {each.name: each for each in (*_a_a(),)}
