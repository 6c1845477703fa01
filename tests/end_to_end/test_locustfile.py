"""An unchanged locustfile gates two builds."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.model.result import CAUSES
from harness.store.sample import read_columns
from tests.end_to_end.conftest import sound_rounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.end_to_end.conftest import Seatrial

LOCUSTFILE = """\
from locust import FastHttpUser, HttpUser, between, task


class Fast(FastHttpUser):
    weight = 2
    wait_time = between(0.02, 0.06)

    def on_start(self):
        self.client.get("/login")

    @task(3)
    def mine(self):
        self.client.get("/mine")

    @task
    def pages(self):
        self.client.get("/page/1", name="/page/{id}")
        self.client.get("/page/2", name="/page/{id}")


class Plain(HttpUser):
    wait_time = between(0.02, 0.06)

    @task
    def home(self):
        self.client.get("/")
        raise RuntimeError("what a task does wrong is Locust's to log")
"""

SCENARIO = """\
name: guests
service: {command: [python, serve.py], ready: /}
load: {users: 12, locustfile: locustfile.py, deadline: 1s}
rounds: {min: 3, max: 3, slice: 1s, slices: 2, warmup: 1s, ramp: 500ms}
budgets:
  errors: 1%
  goodput: 20%
  memory: {level: 900% or 256MiB}
  cpu: 900%
  latency: {p50: 50% or 40ms}
  routes: {p50: 900% or 1s}
"""


@pytest.fixture
def trial(
    seatrial: Seatrial, answering: Callable[[str, float], Path]
) -> Callable[[float], tuple[int, str, Path]]:
    """Runs a trial against a candidate of that delay."""

    def run(delay_s: float) -> tuple[int, str, Path]:
        (seatrial.directory / "locustfile.py").write_text(LOCUSTFILE)
        (seatrial.directory / "s.yaml").write_text(SCENARIO)
        answering("one", 0.002)
        answering("two", delay_s)
        arms = ("--baseline", "dir:one", "--candidate", "dir:two")
        code, out, err = seatrial.verify("s.yaml", *arms, "--wait")
        assert out, err
        (directory,) = (seatrial.directory / "trials").glob("*/")
        return code, out, directory

    return run


def test_equal_builds(trial: Callable[[float], tuple[int, str, Path]]) -> None:
    """Equal builds pass; logins live in each user's session; arms take turns."""
    code, out, directory = trial(0.002)

    assert (0, "PASS") == (code, out.split()[0]), out
    spans = []
    first = sound_rounds(directory)[0]
    for arm in ("baseline", "candidate"):
        samples = read_columns(first / arm / "samples.parquet")
        assert np.all(samples["cause"] == 0)
        assert np.all(samples["done_ns"] > samples["sent_ns"])
        for number in range(3):
            mine = samples["slice"] == number
            assert mine.sum() > 20
            last_ns = samples["done_ns"][mine].max()
            spans.append((samples["sent_ns"][mine].min(), last_ns))
    spans.sort()
    assert all(end < begin for (_, end), (begin, _) in pairwise(spans))
    stored = json.loads((first / "round.json").read_text())
    assert {"GET /login", "GET /mine", "GET /page/{id}", "GET /"} == set(
        stored["round"]["baseline"]["routes"]
    )


def test_slower_candidate(trial: Callable[[float], tuple[int, str, Path]]) -> None:
    """A candidate that answers later fails by its latency."""
    code, out, _ = trial(0.15)

    assert (1, "FAIL") == (code, out.split()[0]), out
    assert "p50" in out.splitlines()[0]


def test_candidate_that_hangs(trial: Callable[[float], tuple[int, str, Path]]) -> None:
    """Requests end at the deadline: a candidate that answers later fails by errors."""
    code, out, directory = trial(1.6)

    assert (1, "FAIL") == (code, out.split()[0]), out
    assert "errors" in out.splitlines()[0]
    samples = read_columns(sound_rounds(directory)[0] / "candidate/samples.parquet")
    assert {CAUSES.index("timeout")} == set(samples["cause"].tolist())
