from harness.model.link import Extract, Fill, Links
from harness.model.plan import PlannedRequest
from harness.model.traffic import Request
from harness.planning.account import in_words


def planned(route: str, links: Links) -> PlannedRequest:
    return PlannedRequest(
        request=Request(method="GET", target="/"),
        route=route,
        cookies=(),
        recorded_status=200,
        links=links,
    )


def test_in_words() -> None:
    """How many requests take values, and the answers that give them."""
    token = Extract(slot=0, kind="json", name="$.token")
    fill = Fill(slot=0, part="target", start=0, end=1, coding="percent")
    requests = [
        planned("POST /login", Links(extracts=(token,))),
        planned("GET /me", Links(fills=(fill,))),
        planned("GET /", Links()),
    ]

    assert (
        "1 of 3 distinct requests take values of earlier answers: "
        "POST /login (json $.token)"
    ) == in_words(requests)
    assert "" == in_words(requests[2:])


def test_not_too_many_words() -> None:
    """Of many answers only the first few are named."""
    fill = Fill(slot=0, part="target", start=0, end=1, coding="percent")
    requests = [
        planned(
            f"GET /{n}",
            Links(fills=(fill,), extracts=(Extract(slot=0, kind="text", pattern="x"),)),
        )
        for n in range(7)
    ]

    assert in_words(requests).endswith("GET /4 (text), 2 more")
