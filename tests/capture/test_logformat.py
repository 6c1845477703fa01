from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.entry import exchange_of
from harness.capture.logformat import envoy_parser, parser_of
from harness.capture.tally import LeftOut, Tally
from harness.errors import InputError

if TYPE_CHECKING:
    from harness.model.traffic import Exchange

START_NS = 1_431_849_903_000_000_000
COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"'
)
DIRECTIVE = """
log_format  main  escape=json
  '$remote_addr $msec "$request_method" '
  '"$request_uri" $status "$http_cookie" \\'q\\'';
"""
FRACTIONS = '%h [%{%d/%b/%Y:%T}t.%{msec_frac}t %{%z}t] "%r" %>s'
LINES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "nginx combined and more": (
        f'{COMBINED} rt=$request_time uct="$upstream_connect_time" '
        'urt="$upstream_response_time"',
        r'1.2.3.4 - Jo Doe [17/May/2015:10:05:03 +0200] "GET /p?q=\x22 HTTP/2.0" 200 '
        r'12 "http://r/" "UA \x22x\xE9" rt=1.200 uct="-" urt="0.1, 0.2"',
        {
            "client": "1.2.3.4 Jo Doe",
            "target": '/p?q="',
            "start_ns": START_NS - 1_000_000_000,
            "duration_ns": 1_200_000_000,
            "body_bytes": 12,
            "headers": (("referer", "http://r/"), ("user-agent", 'UA "x\xe9')),
        },
    ),
    "a whole directive of nginx": (
        DIRECTIVE,
        r'::1 1431849903.250 "POST" "/a?b=\"c" 201 "sid=7; b=\u00e9" ' "'q'",
        {
            "client": "::1",
            "method": "POST",
            "target": '/a?b="c',
            "start_ns": START_NS + 250_000_000,
            "headers": (("cookie", "sid=7; b=\xe9"),),
            "cookies": True,
        },
    ),
    "nginx, not escaped": (
        'escape=none $time_iso8601 $remote_addr "$request" "$http_user_agent" $status',
        '2015-05-17T10:05:03+02:00 1.2.3.4 "GET / HTTP/1.0" "a "b"c" 200',
        {"headers": (("user-agent", 'a "b"c'),), "keeps_alive": False},
    ),
    "nginx, parts of an address": (
        "$msec $remote_addr:$remote_port $request_method "
        "$scheme://$http_host:$server_port$uri$is_args$args $server_protocol "
        "$upstream_addr $upstream_status $request_body $status",
        "1431849903.000 2001:db8::1:443 PUT https://a.test:8443/b?d=e HTTP/2.0 "
        "10.0.0.1:80, 10.0.0.2:80 502, 200 {} 200",
        {
            "client": "2001:db8::1",
            "target": "/b?d=e",
            "body": b"{}",
            "headers": (("host", "a.test"),),
        },
    ),
    "nginx, forwarded addresses": (
        '$http_x_forwarded_for $status [$time_local] "$request" ${request_time}s',
        '1.1.1.1, 2.2.2.2 499 [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 0.000s',
        {"client": "1.1.1.1", "status": 499},
    ),
    "nginx, JSON as text": (
        """escape=json '{"t":"$time_iso8601","u":"$request_uri","m":"$request_method",'
        '"s":$status,"d":$request_time,"a":"$http_user_agent"}'""",
        '{"t":"2015-05-17T10:05:03+02:00","u":"/a","m":"GET","s":200,"d":0.010,'
        '"a":"x \\"y\\""}',
        {"target": "/a", "headers": (("user-agent", 'x "y"'),)},
    ),
    "apache common": (
        '%h %l %u %t "%r" %>s %b',
        '127.0.0.1 - frank [17/May/2015:10:05:03 +0200] "GET /a.gif HTTP/1.0" 200 -',
        {
            "client": "127.0.0.1 frank",
            "start_ns": START_NS,
            "body_bytes": 0,
            "keeps_alive": False,
        },
    ),
    "a whole directive of apache": (
        'LogFormat "%v:%p %a %^FU %t \\"%m %U%q %H\\" %<s %B %D %I \\"%{Referer}i\\" '
        '\\"%!200,304{User-agent}i\\" %{sid}C %{Location}o" vhosts',
        r'a.test:443 ::1 - [17/May/2015:10:05:03 +0200] "GET /b?c=\"d HTTP/1.1" 302 7 '
        r'1500 99 "-" "UA" 9 /next',
        {
            "client": "::1",
            "target": '/b?c="d',
            "duration_ns": 1_500_000,
            "body_bytes": 7,
            "headers": (("host", "a.test"), ("user-agent", "UA"), ("cookie", "sid=9")),
            "answer": (("location", "/next"),),
        },
    ),
    "apache, fractions of a second": (
        FRACTIONS,
        '1.2.3.4 [17/May/2015:10:05:03.250 +0200] "GET / HTTP/1.1" 200',
        {"start_ns": START_NS + 250_000_000},
    ),
    "apache, microseconds since 1970": (
        '%h %{usec}t "%r" %>s %{ms}T',
        '1.2.3.4 1431849903000007 "GET / HTTP/1.1" 200 12',
        {"start_ns": START_NS + 7_000, "duration_ns": 12_000_000},
    ),
    "apache, when it had ended": (
        '%h %{end:%Y-%m-%d %H:%M:%S}t "%r" %>s %T',
        '1.2.3.4 2015-05-17 08:05:03 "GET / HTTP/1.1" 200 2',
        {"start_ns": START_NS - 2_000_000_000, "duration_ns": 2_000_000_000},
    ),
    "envoy": (
        "%START_TIME(%s.%3f)% %REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% "
        '%PROTOCOL% %RESPONSE_CODE% "%REQ(USER-AGENT):9%" %REQ(COOKIE)% '
        "%DOWNSTREAM_REMOTE_ADDRESS% %RESP(ETAG)% %DURATION%\\n",
        '1431849903.250 GET /a HTTP/2 200 "a "b"c" - [::1]:443 W/"x" 3',
        {
            "client": "::1",
            "start_ns": START_NS + 250_000_000,
            "duration_ns": 3_000_000,
            "headers": (("user-agent", 'a "b"c'),),
            "answer": (("etag", 'W/"x"'),),
        },
    ),
    "envoy, absl's fractions": (
        "%START_TIME(%Y-%m-%dT%H:%M:%E3S%Ez)% %REQ(:METHOD)% %PATH(WQ:ORIG)%",
        "2015-05-17T10:05:03.250+02:00 GET /a?b",
        {"start_ns": START_NS + 250_000_000, "target": "/a?b", "status": None},
    ),
}


