from __future__ import annotations

from typing import Any

import pytest

from harness.model.flow import Login, Rule, Use
from harness.model.link import Content, Extract, Fill, Links, filled
from harness.model.plan import PlannedRequest
from harness.model.traffic import Request
from harness.planning.rule import Ruled, ruled, same_route, token_of, with_rules


def planned(request: Request, links: Links | None = None) -> PlannedRequest:
    return PlannedRequest(
        request=request,
        route="r",
        cookies=(),
        recorded_status=200,
        links=links or Links(),
    )


def rule(**given: Any) -> Rule:
    return Rule.model_validate({"from": "POST /o", "use": {"query": "q"}, **given})


@pytest.mark.parametrize(
    ("use", "target", "body", "headers"),
    [
        ({"route": "GET /a/{x}/b/{id}", "path": "id"}, "/a/1/b/NEW?q=2&p=q", b"", ()),
        ({"route": "GET /a/{x}/b/{id}", "path": "x"}, "/a/NEW/b/7?q=2&p=q", b"", ()),
        ({"query": "q"}, "/a/1/b/7?q=NEW&p=q", b"", ()),
        ({"form": "q"}, "/a/1/b/7?q=2&p=q", b"x=1&q=NEW&qq=3", ()),
        ({"header": "X-Y"}, "/a/1/b/7?q=2&p=q", b"", (("x-y", "NEW"),)),
    ],
)
def test_places(
    use: dict[str, str], target: str, body: bytes, headers: tuple[tuple[str, str], ...]
) -> None:
    """Each kind of place takes the value; a header that is not there is added."""
    request = Request(
        method="GET", target="/a/1/b/7?q=2&p=q", body=body.replace(b"NEW", b"old")
    )

    tied = with_rules(planned(request), Ruled(takes=((4, Use(**use)),)))
    done, missing = filled(tied.request, tied.links.fills, {4: "NEW"})

    assert (target, body, headers, 0) == (
        done.target,
        done.body,
        done.headers,
        missing,
    )


def test_a_part_of_a_segment() -> None:
    """A document's route may have its parameter in the midst of a segment."""
    request = Request(method="GET", target="/files/v-old.json?a=1")
    use = Use(route="GET /files/v-{name}.json", path="name")

    tied = with_rules(planned(request), Ruled(takes=((0, use),)))
    done, _ = filled(tied.request, tied.links.fills, {0: "NEW"})

    assert "/files/v-NEW.json?a=1" == done.target


@pytest.mark.parametrize("recorded", ["", "Bearer old", "Token old", "old"])
def test_authorization(recorded: str) -> None:
    """A token goes behind the scheme, `Bearer` where none was recorded."""
    headers = (("authorization", recorded),) if recorded else ()
    request = Request(method="GET", target="/", headers=headers)

    tied = with_rules(
        planned(request), Ruled(takes=((0, Use(header="Authorization")),))
    )
    done, _ = filled(tied.request, tied.links.fills, {0: "NEW"})

    expected = recorded.replace("old", "NEW") or "Bearer NEW"
    assert (("authorization", expected),) == done.headers


@pytest.mark.parametrize(
    ("given", "content"),
    [
        ({"json": "$.id"}, Content((), b'{"id": "NEW"}')),
        ({"header": "X-Id"}, Content((("x-id", "NEW"),), b"")),
        (
            {"header": "Location", "text": "/o/(.*)"},
            Content((("location", "/o/NEW"),), b""),
        ),
        ({"cookie": "id"}, Content((("set-cookie", "id=NEW; Path=/"),), b"")),
        ({"field": "id"}, Content((), b'<input name="id" value="NEW">')),
        ({"text": "id: (.*)"}, Content((), b"id: NEW")),
    ],
)
def test_sources(given: dict[str, Any], content: Content) -> None:
    """Each kind of source gives its value."""
    (said,) = ruled([rule(**given)], None, ["POST /o"], [0], [0])

    assert ["NEW"] == [extract.find(content) for extract in said.gives]


