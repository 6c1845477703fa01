"""Whether this machine can send a plan, before it is asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.errors import InputError
from harness.load.crew import hire_here
from harness.load.selfcheck import (
    Capacity,
    busiest_per_s,
    capacity,
    refuse_too_many_users,
    refuse_too_much_load,
)
from harness.model.plan import Plan, PlannedRequest
from harness.model.traffic import Request
from harness.store.plan import write_plan

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000


def plan_of(
    directory: Path,
    user: list[int],
    *,
    due_s: list[float] | None = None,
    think_s: list[float] | None = None,
    peak_users: int = 1,
) -> Plan:
    count = len(user)
    shots: dict[str, Any] = {
        "user": user,
        "due_ns": np.full(count, -1) if due_s is None else np.array(due_s) * SECOND,
        "think_ns": np.zeros(count) if think_s is None else np.array(think_s) * SECOND,
        "fresh": np.ones(count, bool),
        "request": np.zeros(count),
    }
    planned = PlannedRequest(
        request=Request(method="POST", target="/", body=b"x" * 3000),
        route="r",
        cookies=(),
        recorded_status=200,
    )
    return write_plan(
        directory,
        shots,
        [planned],
        open_loop=due_s is not None,
        warmup_ns=0,
        slice_ns=9 * SECOND,
        slices=1,
        planned=count,
        peak_users=peak_users,
    )


def test_busiest_second_of_an_open_loop(tmp_path: Path) -> None:
    """Shots are counted by the second in which they fall due."""
    due_s = [0.1, 0.9, 1.0, 1.5, 1.9, 2.5]

    assert 3 == busiest_per_s(plan_of(tmp_path, [0] * 6, due_s=due_s))


def test_busiest_second_of_a_closed_population(tmp_path: Path) -> None:
    """Each user's shots come one think time after the other."""
    plan = plan_of(tmp_path, [0, 0, 0, 1, 1], think_s=[0.5, 1.0, 1.0, 1.2, 0.4])

    assert 3 == busiest_per_s(plan)


def test_too_many_users(tmp_path: Path) -> None:
    """More users than descriptors or ports are refused with the numbers."""
    crowd = plan_of(tmp_path, [0], due_s=[0], peak_users=3_000_000)

    with pytest.raises(InputError, match="3,000,000 users at once, 2 load") as e:
        refuse_too_many_users(crowd, 2)
    assert "--workers" in e.value.hint
    with pytest.raises(InputError, match="ports to one target"):
        refuse_too_many_users(crowd, 3000)
    refuse_too_many_users(plan_of(tmp_path, [0], due_s=[0], peak_users=100), 1)


def test_too_much_load() -> None:
    """Short of its headroom a trial is refused with the workers it would take."""
    short = Capacity(busiest_per_s=10_000, reached_per_s=6_000, workers=2)
    fine = Capacity(busiest_per_s=10_000, reached_per_s=15_000, workers=2)

    with pytest.raises(InputError, match="reaches 6,000 req/s with 2 workers") as e:
        refuse_too_much_load(short)
    assert "--workers 5" in e.value.hint
    refuse_too_much_load(fine)


def measured(plan: Plan, directory: Path) -> Capacity:
    return capacity(
        plan,
        host="127.0.0.1",
        hires=[hire_here],
        cores=(),
        server_cores=(),
        directory=directory / "check",
    )


def test_a_light_plan_suffices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real worker sends one and a half times a light plan to a real server.

    Modules in the working directory do not take the place of what they import.
    """
    (tmp_path / "harness").mkdir()
    for name in ("harness/__init__.py", "queue.py", "locust.py"):
        (tmp_path / name).write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    plan = plan_of(tmp_path, [0, 1], due_s=[0.0, 0.5], peak_users=2)

    found = measured(plan, tmp_path)

    assert (2.0, True) == (found.busiest_per_s, found.suffices)


def test_a_plan_beyond_any_worker(tmp_path: Path) -> None:
    """Sixty thousand requests in a second are more than one worker sends."""
    plan = plan_of(tmp_path, list(range(60_000)), due_s=[0.5] * 60_000, peak_users=50)

    found = measured(plan, tmp_path)

    assert not found.suffices
    assert found.workers_needed > 1
