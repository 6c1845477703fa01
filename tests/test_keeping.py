import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from harness.compare.behaviour import Behaviour, Place, Shots
from harness.keeping import StoredAnswers, keep_answers, let_go
from harness.model.plan import Plan, PlannedRequest
from harness.model.result import SAMPLE_FIELDS, Arm, ArmResult, Round
from harness.model.traffic import Request
from harness.store.answer import frame
from harness.store.plan import write_plan
from harness.store.sample import write_columns
from harness.store.trial import partial_round, write_round
from tests.made import books, health

SHOTS = 6


def plan_of(directory: Path) -> Plan:
    """A session a shot."""
    request = PlannedRequest(
        request=Request(method="GET", target="/"),
        route="GET /",
        cookies=(),
        recorded_status=200,
    )
    shots = {
        "user": np.arange(SHOTS),
        "due_ns": np.arange(SHOTS),
        "think_ns": np.zeros(SHOTS),
        "fresh": np.ones(SHOTS),
        "request": np.zeros(SHOTS),
    }
    return write_plan(
        directory,
        shots,
        [request],
        open_loop=True,
        warmup_ns=1,
        slice_ns=SHOTS,
        slices=1,
        planned=SHOTS,
        peak_users=SHOTS,
    )


def played(
    home: Path, arm: Arm, said: list[Any], status: list[int] | None = None
) -> ArmResult:
    """An arm whose answers say this, shot by shot; spooled as a worker does."""
    bodies = [json.dumps(each).encode() for each in said]
    given = {
        "shot": np.arange(SHOTS),
        "slice": np.ones(SHOTS),
        "status": status or np.full(SHOTS, 200),
        "digest": [crc32(body) for body in bodies],
    }
    samples = home / "samples.parquet"
    write_columns(
        samples,
        {
            name: np.asarray(given.get(name, np.zeros(SHOTS)), kind)
            for name, kind in SAMPLE_FIELDS.items()
        },
    )
    frames = (frame(shot, [], body) for shot, body in enumerate(bodies))
    (home / "answers-0.spool").write_bytes(b"".join(frames))
    (home / "usage.parquet").touch()
    return ArmResult(
        arm=arm,
        samples=samples,
        usage=home / "usage.parquet",
        cpu_ns=None,
        books=books(SHOTS),
        health=health(),
    )


def round_of(
    directory: Path,
    plan: Plan,
    index: int,
    baseline: list[Any],
    candidate: list[Any],
    *,
    statuses: tuple[list[int] | None, list[int] | None] = (None, None),
) -> Round:
    """A round as it is stored."""
    partial = partial_round(directory, index)
    results = {
        arm: played(partial / arm, arm, said, status)
        for arm, said, status in zip(Arm, (baseline, candidate), statuses, strict=True)
    }
    kept = keep_answers(results, plan, directory)
    return write_round(
        partial,
        Round(
            index=index,
            first=Arm.BASELINE,
            plan_digest=plan.digest,
            baseline=kept[Arm.BASELINE],
            candidate=kept[Arm.CANDIDATE],
        ),
    )


def behaviours(
    rounds: list[Round], hosts: Collection[str] = ()
) -> list[Behaviour | None]:
    stored = StoredAnswers(
        Shots(
            route=np.zeros(SHOTS, int),
            routes=("GET /",),
            session=np.arange(SHOTS),
            held_out=np.zeros(SHOTS, bool),
            title=str,
        ),
        hosts,
    )
    return [stored.behaviour(each)[0] for each in rounds]


