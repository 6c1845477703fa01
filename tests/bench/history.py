"""How long asking a large history takes: `python -m tests.bench.history`.

Records 10,000 trials of 10 scenarios, with 20 figures each, and asks with
`seatrial history`, from a cold start of the process. Needs 50 MB of temporary disk.
Target: 1 s of wall time, the median of 5 starts. Exits 1 where it is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.model.history import Past
from harness.model.verdict import Estimate, Label, Outcome
from harness.store.history import HISTORY_FILE, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_S: Final = 1.0
STARTS: Final = 5
SCENARIOS: Final = ("shop", *(f"scenario-{number}" for number in range(1, 10)))
METRICS: Final = ("p50", "p95", "p99", "errors", "memory")
ROUTES: Final = ("service", "GET /", "GET /orders/{id}", "POST /checkout")
_BEGUN: Final = datetime(2024, 1, 1, tzinfo=UTC)


def _past(number: int, random: np.random.Generator) -> Past:
    """One of a night's trials, with a figure for each metric of each route."""
    scenario = SCENARIOS[number % len(SCENARIOS)]
    ended = _BEGUN + timedelta(minutes=10 * number)
    identity = f"{ended:%Y%m%d-%H%M%S}-{scenario}"
    return Past(
        id=identity,
        scenario=scenario,
        recorded_at=f"{ended:%Y-%m-%dT%H:%M:%SZ}",
        baseline="git:0123456789 (merge base with main)",
        candidate="work tree",
        baseline_commit=random.bytes(20).hex(),
        candidate_commit=random.bytes(20).hex(),
        machine="AMD EPYC, 2 cores, 24 GiB, x86_64",
        outcome=list(Outcome)[int(random.integers(len(Outcome)))],
        fix="",
        rounds=4,
        requests=7_200,
        directory=f"/srv/trials/{identity}",
        estimates=tuple(
            _estimate(metric, route, random) for metric in METRICS for route in ROUTES
        ),
    )


def _estimate(metric: str, route: str, random: np.random.Generator) -> Estimate:
    baseline, change = float(random.lognormal(17.0, 0.1)), float(random.normal(1, 0.02))
    return Estimate(
        metric=metric,
        route=route,
        unit="ns",
        relative=True,
        baseline=baseline,
        candidate=baseline * change,
        change=change,
        lower=change - 0.03,
        upper=change + 0.03,
        label=Label.WITHIN,
        budget="10% or 5ms",
    )


def pasts(trials: int) -> Iterator[Past]:
    """So many trials."""
    random = np.random.default_rng(1)
    return (_past(number, random) for number in range(trials))


def asked(directory: Path, *arguments: str) -> list[float]:
    """Wall seconds of `seatrial history`, for each start."""
    command = [sys.executable, "-m", "harness", "history", *arguments]
    every = [*command, "--history", str(directory / HISTORY_FILE)]
    return [_wall_s(every) for _ in range(STARTS)]


def _wall_s(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


QUESTIONS: Final = (
    (),
    ("shop", "--metric", "p95"),
    ("shop", "--metric", "p95", "--last", "1000"),
)


def main() -> int:
    """Print figures beside the target; 1 where it is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    load, figures = os.getloadavg()[0], {}
    with tempfile.TemporaryDirectory(prefix="seatrial-history-") as name:
        path = Path(name, HISTORY_FILE)
        started = time.perf_counter()
        record(path, pasts(options.trials))
        recorded_s, size = time.perf_counter() - started, path.stat().st_size
        for arguments in QUESTIONS:
            command = " ".join(("seatrial history", *arguments))
            figures[command] = asked(Path(name), *arguments)
    print(
        f"{options.trials:,} trials: {size / 1e6:.0f} MB, recorded in {recorded_s:.1f}"
        f" s; load average before: {load:.2f}"
    )
    missed = 0
    for command, walls_s in figures.items():
        wall_s = statistics.median(walls_s)
        over = wall_s > MOST_S
        missed += over
        print(
            f"{'MISSED' if over else 'met':6}  {command}: {wall_s:.2f} s, at most"
            f" {max(walls_s):.2f} s (target <= {MOST_S:g})"
        )
    if options.json:
        document = {"trials": options.trials, "load": load, "wall_s": figures}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
