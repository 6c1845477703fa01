from typing import Any

import pytest
from pydantic import ValidationError

from harness.model.scenario import Load, Scenario

LEAST = {
    "name": "x",
    "recording": "r.parquet",
    "service": {"image": "i"},
    "load": {"users": 1},
}


def test_defaults_are_the_documented_ones() -> None:
    """What is left out is resolved at construction."""
    scenario = Scenario.model_validate(LEAST)

    assert (4, 6, 4 * 10**9) == (
        scenario.rounds.min,
        scenario.rounds.slices,
        scenario.rounds.slice,
    )
    assert "10% or 5ms" == scenario.budgets.latency.p95.text  # type: ignore[union-attr]


def test_round_trip() -> None:
    """What is written into a trial reads back as the same scenario."""
    scenario = Scenario.model_validate(
        {**LEAST, "budgets": {"by_route": {"GET /": {"p50": "1% or 1ms"}}}}
    )

    written = scenario.model_dump(mode="json", exclude_none=True)

    assert scenario == Scenario.model_validate(written)


@pytest.mark.parametrize(
    ("service", "driver"),
    [
        ({"image": "i"}, "docker"),
        ({"build": {}, "command": ["a"]}, "docker"),
        ({"command": ["a"]}, "process"),
        ({"url": "http://127.0.0.1:1"}, "url"),
        ({"build": {}, "command": ["a"], "driver": "process"}, "process"),
    ],
)
def test_driver(service: dict[str, object], driver: str) -> None:
    """The driver follows from what is given unless it is named."""
    assert (
        driver == Scenario.model_validate({**LEAST, "service": service}).service.driver
    )


@pytest.mark.parametrize(
    "service",
    [
        {},
        {"url": "https://[::1]:8443"},
        {"image": "i", "volumes": ["./a:/b:ro", "~/a:/b"], "env": {"A_1": ""}},
    ],
)
def test_what_works(service: dict[str, object]) -> None:
    """What the command line can complete, or an engine can use, is accepted."""
    Scenario.model_validate({**LEAST, "service": service})


@pytest.mark.parametrize(
    "change",
    [
        {"load": {}},
        {"load": {"users": 1, "replay": {}}},
        {"load": {"users": 0}},
        {"load": {"replay": {"speed": float("inf")}}},
        {"load": {"replay": {"scale": float("nan")}}},
        {"service": {"image": "i", "limits": {"cpus": float("inf")}}},
        {"rounds": {"warmup": "1s", "ramp": "2s"}},
        {"rounds": {"slice": "0s"}},
        {"service": {"driver": "process"}},
        {"service": {"url": "http://x"}, "budgets": {"memory": {"level": "5%"}}},
        {"name": "../x"},
        {"name": "x" * 101},
        {"seed": True},
        {"seed": 2**64},
        {"load": {"users": True}},
        {"load": {"replay": {"speed": 1e7}}},
        {"load": {"users": 1, "deadline": "0s"}},
        {"rounds": {"slices": 1_001}},
        {"service": {"image": "i", "ready_timeout": "0s"}},
        {"service": {"url": "http://"}},
        {"service": {"url": "ftp://x"}},
        {"service": {"image": "i", "volumes": ["a:b"]}},
        {"service": {"image": "i", "volumes": [":/b"]}},
        {"budgets": {"by_route": {"get /": {}}}},
        {"calibrate": {"changes": {"+1 ms": {"env": {}}}}},
        {"service": {"url": "http://x"}, "budgets": {"threads": 5}},
        {"budgets": {"sockets": "5 or 6"}},
        {"service": {"image": "i", "metrics": "metrics"}},
        {
            "recording": None,
            "load": {"locustfile": "l.py", "users": 1},
            "behaviour": {"ignore": [{"header": "etag"}]},
        },
        {
            "service": {"url": "http://x"},
            "calibrate": {"changes": {"+1 ms": {"env": {"A": "1"}}}},
        },
    ],
)
def test_contradictions(change: dict[str, object]) -> None:
    """Terms that cannot be met are refused before anything starts."""
    with pytest.raises(ValidationError):
        Scenario.model_validate({**LEAST, **change})


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"ramp": {"from": 1, "to": 2}, "csv": "x"}, "give one of"),
        ({"from": "2020-01-01"}, "give one of"),
        ({"steps": [{"for": "1s", "level": 1}], "minutes": 3}, "choose a part"),
        ({"steps": [{"for": "1s", "level": -1}]}, "greater than or equal to 0"),
    ],
)
def test_bad_shapes(shape: dict[str, Any], message: str) -> None:
    """A shape is one kind of curve, with levels that can be."""
    with pytest.raises(ValidationError, match=message):
        Load.model_validate({"users": 1, "shape": shape})


def test_shape_of_each_model() -> None:
    """A replay keeps the recorded shape, a population is constant."""
    assert "recorded" == Load.model_validate({"replay": {}}).shape
    assert "constant" == Load.model_validate({"users": 1}).shape


def test_held_out() -> None:
    """A fifth of the recording, or what is asked for; nothing of a locustfile."""
    locust = {"users": 1, "locustfile": "l.py"}
    loads = ({"users": 1}, {"users": 1, "held_out": "5%"}, locust)

    shares = [Load.model_validate(each).held_out for each in loads]

    assert [0.2, 0.05, 0.0] == shares
    written = Load.model_validate(locust).model_dump(mode="json", exclude_none=True)
    assert 0.0 == Load.model_validate(written).held_out


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ({"held_out": "95%"}, "at most 90% can be held out"),
        ({"held_out": 0.2}, "needs a number with a unit"),
        ({"held_out": "-5%"}, "needs a number with a unit"),
        ({"held_out": "20%", "locustfile": "l.py"}, "leave `held_out` out"),
    ],
)
def test_bad_held_out(load: dict[str, Any], message: str) -> None:
    """What cannot be held out is refused with the remedy."""
    with pytest.raises(ValidationError, match=message):
        Load.model_validate({"users": 1, **load})
