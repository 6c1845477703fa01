from __future__ import annotations

import gzip
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture import gor, import_capture
from harness.capture.gorfile import SEPARATOR
from harness.capture.source import Source
from harness.capture.tally import Tally
from harness.errors import RecordingError
from harness.model.traffic import Exchange, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

REAL = Path(__file__).resolve().parents[2] / "../shared/data"
START_NS = 1_759_409_411_000_000_000
GET = b"GET / HTTP/1.1\r\nHost: s.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def record(
    data: bytes = GET, kind: int = 1, name: str = "a", ms: int = 0, transfer: str = " 0"
) -> bytes:
    head = f"{kind} {name} {START_NS + ms * 1_000_000}{transfer}\n"
    return head.encode() + data + SEPARATOR


def read(
    folder: Path, *records: bytes, host: str | None = None
) -> tuple[list[Exchange], Tally]:
    path = folder / "capture.gor"
    path.write_bytes(b"".join(records))
    tally = Tally()
    return list(gor.read([Source(path)], host, tally)), tally


def one(folder: Path, *records: bytes) -> Exchange:
    [exchange], _ = read(folder, *records)
    return exchange


def skipped(tally: Tally) -> Mapping[str, int]:
    return {each.reason: each.count for each in tally.skipped()}


def test_a_request_with_its_answer(tmp_path: Path) -> None:
    """Everything of both arrives where it belongs, bytes untouched."""
    sent = (
        b"POST /p?q=1 HTTP/1.1\r\nHost: s.test\r\nCookie: a=b\r\nKeep-Alive: 5\r\n"
        b"Content-Length: 4\r\n\r\n\x00\r\n\xff"
    )

    exchange = one(
        tmp_path,
        record(sent),
        record(OK, kind=2, ms=20, transfer=" 5000000"),
    )

    assert START_NS == exchange.start_ns
    assert (
        Request(
            method="POST",
            target="/p?q=1",
            headers=(("host", "s.test"), ("cookie", "a=b"), ("content-length", "4")),
            body=b"\x00\r\n\xff",
        )
        == exchange.request
    )
    assert (
        Response(
            status=200,
            body_bytes=2,
            duration_ns=25_000_000,
            headers=(("content-length", "2"),),
            body=b"ok",
        )
        == exchange.response
    )


def test_pairs_are_made_by_id_and_order(tmp_path: Path) -> None:
    """The second answer of an id is its second request's, whichever came first."""
    answers = [OK.replace(b"200", b"20%d" % digit) for digit in range(4)]
    kept, tally = read(
        tmp_path,
        record(GET.replace(b"/ ", b"/0 "), name="a"),
        record(answers[1], kind=2, name="b"),
        record(GET.replace(b"/ ", b"/1 "), name="b"),
        record(GET.replace(b"/ ", b"/2 "), name="a"),
        record(answers[0], kind=2, name="a"),
        record(GET.replace(b"/ ", b"/3 "), name="c"),
        record(answers[2], kind=2, name="a"),
        record(answers[3], kind=2, name="d"),
        record(answers[3], kind=3, name="a"),
    )

    assert {("/0", 200), ("/1", 201), ("/2", 202), ("/3", 0)} == {
        (each.request.target, each.response.status if each.response else 0)
        for each in kept
    }
    assert {
        "answer without its request": 1,
        "answer to a replay": 1,
    } == skipped(tally)


@pytest.mark.parametrize(
    ("data", "reason", "why"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", "truncated", "body"),
        (b"GET / HTTP/1.1\r\nHost: s", "truncated", "the end of its head"),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "truncated",
            "its last chunk is missing",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
            "malformed",
            "its chunks are broken",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "malformed",
            "other than chunked",
        ),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\na",
            "malformed",
            "not one number",
        ),
        (GET + b"\n1 b 1 0\n" + GET, "malformed", "is a separator missing?"),
        (b"\x16\x03\x01\r\n\r\n", "unusable", "not an HTTP/1 request"),
        (b"CONNECT h:443 HTTP/1.1\r\n\r\n", "unusable", "not an HTTP/1 request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "unusable", "not an HTTP/1 request"),
        (b"GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n", "websocket", ""),
    ],
)
def test_requests_that_are_left_out(
    tmp_path: Path, data: bytes, reason: str, why: str
) -> None:
    """Each is counted with its place and what is wrong; its answer goes with it."""
    kept, tally = read(
        tmp_path, record(), record(data, name="b"), record(OK, kind=2, name="b")
    )

    assert 1 == len(kept)
    assert {reason: 1} == skipped(tally)
    assert "capture.gor: record 2" in tally.skipped()[0].samples[0]
    assert why in tally.skipped()[0].samples[0]


def test_chunks_become_content(tmp_path: Path) -> None:
    """Chunk heads and trailers are no content; that it was chunked stays known."""
    exchange = one(
        tmp_path,
        record(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n"
        ),
        record(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            kind=2,
        ),
    )

    assert b"abcde" == exchange.request.body
    assert (("transfer-encoding", "chunked"),) == exchange.request.headers
    assert exchange.response is not None
    assert b"a" == exchange.response.body


