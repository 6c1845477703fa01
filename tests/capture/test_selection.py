from __future__ import annotations

from typing import Any

import pytest

from harness.capture.batch import batches_of
from harness.capture.selection import Selection, selected, selection_of
from harness.capture.tally import Tally
from harness.errors import InputError
from harness.model.traffic import Exchange, Request, Response

SECOND_NS = 1_000_000_000
ASKED = (
    ("GET", "/", 200, ""),
    ("GET", "/orders/17?x=1", 404, ""),
    ("POST", "/orders", 201, ""),
    ("GET", "/static/a.css", 304, ""),
    ("GET", "/healthz", 200, "kube-probe/1.27"),
    ("GET", "/", None, "Googlebot/2.1"),
)


def selection(**given: Any) -> Selection:
    nothing: dict[str, Any] = {
        "routes": (),
        "without": (),
        "methods": (),
        "statuses": (),
        "since": None,
        "until": None,
        "no_robots": False,
    }
    return selection_of(**{**nothing, **given})


def left(**given: Any) -> tuple[list[int], dict[str, int]]:
    """Which of the requests stay, and the counts of the others."""
    exchanges = [
        Exchange(
            start_ns=second * SECOND_NS,
            client="c",
            request=Request(
                method=method, target=target, headers=(("user-agent", agent),)
            ),
            response=None if status is None else Response(status=status),
        )
        for second, (method, target, status, agent) in enumerate(ASKED)
    ]
    tally = Tally()
    kept = [
        each.start_ns // SECOND_NS
        for batch in selected(batches_of(exchanges, rows=4), selection(**given), tally)
        for each in batch.exchanges()
    ]
    return kept, {each.reason: each.count for each in tally.filtered()}


@pytest.mark.parametrize(
    ("given", "kept", "reason"),
    [
        ({}, [0, 1, 2, 3, 4, 5], ""),
        ({"routes": ["/orders*"]}, [1, 2], "other route"),
        ({"routes": ["GET /orders/{id}"]}, [1], "other route"),
        ({"routes": ["/", "POST *"]}, [0, 2, 5], "other route"),
        ({"routes": ["get /orders/{orderId}"]}, [1], "other route"),
        ({"without": ["/{page}"]}, [0, 1, 3, 5], "route not wanted"),
        ({"without": ["/static/*", "/healthz"]}, [0, 1, 2, 5], "route not wanted"),
        ({"methods": ["post"]}, [2], "other method"),
        ({"statuses": ["2xx"]}, [0, 2, 4], "other status"),
        ({"statuses": ["304", "400-499"]}, [1, 3], "other status"),
        ({"since": "1970-01-01T00:00:02Z"}, [2, 3, 4, 5], "before --since"),
        ({"until": "2"}, [0, 1], "from --until on"),
        ({"no_robots": True}, [0, 1, 2, 3], "bot or health check"),
    ],
)
def test_one_filter(given: dict[str, Any], kept: list[int], reason: str) -> None:
    """What it does not want is left out, and counted by that reason."""
    lost = len(ASKED) - len(kept)

    assert (kept, {reason: lost} if lost else {}) == left(**given)


def test_filters_together() -> None:
    """What several do not want is counted once."""
    kept, counts = left(methods=["GET"], routes=["/orders*"], no_robots=True)

    assert [1] == kept
    assert {"other method": 1, "other route": 4} == counts


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"methods": ["G T"]}, "--method G T: not a method"),
        ({"statuses": ["6xx"]}, "--status 6xx: not a status"),
        ({"statuses": ["200,404"]}, "--status 200,404: not a status"),
        ({"routes": ["static/*"]}, r"--route static/\*: not a route"),
        ({"without": ["GET"]}, "--not-route GET: not a route"),
        ({"since": "yesterday"}, "--since yesterday: not a time"),
    ],
)
def test_wrong_filters(given: dict[str, Any], complaint: str) -> None:
    """What cannot be meant is named, with how to write it."""
    with pytest.raises(InputError, match=complaint) as caught:
        selection(**given)
    assert caught.value.hint


def test_what_is_left_out_is_gone() -> None:
    """A batch holds no value that belonged to other rows alone."""
    exchanges = [
        Exchange(
            start_ns=number,
            client=f"c{number}",
            request=Request(method="GET", target=f"/{number}"),
        )
        for number in range(3)
    ]
    wanted = selection(routes=["/1"])

    [batch] = selected(batches_of(exchanges), wanted, Tally())

    assert [exchanges[1]] == list(batch.exchanges())
    assert (["c1"], ["/1"]) == (
        list(batch.clients.values),
        [each.target for each in batch.requests.values],
    )
