"""A real load worker against a real server on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from harness.errors import WorkerLostError
from harness.load.crew import hire_here
from harness.load.engine import Generator, generating
from harness.model.plan import Plan, PlannedRequest
from harness.model.result import CAUSES, Books
from harness.model.traffic import Request
from harness.store.plan import write_plan
from harness.store.sample import read_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.model.progress import Pulse

MS = 1_000_000
SLICE_NS = 200 * MS
DEADLINE_NS = 2_000 * MS


@pytest.fixture
def port(answering: Callable[[str, float], Path]) -> Iterator[int]:
    """A server that answers after 2 ms, gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free: int = listener.getsockname()[1]
    tree = answering("server", 0.002)
    with subprocess.Popen(
        [sys.executable, "serve.py"], cwd=tree, env={**os.environ, "PORT": str(free)}
    ) as server:
        while not _listening(free):
            time.sleep(0.02)
        yield free
        server.terminate()


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def plan_of(directory: Path, shots: dict[str, Any], *targets: str) -> Plan:
    """Two slices of 200 ms after a warm-up of 200 ms."""
    count = len(shots["user"])
    known = {"due_ns": np.full(count, -1), "think_ns": np.zeros(count)}
    fresh = np.diff(shots["user"], prepend=-1) != 0
    requests = [
        PlannedRequest(
            request=Request(method="GET", target=target),
            route=target,
            cookies=(("sid", "recorded"),),
            recorded_status=200,
        )
        for target in targets
    ]
    return write_plan(
        directory,
        {**known, "fresh": fresh, **shots},
        requests,
        open_loop="due_ns" in shots,
        warmup_ns=SLICE_NS,
        slice_ns=SLICE_NS,
        slices=2,
        planned=count,
        peak_users=1,
    )


def played(
    plan: Plan, port: int, directory: Path, workers: int = 1
) -> tuple[dict[str, Any], Books]:
    def play(generator: Generator) -> Books:
        assert plan.digest == generator.wait_ready()
        for number in range(3):
            generator.play(number)
        return generator.finish(directory / "samples.parquet")[0]

    with generating(
        plan,
        arm="baseline",
        host="127.0.0.1",
        port=port,
        tls=False,
        deadline_ns=DEADLINE_NS,
        cores=(),
        directory=directory,
        hires=[hire_here] * workers,
    ) as generator:
        books = play(generator)
    return read_columns(directory / "samples.parquet"), books


def test_nothing_due_is_left_over(tmp_path: Path, port: int) -> None:
    """Shots due in a slice's last moment, and those behind them, are still sent."""
    users, each = 30, 4
    due_ns = np.tile(
        [SLICE_NS - 1, 2 * SLICE_NS - 1, 3 * SLICE_NS - 2, 3 * SLICE_NS - 1], users
    )
    shots = {
        "user": np.repeat(np.arange(users), each),
        "due_ns": due_ns,
        "request": np.zeros(users * each),
    }
    plan = plan_of(tmp_path, shots, "/")

    samples, books = played(plan, port, tmp_path)

    assert {"": users * each} == {
        CAUSES[cause]: int((samples["cause"] == cause).sum())
        for cause in np.unique(samples["cause"])
    }
    assert [0, 1, 2, 2] * users == samples["slice"][
        np.argsort(samples["shot"])
    ].tolist()
    assert books.balanced
    assert (users, users * each) == (books.connections, books.answered)


def test_order_and_times(tmp_path: Path, port: int) -> None:
    """A user's shots follow each other; none is sent before it is eligible."""
    users, each = 10, 8
    shots = {
        "user": np.repeat(np.arange(users), each),
        "think_ns": np.tile(np.arange(each) * 10 * MS, users),
        "request": np.zeros(users * each),
    }
    plan = plan_of(tmp_path, shots, "/")

    samples, books = played(plan, port, tmp_path)

    assert np.all(samples["sent_ns"] >= samples["eligible_ns"])
    assert np.all(samples["done_ns"] > samples["sent_ns"])
    for user in range(users):
        mine = samples["shot"] // each == user
        assert list(range(each)) == (samples["shot"][mine] % each).tolist()
        thinks = samples["sent_ns"][mine][1:] - samples["done_ns"][mine][:-1]
        assert np.all(thinks >= np.arange(1, each) * 10 * MS)
    assert books.balanced


