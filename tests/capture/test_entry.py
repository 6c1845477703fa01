from __future__ import annotations

from typing import Any

import pytest

from harness.capture.entry import exchange_of
from harness.capture.tally import LeftOut, Tally

SECOND_NS = 1_000_000_000
SAID: dict[str, Any] = {"start": (7, False), "request": "GET / HTTP/1.1"}


@pytest.mark.parametrize(
    ("said", "start_s"),
    [
        ({"start": (100 * SECOND_NS, True), "duration_s": "5"}, 100),
        ({"end": (100 * SECOND_NS, False), "duration_s": "0.25"}, 99.75),
        ({"end": (100 * SECOND_NS, True), "duration_s": "0.25"}, 100),
        ({"end": (100 * SECOND_NS, True), "duration_ms": "700"}, 99),
        ({"end": (100 * SECOND_NS, True), "duration_us": "1700000"}, 98),
        ({"end": (100 * SECOND_NS, True)}, 100),
        (
            {
                "end": (100 * SECOND_NS, False),
                "duration_s": "1",
                "duration_us": "1250000",
            },
            98.75,
        ),
    ],
)
def test_a_request_starts_before_its_answer_ends(
    said: dict[str, Any], start_s: float
) -> None:
    """By its duration, the finest; on a clock of seconds at the nearest one."""
    found = exchange_of({"request": "GET /", **said}, None, Tally())
    assert start_s * SECOND_NS == found.start_ns


def test_a_start_that_is_not_told_is_said() -> None:
    """Where no duration is logged the recording says so."""
    tally = Tally()
    exchange_of({"request": "GET /", "end": (7, True)}, None, tally)
    [adapted] = tally.adapted()
    assert "times of the log's writing taken as starts" in adapted.reason


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ({"client": "10.0.0.1"}, "10.0.0.1"),
        ({"client": "10.0.0.1", "user": "bob"}, "10.0.0.1 bob"),
        (
            {"client": "10.0.0.1", "header:x-forwarded-for": "1.1.1.1, 2.2.2.2"},
            "1.1.1.1",
        ),
        ({"client_port": "10.0.0.1:443"}, "10.0.0.1"),
        ({"client_port": "[::1]:443"}, "::1"),
        ({"client_port": "10.0.0.1"}, "10.0.0.1"),
        ({"session": "u1"}, "u1"),
        ({}, ""),
    ],
)
def test_clients(said: dict[str, str], client: str) -> None:
    """The one before the proxies; without an address the session stands for it."""
    assert client == exchange_of({**SAID, **said}, None, Tally()).client


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"host": "a.test", "header:x": "1"}, (("host", "a.test"), ("x", "1"))),
        ({"host": "a.test", "headers": [("Host", "b.test")]}, (("host", "b.test"),)),
        ({"cookie:a": "1", "cookie:b": "2"}, (("cookie", "a=1; b=2"),)),
        ({"cookie:a": "1", "header:cookie": "a=1"}, (("cookie", "a=1"),)),
        ({"headers": [("Upgrade", "x"), ("a b", "1"), ("x", "1\r\n")]}, (("x", "1"),)),
        ({"headers": [("Authorization", "REDACTED"), ("x", "1")]}, (("x", "1"),)),
    ],
)
def test_header_fields(
    said: dict[str, Any], fields: tuple[tuple[str, str], ...]
) -> None:
    """The host first, cookies as one field, nothing that cannot be sent."""
    assert fields == exchange_of({**SAID, **said}, None, Tally()).request.headers


@pytest.mark.parametrize("host", ["a.test", "a.test:81"])
def test_a_host_is_kept(host: str) -> None:
    """With or without its port; another one is left out and named."""
    said = {**SAID, "host": "A.test:81"}
    assert exchange_of(said, host, Tally()).client == ""
    with pytest.raises(LeftOut) as caught:
        exchange_of(said, "b.test", Tally())
    assert ("other host", "a.test:81") == (caught.value.reason, caught.value.why)


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ({"request": "POST / HTTP/1.1"}, True),
        ({"request": "POST / HTTP/1.1", "received": "0"}, False),
        ({"request": "GET / HTTP/1.1", "received": 9}, True),
        ({"request": "POST / HTTP/1.1", "body": "x"}, False),
        ({"request": "DELETE / HTTP/1.1"}, False),
    ],
)
def test_a_body_that_is_not_there_is_said(said: dict[str, Any], lacks: bool) -> None:
    """Where the request had, or will have had, one."""
    tally = Tally()
    exchange_of({**SAID, **said}, None, tally)
    said_so = any("without the body" in each.reason for each in tally.adapted())
    assert lacks == said_so


def test_sizes_of_apache() -> None:
    """`-` is no content, where no size at all is not known."""
    sizes = [
        response and response.body_bytes
        for response in (
            exchange_of({**SAID, "status": "200", **said}, None, Tally()).response
            for said in ({"log_size": "-"}, {"log_size": "7"}, {"size": 7.0}, {})
        )
    ]
    assert [0, 7, 7, None] == sizes
