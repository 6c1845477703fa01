from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ComparisonError
from harness.model.calibration import Calibration, Injected, Machine, Sensitivity
from harness.model.scenario import Scenario
from harness.store.calibration import (
    calibration_path,
    read_calibration,
    terms_digest,
    write_calibration,
)

if TYPE_CHECKING:
    from pathlib import Path

CALIBRATION = Calibration(
    scenario="shop",
    terms="t",
    machine=Machine(cpu="c", cores=2, memory_gib=8, architecture="x86_64"),
    versions={"seatrial": "1"},
    day="2026-11-25",
    baseline="git:main",
    trials=3,
    failed=0,
    bound=0.63,
    inconclusive=1,
    invalid=0,
    rounds=14,
    family=6,
    sensitivities=(
        Sensitivity(
            metric="p95",
            unit="ns",
            relative=True,
            budget="10%",
            rounds=14,
            deviation=0.03,
            curve=((0.5, 1.1), (0.9, 1.2)),
        ),
    ),
    injected=(Injected(name="+10 ms", trials=1, failed=1, metrics=("p95",)),),
    signatures=("GET / 500",),
)


def scenario(**given: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "x",
            "recording": "r.parquet",
            "service": {"image": "i"},
            "load": {"users": 3},
            **given,
        }
    )


def test_round_trip(tmp_path: Path) -> None:
    """A calibration reads back as it was written."""
    path = calibration_path(tmp_path, "shop")
    write_calibration(path, CALIBRATION)

    assert "calibration-shop.json" == path.name
    assert CALIBRATION == read_calibration(path)


def test_none(tmp_path: Path) -> None:
    """Where there is no calibration, that is no error."""
    assert read_calibration(tmp_path / "calibration-x.json") is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"schema": 1', '"schema": 2', "written by a newer Seatrial"),
        ('"schema": 1', '"schema": "1"', "schema: not a version"),
        ('"trials": 3', '"trials": "three"', "trials: "),
        ('"day": "2026-11-25"', '"day": "yesterday"', "isoformat"),
        ("{", "[", "broken: "),
    ],
)
def test_broken(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A broken or newer file is one error that names it and what to do."""
    path = tmp_path / "calibration-shop.json"
    write_calibration(path, CALIBRATION)
    path.write_text(path.read_text().replace(old, new, 1))

    with pytest.raises(ComparisonError, match=message) as caught:
        read_calibration(path)

    assert caught.value.message.startswith(f"{path}: ")
    assert caught.value.hint


def test_not_a_mapping(tmp_path: Path) -> None:
    """JSON that is something else is refused, too."""
    path = tmp_path / "c.json"
    path.write_text(json.dumps([1]))

    with pytest.raises(ComparisonError, match="not a version"):
        read_calibration(path)
    with pytest.raises(ComparisonError, match="cannot be read"):
        read_calibration(tmp_path)


def test_terms() -> None:
    """The digest says whether trials are comparable, and nothing else changes it."""
    digest = terms_digest(scenario(), "r")

    assert digest == terms_digest(scenario(name="y", why="because"), "r")
    changes = {"+1 ms": {"env": {"DELAY": "1"}}}
    assert digest == terms_digest(scenario(calibrate={"changes": changes}), "r")
    others = [
        terms_digest(scenario(), "other"),
        terms_digest(scenario(load={"users": 4}), "r"),
        terms_digest(scenario(rounds={"slices": 7}), "r"),
        terms_digest(scenario(budgets={"cpu": "1%"}), "r"),
        terms_digest(scenario(service={"image": "j"}), "r"),
    ]
    assert 6 == len({digest, *others})


def test_files_of_the_load(tmp_path: Path) -> None:
    """A locustfile or a CSV counts by what it says, not by where it is."""
    digests = []
    for place, text in (("a", "one"), ("b", "one"), ("c", "two")):
        file = tmp_path / place
        file.write_text(text)
        guests = scenario(recording=None, load={"users": 1, "locustfile": str(file)})
        counts = scenario(load={"users": 1, "shape": {"csv": str(file)}})
        digests.append((terms_digest(guests, ""), terms_digest(counts, "r")))

    assert digests[0] == digests[1]
    assert not {*digests[0]} & {*digests[2]}
