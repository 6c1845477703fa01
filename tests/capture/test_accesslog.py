from __future__ import annotations

from pathlib import Path

import pytest

from harness.capture import accesslog
from harness.capture.source import Source
from harness.capture.tally import Tally
from harness.model.traffic import Exchange, Response

REAL = Path(__file__).resolve().parents[2] / "../shared/data"
TIME = "[17/May/2015:10:05:03 +0200]"
START_NS = 1_431_849_903_000_000_000


def read(
    tmp_path: Path, *lines: str, host: str | None = None
) -> tuple[list[Exchange], Tally]:
    path = tmp_path / "access.log"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("latin-1"))
    tally = Tally()
    return list(accesslog.read([Source(path)], host, tally)), tally


def one(tmp_path: Path, line: str) -> Exchange:
    [exchange], _ = read(tmp_path, line)
    return exchange


def test_a_combined_line(tmp_path: Path) -> None:
    """Every field of a combined line arrives where it belongs."""
    line = f'1.2.3.4 - bob {TIME} "GET /p?q=1 HTTP/1.1" 200 - "http://r/" "UA \\"x\\""'
    exchange = one(tmp_path, line)
    assert START_NS == exchange.start_ns
    assert exchange.client == "1.2.3.4 bob"
    assert ("GET", "/p?q=1") == (exchange.request.method, exchange.request.target)
    assert (("referer", "http://r/"), ("user-agent", 'UA "x"')) == (
        exchange.request.headers
    )
    assert Response(status=200, body_bytes=0) == exchange.response


@pytest.mark.parametrize(
    "line",
    [
        f'1.2.3.4 - - {TIME} "GET / HTTP/1.1" 200 5',
        f'2001:db8::1 - - {TIME} "GET / HTTP/1.1" 200 5\r',
        f'www.example.com:80 1.2.3.4 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "-"',
        f'1.2.3.4 - Jo Doe {TIME} "GET http://h:80/ HTTP/1.1" 200 5 "-" "-" "1.1.1.1"',
        f'1.2.3.4 - - {TIME} "GET http://u:p@h HTTP/1.1" 200 5',
        f'1.2.3.4 - - {TIME} "GET /" 200 5',
    ],
)
def test_lines_of_the_grammar(tmp_path: Path, line: str) -> None:
    """Common, vhost, IPv6, extra fields and absolute targets are all read."""
    exchange = one(tmp_path, line)
    assert exchange.request.target == "/"
    assert Response(status=200, body_bytes=5) == exchange.response


@pytest.mark.parametrize(
    "request_line",
    [
        "-",
        "",
        r"\x16\x03\x01",
        "\x00\xff",
        "CONNECT h:443 HTTP/1.1",
        "GET * HTTP/1.1",
        "GET",
        "get / HTTP/1.1",
        "GET relative HTTP/1.1",
        r"GET /a\x0d\x0ab HTTP/1.1",
    ],
)
def test_garbage_in_a_good_line_is_only_counted(
    tmp_path: Path, request_line: str
) -> None:
    """What no server could be sent is unusable, not malformed."""
    kept, tally = read(tmp_path, f'1.2.3.4 - - {TIME} "{request_line}" 400 5')
    assert not kept
    assert ["unusable"] == [skipped.reason for skipped in tally.skipped()]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "expected client, ident and user at column 1"),
        ('1.2.3.4 - - "GET / HTTP/1.1" 200 5', "expected [time] at column 13"),
        (f"1.2.3.4 - - {TIME} GET / 200 5", 'expected "request" at column 42'),
        (f'1.2.3.4 - - {TIME} "GET /" x 5', "expected status and size at column 49"),
        (f'1.2.3.4 - - {TIME} "GET /" 200 5 "-" "cut', 'expected "referer" and'),
        ('1.2.3.4 - - [31/Feb/2015:10:05:03 +0000] "GET /" 200 5', "not a time"),
        ('1.2.3.4 - - [01/Jan/0001:00:00:00 +0000] "GET /" 200 5', "not a time"),
        ('1.2.3.4 - - [yesterday] "GET /" 200 5', "not a time"),
        (f'1.2.3.4 - - {TIME} "GET /" 200 {1 << 63}', "no answer has this size"),
        (f'1.2.3.4 - - {TIME} "GET /" 200 {"9" * 5000}', "no answer has this size"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, line: str, why: str) -> None:
    """The sample names file, line and column, and repeats nothing of the client."""
    _, tally = read(tmp_path, f'1.1.1.1 - - {TIME} "GET /" 200 5', line, "")
    [skipped] = tally.skipped()
    assert ("malformed", 1) == (skipped.reason, skipped.count)
    assert f"access.log:2: {why}" in skipped.samples[0]
    assert "1.2.3.4" not in skipped.samples[0]


def test_escapes_are_undone(tmp_path: Path) -> None:
    """Escapes become the bytes that were sent; bytes beyond ASCII stay sendable."""
    line = rf'1.2.3.4 - - {TIME} "GET /\xc3\xa9?q=\"\\ HTTP/1.1" 200 5 "-" "a\tb\xe9"'
    request = one(tmp_path, line).request
    assert request.target == '/%C3%A9?q="\\'
    assert (("user-agent", "a b\xe9"),) == request.headers


def test_options_asks_for_the_whole_server(tmp_path: Path) -> None:
    """`OPTIONS *` is the one request without a path."""
    line = f'1.2.3.4 - - {TIME} "OPTIONS * HTTP/1.0" 200 5'
    assert one(tmp_path, line).request.target == "*"


def test_a_virtual_host_can_be_chosen(tmp_path: Path) -> None:
    """Lines of other hosts are counted."""
    lines = [
        f'{host}:80 1.2.3.4 - - {TIME} "GET /{host} HTTP/1.1" 200 5' for host in "aB"
    ]
    kept, tally = read(tmp_path, *lines, host="b")
    assert ["/B"] == [exchange.request.target for exchange in kept]
    assert ["other host"] == [skipped.reason for skipped in tally.skipped()]


def test_the_real_log() -> None:
    """10,000 lines of a real server: 9,999 good, line 8,899 malformed."""
    path = REAL / "elastic_apache_combined_10k.log"
    if not path.exists():
        pytest.skip("the real log is not here")
    tally = Tally()
    kept = sum(1 for _ in accesslog.read([Source(path)], None, tally))
    [skipped] = tally.skipped()
    assert (9_999, 1) == (kept, skipped.count)
    assert ":8899: " in skipped.samples[0]


@pytest.mark.parametrize(
    ("version", "expected"), [(" HTTP/1.0", False), (" HTTP/1.1", True), ("", True)]
)
def test_connection_habits(tmp_path: Path, version: str, expected: bool) -> None:
    """A client of HTTP/1.0 opened a connection for every request."""
    line = f'1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /p{version}" 200 5'

    assert expected is one(tmp_path, line).request.keeps_alive


def test_newer_versions_and_websockets(tmp_path: Path) -> None:
    """HTTP/2 is replayed over HTTP/1.1 and counted; a WebSocket is left out."""
    line = '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /p HTTP/{}" {} 5'

    kept, tally = read(tmp_path, line.format("2.0", 200), line.format("1.1", 101))

    assert 1 == len(kept)
    assert [("HTTP/2, replayed over HTTP/1.1", 1)] == [
        (each.reason, each.count) for each in tally.adapted()
    ]
    assert ["websocket"] == [each.reason for each in tally.skipped()]
