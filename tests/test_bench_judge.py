"""The laws of the model that `tests.bench.judge` draws its trials from."""

from __future__ import annotations

import json
from math import log
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.compare.metric import METRICS
from tests.bench.judge import __main__ as bench
from tests.bench.judge.cell import tally
from tests.bench.judge.cells import CELLS
from tests.bench.judge.effect import Effect, Errors
from tests.bench.judge.evidence import Terms
from tests.bench.judge.heap import MB, Heap, Heaps
from tests.bench.judge.machine import Machine
from tests.bench.judge.model import Model

if TYPE_CHECKING:
    from pathlib import Path


def _changes(model: Model, trials: int) -> list[float]:
    """`d_r` of the service's p95 in all rounds of some trials."""
    random = np.random.default_rng(1)
    read = METRICS["p95"].read
    found = []
    for _ in range(trials):
        for each in model.rounds(random):
            baseline, candidate = (
                read(arm, arm.routes) for arm in (each.baseline, each.candidate)
            )
            assert isinstance(baseline, float)
            assert isinstance(candidate, float)
            found.append(log(candidate / baseline))
    return found


@pytest.mark.parametrize(("deviation", "routes"), [(0.03, 6), (0.08, 6), (0.05, 1)])
def test_deviation_is_that_of_a_round(deviation: float, routes: int) -> None:
    """What the requests bring along is part of the SD that a cell is named after."""
    model = Model(
        routes=routes, requests=4212 // routes, machine=Machine(deviation=deviation)
    )

    changes = _changes(model, 30)

    assert np.std(changes) == pytest.approx(deviation, rel=0.12)


def test_what_is_slower_is_so_on_average() -> None:
    """A candidate at its budget is there in the mean of the rounds."""
    changes = _changes(Model(effect=Effect(slower=1.10)), 30)

    assert np.mean(changes) == pytest.approx(log(1.10), abs=0.01)


def test_drift_meets_both_arms_alike() -> None:
    """Over two rounds each arm has gone first once, so that drift cancels."""
    moods = Machine(drift=0.1).moods(np.random.default_rng(1), 10)

    apart = (moods[:, 1] - moods[:, 0]).mean(axis=(1, 2))

    assert np.abs(apart) == pytest.approx(0.1 / 12)
    assert apart[0::2] + apart[1::2] == pytest.approx(0)


def test_errors_are_as_many_as_asked_for() -> None:
    """Slices and starts that vary change how rates spread, not how high they are."""
    errors = Errors(rate=0.01, slice_spread=1.0, start_spread=0.3)

    rates = errors.rates(np.random.default_rng(1), 4_000)

    assert rates.mean() == pytest.approx(0.01, rel=0.05)
    assert rates.mean(axis=(1, 2)).std() / 0.01 == pytest.approx(0.52, rel=0.1)


@pytest.mark.parametrize("slices", [1, 6])
def test_a_leak_is_read_as_it_leaks(slices: int) -> None:
    """1 MB a second at 40 requests a second is 25 MB in 1,000 requests."""
    model = Heaps(
        terms=Terms(),
        slices=slices,
        slice_s=60,
        candidate=Heap(garbage_mb=0, leak_mb_per_s=1.0),
    )

    round_ = next(model.rounds(np.random.default_rng(1)))

    assert round_.candidate.growth_bytes == pytest.approx(25 * MB, rel=0.02)


def test_figures_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that is there is not drawn again, unless other trials are asked for."""
    path = tmp_path / "figures.json"
    drawn = []
    for trials in ("2", "2", "3"):
        command = ["judge", "--only", "timeouts", "--replications", trials]
        command += ["--processes", "1", "--json", str(path)]
        monkeypatch.setattr("sys.argv", command)
        assert bench.main() == 0
        drawn.append(capsys.readouterr().err.count(" s\n"))

    assert drawn == [3, 0, 3]
    assert {each["trials"] for each in json.loads(path.read_text()).values()} == {3}


def test_a_block_is_the_same_wherever_it_is_drawn() -> None:
    """Cells have seeds of their own, so that processes and order change nothing."""
    cell = CELLS["aa-sd8-routes6"]

    first, again, other = (tally(cell, block, 3) for block in (0, 0, 1))

    assert first == again
    assert first.changes != other.changes
    assert (first + other).trials == 6