@pytest.mark.parametrize(
    ("answer", "status", "body_bytes", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
            + gzip.compress(b"plain", mtime=0),
            200,
            25,
            b"plain",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", 200, 9, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12x", 200, None, None),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: x\r\n\r\nabc", 200, 3, None),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, 0, b""),
        (b"HTTP/1.1 200\r\n\r\nuntil close", 200, 11, b"until close"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, 2, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + b"x" * 1_048_577,
            200,
            1_048_577,
            None,
        ),
    ],
)
def test_answers(
    tmp_path: Path,
    answer: bytes,
    status: int,
    body_bytes: int | None,
    body: bytes | None,
) -> None:
    """Their content is there where it is whole, known and up to 1 MiB."""
    response = one(tmp_path, record(), record(answer, kind=2)).response

    assert response is not None
    assert (status, body_bytes, body) == (
        response.status,
        response.body_bytes,
        response.body,
    )


def test_an_answer_to_head_has_no_content(tmp_path: Path) -> None:
    """Its Content-Length is that of another answer."""
    response = one(
        tmp_path,
        record(b"HEAD / HTTP/1.1\r\n\r\n"),
        record(OK.removesuffix(b"ok"), kind=2),
    ).response

    assert response is not None
    assert (0, b"") == (response.body_bytes, response.body)


@pytest.mark.parametrize(
    ("answer", "transfer"),
    [
        (b"\x00nothing", "0"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx", "0"),
        (OK, "9" * 19),
    ],
)
def test_an_answer_that_is_none(tmp_path: Path, answer: bytes, transfer: str) -> None:
    """The request is kept without it, and that is said."""
    last = record(answer, kind=2, ms=1, transfer=f" {transfer}")
    kept, tally = read(tmp_path, record(), last)

    assert [None] == [each.response for each in kept]
    assert ["an answer that cannot be read was left out"] == [
        each.reason for each in tally.adapted()
    ]


@pytest.mark.parametrize("transfer", ["", " 0", " 5000000"])
def test_latencies_of_nothing_are_not_believed(tmp_path: Path, transfer: str) -> None:
    """Some versions give an answer the time of its request: that is no latency."""
    records = [
        record(*pair, name=str(number), ms=number, transfer=transfer)
        for number in range(9)
        for pair in ((GET, 1), (OK, 2))
    ]
    kept, tally = read(tmp_path, *records)

    assert {None} == {each.response and each.response.duration_ns for each in kept}
    assert [("a latency of nothing was left out", 9)] == [
        (each.reason, each.count) for each in tally.adapted()
    ]


@pytest.mark.parametrize(
    ("ids", "clients"),
    [
        (["d6e41f907f00000100000001", "d6e51f907f00000100000002"], ["d6e4", "d6e5"]),
        (["d6e41f907f00000100000001", "d6e51f917f00000100000002"], ["", ""]),
        (["d6e41f90" * 5, "d6e51f90" * 5], ["", ""]),
    ],
)
def test_connections_are_told_by_ids_of_one_port(
    tmp_path: Path, ids: list[str], clients: list[str]
) -> None:
    """An id says nothing unless it is of the newer form with one port in all."""
    kept, _ = read(tmp_path, *(record(name=each) for each in ids))

    assert [f"connection {each}1f907f000001" if each else "" for each in clients] == [
        each.client for each in kept
    ]


@pytest.mark.parametrize(
    "fields",
    [
        "X-Forwarded-For: 10.0.0.9, 10.0.0.1\r\nX-Real-IP: 10.0.0.1",
        "X-Real-IP: 10.0.0.9",
    ],
)
def test_a_proxy_names_the_client(tmp_path: Path, fields: str) -> None:
    """Behind a proxy the connection is the proxy's, and the header has the client."""
    sent = f"GET / HTTP/1.1\r\n{fields}\r\n\r\n".encode()
    assert "10.0.0.9" == one(tmp_path, record(sent, name="d6e41f907f000001" * 2)).client


def test_a_host_can_be_chosen(tmp_path: Path) -> None:
    """Requests for other hosts are counted by name."""
    other = GET.replace(b"s.test", b"t.test:80")
    kept, tally = read(tmp_path, record(), record(other, name="b"), host="t.test:80")

    assert [(("host", "t.test:80"),)] == [each.request.headers for each in kept]
    assert {"other host": 1} == skipped(tally)


def test_the_last_record_needs_no_separator(tmp_path: Path) -> None:
    """A capture that was stopped ends behind a record, or inside a separator."""
    whole = record() + record(name="b", data=OK.replace(b"HTTP/1.1 200 OK", GET[:14]))
    expected, _ = read(tmp_path, whole)

    for missing in range(1, len(SEPARATOR) + 1):
        kept, tally = read(tmp_path, whole[:-missing])
        assert expected == kept
        assert not tally.skipped()


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_editors_change_line_ends(tmp_path: Path, ending: bytes) -> None:
    """Heads and separators are known by either; a body that was changed is not."""
    capture = re.sub(rb"\r?\n", ending, record() + record(name="b"))
    kept, tally = read(tmp_path, capture)

    assert [(("host", "s.test"),)] * 2 == [each.request.headers for each in kept]
    assert not tally.skipped()


def test_chunk_files_are_one_capture(tmp_path: Path) -> None:
    """In numeric order, so that an answer finds its request in the file before."""
    names = [f"c_{number}.gor" for number in (10, 2, 9)]
    contents = (
        record(OK, kind=2, name="c", ms=900) + record(name="d", ms=30),
        record(name="a", ms=20),
        record(name="b", ms=0) + record(name="c", ms=10),
    )
    for name, content in zip(names, contents, strict=True):
        (tmp_path / name).write_bytes(content)
    tally = Tally()

    kept = list(gor.read([Source(tmp_path / name) for name in names], None, tally))

    assert [0, 10, 20, 30] == sorted(
        (each.start_ns - START_NS) // 10**6 for each in kept
    )
    assert [10] == [
        (each.start_ns - START_NS) // 10**6 for each in kept if each.response
    ]
    assert not tally.skipped()
    import_capture(
        [tmp_path / name for name in names], tmp_path / "rec.parquet", key=b"k"
    )


def test_a_gzip_stream_that_was_cut_is_read(tmp_path: Path) -> None:
    """A killed capture leaves its last records unpacked, another goes on behind it."""
    first, second = (gzip.compress(record(name=name) * 9) for name in "ab")
    flushed = gzip.compress(record(name="c") * 9)[:-8]
    for content, expected in (
        (first + second, {}),
        (first + flushed, {"truncated": 1}),
        (first[:-8] + second, {"truncated": 1}),
    ):
        kept, tally = read(tmp_path, content)
        assert 18 == len(kept)
        assert expected == skipped(tally)


def test_the_real_capture(tmp_path: Path) -> None:
    """101 requests in 519 s, all usable, of ids that tell no connection."""
    source = REAL / "datadog_ecommerce_requests_0.gor"
    if not source.exists():
        pytest.skip("the real capture is not here")
    recording = import_capture([source], tmp_path / "rec.parquet", key=b"k")

    assert 101 == recording.exchanges
    assert 519 == round(recording.span_ns / 1e9)
    assert "gor" == recording.source_format
    assert not recording.skipped
    kept = list(gor.read([Source(source)], None, Tally()))
    assert [44, 45] == sorted(len(each.request.body) for each in kept)[-2:]
    assert {""} == {each.client for each in kept}


NAMES = st.sampled_from(["accept", "cookie", "x-a"])
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF), min_size=1)
VALUES = VALUES.filter(lambda text: text == text.strip() and "\x7f" not in text)


