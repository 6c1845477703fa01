import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.model.check import Check
from harness.model.scenario import Scenario

AUDIT = {"get": "/audit", "json": {"$.oversold": 0, "$.left[0]": ">= 0"}}


def failure(check: dict[str, Any], said: Any, status: int = 200) -> str:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Check.model_validate(check).failure(status, body)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"oversold": 0, "left": [3]}, ""),
        ({"oversold": 0.0, "left": [0]}, ""),
        ({"oversold": 3, "left": [3]}, "$.oversold is 3, not 0"),
        ({"oversold": False, "left": [3]}, "$.oversold is false, not 0"),
        ({"oversold": "0", "left": [3]}, '$.oversold is "0", not 0'),
        ({"oversold": 0, "left": [-1]}, "$.left[0] is -1, not >= 0"),
        ({"oversold": 0, "left": ["3"]}, '$.left[0] is "3", not >= 0'),
        ({"oversold": 0, "left": []}, "$.left[0] is not there"),
        ({"left": []}, "$.oversold is not there"),
        (b"<html>", "the body is no JSON: '<html>'"),
        (b"\xff", "the body is no JSON: '\ufffd'"),
        (b'{"oversold": ' + b"9" * 5000 + b"}", "the body is no JSON: "),
        (b"[" * 100_000, "the body is no JSON: "),
        (b'{"oversold": NaN, "left": [1]}', "$.oversold is NaN, not 0"),
    ],
)
def test_json(said: Any, expected: str) -> None:
    """What is not as it must be is named by its path, with what is found there."""
    found = failure(AUDIT, said)

    assert found == expected or (expected.endswith(": ") and expected in found)


@pytest.mark.parametrize(
    ("check", "status", "expected"),
    [
        ({}, 399, ""),
        ({}, 404, "status is 404, not below 400"),
        ({"status": 404}, 404, ""),
        ({"status": 404}, 200, "status is 200, not 404"),
        ({"contains": "all is well"}, 200, ""),
        ({"contains": "balanced"}, 200, "the body has no 'balanced'"),
    ],
)
def test_answer(check: dict[str, Any], status: int, expected: str) -> None:
    """Status and text are checked where they are given, the status always."""
    assert expected == failure({"get": "/", **check}, b"all is well", status)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"get": "audit"}, "match pattern"),
        ({"get": "/", "json": {"oversold": 0}}, "'oversold' is no JSON path"),
        ({"get": "/", "json": {"$.a": "<= many"}}, "compares with no number"),
        ({"get": "/", "after": "request"}, "'slice', 'round' or 'trial'"),
        ({"get": "/", "timeout": "0s"}, "greater than 0"),
    ],
)
def test_refused(check: dict[str, Any], message: str) -> None:
    """What could never hold, or never be asked, is refused."""
    with pytest.raises(ValidationError, match=message):
        Check.model_validate(check)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"checks": [AUDIT, AUDIT]}, "two `checks` are called GET /audit"),
        (
            {"checks": [AUDIT], "fix": {"symptom": {"check": "audit"}}},
            "names none of the `checks`: GET /audit",
        ),
    ],
)
def test_names(more: dict[str, Any], message: str) -> None:
    """A check is known by its name: there is one of each, and a fix names one."""
    given_ = {
        "name": "x",
        "recording": "r.parquet",
        "service": {"image": "i"},
        "load": {"users": 1},
    }

    with pytest.raises(ValidationError, match=message):
        Scenario.model_validate({**given_, **more})


@given(st.binary())
def test_any_bytes(body: bytes) -> None:
    """Whatever a service answers, a check says what is wrong with it."""
    assert failure(AUDIT, body)
