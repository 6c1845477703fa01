from pathlib import Path

import numpy as np

from harness.load.engine import as_planned
from harness.model.plan import Plan, PlannedRequest
from harness.model.result import CAUSES, SAMPLE_FIELDS
from harness.model.traffic import Request
from harness.store.plan import write_plan


def plan_of(directory: Path, due_ns: list[int], *, open_loop: bool) -> Plan:
    count = len(due_ns)
    request = Request(method="GET", target="/")
    shots = {
        "user": np.arange(count),
        "due_ns": np.array(due_ns),
        "think_ns": np.zeros(count),
        "fresh": np.ones(count, bool),
        "request": np.zeros(count),
    }
    planned = PlannedRequest(
        request=request, route="r", cookies=(), recorded_status=200
    )
    return write_plan(
        directory,
        shots,
        [planned],
        open_loop=open_loop,
        warmup_ns=10,
        slice_ns=5,
        slices=2,
        planned=count,
        peak_users=1,
    )


def columns(shots: list[int]) -> dict[str, np.ndarray]:
    empty = {name: np.zeros(len(shots), kind) for name, kind in SAMPLE_FIELDS.items()}
    return {**empty, "shot": np.array(shots, "u4")}


def test_unsent_shots_are_accounted_for(tmp_path: Path) -> None:
    """An open loop's shot that was never sent is a row of its slice, with a cause."""
    plan = plan_of(tmp_path, [0, 9, 10, 14, 15, 19], open_loop=True)

    rows = as_planned(columns([0, 2]), plan)

    assert [0, 2, 1, 3, 4, 5] == rows["shot"].tolist()
    assert [0, 1, 2, 2] == rows["slice"][2:].tolist()
    assert ["not sent"] * 4 == [CAUSES[cause] for cause in rows["cause"][2:]]
    assert {name: np.dtype(kind) for name, kind in SAMPLE_FIELDS.items()} == {
        name: column.dtype for name, column in rows.items()
    }


def test_left_over_by_the_warmup(tmp_path: Path) -> None:
    """A shot due in the warm-up is not measured, however late it was sent."""
    plan = plan_of(tmp_path, [9, 10], open_loop=True)
    sent = {**columns([0, 1]), "slice": np.array([1, 2], "u2")}

    assert [0, 1] == as_planned(sent, plan)["slice"].tolist()


def test_closed_population_sends_what_it_can(tmp_path: Path) -> None:
    """In a closed population an unsent shot is missing goodput, not a sample."""
    plan = plan_of(tmp_path, [-1, -1], open_loop=False)

    assert [0] == as_planned(columns([0]), plan)["shot"].tolist()
