"""Recorded sessions as tables: what is asked, what is answered, what is linked."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.model.link import Content, Links, filled
from harness.model.plan import PlannedRequest
from harness.model.session import Session
from harness.model.traffic import Request
from harness.planning.correlation import correlated

Headers = tuple[tuple[str, str], ...]
TOKEN = "f3Ab9-x7Q2"
FORM = (("content-type", "application/x-www-form-urlencoded"),)
BEARER = (("authorization", f"Bearer {TOKEN}"),)


def asked(
    method: str, target: str, body: bytes = b"", headers: Headers = ()
) -> PlannedRequest:
    return PlannedRequest(
        request=Request(method=method, target=target, headers=headers, body=body),
        route="r",
        cookies=(),
        recorded_status=200,
    )


def said(body: Any = b"", headers: Headers = ()) -> Content:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Content(headers, raw)


Step = tuple[PlannedRequest, Content | None]


def links_of(*sessions: list[Step]) -> list[list[Links]]:
    """Of each step of each session, what it is linked with."""
    numbers: dict[PlannedRequest, int] = {}
    rows = [(n, *step) for n, steps in enumerate(sessions) for step in steps]
    number_of = [numbers.setdefault(each, len(numbers)) for _, each, _ in rows]
    found = correlated(
        list(numbers),
        number_of,
        [session for session, _, _ in rows],
        [content for _, _, content in rows],
    )
    links = iter(range(len(rows)))
    return [[found.get(next(links), Links()) for _ in steps] for steps in sessions]


def sent(steps: list[Step], live: list[Content]) -> list[Request]:
    """What a user sends whom a build answers so, one by one."""
    (links,) = links_of(steps)
    session, requests = Session(), []
    for (planned, _), tied, content in zip(steps, links, live, strict=True):
        request, missing = filled(planned.request, tied.fills, session.values)
        assert not missing
        requests.append(request)
        session.learn(tied.extracts, content)
    return requests


SECOND: dict[str, tuple[Content, Content, PlannedRequest, PlannedRequest]] = {
    "number in a path": (
        said({"id": 7}),
        said({"id": 31}),
        asked("GET", "/orders/7?x=7"),
        asked("GET", "/orders/31?x=7"),
    ),
    "under its noun": (
        said({"order": {"id": 7, "items": 7}}),
        said({"order": {"id": 8, "items": 2}}),
        asked("POST", "/orders/7/pay", b'{"quantity": 7}'),
        asked("POST", "/orders/8/pay", b'{"quantity": 7}'),
    ),
    "JSON number": (
        said({"id": 7}),
        said({"id": "o-8"}),
        asked("POST", "/pay", b'{"count":1, "order_id": 7}'),
        asked("POST", "/pay", b'{"count":1, "order_id": "o-8"}'),
    ),
    "JSON text": (
        said({"data": {"token": TOKEN}}),
        said({"data": {"token": 'new"é'}}),
        asked("POST", "/pay", f'{{"t": ["{TOKEN}"], "é": 1}}'.encode()),
        asked("POST", "/pay", '{"t": ["new\\"é"], "é": 1}'.encode()),
    ),
    "query": (
        said([{"next_cursor": TOKEN}]),
        said([{"next_cursor": "a b&c"}]),
        asked("GET", f"/orders?limit=2&after={TOKEN}"),
        asked("GET", "/orders?limit=2&after=a%20b%26c"),
    ),
    "Location": (
        said(headers=(("location", "http://shop.example/orders/81?new=1"),)),
        said(headers=(("location", "/orders/9"),)),
        asked("GET", "/orders/81?new=1"),
        asked("GET", "/orders/9?new=1"),
    ),
    "bearer token": (
        said({"access_token": TOKEN}),
        said({"access_token": "other"}),
        asked("GET", "/me", headers=(("accept", "*/*"), *BEARER)),
        asked(
            "GET", "/me", headers=(("accept", "*/*"), ("authorization", "Bearer other"))
        ),
    ),
    "header to header": (
        said(headers=(("etag", '"v1"'), ("date", "now"))),
        said(headers=(("etag", '"v2"'),)),
        asked("GET", "/orders", headers=(("if-none-match", '"v1"'),)),
        asked("GET", "/orders", headers=(("if-none-match", '"v2"'),)),
    ),
    "cookie to header": (
        said(headers=(("set-cookie", f"xsrf={TOKEN}; Path=/"),)),
        said(headers=(("set-cookie", "xsrf=n; Path=/"),)),
        asked("POST", "/orders", headers=(("x-xsrf-token", TOKEN),)),
        asked("POST", "/orders", headers=(("x-xsrf-token", "n"),)),
    ),
    "form field": (
        said(f'<form><input type=hidden name="csrf" value="{TOKEN}"></form>'.encode()),
        said(b"<p><input value='a&amp;b' name=csrf>"),
        asked("POST", "/orders", f"qty=2&csrf={TOKEN}&x=".encode(), FORM),
        asked("POST", "/orders", b"qty=2&csrf=a%26b&x=", FORM),
    ),
    "meta element": (
        said(f'<meta name="csrf-token" content="{TOKEN}"/>'.encode()),
        said(b'<meta name="csrf-token" content="m"/>'),
        asked("POST", "/orders", headers=(("x-csrf-token", TOKEN),)),
        asked("POST", "/orders", headers=(("x-csrf-token", "m"),)),
    ),
    "script": (
        said(f'<script>window.csrf = "{TOKEN}";</script>'.encode()),
        said(b'<script>let a = "1"; window.csrf = "s";</script>'),
        asked("POST", "/orders", headers=(("x-csrf-token", TOKEN),)),
        asked("POST", "/orders", headers=(("x-csrf-token", "s"),)),
    ),
    "multipart": (
        said({"upload": TOKEN}),
        said({"upload": "é"}),
        asked(
            "POST",
            "/files",
            f'--b\r\nContent-Disposition: form-data; name="u"\r\n\r\n{TOKEN}\r\n--b--'
            "\r\n".encode(),
        ),
        asked(
            "POST",
            "/files",
            '--b\r\nContent-Disposition: form-data; name="u"\r\n\r\né\r\n--b--'
            "\r\n".encode(),
        ),
    ),
}


@pytest.mark.parametrize("case", SECOND)
def test_live_value_takes_the_recorded_place(case: str) -> None:
    """What an answer gave is replaced by what the live one gives, and nothing else."""
    recorded, live, use, expected = SECOND[case]

    _, request = sent([(asked("POST", "/orders"), recorded), (use, None)], [live, live])

    assert expected.request == request


@given(st.text(min_size=1).filter(str.strip))
@example("\ud800")
@example('"\\')
def test_whatever_the_answer_gives(live: str) -> None:
    """Any text that is given arrives where the recorded one was; all else is kept."""
    body = f'{{"a": 1, "t": "{TOKEN}", "b": "{TOKEN}x"}}'.encode()
    steps: list[Step] = [
        (asked("POST", "/login"), said({"token": TOKEN})),
        (asked("PUT", f"/a;b/{TOKEN}/7?q=%20&t={TOKEN}&u=+", body), None),
    ]

    _, request = sent(steps, [said({"token": live}), said()])

    meant = live.encode(errors="replace").decode()
    head, _, query = request.target.partition("?")
    assert head.startswith("/a;b/")
    assert head.endswith("/7")
    assert meant == unquote(head.removeprefix("/a;b/").removesuffix("/7"))
    assert query.startswith("q=%20&t=")
    assert query.endswith("&u=+")
    assert [meant] == parse_qs(query)["t"]
    assert {"a": 1, "t": meant, "b": f"{TOKEN}x"} == json.loads(request.body)
    assert request.body.startswith(b'{"a": 1, "t": "')


NOT: dict[str, list[Step]] = {
    "small number of something else": [
        (asked("POST", "/orders"), said({"items": 2, "id": 9})),
        (asked("GET", "/products?stars=2"), None),
    ],
    "count": [
        (asked("GET", "/cart"), said({"quantity": 300})),
        (asked("POST", "/cart", b'{"quantity": 300}'), None),
    ],
    "word": [
        (asked("GET", "/orders"), said({"status": "open", "name": "orders"})),
        (asked("GET", "/orders?status=open"), None),
    ],
    "version": [
        (asked("GET", "/"), said({"api": {"id": "v2"}, "version": "2.1"})),
        (asked("GET", "/api/v2/orders?version=2.1"), None),
    ],
    "what the user chose": [
        (asked("GET", "/"), said({"echo": TOKEN})),
        (asked("POST", "/me", f"password={TOKEN}&redirect={TOKEN}".encode()), None),
    ],
    "the session's own": [
        (asked("POST", "/pay", headers=(("idempotency-key", TOKEN),)), said()),
        (asked("GET", "/pay"), said({"key": TOKEN})),
        (asked("GET", f"/pay/{TOKEN}"), None),
    ],
    "an echo": [
        (asked("GET", "/search?q=f3Ab9x7Q"), said({"q": "f3Ab9x7Q"})),
        (asked("GET", "/search?q=f3Ab9x7Q&page=2"), None),
    ],
    "from a later answer": [
        (asked("GET", "/a"), said()),
        (asked("GET", f"/b/{TOKEN}"), None),
        (asked("GET", "/c"), said({"t": TOKEN})),
    ],
    "typed credentials": [
        (asked("GET", "/"), said({"basic": "dXNlcjpwYXNz1"})),
        (asked("GET", "/", headers=(("authorization", "Basic dXNlcjpwYXNz1"),)), None),
    ],
}


@pytest.mark.parametrize("case", NOT)
def test_not_linked(case: str) -> None:
    """What no answer gave, or what only looks alike, is sent as recorded."""
    (links,) = links_of(NOT[case])

    assert [Links()] * len(NOT[case]) == links


def test_latest_answer() -> None:
    """The last answer that had a value is the one that counts."""
    page = asked("GET", "/form"), said({"csrf": TOKEN})
    post = asked("POST", "/form", f"csrf={TOKEN}".encode()), said()

    (links,) = links_of([page, page, post])

    assert [0, 1, 0] == [len(each.extracts) for each in links]
    assert links[1].extracts[0].slot == links[2].fills[0].slot


def test_exact_place_before_surroundings() -> None:
    """A field of its own is trusted more than a later page that only mentions it."""
    steps: list[Step] = [
        (asked("POST", "/login"), said({"token": TOKEN})),
        (asked("GET", "/home"), said(f"<p>hello, {TOKEN}</p>".encode())),
        (asked("GET", "/me", headers=BEARER), None),
    ]

    (links,) = links_of(steps)

    assert ["json"] == [each.kind for each in links[0].extracts]
    assert () == links[1].extracts


def test_two_of_a_kind() -> None:
    """Each use has the value of its own answer, though they were of one kind."""
    orders: list[Step] = [
        (asked("POST", "/orders"), said({"id": 7})),
        (asked("POST", "/orders"), said({"id": 8})),
        (asked("GET", "/orders/7"), said()),
        (asked("GET", "/orders/8"), None),
    ]

    requests = sent(orders, [said({"id": n}) for n in (70, 80, 1, 1)])

    assert ["/orders/70", "/orders/80"] == [each.target for each in requests[2:]]


def test_what_all_are_told() -> None:
    """What a request is answered with in every session is no live value."""
    listing = asked("GET", "/products"), said([{"id": 4}, {"id": 5}])
    looks: list[Step] = [listing, (asked("GET", "/products/5"), said({"id": 5}))]
    buys: list[Step] = [
        *looks,
        (asked("POST", "/cart", b'{"product": 5}'), said({"cart_id": TOKEN})),
        (asked("GET", f"/cart/{TOKEN}"), None),
    ]
    other = [
        *buys[:2],
        (buys[2][0], said({"cart_id": TOKEN[::-1]})),
        (asked("GET", f"/cart/{TOKEN[::-1]}"), None),
    ]

    links = links_of(looks, buys, other)

    assert [Links()] * 2 == links[0]
    for each in links[1:]:
        assert [0, 0, 1, 0] == [len(step.extracts) for step in each]
        assert [0, 0, 0, 1] == [len(step.fills) for step in each]
