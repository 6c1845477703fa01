from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.demo import scenario_of
from harness.forecast import forecast
from harness.model.scenario import Scenario
from harness.opening import circumstances
from harness.store.recording import open_recording

if TYPE_CHECKING:
    from harness.model.traffic import Recording

SHOP = Path(__file__).parents[1] / "compose" / "shop" / "shop.parquet"


@pytest.fixture(scope="module")
def recording() -> Recording:
    """The demo shop's."""
    return open_recording(SHOP)


def told(
    scenario: Scenario, recording: Recording | None, **given: Any
) -> dict[str, str]:
    return dict(forecast(scenario, recording, given.get("calibration")))


def test_time_and_traffic(recording: Recording) -> None:
    """Rounds, time and requests are those that a trial would have."""
    facts = told(scenario_of(lambda _: None), recording)

    assert "6 to 8" == facts["rounds"]
    assert facts["a round"].startswith("20 s, ")
    assert facts["time"].startswith("2 min 00 s to 2 min 40 s, ")
    assert facts["requests"].startswith("1,562 an arm and round, on ")
    assert "p50, p95; p99 needs 3,000" == facts["service"]
    assert facts["calibration"].startswith("none: `seatrial calibrate`")


def test_family_and_routes(recording: Recording) -> None:
    """Longer rounds make more routes thick enough, and so the family larger."""
    short = scenario_of(lambda _: None)
    rounds = short.rounds.model_copy(update={"slices": 40})
    long = short.model_copy(update={"rounds": rounds})

    few, many = (told(each, recording) for each in (short, long))

    sizes = [int(each["hypotheses"].split()[0]) for each in (few, many)]
    assert sizes[0] < sizes[1]
    assert "none is thick enough" in few["routes"] or "p95 of" in few["routes"]
    assert "GET /products/{id}" in many["routes"]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ("0.04%", None),
        ("0.03%", "within 0.03 points takes 9,985 requests, no sooner than in round 7"),
        ("0.02%", "within 0.02 points takes 14,978 requests, never: 8 rounds have"),
    ],
)
def test_too_few_requests_for_a_rate(
    recording: Recording, budget: str, expected: str | None
) -> None:
    """A budget that too few requests could show exceeded is told before the trial."""
    demo = scenario_of(lambda _: None).model_dump(mode="json", exclude_unset=True)
    demo["budgets"]["errors"] = budget

    facts = told(Scenario.model_validate(demo), recording)

    assert facts.get("errors", "").startswith(expected or "")
    assert ("errors" in facts) is (expected is not None)


def test_locustfile(tmp_path: Path) -> None:
    """What a locustfile sends is not known, and that is said."""
    path = tmp_path / "locustfile.py"
    path.write_text("")
    scenario = Scenario.model_validate(
        {
            "name": "x",
            "service": {"image": "i"},
            "load": {"users": 2, "locustfile": str(path)},
        }
    )

    facts = told(scenario, None)

    assert "what a locustfile sends is not known beforehand" == facts["requests"]
    assert "hypotheses" not in facts
    assert circumstances(scenario, None).terms
