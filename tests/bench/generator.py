"""The load engine beside stock Locust: `python -m tests.bench.generator [--json FILE]`.

3,000 users with a think time of 2.5 to 3.5 s on one core, against a server on another
that answers at once and counts its connections. Targets: connections opened = users,
every request answered, and less CPU a request than stock Locust (FastHttpUser) needs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.load.engine import generating
from harness.model.plan import PlannedRequest
from harness.model.traffic import Request
from harness.store.plan import write_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = 3000
THINK_S = (2.5, 3.5)
WARMUP_S, SLICE_S, SLICES = 5, 10, 2
SECOND = 1_000_000_000

LOCUSTFILE = f"""
from locust import FastHttpUser, between, task
class Visitor(FastHttpUser):
    wait_time = between{THINK_S}
    @task
    def get(self):
        self.client.get("/n")
"""


@contextmanager
def echoing() -> Iterator[tuple[int, dict[str, int]]]:
    """A server on the first core: its port, and its counts once it has ended."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.echo"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    counts: dict[str, int] = {}
    try:
        os.sched_setaffinity(server.pid, cores()[:1])
        yield int(server.stdout.readline()), counts
    finally:
        server.send_signal(signal.SIGTERM)
        counts.update(json.loads(server.communicate(timeout=30)[0]))


def cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def ours() -> dict[str, Any]:
    """The engine of this project."""
    random = np.random.default_rng(1)
    each = int((WARMUP_S + SLICES * SLICE_S) / THINK_S[0]) + 2
    think_ns = random.uniform(*THINK_S, (USERS, each)) * SECOND
    think_ns[:, 0] = np.linspace(0, WARMUP_S * SECOND, USERS, endpoint=False)
    fresh = np.zeros((USERS, each), bool)
    fresh[:, 0] = True
    shots = {
        "user": np.repeat(np.arange(USERS), each),
        "due_ns": np.full(USERS * each, -1),
        "think_ns": think_ns.ravel(),
        "fresh": fresh.ravel(),
        "request": np.zeros(USERS * each),
    }
    get = Request(method="GET", target="/n", headers=(("accept", "*/*"),))
    planned = PlannedRequest(
        request=get, route="GET /n", cookies=(), recorded_status=200
    )
    with tempfile.TemporaryDirectory() as name, echoing() as (port, counts):
        directory = Path(name)
        plan = write_plan(
            directory,
            shots,
            [planned],
            open_loop=False,
            warmup_ns=WARMUP_S * SECOND,
            slice_ns=SLICE_S * SECOND,
            slices=SLICES,
            planned=USERS * each,
            peak_users=1,
        )
        before_s = _children_cpu_s()
        with generating(
            plan,
            arm="bench",
            host="127.0.0.1",
            port=port,
            tls=False,
            deadline_ns=10 * SECOND,
            cores=cores()[-1:],
            directory=directory,
        ) as generator:
            generator.wait_ready()
            for number in range(SLICES + 1):
                generator.play(number)
            books, health = generator.finish(directory / "samples.parquet")
        cpu_s = _children_cpu_s() - before_s
    return {
        "connections": counts["connections"],
        "requests": counts["requests"],
        "answered": books.answered,
        "cpu_us_per_request": 1e6 * cpu_s / counts["requests"],
        "lag_p99_ms": health.lag_p99_ns / 1e6,
    }


def stock() -> dict[str, Any]:
    """Locust as it comes, with its fast client."""
    with tempfile.TemporaryDirectory() as name, echoing() as (port, counts):
        path = Path(name) / "locustfile.py"
        path.write_text(LOCUSTFILE)
        seconds = WARMUP_S + SLICES * SLICE_S
        command = [sys.executable, "-m", "locust", "-f", str(path), "--headless"]
        command += ["--host", f"http://127.0.0.1:{port}", "-u", str(USERS)]
        command += ["-r", str(USERS // WARMUP_S), "-t", f"{seconds}s", "--only-summary"]
        before_s = _children_cpu_s()
        last = cores()[-1:]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.sched_setaffinity(process.pid, last)
        process.wait(timeout=seconds + 60)
        cpu_s = _children_cpu_s() - before_s
    return {
        "connections": counts["connections"],
        "requests": counts["requests"],
        "cpu_us_per_request": 1e6 * cpu_s / counts["requests"],
    }


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Print figures beside targets; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures = {"ours": ours(), "stock": stock()}
    mine, theirs = figures["ours"], figures["stock"]
    ratio = mine["cpu_us_per_request"] / theirs["cpu_us_per_request"]
    targets = [
        ("connections opened", mine["connections"], f"= {USERS}"),
        ("requests not answered", mine["requests"] - mine["answered"], "= 0"),
        ("CPU a request, ours / stock", round(ratio, 3), "< 1"),
    ]
    missed = [
        mine["connections"] != USERS,
        mine["requests"] != mine["answered"],
        ratio >= 1,
    ]
    for name, figure in figures.items():
        print(f"{name}: " + ", ".join(f"{k} {v:,.6g}" for k, v in figure.items()))
    for (name, value, target), miss in zip(targets, missed, strict=True):
        print(f"{'MISSED' if miss else 'met':6}  {name}: {value} (target {target})")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())
