from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from harness.capture.expiry import EXPIRED, noted
from harness.capture.tally import Tally
from harness.model.traffic import Exchange, Request, Response

NOW_S = 1_000.0

NESTED = base64.urlsafe_b64encode(b'{"exp":' + b"[" * 99_999).decode()


def jwt(**claims: Any) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return ".".join(part.decode().rstrip("=") for part in coded) + ".c2lnbmF0dXJl"


def asked(header: str, value: str, response: Response | None = None) -> Exchange:
    request = Request(method="GET", target="/", headers=((header, value),))
    return Exchange(start_ns=0, client="c", request=request, response=response)


def count(*exchanges: Exchange) -> int:
    tally = Tally()
    assert list(exchanges) == list(noted(exchanges, tally, NOW_S))
    return {each.reason: each.count for each in tally.adapted()}.get(EXPIRED, 0)


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("authorization", f"Bearer {jwt(exp=999)}", 1),
        ("authorization", f"Bearer {jwt(exp=999.5, sub='ä')}", 1),
        ("cookie", f"a=b; id={jwt(exp=1)}; x=y", 1),
        ("x-id-token", jwt(exp=1), 1),
        ("authorization", f"Bearer {jwt(exp=1_000)}", 0),
        ("authorization", f"Bearer {jwt(sub='me')}", 0),
        ("authorization", f"Bearer {jwt(exp='soon')}", 0),
        ("authorization", "Bearer eyJhbGciOiJI.eyJub25zZW5zZ.x", 0),
        ("authorization", f"Bearer eyJhbGciOiJI.{NESTED}.x", 0),
        ("authorization", "Bearer opaque", 0),
    ],
)
def test_expired(header: str, value: str, expected: int) -> None:
    """A request counts if its token says that it has expired."""
    assert expected == count(asked(header, value))


def test_in_a_target() -> None:
    """A token in a query opens what one in a header does."""
    request = Request(method="GET", target=f"/?access_token={jwt(exp=1)}&a=b")

    assert 1 == count(Exchange(start_ns=0, client="c", request=request))


def test_remedy() -> None:
    """The account says how many requests, and what to do."""
    token = jwt(exp=1)

    assert 2 == count(asked("authorization", f"Bearer {token}"), asked("cookie", token))
    assert "session.login" in EXPIRED
    assert "sign it again" in EXPIRED


@pytest.mark.parametrize("late", [False, True])
def test_given(late: bool) -> None:
    """A token that an answer gave is no trouble, in whatever order they are read."""
    token = jwt(exp=1)
    body = json.dumps({"access_token": token}).encode()
    exchanges = [
        asked("accept", "*/*", Response(status=200, body=body)),
        asked("authorization", f"Bearer {token}"),
    ]

    assert 0 == count(*(reversed(exchanges) if late else exchanges))
