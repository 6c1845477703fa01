import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.difference import Difference, differences
from harness.model.link import Content

JSON = (("content-type", "application/json"),)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(("id", "name", "a.b", "")), inner, max_size=4)
    ),
    max_leaves=12,
)


def of(before: Any, after: Any) -> list[tuple[str, str]]:
    """Places and kinds, in order."""
    old, new = (Content(JSON, json.dumps(each).encode()) for each in (before, after))
    return sorted((each.place, each.kind) for each in differences(old, new))


def raw(before: bytes, after: bytes, kind: str = "") -> list[tuple[str, str]]:
    """The same of two bodies."""
    head = (("content-type", kind),) if kind else ()
    found = differences(Content(head, before), Content(head, after))
    return [(each.place, each.kind) for each in found if each.place == "body"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": 2}, [("$.a", "value")]),
        ({"a": 1}, {"a": 1.0}, [("$.a", "type integer → number")]),
        ({"a": 1}, {"a": True}, [("$.a", "type integer → boolean")]),
        ({"a": "1"}, {"a": None}, [("$.a", "type string → null")]),
        (
            {"a": 1},
            {"a": -1},
            [("$.a", "format positive → negative"), ("$.a", "value")],
        ),
        ({"a": 1}, {}, [("$.a", "removed")]),
        ({}, {"a.b": 1}, [("$['a.b']", "added")]),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}, [("$.a.b[*]", "value")]),
        ([1, 2], [1], [("$[*]", "removed")]),
        ([1], [1, 2], [("$[*]", "added")]),
        (
            [{"id": 1, "x": 1}, {"id": 2, "x": 2}],
            [{"id": 2, "x": 2}, {"id": 1, "x": 1}],
            [("$", "order")],
        ),
        (
            [{"id": 1, "x": 1}, {"id": 2, "x": 2}],
            [{"id": 2, "x": 3}],
            [("$[*]", "removed"), ("$[*].x", "value")],
        ),
        (
            [{"number": 5, "x": 1}, {"number": 6, "x": 2}],
            [{"number": 6, "x": 1}, {"number": 7, "x": 2}],
            [("$[*].number", "value")],
        ),
    ],
)
def test_json(before: Any, after: Any, expected: list[tuple[str, str]]) -> None:
    """Each place where two documents say something else is named once, by its path."""
    assert expected == of(before, after)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"<p>a  b</p>", b"<p>\na b</p>", []),
        (b"<p>1 of 2 lamps</p>", b"<p>2 of 2 lamps</p>", [("body", "numbers")]),
        (b"<p>5 < 6</p>", b"<p>5 > 6</p>", [("body", "text")]),
        (b"<p>lamp</p>", b"<p>chair</p>", [("body", "text")]),
        (b"<p>lamp</p>", b"", [("body", "text → empty")]),
        (b"\xff\x00", b"\xff\x01", [("body", "bytes")]),
        (b"a", b"\xff", [("body", "text → binary")]),
        (b'{"a": 1}', b"oops", [("body", "JSON → text")]),
        (b'{"a": 1', b'{"a": 2', [("body", "numbers")]),
        (b'{"a": "' + b"9" * 5000 + b'"}', b"[" * 100_000, [("body", "JSON → text")]),
        (b'{"a": 1, "a": 2}', b'{"a": 2}', [("body", "a name twice")]),
    ],
)
def test_what_is_no_json(
    before: bytes, after: bytes, expected: list[tuple[str, str]]
) -> None:
    """Text is compared by its words, anything else by its bytes; nothing is refused."""
    assert expected == raw(before, after)


def test_numbers_in_a_page() -> None:
    """Each is known by the word before it: a drawn token hides no price."""
    page = "<input name=csrf value={}><td>Total</td><td>{}</td> at {}"
    old, new = (
        Content((("content-type", "text/html"),), page.format(*each).encode())
        for each in (("a1" * 10, "10.00", "10:00"), ("b2" * 10, "0.00", "10:01"))
    )

    found = [each.place for each in differences(old, new)]

    assert ["body", "body after Total", "body after at"] == sorted(found)


@pytest.mark.parametrize("size", [10, 150, 20_000])
def test_one_place_hides_no_other(size: int) -> None:
    """However many elements differ in one field, the others are looked at."""
    items = [{"id": n, "at": n, "price": 5} for n in range(size)]
    before = {"total": 750, "items": items}
    after = {
        "total": 1,
        "items": [{**each, "at": each["at"] + 1} for each in items],
    }
    after["items"][0]["price"] = 99  # type: ignore[index]

    assert [
        ("$.items[*].at", "value"),
        ("$.items[*].price", "value"),
        ("$.total", "value"),
    ] == [each for each in of(before, after) if each[1] == "value"]


def test_rows_of_a_table() -> None:
    """Names that are drawn, or counted on, are rows of a table: one place."""
    before = {"rows": {"81723": {"price": 1}, "81724": {"price": 1}}, "p95": 3}
    after = {"rows": {"81723": {"price": 2}, "90001": {"price": 1}}, "p95": 3}

    assert [
        ("$.rows[*]", "added"),
        ("$.rows[*]", "removed"),
        ("$.rows[*].price", "value"),
    ] == of(before, after)


def test_image() -> None:
    """What its type says to be no text is compared by its bytes."""
    assert [("body", "bytes")] == raw(b"abc", b"abd", "image/png")


def test_nan() -> None:
    """What is no number is still the same as itself."""
    assert [] == of({"a": float("nan")}, {"a": float("nan")})
    assert ("$.a", "value") in of({"a": float("nan")}, {"a": 1.0})


def test_shown() -> None:
    """A difference comes with both values, shortened."""
    old, new = (Content(JSON, json.dumps({"a": v * 500}).encode()) for v in "xy")

    found = differences(old, new)

    assert [
        Difference("$.a", "value", '"' + "x" * 118 + "…", '"' + "y" * 118 + "…")
    ] == [*found]


def test_half_a_character() -> None:
    """Half of a surrogate pair, in a name or a value, is shown as a question mark."""
    before, after = (b'{"\\ud800": "%b"}' % end for end in (b"a", b"\\udfff"))

    (value,) = differences(Content(JSON, before), Content(JSON, after))

    assert Difference("$['?']", "value", '"a"', '"?"') == value


def test_deep() -> None:
    """Nesting that Python still parses does not end in its recursion limit."""
    before, after = (b'{"a":' * 900 + end + b"}" * 900 for end in (b"1", b"2"))

    assert 1 == len(differences(Content(JSON, before), Content(JSON, after)))


@given(value=VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    """A document equals itself, whatever it says."""
    assert [] == of(value, value)


@given(before=VALUES, after=VALUES)
def test_both_ways(before: Any, after: Any) -> None:
    """What differs one way differs at the same places the other way."""
    assert {place for place, _ in of(before, after)} == {
        place for place, _ in of(after, before)
    }
