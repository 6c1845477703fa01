from __future__ import annotations

import pytest

from harness.capture.head import end_to_end, keeps_alive, one_line, origin_form


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/a?b", "/a?b"),
        ("GET", "http://h:80/a", "/a"),
        ("GET", "http://h?b", "/?b"),
        ("GET", "/\xc3\xa9", "/%C3%A9"),
        ("OPTIONS", "*", "*"),
        ("GET", "*", None),
        ("CONNECT", "h:443", None),
        ("GET", "a", None),
        ("GET", "/\x00", None),
    ],
)
def test_origin_form(method: str, target: str, expected: str | None) -> None:
    """A path that can be sent to the service itself, or nothing."""
    assert expected == origin_form(method, target)


@pytest.mark.parametrize(
    ("said", "by_default", "expected"),
    [
        ([], True, True),
        ([], False, False),
        (["Upgrade, Close"], True, False),
        (["Keep-Alive"], False, True),
    ],
)
def test_connections_are_kept(
    said: list[str], by_default: bool, expected: bool
) -> None:
    """As the version has it, unless the request says otherwise."""
    headers = [("connection", value) for value in said]
    assert expected is keeps_alive(headers, by_default=by_default)


def test_headers_of_one_connection_are_left_out() -> None:
    """So are those that are none; names are in lower case, their order is kept."""
    pairs = [("TE", "x"), (":path", "/"), ("B", "1"), ("a b", "x"), ("A", "2")]
    assert [("b", "1"), ("a", "2")] == end_to_end(pairs)


def test_control_characters_become_spaces() -> None:
    """A value cannot break out of its line."""
    assert "a  b c\xe9" == one_line("a\r\nb\x7fc\xe9")
