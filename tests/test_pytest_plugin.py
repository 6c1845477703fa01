from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.library import Trial
from harness.model.verdict import FixOutcome, Outcome
from tests.made import report

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def test_it_waits_for_its_turn(
    seatrial: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests side by side, as under xdist, take turns, unless told not to."""
    waits: list[bool] = []

    def verify(_: Path, **asked: Any) -> Trial:
        waits.append(asked["wait"])
        passing = report(Outcome.PASS, FixOutcome.FIXED)
        return Trial(directory=Path("trials"), report=passing)

    monkeypatch.setattr("harness.library.verify", verify)
    seatrial("shop.yaml")
    seatrial("shop.yaml", wait=False)

    assert [True, False] == waits
