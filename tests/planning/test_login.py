from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.model.flow import Login
from harness.model.plan import PlannedRequest
from harness.model.traffic import Request
from harness.planning.login import login_request, with_logins

SECOND = 1_000_000_000
REQUEST = PlannedRequest(
    request=Request(method="GET", target="/"),
    route="GET /",
    cookies=(),
    recorded_status=200,
)


def shots(**columns: list[int]) -> dict[str, np.ndarray]:
    """Two users; the first has two sessions of two shots and one."""
    known: dict[str, Any] = {
        "user": [0, 0, 0, 1],
        "due_ns": [-1] * 4,
        "think_ns": [5, 6, 7, 8],
        "fresh": [True, False, True, True],
        "request": [0] * 4,
        "at_ns": [5, 11, 18, 8],
    }
    return {name: np.array(each) for name, each in {**known, **columns}.items()}


def test_closed() -> None:
    """A login takes the pause before its session, which follows at once."""
    login = Login.model_validate({"post": "/l"})

    grown, requests = with_logins(shots(), [REQUEST], login, (), open_loop=False)

    assert [0, 0, 0, 0, 0, 1, 1] == grown["user"].tolist()
    assert [5, 0, 6, 7, 0, 8, 0] == grown["think_ns"].tolist()
    assert [1, 0, 0, 1, 0, 1, 0] == grown["fresh"].tolist()
    assert [1, 0, 0, 1, 0, 2, 0] == grown["request"].tolist()
    assert [5, 5, 11, 18, 18, 8, 8] == grown["at_ns"].tolist()
    assert [-1] * 7 == grown["due_ns"].tolist()
    assert [True, False, False] == [each.measured for each in requests]


def test_open() -> None:
    """A login is due a second before its session, at the earliest at once."""
    due_ns = [SECOND // 2, SECOND, 4 * SECOND, 3 * SECOND]
    login = Login.model_validate({"post": "/l"})

    grown, _ = with_logins(
        shots(due_ns=due_ns, at_ns=due_ns), [REQUEST], login, (), open_loop=True
    )

    expected = [0, SECOND // 2, SECOND, 3 * SECOND, 4 * SECOND, 2 * SECOND, 3 * SECOND]
    assert expected == grown["due_ns"].tolist() == grown["at_ns"].tolist()


@pytest.mark.parametrize(("accounts", "logins"), [(None, 2), (1, 1), (5, 2)])
def test_accounts(accounts: int | None, logins: int) -> None:
    """Users share the accounts that there are."""
    login = Login(post="/l/{user}", accounts=accounts)

    _, requests = with_logins(shots(), [REQUEST], login, (), open_loop=False)

    targets = [each.request.target for each in requests[1:]]
    assert [f"/l/{n + 1}" for n in range(logins)] == targets


def test_request() -> None:
    """The user's number goes into every text of a login."""
    form = Login.model_validate({"post": "/l", "form": {"u": "a{user}@x", "p": "ä"}})
    document = {"user": {"name": "u{user}", "tags": ["{user}", 1]}}
    json_ = Login.model_validate(
        {"post": "/l", "json": document, "headers": {"X-Tenant": "t{user}"}}
    )

    typed, structured = (login_request(each, 3, ()).request for each in (form, json_))

    assert b"u=a3%40x&p=%C3%A4" == typed.body
    assert b'{"user": {"name": "u3", "tags": ["3", 1]}}' == structured.body
    assert ("x-tenant", "t3") in structured.headers
    assert "application/json" == dict(structured.headers)["content-type"]
