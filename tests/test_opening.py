"""Whether a trial that was stopped may be gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from harness.errors import InputError
from harness.model.scenario import Scenario
from harness.opening import taken_up
from harness.store.trial import Journal
from tests.made import plan
from tests.test_dossier import SCENARIO

PLAN: Final = plan(Path())
JOURNAL: Final = Journal(
    id="20261127-x",
    scenario=SCENARIO,
    recording_digest="r",
    plan=PLAN,
    baseline="git:main (aaaa)",
    candidate="work tree (bbbb)",
    machine="m",
    versions={"locust": "2"},
    workers=1,
    finished=(1, 2),
    stopped="interrupted",
    command="seatrial verify s.yaml",
)


def test_the_same(tmp_path: Path) -> None:
    """Equal builds under other names go on; the stop is forgotten, rounds are not."""
    plan = replace(PLAN, shots_path=tmp_path / "plan.parquet")
    now = replace(
        JOURNAL, candidate="dir:/x (bbbb)", plan=plan, finished=(), stopped=""
    )

    journal = taken_up(JOURNAL, now)

    assert journal == replace(JOURNAL, stopped="")


@pytest.mark.parametrize(
    "load",
    [
        {"users": 9, "shape": {"csv": "load.csv"}},
        {"users": 9, "shape": "constant"},
        {"replay": {"speed": 2}},
    ],
)
def test_the_same_from_elsewhere(load: dict[str, Any]) -> None:
    """The plan tells whether a file is the same; from where it is named does not."""

    def journal(directory: str) -> Journal:
        scenario = Scenario.model_validate(
            {
                **SCENARIO.model_dump(include={"name", "service"}, exclude_unset=True),
                "recording": "r.parquet",
                "openapi": "api.yaml",
                "load": load,
            },
            context={"directory": Path(directory)},
        )
        return replace(JOURNAL, scenario=scenario)

    taken_up(journal("."), journal("scenarios"))


def test_begun_by_something_else() -> None:
    """A trial of a calibration, whose change nobody would make again, is refused."""
    with pytest.raises(InputError, match="not begun by `seatrial verify`"):
        taken_up(replace(JOURNAL, command=""), JOURNAL)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scenario": SCENARIO.model_copy(update={"seed": 9})}, "another scenario"),
        ({"recording_digest": "other"}, "another recording"),
        ({"plan": replace(PLAN, digest="other")}, "another plan"),
        ({"baseline": "git:main (cccc)"}, "another baseline"),
        ({"candidate": "work tree (cccc)"}, "another candidate"),
        ({"machine": "other"}, "another machine"),
        ({"versions": {"locust": "3"}}, "another version of what measures"),
        ({"workers": 2}, "another number of load workers"),
    ],
)
def test_something_else(given: dict[str, Any], message: str) -> None:
    """Rounds of two kinds are no trial; what differs is named."""
    with pytest.raises(InputError, match=message):
        taken_up(JOURNAL, replace(JOURNAL, **given))