def told(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    return {
        "client": exchange.client,
        "start_ns": exchange.start_ns,
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": request.body,
        "keeps_alive": request.keeps_alive,
        "cookies": any(name == "cookie" for name, _ in request.headers),
        "status": response and response.status,
        "duration_ns": response and response.duration_ns,
        "body_bytes": response and response.body_bytes,
        "answer": response and response.headers,
    }


@pytest.mark.parametrize("name", LINES)
def test_a_line_by_its_format(name: str) -> None:
    """What a server logs by such a format arrives where it belongs."""
    form, line, expected = LINES[name]
    dialect, parser = parser_of(form)

    found = told(exchange_of(parser()(line) or {}, None, Tally()))

    assert dialect in name
    assert expected == {key: found[key] for key in expected}


@pytest.mark.parametrize(
    ("form", "lacking", "hint"),
    [
        ("hello", "no field", "single quotes"),
        ("", "no field", "single quotes"),
        ('$remote_addr "$request"', "tell the time", "log $msec or $time_iso8601"),
        ("$time_local $request_method", "the request", "log $request, or "),
        ("$remote_addr", "the time nor the request", "$msec"),
        ("%h %l %u %t", "the request", "log %r"),
        ("%{%T}t %r", "the time", "log %t"),
        ("%START_TIME%", "the request", "log %REQ(:METHOD)%"),
        ("%START_TIME(%H:%M)% %REQ(:METHOD)% %REQ(:PATH)%", "the time", "START_TIME"),
        ("%{%c}t %r", "a time with %c", "log %Y-%m-%d"),
    ],
)
def test_a_format_that_cannot_do(form: str, lacking: str, hint: str) -> None:
    """It is refused before anything is read, with what it lacks and what to log."""
    with pytest.raises(InputError) as caught:
        parser_of(form)

    assert caught.value.message.startswith("--log-format: ")
    assert lacking in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "expected ' - ' at column 1"),
        ("1.2.3.4 - - 17/May", "expected ' [' at column 19"),
        ("1.2.3.4 - - [yesterday]", "expected $time_local at column 14"),
        ('1.2.3.4 - - [17/May/2015:10:05:03 +0200] "GET / 200', "at column 52"),
        ('1.2.3.4 - - [17/Mai/2015:10:05:03 +0200] "GET" 200 5 "" ""', "is none"),
        ('1.2.3.4 - - [31/Feb/2015:10:05:03 +0200] "GET" 200 5 "" ""', "is none"),
        ('1.2.3.4 - - [17/May/0001:10:05:03 +0200] "GET" 200 5 "" ""', "is none"),
        ('1.2.3.4 - - [17/May/2015:10:05:03 +0200] "GET" 200 5 "" "" x', "goes on"),
    ],
)
def test_a_line_that_does_not_fit(line: str, why: str) -> None:
    """The fault names the field and the column, and repeats nothing of the line."""
    _, parser = parser_of(COMBINED)

    with pytest.raises(LeftOut) as caught:
        parser()(line)

    assert why in caught.value.why
    assert "malformed" == caught.value.reason


def test_a_line_of_a_megabyte_is_refused() -> None:
    """Whatever it is made of: no field is tried at every column."""
    parsers = [parser_of(form)[1]() for form, _, _ in LINES.values()]
    for parse in (*parsers, envoy_parser()):
        for piece in (" ", '"', "\\", ": ", ", ", '" "', "a "):
            with pytest.raises(LeftOut):
                parse(piece * (1_000_000 // len(piece)))


@given(
    st.sampled_from(list(LINES)),
    st.integers(0, 200),
    st.integers(0, 9),
    st.text(st.characters(max_codepoint=255), max_size=5),
)
def test_spoilt_lines(name: str, start: int, length: int, piece: str) -> None:
    """A real line with a piece lost or replaced is read or is left out."""
    form, line, _ = LINES[name]
    with suppress(ValueError):
        said = parser_of(form)[1]()(line[:start] + piece + line[start + length :])
        exchange_of(said or {}, None, Tally())


@given(st.text(alphabet="$%{}()\"'\\[] :.,@_<>!^aAhrtTdDsYZRE0STMPQ\n", max_size=40))
def test_any_format(form: str) -> None:
    """A format string of any kind makes a reader or is refused in one message."""
    with suppress(InputError):
        parser_of(form)
