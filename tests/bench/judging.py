"""How long judging a large stored trial takes: `python -m tests.bench.judging`.

Writes a trial of 10 rounds with 500,000 samples an arm (10 M) through the store, as a
trial does, and judges it with `seatrial judge`. Needs 400 MB of temporary disk.
Targets: 20 s of wall time and 1.5 GB of peak memory, all reports written; of it 15 s
for `report.html`. Exits 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.dossier import read_dossier
from harness.model.plan import PlannedRequest
from harness.model.result import SAMPLE_FIELDS, USAGE_FIELDS, Arm
from harness.model.scenario import Scenario
from harness.model.traffic import Request
from harness.report.html import html
from harness.store.plan import write_plan
from harness.store.sample import write_columns
from harness.store.trial import Journal, partial_round, write_journal, write_round
from tests.bench.judge.evidence import round_of_nothing
from tests.made import books, health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.model.plan import Plan
    from harness.model.result import ArmResult

    Integers = NDArray[np.integer]

MOST_S: Final = 20.0
MOST_MB: Final = 1500.0
MOST_PAGE_S: Final = 15.0
ROUTES: Final = 20
_SECOND_NS: Final = 1_000_000_000

SCENARIO = Scenario.model_validate(
    {
        "name": "large",
        "recording": "large.parquet",
        "service": {"image": "large"},
        "load": {"replay": {}},
    }
)


def _plan(directory: Path, shots: int) -> Plan:
    """Shots of an open loop, evenly due, each on the next route."""
    rounds = SCENARIO.rounds
    total_ns = rounds.warmup + rounds.slices * rounds.slice
    due_ns = np.arange(shots) * total_ns // shots
    return write_plan(
        directory,
        {
            "user": np.arange(shots),
            "due_ns": due_ns,
            "think_ns": np.zeros(shots),
            "fresh": np.ones(shots, bool),
            "request": np.arange(shots) % ROUTES,
        },
        [
            PlannedRequest(
                request=Request(method="GET", target=f"/{place}"),
                route=f"GET /{place}",
                cookies=(),
                recorded_status=200,
            )
            for place in range(ROUTES)
        ],
        open_loop=True,
        warmup_ns=rounds.warmup,
        slice_ns=rounds.slice,
        slices=rounds.slices,
        planned=int((due_ns >= rounds.warmup).sum()),
        peak_users=shots,
    )


def _samples(
    random: np.random.Generator, shots: int
) -> Mapping[str, NDArray[np.int64]]:
    """One arm's round in the order of the answers, one of 1,000 a 500."""
    rounds = SCENARIO.rounds
    due_ns = np.arange(shots) * (rounds.warmup + rounds.slices * rounds.slice) // shots
    sent_ns = due_ns + random.integers(0, 1_000_000, shots)
    done_ns = sent_ns + (random.lognormal(-3.0, 0.5, shots) * _SECOND_NS).astype("i8")
    warm = due_ns < rounds.warmup
    columns = {
        "shot": np.arange(shots),
        "slice": np.where(warm, 0, 1 + (due_ns - rounds.warmup) // rounds.slice),
        "due_ns": due_ns,
        "eligible_ns": due_ns,
        "sent_ns": sent_ns,
        "done_ns": done_ns,
        "status": np.where(random.random(shots) < 0.001, 500, 200),
        "cause": np.zeros(shots),
        "bytes": random.integers(100, 10_000, shots),
        "digest": random.integers(0, 2**32, shots),
        "reconnected": np.zeros(shots),
    }
    order = np.argsort(done_ns)
    return {
        name: columns[name][order].astype(kind) for name, kind in SAMPLE_FIELDS.items()
    }


def _usage(random: np.random.Generator) -> Mapping[str, Integers]:
    """A reading a second."""
    seconds = 2 * (SCENARIO.rounds.warmup + 6 * SCENARIO.rounds.slice) // _SECOND_NS
    level = (100e6 * random.lognormal(0, 0.02, seconds)).astype("i8")
    values = {
        "at_ns": np.arange(1, seconds + 1) * _SECOND_NS,
        "cpu_ns": np.arange(seconds),
    }
    return {name: values.get(name, level).astype("i8") for name in USAGE_FIELDS}


def write_trial(directory: Path, rounds: int, shots: int) -> None:
    """A trial of that many samples an arm and round."""
    plan = _plan(directory, shots)
    write_journal(
        directory,
        Journal(
            id="large",
            scenario=SCENARIO,
            recording_digest="",
            plan=plan,
            baseline="image:large",
            candidate="image:large",
        ),
    )
    random = np.random.default_rng(1)
    for index in range(1, rounds + 1):
        partial = partial_round(directory, index)
        empty = round_of_nothing(plan.digest)
        baseline, candidate = (
            _arm(random, partial / arm, empty.arm(arm), shots) for arm in Arm
        )
        write_round(
            partial,
            replace(empty, index=index, baseline=baseline, candidate=candidate),
        )


def _arm(
    random: np.random.Generator, directory: Path, empty: ArmResult, shots: int
) -> ArmResult:
    samples, usage = directory / "samples.parquet", directory / "usage.parquet"
    write_columns(samples, _samples(random, shots))
    write_columns(usage, _usage(random))
    account = books(shots)
    return replace(
        empty,
        samples=samples,
        usage=usage,
        cpu_ns=20 * _SECOND_NS,
        books=account,
        health=health(account),
    )


def judged(directory: Path) -> dict[str, float]:
    """What `seatrial judge` takes: wall and CPU time in s, peak memory in MB."""
    command = [sys.executable, "-m", "harness", "judge", str(directory)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - started
    if process.returncode not in {0, 1, 3}:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return {
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * 1024 / 1e6,
    }


def drawn(directory: Path) -> float:
    """Seconds that the page alone takes, once the trial has been read and judged."""
    journal, dossier = read_dossier(directory)
    report, _ = dossier.reports(journal)
    started = time.perf_counter()
    html(report, dossier.rounds, flames={}, commands={})
    return time.perf_counter() - started


def main() -> int:
    """Print figures beside targets; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--samples", type=int, default=500_000, help="an arm and round")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    samples, load = 2 * options.rounds * options.samples, os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="seatrial-judging-") as name:
        write_trial(Path(name), options.rounds, options.samples)
        figures = judged(Path(name))
        figures["page_s"] = drawn(Path(name))
    print(
        f"judging {samples:,} samples: {figures['cpu_s']:.1f} s of CPU; load average"
        f" before: {load:.2f}"
    )
    missed = 0
    for name, text, unit, most in (
        ("wall_s", "wall time", "s", MOST_S),
        ("peak_mb", "peak memory", "MB", MOST_MB),
        ("page_s", "report.html", "s", MOST_PAGE_S),
    ):
        over = figures[name] > most
        missed += over
        print(
            f"{'MISSED' if over else 'met':6}  {text}: {figures[name]:,.1f} {unit}"
            f" (target <= {most:,g})"
        )
    if options.json:
        document = {"samples": samples, "load": load, **figures}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