def test_only_what_was_given() -> None:
    """A request takes a value once an answer of its own session has given it."""
    rules = [rule(json="$.id", use={"route": "GET /o/{order}", "path": "order"})]
    routes = ["POST /o", "GET /o/{id}", "GET /p/{id}"]

    said = ruled(rules, None, routes, [1, 0, 1, 1, 2, 0], [0, 0, 0, 1, 0, 0])

    assert [0, 0, 1, 0, 0, 0] == [len(each.takes) for each in said]
    assert [0, 1, 0, 0, 0, 1] == [len(each.gives) for each in said]


def test_token() -> None:
    """Every request takes a login's token, in the header that is named."""
    login = Login.model_validate({"post": "/l", "then": {"json": "$.t", "as": "X-T"}})
    token = token_of(login, rules=2)
    assert token is not None

    (said,) = ruled([], token, ["GET /"], [0], [0])

    assert ((-3, Use(header="x-t")),) == said.takes
    assert Extract(slot=-3, kind="json", name="$.t") == token[0]
    assert token_of(Login.model_validate({"post": "/l"}), rules=2) is None


def test_rules_win() -> None:
    """Where a rule and what was found want the same place, the rule has it."""
    request = Request(method="GET", target="/o/7/p/8")
    found = tuple(
        Fill(slot=1, part="target", start=at, end=at + 1, coding="percent")
        for at in (3, 7)
    )
    use = Use(route="GET /o/{id}/p/{page}", path="id")

    tied = with_rules(planned(request, Links(fills=found)), Ruled(takes=((-1, use),)))

    assert [(-1, 3), (1, 7)] == [(each.slot, each.start) for each in tied.links.fills]


def test_names_in_a_route() -> None:
    """What the parts of a path are called does not matter, their places do."""
    assert same_route("GET /a/{order}/b", "GET /a/{id}/b")
    assert not same_route("GET /a/{order}/b", "GET /a/b")
    assert not same_route("GET /a/{order}", "PUT /a/{id}")


@pytest.mark.parametrize(
    "recorded", ["", "Bearer old", "Basic b2xkOm9sZA==", "Digest a=b"]
)
def test_the_last_of_several_values_wins(recorded: str) -> None:
    """One place takes one value, and a token goes under a scheme that has one."""
    headers = (("authorization", recorded),) if recorded else ()
    request = Request(method="GET", target="/o/7?q=2", headers=headers)
    uses = [Use(header="Authorization"), Use(query="q")]
    takes = tuple((slot, use) for slot in (0, 1) for use in uses)

    tied = with_rules(planned(request), Ruled(takes=takes))
    done, _ = filled(tied.request, tied.links.fills, {0: "LONG-FIRST", 1: "LAST"})

    assert (("authorization", "Bearer LAST"),) == done.headers
    assert "/o/7?q=LAST" == done.target


def test_the_last_given_is_the_last_taken() -> None:
    """Of two sources of one value the one counts that answered last."""
    rules = [
        rule(**{"from": route, "json": "$.t", "use": {"header": "X-T"}})
        for route in ("POST /a", "POST /b")
    ]
    routes = ["POST /a", "POST /b", "GET /"]

    said = ruled(rules, None, routes, [0, 1, 2, 0, 2], [0] * 5)

    assert [-1, -2] == [slot for slot, _ in said[2].takes]
    assert [-2, -1] == [slot for slot, _ in said[4].takes]


def test_another_header_is_no_authorization() -> None:
    """What looks like a scheme there is a value as any other."""
    request = Request(method="GET", target="/", headers=(("x-a", "Basic old"),))

    tied = with_rules(planned(request), Ruled(takes=((0, Use(header="X-A")),)))

    assert (("x-a", "Basic old"),) == tied.request.headers
