import gzip
import zlib

import pytest

from harness.load.answer import Answer
from harness.model.result import CAUSES

CASES = {
    "content-length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        (200, b"hello", True),
    ),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        (200, b"hello", True),
    ),
    "chunked with trailer": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
        (200, b"hello", True),
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", True)),
    "not modified": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
        (304, b"", True),
    ),
    "connection close": (
        b"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
        (500, b"no", False),
    ),
    "HTTP/1.0": (
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        (200, b"ok", False),
    ),
    "early hints first": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        (200, b"ok", True),
    ),
    "100 first": (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
        (201, b"", True),
    ),
}


def fed(pieces: list[bytes], *, head: bool = False) -> Answer:
    answer = Answer()
    answer.begin(head=head)
    for place, piece in enumerate(pieces):
        if answer.feed(piece):
            assert place == len(pieces) - 1
    return answer


@pytest.mark.parametrize("case", CASES)
def test_whole(case: str) -> None:
    """An answer in one piece is read to its end."""
    raw, (status, body, reusable) = CASES[case]

    answer = fed([raw])

    assert (True, "") == (answer.complete, answer.fault)
    assert (status, len(body), zlib.crc32(body)) == (
        answer.status,
        answer.body_bytes,
        answer.digest,
    )
    assert reusable == answer.reusable


@pytest.mark.parametrize("case", CASES)
def test_every_split(case: str) -> None:
    """Wherever an answer is cut into pieces, it reads the same."""
    raw, (status, body, reusable) = CASES[case]
    splits = [[raw[:at], raw[at:]] for at in range(1, len(raw))]

    for pieces in [*splits, [raw[at : at + 1] for at in range(len(raw))]]:
        answer = fed(pieces)

        assert (status, len(body), zlib.crc32(body), reusable) == (
            answer.status,
            answer.body_bytes,
            answer.digest,
            answer.reusable,
        )


@pytest.mark.parametrize("case", CASES)
def test_every_truncation(case: str) -> None:
    """An answer that ends early is never complete."""
    raw, _ = CASES[case]

    for at in range(len(raw)):
        answer = Answer()
        answer.feed(raw[:at])
        answer.end()

        assert not answer.complete, at


def test_head() -> None:
    """An answer to HEAD ends with its head, whatever length it names."""
    answer = fed([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"], head=True)

    assert (True, True, 0) == (answer.complete, answer.reusable, answer.body_bytes)


def test_body_until_close() -> None:
    """A body without framing ends with the connection, which is used up."""
    answer = fed([b"HTTP/1.1 200 OK\r\n\r\nhello", b" world"])
    assert not answer.complete

    answer.end()

    assert (True, False, 11) == (answer.complete, answer.reusable, answer.body_bytes)


def test_not_http() -> None:
    """Bytes that are no HTTP break the answer at once."""
    answer = Answer()

    assert answer.feed(b"SSH-2.0-OpenSSH_9.2\r\n")
    assert ("not HTTP", False) == (answer.fault, answer.complete)


def test_unasked_second_answer() -> None:
    """A connection that says more than was asked is not used again."""
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    answer = fed([one + one])

    assert (True, False, 2) == (answer.complete, answer.reusable, answer.body_bytes)


def test_set_cookies() -> None:
    """Every Set-Cookie header is handed on, but for those of informational answers."""
    answer = fed(
        [
            b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: no=1\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\nSET-COOKIE: b=2\r\n"
            b"Content-Length: 0\r\n\r\n"
        ]
    )

    assert ["a=1; Path=/", "b=2"] == answer.set_cookies


def test_one_parser_for_a_connection() -> None:
    """Answers on one connection follow each other, each read from its own beginning."""
    answer = Answer()
    for case in ("chunked", "no content", "early hints first", "content-length"):
        raw, (status, body, _) = CASES[case]
        answer.begin(head=False)

        assert answer.feed(raw)
        assert (status, len(body), True) == (
            answer.status,
            answer.body_bytes,
            answer.reusable,
        )


def test_after_head() -> None:
    """The answer after one to HEAD is not taken for its content."""
    answer = Answer()
    answer.begin(head=True)
    answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    answer.begin(head=False)

    assert answer.feed(CASES["content-length"][0])
    assert (200, 5) == (answer.status, answer.body_bytes)


@pytest.mark.parametrize(
    ("pieces", "fault"),
    [
        ([b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 11_000], "head over 64 KiB"),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
            "invalid body",
        ),
        (
            [b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n"],
            "protocol switched",
        ),
        (
            [b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"]
            + [b"x" * 1_000_000] * 101,
            "body over 100 MB",
        ),
    ],
)
def test_faults(pieces: list[bytes], fault: str) -> None:
    """What is no answer ends it at once, with its cause."""
    answer = fed(pieces)

    assert (fault, False) == (answer.fault, answer.reusable)
    assert fault in CAUSES


@pytest.mark.parametrize(("status", "leave"), [(100, True), (102, False), (103, False)])
def test_leave_to_go_on(status: int, leave: bool) -> None:
    """A 100 asks for the content; other informational answers do not."""
    answer = Answer()

    assert not answer.feed(b"HTTP/1.1 %d Well\r\n\r\n" % status)
    assert (leave, 0) == (answer.continued, answer.status)


def test_more_than_a_head_was_asked_for() -> None:
    """Content after the answer to a HEAD was not asked for."""
    answer = Answer()
    answer.begin(head=True)

    assert answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (True, False) == (answer.complete, answer.reusable)


def test_trailers() -> None:
    """Trailers set no cookie, and do not go on for ever."""
    answer = Answer()
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    answer.feed(start + b"Set-Cookie: a=1\r\nX: ")

    ended = [answer.feed(b"x" * 10_000) for _ in range(7)]

    assert ([], "head over 64 KiB") == (list(answer.set_cookies), answer.fault)
    assert [False] * 6 + [True] == ended


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"identity", b"{}"),
        (b"gzip", gzip.compress(b"{}")),
        (b"deflate", zlib.compress(b"{}")),
    ],
)
def test_said(coding: bytes, body: bytes) -> None:
    """What an answer says is kept on demand, its coding undone; trailers are not."""
    answer = Answer()
    answer.begin(head=False, keep=True)
    raw = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nX-Id: 7\r\nContent-Encoding: %b\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n"
        % (coding, len(body), body)
    )
    for at in range(len(raw)):
        answer.feed(raw[at : at + 1])

    assert answer.said is not None
    content = answer.said.content()
    assert b"{}" == content.body
    assert ("x-id", "content-encoding", "transfer-encoding") == tuple(
        name for name, _ in content.headers
    )


def test_said_in_vain() -> None:
    """Content that is not what its coding says is kept as it came."""
    answer = Answer()
    answer.begin(head=False, keep=True)
    answer.feed(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"
    )

    assert answer.said is not None
    assert b"ok" == answer.said.content().body


def test_silent() -> None:
    """Nothing is kept of an answer that nobody asked to keep."""
    assert fed([CASES["chunked"][0]]).said is None