@given(
    sent=st.lists(
        st.tuples(
            st.integers(0, 10**6),
            st.lists(st.tuples(NAMES, VALUES)),
            st.binary(max_size=40).filter(lambda body: SEPARATOR not in body),
        ),
        min_size=1,
    )
)
def test_what_was_sent_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    sent: list[tuple[int, list[tuple[str, str]], bytes]],
) -> None:
    """Any headers and bodies come back as they went in."""
    folder = tmp_path_factory.mktemp("round-trip")
    written = [
        (ms, (*headers, ("content-length", str(len(body)))), body)
        for ms, headers, body in sent
    ]
    records = [
        record(
            b"POST / HTTP/1.1\r\n%b\r\n%b"
            % (
                "".join(f"{name}: {value}\r\n" for name, value in headers).encode(
                    "latin-1"
                ),
                body,
            ),
            ms=ms,
        )
        for ms, headers, body in written
    ]

    kept, _ = read(folder, *records)

    assert written == [
        (
            (each.start_ns - START_NS) // 10**6,
            each.request.headers,
            each.request.body,
        )
        for each in kept
    ]


PARTS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            SEPARATOR,
            GET,
            OK,
            b"1 a 1759409411000000000 0\n",
            b"2 a 1759409411000000000\n",
            b"1 a 9999999999999999999 9999999999999999999\n",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
            b"Content-Length: 99999999999999999999\r\n\r\n",
            b"Content-Encoding: gzip, br, zstd, deflate\r\n\r\n",
            b"\x1f\x8b\x08",
        ]
    ),
)


@given(content=st.lists(PARTS).map(b"".join))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Nothing but a RecordingError comes out of any capture."""
    folder = tmp_path_factory.mktemp("any")
    with suppress(RecordingError):
        read(folder, content)


@given(data=st.data())
def test_damage_to_a_good_capture_is_survived(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bytes are lost or changed in the middle of records, the rest is read."""
    good = record() + record(OK, kind=2, ms=5) + record(name="b", ms=9)
    place = data.draw(st.integers(0, len(good)))
    until = data.draw(st.integers(place, len(good)))
    spoilt = good[:place] + data.draw(st.binary(max_size=9)) + good[until:]

    kept, _ = read(
        tmp_path_factory.mktemp("spoilt"), record(name="x"), spoilt, record(name="y")
    )

    assert kept
