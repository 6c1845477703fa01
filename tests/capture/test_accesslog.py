from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        f'1.2.3.4 - - {TIME} "GET / HTTP/1.1" 200 5 "-" "-" "1.1.1.1\xa0"',
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
        (f'1.2.3.4 - - {TIME} "GET /" 200 5\xa0', 'expected "referer" and'),
        ('1.2.3.4 - - [31/Feb/2015:10:05:03 +0000] "GET /" 200 5', "not a time"),
        ('1.2.3.4 - - [17/May/2015:10:05:03 +0000x] "GET /" 200 5', "not a time"),
        ('1.2.3.4 - - [17/May/2015:10:05:60 +0000] "GET /" 200 5', "not a time"),
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


def test_a_body_that_no_log_holds_is_missed(tmp_path: Path) -> None:
    """What is mostly sent with one is replayed without it, and that is said."""
    _, tally = read(
        tmp_path,
        f'1.2.3.4 - - {TIME} "POST /p HTTP/1.1" 200 5',
        f'1.2.3.4 - - {TIME} "GET /p HTTP/1.1" 200 5',
    )

    assert [("sent without the body, which the log does not hold", 1)] == [
        (each.reason, each.count) for each in tally.adapted()
    ]


@pytest.mark.parametrize(
    "wrapping",
    [
        "2026-01-01T00:00:00.5Z stdout F {}",
        '{{"log":{},"stream":"stdout","time":"2026-01-01T00:00:00Z"}}',
    ],
)
def test_a_container_wraps_lines(tmp_path: Path, wrapping: str) -> None:
    """What Kubernetes and Docker put around a line is no part of it."""
    line = f'1.2.3.4 - - {TIME} "GET /p HTTP/1.1" 200 5 "-" "UA"'
    written = json.dumps(line + "\n") if wrapping.startswith("{") else line
    wrapped = wrapping.format(written)

    assert accesslog.sniff(wrapped.encode())
    assert one(tmp_path, line) == one(tmp_path, wrapped)


@pytest.mark.parametrize(
    "wrapped",
    [
        '{"log":"1.2.3.4 \u2026 - [x] \\u2026"}',
        '{"log":"\xe9","a":' + "[" * 99_999,
    ],
)
def test_a_container_wraps_what_is_no_line(tmp_path: Path, wrapped: str) -> None:
    """Characters that no log has, and any depth of brackets, are counted."""
    path = tmp_path / "access.log"
    path.write_text(wrapped + "\n", encoding="utf-8")
    tally = Tally()

    assert [] == list(accesslog.read([Source(path)], None, tally))
    assert ["malformed"] == [skipped.reason for skipped in tally.skipped()]


@pytest.mark.parametrize(
    ("before", "behind", "client"),
    [
        ("1.2.3.4 - -", "", "1.2.3.4"),
        ("shop.test 1.2.3.4 - -", "", "1.2.3.4"),
        ("shop.test ::1 - bob", "", "::1 bob"),
        ("1.2.3.4 10.0.0.5 - -", "", "1.2.3.4"),
        ("1.2.3.4 10.0.0.5 - bob", "", "1.2.3.4 bob"),
        ("shop.test 1.2.3.4 10.0.0.5 - -", "", "1.2.3.4"),
        ("shop.test:80 1.2.3.4 - -", "", "1.2.3.4"),
        ("1.2.3.4 - Jo Doe", "", "1.2.3.4 Jo Doe"),
        ("host.test - -", "", "host.test"),
        ("10.0.0.5 - -", ' "1.2.3.4"', "1.2.3.4"),
        ("10.0.0.5 - bob", ' "1.2.3.4, 10.0.0.9" 0.5', "1.2.3.4 bob"),
        ("10.0.0.5 - -", ' "2001:db8::1"', "2001:db8::1"),
        ("10.0.0.5 - -", ' "-"', "10.0.0.5"),
        ("10.0.0.5 - -", ' "1.2"', "10.0.0.5"),
        ("10.0.0.5 - -", ' 0.5 "1.2.3.4"', "10.0.0.5"),
    ],
)
def test_clients(tmp_path: Path, before: str, behind: str, client: str) -> None:
    """Not a virtual host, nor the proxy where the field behind the agent tells more."""
    line = f'{before} {TIME} "GET / HTTP/1.1" 200 5 "-" "UA"{behind}'

    assert client == one(tmp_path, line).client


def test_a_virtual_host_needs_no_port(tmp_path: Path) -> None:
    """It is chosen by its name all the same."""
    lines = [
        f'{host} 1.2.3.4 - - {TIME} "GET /{host} HTTP/1.1" 200 5'
        for host in ("a.test", "b.test")
    ]

    [kept], tally = read(tmp_path, *lines, host="b.test")

    assert "/b.test" == kept.request.target
    assert [("other host", 1)] == [
        (each.reason, each.count) for each in tally.skipped()
    ]


def test_an_absolute_target_names_the_host(tmp_path: Path) -> None:
    """As clients of a proxy send it."""
    line = f'1.2.3.4 - - {TIME} "GET http://a.test/p HTTP/1.1" 200 5'
    request = one(tmp_path, line).request

    assert ("/p", (("host", "a.test"),)) == (request.target, request.headers)


