from typing import Any

import pytest
from pydantic import ValidationError

from harness.model.behaviour import BehaviourRules, Spot

R = "GET /a"


@pytest.mark.parametrize(
    ("spot", "place", "kind", "expected"),
    [
        ({"header": "ETag"}, "header etag", "value", True),
        ({"header": "etag"}, "header etag-b", "value", False),
        ({"cookie": "sid"}, "cookie sid", "added", True),
        ({"json": "$.a"}, "$.a", "value", True),
        ({"json": "$.a"}, "$.a[*].b", "removed", True),
        ({"json": "$.a"}, "$.ab", "value", False),
        ({"json": "$.a[*].b"}, "$.a[*].b", "value", True),
        ({"body": True}, "body", "text", True),
        ({"status": 404}, "status", "200 → 404", True),
        ({"status": 404}, "status", "404 → 200", False),
        ({"status": 200}, "status", "404 → 200, empty", True),
        ({"header": "a", "route": R}, "header a", "value", True),
        ({"header": "a", "route": "GET /b"}, "header a", "value", False),
    ],
)
def test_covers(spot: dict[str, Any], place: str, kind: str, expected: bool) -> None:
    """A spot is itself and what is below it, on its route or on all."""
    assert expected == Spot.model_validate(spot).covers(R, place, kind)


@pytest.mark.parametrize(
    ("spot", "message"),
    [
        ({}, "give one of header, cookie, json, status, body"),
        ({"header": "a", "status": 200}, "give one of"),
        ({"json": "items..x"}, "'items..x' is no JSON path, as"),
        ({"json": "$.a[?(@.b)]"}, "is no JSON path"),
        ({"status": 20}, "greater than or equal to 100"),
        ({"body": False}, "Input should be True"),
    ],
)
def test_refused(spot: dict[str, Any], message: str) -> None:
    """What names no place, or two, is refused."""
    with pytest.raises(ValidationError, match=message):
        BehaviourRules.model_validate({"ignore": [spot]})


@pytest.mark.parametrize(
    ("spot", "expected"),
    [
        ({"json": "$.a", "route": R}, "$.a of GET /a"),
        ({"status": 404}, "status 404"),
        ({"cookie": "sid"}, "cookie sid"),
    ],
)
def test_text(spot: dict[str, Any], expected: str) -> None:
    """A spot is named as the findings name it."""
    assert expected == Spot.model_validate(spot).text
