import pytest

from harness.compare.head import head_differences

BEFORE = (
    ("date", "Fri, 27 Nov 2026 10:00:00 GMT"),
    ("content-type", "text/html"),
    ("x-request-id", "17"),
    ("set-cookie", "sid=aaa; Path=/; HttpOnly; Max-Age=60"),
)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("date", "Sat, 28 Nov 2026 10:00:00 GMT", []),
        ("content-length", "17", []),
        ("content-type", "text/plain", [("header content-type", "value")]),
        ("x-request-id", "18", [("header x-request-id", "numbers")]),
        ("x-powered-by", "PHP", [("header x-powered-by", "added")]),
        ("set-cookie", "sid=bbb; httponly; path=/; max-age=9", []),
        ("set-cookie", "sid=bbb; Path=/; Max-Age=60", [("cookie sid", "value")]),
        (
            "set-cookie",
            "id=a",
            [("cookie sid", "removed"), ("cookie id", "added")],
        ),
    ],
)
def test_one_header(name: str, value: str, expected: list[tuple[str, str]]) -> None:
    """A header counts by name and value, a cookie by name and attributes."""
    kept = [pair for pair in BEFORE if pair[0] != name]

    found = head_differences(BEFORE, [*kept, (name, value)])

    assert expected == [(place, kind) for place, kind, _, _ in found]


def test_removed() -> None:
    """A header that is gone is named with what it said."""
    assert [("header content-type", "removed", "text/html", "")] == [
        *head_differences(BEFORE, [pair for pair in BEFORE if pair[0][:7] != "content"])
    ]


def test_order() -> None:
    """The order of headers says nothing, that of one header's values does."""
    two = [("vary", "a"), ("vary", "b")]

    assert [] == [*head_differences(BEFORE, tuple(reversed(BEFORE)))]
    assert 1 == len([*head_differences(two, two[::-1])])
