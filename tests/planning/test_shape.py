"""Shapes of a load as curves over a round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.model.scenario import Replay, Rounds
from harness.model.shape import Shape
from harness.planning.shape import period_ns, session_curve, user_curve
from harness.store.timeline import Timeline

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000
ROUNDS = Rounds.model_validate(
    {"warmup": "2s", "ramp": "1s", "slices": 2, "slice": "10s"}
)
TIMELINE = Timeline(
    start_ns=np.arange(100) * SECOND // 10,
    duration_ns=np.zeros(100, "i8"),
    session=np.arange(100) // 4,
    names=tuple(map(str, range(25))),
)
"""A session of 4 requests begins every 0.4 s; the recording starts over after 10 s."""


def users_at(shape: dict[str, Any], *measured_s: float) -> list[float]:
    curve = user_curve(Shape.model_validate(shape), 100, ROUNDS, TIMELINE)
    at_ns = (np.array(measured_s) + 2) * SECOND
    return [round(each, 6) for each in np.interp(at_ns, curve.at_ns, curve.level)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"ramp": {"from": 0, "to": 2}}, [0, 50, 100, 200]),
        (
            {"steps": [{"for": "5s", "level": 1}, {"for": "5s", "level": 0.5}]},
            [100, 100, 50, 50],
        ),
        (
            {"spike": {"factor": 5, "at": "4s", "for": "2s", "rise": "1s"}},
            [100, 500, 100, 100],
        ),
    ],
)
def test_population(shape: dict[str, Any], expected: list[float]) -> None:
    """A level of 1 is the number of users; it is reached smoothly and held."""
    assert expected == users_at(shape, 0, 5, 10, 20)


def test_population_as_recorded() -> None:
    """With the recorded rise and fall the busiest part has all of the users."""
    rising = Timeline(
        start_ns=(np.sqrt(np.linspace(0, 1, 400)) * 100 * SECOND).astype("i8"),
        duration_ns=np.zeros(400, "i8"),
        session=np.arange(400),
        names=tuple(map(str, range(400))),
    )

    curve = user_curve("recorded", 100, ROUNDS, rising)

    assert 100 == curve.level.max()
    assert curve.level[0] < 20
    assert curve.level[-1] > 90


def test_sessions_of_a_constant_replay() -> None:
    """Level 1 is the recording's mean rate of sessions x speed x scale."""
    curve = session_curve("constant", Replay(speed=2, scale=3), ROUNDS, TIMELINE)

    assert 10 * SECOND == period_ns(TIMELINE)
    assert 2 * 3 * 2.5 * 22 == pytest.approx(curve.areas[-1])


def test_counts_are_requests(tmp_path: Path) -> None:
    """A minute of the CSV takes 60 s / speed and begins count x scale requests."""
    path = tmp_path / "c.csv"
    path.write_text("period,count\n2020-01-01 00:00,600\n2020-01-01 00:01,600\n")
    shape = Shape.model_validate({"csv": path})

    curve = session_curve(shape, Replay(speed=60, scale=2), ROUNDS, TIMELINE)

    requests_per_s = 600 / 60 * 60 * 2
    assert requests_per_s * 22 / 4 == pytest.approx(curve.areas[-1])


def test_counts_of_a_population(tmp_path: Path) -> None:
    """Users follow the CSV relative to its own peak, laid over the measured part."""
    path = tmp_path / "c.csv"
    path.write_text("period,count\n2020-01-01 00:00,10\n2020-01-01 00:01,40\n")

    assert [25, 25, 62.5, 100] == users_at({"csv": path}, 0, 5, 10, 15)
