from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.message import Message, message_of


def test_heads_are_read_leniently() -> None:
    """Folded lines, bare line feeds, bytes beyond ASCII and lines without a colon."""
    message = message_of(
        b"GET /\xff HTTP/1.1\nA:  b\r\n\tc \r\nnothing\r\nA:\r\nB: \xc3\xa0\r\n\r\n"
    )

    assert (
        Message(
            start="GET /\xff HTTP/1.1",
            headers=(("a", "b c"), ("a", ""), ("b", "\xc3\xa0")),
            framed=False,
        )
        == message
    )
    assert ["b c", ""] == message.values("a")


@pytest.mark.parametrize(
    ("data", "body", "missing", "followed"),
    [
        (b"Content-Length: 2\r\n\r\nok", b"ok", "", False),
        (b"Content-Length: 2\r\n\r\nok\r\n", b"ok", "", False),
        (b"Content-Length: 2\r\n\r\nokay", b"ok", "", True),
        (b"Content-Length: 3\r\n\r\nok", b"ok", "the end of its body", False),
        (b"Transfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"ok", "", False),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n!", b"ok", "", True),
        (
            b"Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n9\r\nk",
            b"ok",
            "its last chunk",
            False,
        ),
        (b"Host: h", b"", "the end of its head", False),
    ],
)
def test_bodies_are_framed(
    data: bytes, body: bytes, missing: str, followed: bool
) -> None:
    """By length or by chunks; what is missing, and that more follows, is known."""
    message = message_of(b"POST / HTTP/1.1\r\n" + data)

    assert (body, missing, followed) == (
        message.body,
        message.missing,
        message.followed,
    )


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"Content-Length: 1\r\nContent-Length: 2", "not one number"),
        (b"Content-Length: \xb2", "not one number"),
        (b"Content-Length: -1", "not one number"),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "other than"),
    ],
)
def test_framing_that_contradicts_itself(head: bytes, why: str) -> None:
    """Where a message ends is not guessed."""
    with pytest.raises(ValueError, match=why):
        message_of(b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\nabc")


@given(body=st.binary(), cuts=st.lists(st.integers(1, 40)))
def test_chunks_of_any_size(body: bytes, cuts: list[int]) -> None:
    """However a body is cut into chunks, it is the same body."""
    chunks, rest = b"", body
    for size in [*cuts, len(body)]:
        if part := rest[:size]:
            chunks += b"%x\r\n%b\r\n" % (len(part), part)
        rest = rest[size:]
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert body == message_of(head + chunks + b"0\r\n\r\n").body
