from __future__ import annotations

import pytest

from harness.model.link import Extract, Links
from harness.model.plan import PlannedRequest
from harness.model.route import Routes
from harness.model.traffic import Exchange, Request
from harness.planning.request import legible, planned_request


@pytest.mark.parametrize(
    ("extracts", "accepted", "expected"),
    [
        ((Extract(slot=0, kind="json", name="$.id"),), "gzip, br;q=1, zstd", "gzip"),
        ((Extract(slot=0, kind="text", pattern="(.*)"),), "gzip;q=1", "gzip;q=1"),
        ((Extract(slot=0, kind="field", name="id"),), "br", "identity"),
        ((Extract(slot=0, kind="header", name="id"),), "gzip, br", "gzip, br"),
        ((), "gzip, br", "gzip, br"),
    ],
)
def test_readable_answers(
    extracts: tuple[Extract, ...], accepted: str, expected: str
) -> None:
    """A request whose answer's body is read asks for codings that can be undone."""
    planned = PlannedRequest(
        request=Request(
            method="GET", target="/", headers=(("accept-encoding", accepted),)
        ),
        route="GET /",
        cookies=(),
        recorded_status=200,
        links=Links(extracts=extracts),
    )

    assert (("accept-encoding", expected),) == legible(planned).request.headers


@pytest.mark.parametrize(
    ("cookie", "recorded", "logged_in", "expected"),
    [
        ("a=1; b=2", True, False, (("a", "1"), ("b", "2"))),
        ("a=1; b=2", True, True, (("a", "1"), ("b", "2"))),
        ("", True, False, ()),
        ("", True, True, None),
        ("", False, False, None),
    ],
)
def test_cookies(
    cookie: str,
    recorded: bool,
    logged_in: bool,
    expected: tuple[tuple[str, str], ...] | None,
) -> None:
    """As recorded; the whole jar where nothing is known, or a login came before."""
    headers = (("cookie", cookie),) if cookie else ()
    exchange = Exchange(
        start_ns=0,
        client="c",
        request=Request(method="GET", target="/", headers=headers),
    )

    planned = planned_request(
        exchange, Routes(), cookies_recorded=recorded, logged_in=logged_in
    )

    assert expected == planned.cookies
