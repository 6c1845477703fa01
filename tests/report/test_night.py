"""A night as it is shown."""

from __future__ import annotations

import json

import pytest

from harness.model.night import End, Turn
from harness.report.night import night_json, night_text
from tests.report.conftest import HOSTILE

TURNS = (
    Turn(
        file="s/shop.yaml",
        scenario="shop",
        end=End.FAIL,
        reason="p95: 45 ms",
        directory="trials/1",
    ),
    Turn(file="s/bad.yaml", end=End.WRONG_INPUT, reason="s/bad.yaml:1:1:\nwrong"),
)


def test_table() -> None:
    """A row a scenario; one without a name is called by its file."""
    assert night_text(TURNS) == (
        "scenario    verdict      directory  reason\n"
        "shop        FAIL         trials/1   p95: 45 ms\n"
        "s/bad.yaml  wrong input  -          s/bad.yaml:1:1: wrong\n"
    )


def test_document() -> None:
    """Every turn, whole, with a version."""
    document = json.loads(night_json(TURNS))

    assert 1 == document["schema_version"]
    assert ["FAIL", "wrong input"] == [each["end"] for each in document["scenarios"]]
    assert "s/bad.yaml:1:1:\nwrong" == document["scenarios"][1]["reason"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names(hostile: str) -> None:
    """Whatever is in a name or a reason, a turn is one line of text."""
    turn = Turn(
        file=hostile,
        scenario=hostile,
        end=End.PASS,
        reason=hostile,
        directory=hostile,
    )

    text = night_text([turn])

    assert 2 == len(text.splitlines())
    assert text.replace("\n", "").isprintable()
    assert night_json([turn]).isascii()