TIMES = ("[17/May/2015:10:05:03 +0000]", "[17/May/2015:10:05:59 -2359]", "[x]")
LINES = st.one_of(
    st.tuples(
        st.sampled_from(
            [
                *("1.1.1.1", "h.test:80 [::1]", "a [b", "v:1 c", ""),
                *("h.test 1.1.1.1", "h.test ::1", "1.1.1.1 2.2.2.2"),
                "2026-01-01T00:00:00.5Z stdout F 1.1.1.1",
                '{"log":"1.1.1.1',
            ]
        ),
        st.sampled_from([" - - ", " - Jo Doe ", " [x - ", " ", ' - a] "b ']),
        st.one_of(
            st.sampled_from(
                [
                    *TIMES,
                    "[01/Jan/1970:00:00:00 +2359]",
                    "[01/Jan/1970:00:00:00 -0001]",
                    "[31/Dec/9999:23:59:59 +0000]",
                    "[17/May/2015:10:05:60 +0000]",
                    "[17/May/2015:24:05:03 +0000]",
                    "[17/May/2015:10:05:03 +2400]",
                    "[17/May/2015:10:05:03 +0000x]",
                    "[17/Mai/2015:10:05:03 +0000]",
                    "[00/May/2015:10:05:03 +0000]",
                ]
            ),
            st.text('[]/: "17May', max_size=9),
        ),
        st.sampled_from(
            [
                ' "GET /a HTTP/1.1" 200 5 "http://r/" "UA"',
                ' "GET /a HTTP/2.0" 200 5 "-" "UA"',
                ' "GET /a HTTP/1.1" 200 5 "-" "UA" "3.3.3.3, 4.4.4.4"',
                ' "POST /a HTTP/2.0" 200 5 "-" "UA"',
                ' "GET /a HTTP/1.1" 404 -',
                ' "GET /\\"x] \\" HTTP/1.0" 200 5 "a] \\"b" "UA" extra] "x"',
                ' "GET /a HTTP/1.1" 101 5',
                ' "-" 400 0 "-" "-"',
                f' "GET /a" 200 {"9" * 30}',
                ' "GET /a HTTP/1.1" 200 5 "-" "cut',
                ' "GET /\xe9 HTTP/1.1" 200 5 "\x85" "\xff"\r',
            ]
        ),
    ).map("".join),
    st.text('ab[]" -\t\\1', max_size=30),
)


def one_by_one(
    lines: list[str], host: str | None
) -> tuple[list[Exchange], list[tuple[str, int]], list[tuple[str, str]]]:
    """What `_row` makes of each line, and nothing else is there to know."""
    kept, left_out = [], []
    adapted: list[str] = []
    for number, line in enumerate(lines, start=1):
        found = accesslog._row(f"{line}\n", host)
        if len(found) == 2:
            if not f"{line}\n".isspace():
                left_out.append((found[0], f"access.log:{number}"))
            continue
        start_ns, client, (request, response, how, first) = found
        client = " ".join([first, *client.split(" ")[1:]]) if first else client
        adapted += how
        kept.append(
            Exchange(
                start_ns=start_ns, client=client, request=request, response=response
            )
        )
    return kept, sorted(Counter(adapted).items()), left_out


@given(lines=st.lists(LINES, max_size=9), host=st.sampled_from([None, "h.test"]))
def test_many_lines_at_once_are_the_lines_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], host: str | None
) -> None:
    """Whatever the lines: the same exchanges in the same order, the same places."""
    kept, tally = read(tmp_path_factory.mktemp("log"), *lines, host=host)
    expected, adapted, left_out = one_by_one(lines, host)

    assert expected == kept
    assert adapted == sorted((each.reason, each.count) for each in tally.adapted())
    found = {
        (each.reason, Path(sample.partition(": ")[0]).name)
        for each in tally.skipped()
        for sample in each.samples
    }
    counts = sum(each.count for each in tally.skipped())
    assert len(left_out) == counts
    assert found <= set(left_out)


def test_a_log_may_be_cut_into_blocks_anywhere(tmp_path: Path) -> None:
    """At every byte: the same exchanges, and the same line numbers."""
    log = (
        f'1.2.3.4 - - {TIME} "GET /a HTTP/1.1" 200 5\nbad\n'
        f'1.2.3.5 - - {TIME} "GET /b HTTP/1.1" 200 5 "-" "UA"\nworse'
    ).encode()
    path = tmp_path / "log.gz"
    for place in range(len(log)):
        path.write_bytes(gzip.compress(log[:place]) + gzip.compress(log[place:]))
        tally = Tally()
        batches = accesslog.batches([Source(path)], None, tally, block_bytes=1)
        targets = [
            each.request.target for batch in batches for each in batch.exchanges()
        ]

        assert ["/a", "/b"] == targets
        [skipped] = tally.skipped()
        places = [sample.partition("gz:")[2][:2] for sample in skipped.samples]
        assert ["2:", "4:"] == places


@given(
    moment=st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)),  # noqa: DTZ001
    ahead_min=st.integers(-1439, 1439),
)
def test_times_of_any_zone(moment: datetime, ahead_min: int) -> None:
    """A time is the moment that it names."""
    zone = timezone(timedelta(minutes=ahead_min))
    moment = moment.replace(microsecond=0, tzinfo=zone)

    expected = round(moment.timestamp()) * 1_000_000_000
    assert expected == accesslog._start_ns(f"{moment:%d/%b/%Y:%H:%M:%S %z}")
