import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.link import Content, Extract, Fill, filled, json_path
from harness.model.session import Session
from harness.model.traffic import Request

KEYS = st.text(max_size=4) | st.sampled_from(["id", "a-b", "a.b", "it's", "\\", "0"])
STEPS = st.lists(KEYS | st.integers(0, 2), max_size=4).map(tuple)


def nested(steps: tuple[str | int, ...], value: object) -> object:
    for step in reversed(steps):
        value = {step: value} if isinstance(step, str) else [0] * step + [value]
    return value


@given(STEPS, st.text(min_size=1) | st.integers())
def test_any_path(steps: tuple[str | int, ...], value: str | int) -> None:
    """Whatever the keys of a document, a path leads to the value under them."""
    body = json.dumps(nested(steps, value)).encode()
    extract = Extract(slot=0, kind="json", name=json_path(steps))

    assert str(value) == extract.find(Content((), body))


@pytest.mark.parametrize(
    ("kind", "name", "pattern", "expected"),
    [
        ("json", "$.order.id", "", "7"),
        ("json", "$['order'].lines[1]", "", "b"),
        ("json", "$.order.id.deeper", "", None),
        ("json", "$.order.lines.id", "", None),
        ("json", "$.order.lines[2]", "", None),
        ("json", "$.order[0]", "", None),
        ("json", "$.paid", "", None),
        ("json", "$.order", "", None),
        ("json", "$.empty", "", None),
        ("header", "etag", "", '"x"'),
        ("header", "location", "/orders/([^/]+)", "a b"),
        ("header", "location", "/carts/([^/]+)", None),
        ("header", "x-none", "", None),
        ("cookie", "sid", "", "s1"),
        ("cookie", "other", "", None),
        ("text", "", '"lines": ."(.)', "a"),
        ("text", "", "nowhere (.)", None),
        ("text", "", "order|(nowhere)", None),
        ("header", "location", "orders|(nowhere)", None),
        ("json", '$["order"].lines[0]', "", "a"),
        ("field", "csrf", "", None),
    ],
)
def test_find(kind: str, name: str, pattern: str, expected: str | None) -> None:
    """A value is found at its place or not at all."""
    document = {"order": {"id": 7, "lines": ["a", "b"]}, "paid": True, "empty": ""}
    headers = (
        ("etag", '"x"'),
        ("location", "/orders/a%20b"),
        ("set-cookie", "sid=s1; Path=/"),
    )
    content = Content(headers, b")]}',\n" + json.dumps(document).encode())

    extract = Extract(slot=0, kind=kind, name=name, pattern=pattern)  # type: ignore[arg-type]

    assert expected == extract.find(content)


@pytest.mark.parametrize(
    "page",
    [
        '<input type="hidden" name="csrf" value="a&amp;b">',
        "<INPUT value='a&amp;b' NAME=csrf />",
        "<meta property=csrf content='a&amp;b'>",
        '<input name="csrf" value="">\n<input name="csrf" title="1>0" value="a&amp;b">',
        '<button name="csrf" value="a&amp;b">go</button><input name="csrf" value="2">',
    ],
)
def test_fields(page: str) -> None:
    """However a page writes it, the first field of a name with a value is found."""
    extract = Extract(slot=0, kind="field", name="csrf")

    assert "a&b" == extract.find(Content((), page.encode()))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe{", b"[" * 100_000, b"{", b"null"])
def test_no_document(body: bytes) -> None:
    """Content that is no JSON, or too deep to be, has no value."""
    content = Content((), body)

    assert Extract(slot=0, kind="json", name="$.a").find(content) is None


def test_filled() -> None:
    """Several places of all parts are filled; what there is no value for stays."""
    request = Request(
        method="POST",
        target="/a/OLD/b?c=OLD",
        headers=(("x", "Bearer OLD!"), ("y", "OLD")),
        body=b'{"a": "OLD", "b": 12}',
    )
    fills = (
        Fill(slot=0, part="target", start=3, end=6, coding="percent"),
        Fill(slot=1, part="target", start=11, end=14, coding="percent"),
        Fill(slot=0, part="header", header=0, start=7, end=10, coding="plain"),
        Fill(slot=2, part="header", header=1, start=0, end=3, coding="plain"),
        Fill(slot=0, part="body", start=6, end=11, coding="string"),
        Fill(slot=1, part="body", start=18, end=20, coding="number"),
    )

    done, missing = filled(request, fills, {0: "n/é", 1: "34"})

    assert 1 == missing
    assert "/a/n%2F%C3%A9/b?c=34" == done.target
    assert (("x", "Bearer n/Ã©!"), ("y", "OLD")) == done.headers
    assert '{"a": "n/é", "b": 34}'.encode() == done.body
    assert (request, len(fills)) == filled(request, fills, {})


def test_session_keeps_what_it_learned() -> None:
    """An answer without the value leaves the last one; a new session has none."""
    extract, session = Extract(slot=3, kind="json", name="$.id"), Session()
    session.learn((extract,), Content((), b'{"id": 7}'))
    session.learn((extract,), Content((), b"{}"))

    assert {3: "7"} == session.values

    session.clear()

    assert {} == session.values
