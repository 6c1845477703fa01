from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.requestline import Asked, asked, request_line, unescaped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /p?q HTTP/1.1", Asked("GET", "/p?q", "1.1", "")),
        ("GET /p", Asked("GET", "/p", "", "")),
        ("GET https://a.test:443/p HTTP/2", Asked("GET", "/p", "2", "a.test")),
        ("GET http://u@A.test:81 HTTP/1.0", Asked("GET", "/", "1.0", "a.test:81")),
        ("OPTIONS * HTTP/1.1", Asked("OPTIONS", "*", "1.1", "")),
        ("GET /\xe9 HTTP/1.1", Asked("GET", "/%E9", "1.1", "")),
        ("GET /\xc3\xa0\x85 HTTP/1.1", Asked("GET", "/%C3%A0%85", "1.1", "")),
    ],
)
def test_request_lines(text: str, expected: Asked) -> None:
    """Method, target in origin form, version and the host of an absolute one."""
    assert expected == request_line(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "- http://a.test:80- -",
        "GET",
        "get / HTTP/1.1",
        "CONNECT a:443 HTTP/1.1",
    ],
)
def test_no_request_lines(text: str) -> None:
    """What no server could be sent is none."""
    assert request_line(text) is None


def test_parts() -> None:
    """A blank that a log has decoded is encoded again; `h2` is a protocol too."""
    assert Asked("GET", "/a%20b", "2", "") == asked("GET", "/a b", "h2")
    assert asked("G T", "/", "") is None


@given(st.text(st.characters(max_codepoint=255)))
def test_escapes_are_undone(text: str) -> None:
    """Whatever is written with escapes of any kind comes back."""
    for escaped in (
        "".join(f"\\x{ord(each):02X}" for each in text),
        "".join(f"\\u{ord(each):04x}" for each in text),
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"),
    ):
        assert text == unescaped(escaped)
