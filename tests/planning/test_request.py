from __future__ import annotations

import pytest

from harness.model.link import Extract, Links
from harness.model.plan import PlannedRequest
from harness.model.traffic import Request
from harness.planning.request import legible


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
