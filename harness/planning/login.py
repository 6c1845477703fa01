"""The request that each session begins with, ahead of what was recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import numpy as np

from harness.model.link import Extract, Links
from harness.model.plan import PlannedRequest
from harness.model.route import Routes
from harness.model.traffic import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.model.flow import Login

__all__ = ["login_request", "with_logins"]

_AHEAD_NS: Final = 1_000_000_000
"""So much before the session's first request, if that has a planned moment."""

_EVERYBODY: Final = 1 << 32
_USER: Final = "{user}"


def with_logins(
    shots: Mapping[str, NDArray[Any]],
    requests: Sequence[PlannedRequest],
    login: Login,
    extracts: tuple[Extract, ...],
    *,
    open_loop: bool,
) -> tuple[dict[str, NDArray[Any]], list[PlannedRequest]]:
    """The shots with a login ahead of each session, and the requests with theirs.

    Args:
        shots: columns by name, `at_ns` among them.
        requests: that they refer to.
        login: what is sent.
        extracts: what its answer gives.
        open_loop: whether shots have planned moments; otherwise the login takes the
            pause before the session.
    """
    first = np.flatnonzero(shots["fresh"])
    account = shots["user"][first].astype("i8") % (login.accounts or _EVERYBODY) + 1
    accounts, number = np.unique(account, return_inverse=True)
    grown = {
        name: np.insert(column, first, column[first]) for name, column in shots.items()
    }
    place = first + np.arange(len(first))
    grown["request"][place] = len(requests) + number
    grown["fresh"][place + 1] = False
    if open_loop:
        for name in ("due_ns", "at_ns"):
            grown[name][place] = (grown[name][place] - _AHEAD_NS).clip(0)
    else:
        grown["think_ns"][place + 1] = 0
    logins = [login_request(login, user, extracts) for user in accounts.tolist()]
    return grown, [*requests, *logins]


def login_request(
    login: Login, user: int, extracts: tuple[Extract, ...]
) -> PlannedRequest:
    """What a user logs in with."""
    body, kind = b"", ""
    if login.form is not None:
        body = urlencode(_of(login.form, user)).encode()
        kind = "application/x-www-form-urlencoded"
    elif login.json_ is not None:
        body, kind = json.dumps(_of(login.json_, user)).encode(), "application/json"
    own = {name.lower(): value for name, value in _of(login.headers, user).items()}
    typed = {"content-type": kind} if kind else {}
    target = _of(login.post, user)
    return PlannedRequest(
        request=Request(
            method="POST",
            target=target,
            headers=tuple({"accept": "*/*", **typed, **own}.items()),
            body=body,
        ),
        route=Routes().of("POST", target),
        cookies=(),
        recorded_status=0,
        links=Links(extracts=extracts),
        measured=False,
    )


def _of(given: Any, user: int) -> Any:
    """The same with the user's number in all texts."""
    if isinstance(given, str):
        return given.replace(_USER, str(user))
    if isinstance(given, dict):
        return {key: _of(value, user) for key, value in given.items()}
    if isinstance(given, list):
        return [_of(value, user) for value in given]
    return given
