from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.demo import builds_of, exit_code, scenario_of, summary, table
from harness.errors import BuildError
from harness.expectation import DEMO, GALLERY
from harness.model.result import Arm
from harness.model.verdict import FixOutcome, Outcome
from harness.store.recording import exchanges, open_recording
from tests.made import finding, report

if TYPE_CHECKING:
    from harness.expectation import Programme
    from harness.model.verdict import Report

PASSING = report(Outcome.PASS, FixOutcome.FIXED)
LEAKING = report(Outcome.FAIL, FixOutcome.FIXED_BUT_REGRESSED, finding("memory"))
UNSURE = report(
    Outcome.INCONCLUSIVE, FixOutcome.UNPROVEN, finding("p95", "inconclusive")
)
SPOILT = report(Outcome.INVALID, FixOutcome.UNPROVEN, finding("p95", "invalid"))


def test_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no engine answers, one line says so and the builds run as processes."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    said: list[str] = []

    scenario = scenario_of(said.append)

    assert "process" == scenario.service.driver
    assert 1 == len(said)
    assert "\n" not in said[0]


@pytest.mark.parametrize("programme", [DEMO, GALLERY])
def test_scenarios(programme: Programme) -> None:
    """The scenario of either programme is there and names a recording beside it."""
    scenario = scenario_of(lambda _: None, programme.scenario)

    with builds_of("") as (shop, _):
        assert (shop / (scenario.recording or "nowhere")).is_file()


def test_a_round_of_the_gallery_asks_for_what_is_broken() -> None:
    """Whatever a candidate breaks is met in the measured part of every round."""
    scenario = scenario_of(lambda _: None, GALLERY.scenario)
    rounds, replay = scenario.rounds, scenario.load.replay
    assert replay is not None
    starts_ns = round(rounds.warmup * replay.speed)
    ends_ns = starts_ns + round(rounds.slice * rounds.slices * replay.speed)
    with builds_of("") as (shop, _):
        recording = open_recording(shop / "gallery.parquet")
        asked = [
            each
            for each in exchanges(recording)
            if starts_ns <= each.start_ns < ends_ns
        ]

    answered = Counter(
        (re.sub(r"\d+", "N", each.request.target), each.response.status)
        for each in asked
        if each.response
    )
    hearts = sum(b"<3" in each.request.body for each in asked)
    rare = {
        *(("/checkout", status) for status in (402, 500, 503)),
        ("/cart", 409),
        ("/invoices/N/text", 403),
    }
    assert rare == {each for each in rare if answered[each] >= 5}
    assert 3 <= hearts <= 9


def test_summary() -> None:
    """A line a trial; what was missed is said with what was expected."""
    lines = summary(zip(DEMO.trials, (PASSING, PASSING), strict=True))

    assert [
        "true-fix: as expected",
        "leak: NOT as expected (FAIL FIXED_BUT_REGRESSED by memory)",
    ] == list(lines)


@pytest.mark.parametrize(
    ("reports", "code"),
    [
        ((PASSING, LEAKING), 0),
        ((PASSING, PASSING), 1),
        ((LEAKING, LEAKING), 1),
        ((PASSING, UNSURE), 3),
        ((SPOILT, UNSURE), 4),
        ((SPOILT, PASSING), 1),
    ],
)
def test_exit_code(reports: tuple[Report, Report], code: int) -> None:
    """As everywhere: 1 is a wrong verdict, 4 none, 3 a doubt; the worst one counts."""
    assert code == exit_code(zip(DEMO.trials, reports, strict=True))


def test_table() -> None:
    """Expected beside given, in columns."""
    text = table(zip(DEMO.trials, (LEAKING, LEAKING), strict=True))

    failed = "FAIL FIXED_BUT_REGRESSED by memory"
    assert [
        f"candidate  {'expected':34}  given",
        f"true-fix   {'PASS FIXED':34}  {failed}  NOT as expected",
        f"leak       {failed}  {failed}  as expected",
    ] == text.splitlines()


@pytest.mark.parametrize("candidate", [trial.candidate for trial in DEMO.trials])
def test_trees(candidate: str) -> None:
    """A candidate's tree is the shop with its patch; both are gone afterwards."""
    with builds_of(candidate) as (_, references):
        trees = [Path(references[arm].value) for arm in Arm]
        before, after = ((tree / "shop/orders.py").read_text() for tree in trees)

    assert before != after
    assert candidate == references[Arm.CANDIDATE].text
    assert not any(tree.exists() for tree in trees)


def test_unknown_candidate() -> None:
    """A patch that is not there is a build that failed, by name."""
    with pytest.raises(BuildError, match="nowhere"), builds_of("nowhere"):
        pass