@pytest.mark.parametrize(
    ("hosts", "said", "differ"),
    [
        (
            ("old.example:8080", "new.example"),
            ("//old.example:8080/", "//new.example/"),
            0,
        ),
        (("a.example", "new.a.example"), ("a.example/1", "new.a.example/1"), 0),
        (("a.example", "new.a.example"), ("cdn.a.example",) * 2, 0),
        (("shop", "new"), ("shop of shops",) * 2, 0),
        (("a.example", "new.a.example"), ("a.example", "b.example"), 1),
        ((), ("//old.example/", "//new.example/"), 1),
    ],
)
def test_each_deployment_by_its_own_name(
    tmp_path: Path, hosts: tuple[str, ...], said: tuple[str, str], differ: int
) -> None:
    """Links to itself differ between two deployments, and say nothing of the change."""
    plan = plan_of(tmp_path)
    answers = [[{"self": each}] * SHOTS for each in said]
    rounds = [round_of(tmp_path, plan, index, *answers) for index in (1, 2)]

    last = behaviours(rounds, hosts)[-1]

    assert last is not None
    assert [Place("GET /", "$.self", "value")] * differ == [*last.changed]


def test_arms_and_rounds(tmp_path: Path) -> None:
    """The arms are compared in each round, the baseline with the round before."""
    plan = plan_of(tmp_path)
    rounds = [
        round_of(
            tmp_path,
            plan,
            index,
            [{"a": 1, "n": index}] * SHOTS,
            [{"a": 2, "n": index}] * SHOTS,
        )
        for index in (1, 2)
    ]

    first, second = behaviours(rounds)

    assert first is not None
    assert second is not None
    assert first.noise is None
    assert [Place("GET /", "$.a", "value")] == [*first.changed] == [*second.changed]
    assert [Place("GET /", "$.n", "value")] == [*(second.noise or ())]


@pytest.mark.parametrize(
    ("status", "instead", "kind"),
    [
        (201, {"number": 7, "total": 5}, "500 → 201"),
        (201, {"error": "x"}, "500 → 201, unlike the baseline's good answers"),
        (302, {"error": "x"}, "500 → 302, unlike the baseline's good answers"),
    ],
)
def test_what_is_said_instead_of_a_failure(
    tmp_path: Path, status: int, instead: Any, kind: str
) -> None:
    """It is stored, and seen again for what it is whenever the trial is judged."""
    plan = plan_of(tmp_path)
    good = [{"number": number, "total": 9} for number in range(SHOTS - 1)]
    stored = round_of(
        tmp_path,
        plan,
        1,
        [*good, {"error": "no"}],
        [*good, instead],
        statuses=([201] * 5 + [500], [201] * 5 + [status]),
    )

    for _ in range(2):
        (behaviour,) = behaviours([stored])
        assert behaviour is not None
        ((place, changed),) = behaviour.changed.items()
        assert Place("GET /", "status", kind) == place
        assert (f'5: {{"error": "no"}} → {json.dumps(instead)}',) == changed.examples


def test_spools_wait_for_one_round(tmp_path: Path) -> None:
    """Of the spools only the last baseline's are there, and none in the end."""
    plan = plan_of(tmp_path)
    for index in (1, 2, 3):
        round_of(tmp_path, plan, index, [1] * SHOTS, [1] * SHOTS)

    waiting = [*tmp_path.rglob("*.spool")]
    let_go(tmp_path)

    assert ["round-03/baseline"] == [
        str(each.parent.relative_to(tmp_path)) for each in waiting
    ]
    assert [] == [*tmp_path.rglob("*.spool")]


def test_a_round_that_did_not_end(tmp_path: Path) -> None:
    """Whatever stopped a trial, the spools of its last round go with the others."""
    for arm in Arm:
        home = partial_round(tmp_path, 3) / arm
        home.mkdir(parents=True, exist_ok=True)
        (home / "answers-0.spool").write_bytes(b"x")

    let_go(tmp_path)

    assert [] == [*tmp_path.rglob("*.spool")]


def test_trials_without_answers(tmp_path: Path) -> None:
    """A round of before answers were kept has no behaviour, and no complaint."""
    plan = plan_of(tmp_path)
    stored = round_of(tmp_path, plan, 1, [1] * SHOTS, [2] * SHOTS)
    candidate = replace(stored.candidate, answers=None)

    assert [None] == behaviours([replace(stored, candidate=candidate)])
