"""What is tried: the shop against itself, and against itself with a change.

Both arms are the shop as it is, its race included, in containers, under the terms of
`scenarios/shop.yaml`: default budgets and rounds. A change is switched on by the
candidate's environment. The rotation is fixed: however early it is cut short, no change
has more than one trial more than another, and after each there are two of A/A.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.measure import quantile
from harness.model.scenario import ImageBuild
from harness.planning.scenariofile import read_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model.scenario import Scenario
    from tests.bench.trust.rules import Pair

__all__ = ["KINDS", "NOISE", "SAME", "Play", "p95_ms", "plays", "scenario", "switches"]

SAME: Final = "A/A"
NOISE: Final = "noise"
_DELAYED: Final = {"p95 +5%": 0.05, "p95 +10%": 0.10, "p95 +20%": 0.20}
_SWITCHED: Final = {
    "1% errors": {"SHOP_ERROR_PERCENT": "1"},
    "leak of 32 KiB a request": {"SHOP_LEAK_KIB": "32"},
}
KINDS: Final = (SAME, *_DELAYED, *_SWITCHED)
"""Of trials that are judged, in the order of the table."""

_SCENARIO: Final = Path(__file__).parents[3] / "scenarios" / "shop.yaml"
_FINE_TIMERS: Final = {"GEVENT_BACKEND": "select"}
_CUT_SLICES: Final = 120
_CUT_SLICE_NS: Final = 1_000_000_000
_PERCENT: Final = 95
_NOISES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One trial of the study.

    Attributes:
        kind: one of `KINDS`, or `NOISE`.
        number: counted from 1 within its kind.
    """

    kind: str
    number: int

    @property
    def slug(self) -> str:
        """Its kind, as a directory is named by it."""
        words = "".join(each if each.isalnum() else " " for each in self.kind)
        return "-".join(words.lower().split())

    @property
    def place(self) -> str:
        """The directory that holds it."""
        return f"{self.slug}-{self.number:03}"


def plays() -> Iterator[Play]:
    """The rotation, without an end: A/A first, since the delays come from it.

    The noise comes once in each of the first two turns: one may be disturbed.
    """
    same = count(1)
    yield Play(kind=SAME, number=next(same))
    for number in count(1):
        if number <= _NOISES:
            yield Play(kind=NOISE, number=number)
        for kind in KINDS[1:]:
            yield Play(kind=kind, number=number)
            yield Play(kind=SAME, number=next(same))
            yield Play(kind=SAME, number=next(same))


def scenario(kind: str) -> Scenario:
    """The terms of a trial.

    The shop's event loop waits by `select` on both arms: by default it rounds each wait
    up to a whole millisecond, and +5 % of a p95 of 27 ms is not one.
    """
    whole = read_scenario(_SCENARIO)
    service = {"build": ImageBuild(), "env": {**whole.service.env, **_FINE_TIMERS}}
    whole = whole.model_copy(
        update={"service": whole.service.model_copy(update=service)}
    )
    if kind != NOISE:
        return whole
    one = {"min": 2, "max": 2, "slice": _CUT_SLICE_NS, "slices": _CUT_SLICES}
    return whole.model_copy(update={"rounds": whole.rounds.model_copy(update=one)})


def p95_ms(pairs: Sequence[Pair]) -> float:
    """The service's p95 over both arms of an A/A trial, every request counted once."""
    every = [each for pair in pairs for each in (*pair.baseline, *pair.candidate)]
    return quantile(np.concatenate(every), _PERCENT) / 1e6


def switches(kind: str, p95: float) -> Mapping[str, str]:
    """The candidate's environment.

    Every request is delayed by the same time, which moves every quantile by it: for
    +5 % of p95 that is 5 % of the p95 of A/A, in ms.

    Args:
        kind: one of `KINDS`, or `NOISE`.
        p95: of the shop against itself, in ms.
    """
    if kind in _DELAYED:
        return {"SHOP_DELAY_MS": f"{_DELAYED[kind] * p95:.2f}"}
    return _SWITCHED.get(kind, {})
