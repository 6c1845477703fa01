from __future__ import annotations

import pytest

from harness.capture.headerfield import is_grpc, pair_of, wire


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("abc", b"abc"),
        ("\xe9", b"\xc3\xa9"),
        ("\udce9", b"\xe9"),
        ("\ud800", b"?"),
    ],
)
def test_texts_are_bytes(text: str, octets: bytes) -> None:
    """UTF-8, bytes that were none as they were, and what is no text replaced."""
    assert octets == wire(text).encode("latin-1")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"name": "a", "value": 7}, ("a", "7")),
        ({"name": "a", "value": None, "comment": ""}, ("a", "")),
        (["a", "b\nc"], ("a", "b c")),
        (["a", " \xe0 "], ("a", "\xc3\xa0")),
        (["a"], None),
        ("ab", None),
        (7, None),
    ],
)
def test_pairs(item: object, expected: tuple[str, str] | None) -> None:
    """Objects and lists of two are pairs, on one line each."""
    assert expected == pair_of(item)


def test_grpc_web_is_plain_http() -> None:
    """GRPC itself is not."""
    assert is_grpc([("content-type", "application/grpc+proto")])
    assert not is_grpc([("content-type", "application/grpc-web+proto")])