def test_several_workers(tmp_path: Path, port: int) -> None:
    """Each user is played by one of the workers; together they send the whole plan."""
    users, each = 30, 4
    shots = {
        "user": np.repeat(np.arange(users), each),
        "due_ns": np.tile(np.arange(each) * 140 * MS, users),
        "request": np.zeros(users * each),
    }
    plan = plan_of(tmp_path, shots, "/")

    samples, books = played(plan, port, tmp_path, workers=3)

    assert list(range(users * each)) == sorted(samples["shot"].tolist())
    assert {""} == {CAUSES[cause] for cause in samples["cause"]}
    assert (True, users, users * each) == (
        books.balanced,
        books.connections,
        books.answered,
    )


def test_user_that_leaves(tmp_path: Path, port: int) -> None:
    """In a closed population no shot is sent after its user's leaving."""
    shots = {
        "user": np.zeros(3),
        "think_ns": np.full(3, 50 * MS),
        "request": np.zeros(3),
    }
    leaving = {"due_ns": np.array([120 * MS, 120 * MS, 120 * MS])}
    plan = replace(plan_of(tmp_path, {**shots, **leaving}, "/"), open_loop=False)

    samples, books = played(plan, port, tmp_path)

    assert [0, 1] == sorted(samples["shot"].tolist())
    assert books.balanced


@pytest.mark.parametrize(
    ("sent", "how"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGSTOP, "silent for")]
)
def test_lost_in_a_slice(
    tmp_path: Path, port: int, sent: signal.Signals, how: str
) -> None:
    """A worker that is killed or stopped in a slice is missed, by name, and reaped."""
    shots = {
        "user": np.arange(10),
        "due_ns": np.linspace(0, 60_000 * MS, 10),
        "request": np.zeros(10),
    }
    plan = replace(plan_of(tmp_path, shots, "/"), warmup_ns=60_000 * MS)
    hands: list[psutil.Process] = []

    def strike(_pulse: Pulse) -> None:
        if len(hands) == 0:
            hands.extend(_workers())
            hands[0].send_signal(sent)

    with generating(
        plan,
        arm="baseline",
        host="127.0.0.1",
        port=port,
        tls=False,
        deadline_ns=DEADLINE_NS,
        cores=(),
        directory=tmp_path,
        hires=[hire_here] * 2,
    ) as generator:
        generator.wait_ready()
        with pytest.raises(WorkerLostError, match=how) as lost:
            generator.play(0, strike)

    assert "load worker 1 of 2 of the baseline arm" in lost.value.message
    assert 2 == len(hands)
    assert not any(each.is_running() for each in hands)


def _workers() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if "harness.load.worker" in child.cmdline()
    ]


def test_live_cookies(tmp_path: Path, port: int) -> None:
    """A recorded cookie carries what the build set; a fresh session has none."""
    shots = {
        "user": np.zeros(4),
        "due_ns": np.arange(4) * 10 * MS,
        "fresh": np.array([True, False, True, False]),
        "request": np.array([0, 1, 0, 1]),
    }
    plan = plan_of(tmp_path, shots, "/login", "/mine")
    without = {**shots, "request": np.array([1, 0, 1, 1])}
    forgetful = tmp_path / "forgetful"
    forgetful.mkdir()

    samples, _ = played(plan, port, tmp_path)
    other, _ = played(plan_of(forgetful, without, "/login", "/mine"), port, forgetful)

    assert [200, 200, 200, 200] == samples["status"].tolist()
    assert [401, 200, 401, 401] == other["status"].tolist()


def test_refused(tmp_path: Path) -> None:
    """Against a port where nobody listens every shot is a failure with its cause."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    shots = {
        "user": np.arange(5),
        "due_ns": np.arange(5) * MS,
        "request": np.zeros(5),
    }

    samples, books = played(plan_of(tmp_path, shots, "/"), closed, tmp_path)

    assert ["connection refused"] * 5 == [CAUSES[cause] for cause in samples["cause"]]
    assert (5, 0, True) == (books.failed, books.answered, books.balanced)
