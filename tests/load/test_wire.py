from dataclasses import replace

import pytest

from harness.load.wire import Wire
from harness.model.link import Fill, Links
from harness.model.plan import PlannedRequest
from harness.model.session import Jar
from harness.model.traffic import Request


def planned(
    request: Request, cookies: tuple[tuple[str, str], ...] | None = ()
) -> PlannedRequest:
    return PlannedRequest(
        request=request, route="any", cookies=cookies, recorded_status=200
    )


def sent(each: PlannedRequest, *set_cookies: str) -> bytes:
    jar = Jar()
    for value in set_cookies:
        jar.store(value)
    return Wire(each, "127.0.0.1:80").payload(jar)


def test_as_recorded() -> None:
    """Headers go out in their recorded order; only Host is added."""
    request = Request(
        method="GET", target="/a?b=1", headers=(("user-agent", "x"), ("accept", "*/*"))
    )

    assert (
        b"GET /a?b=1 HTTP/1.1\r\nhost: 127.0.0.1:80\r\nuser-agent: x\r\naccept: */*"
        b"\r\n\r\n"
    ) == sent(planned(request))


def test_recorded_host_stays() -> None:
    """A recorded Host is what the service is asked for."""
    request = Request(method="GET", target="/", headers=(("host", "shop.example"),))

    assert b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n" == sent(planned(request))


def test_authority_wins() -> None:
    """A deployed build is asked for by its own name, not by the recorded one."""
    request = Request(method="GET", target="/", headers=(("host", "prod.example"),))

    payload = Wire(planned(request), "127.0.0.1:80", "staging.example").payload(Jar())

    assert b"GET / HTTP/1.1\r\nhost: staging.example\r\n\r\n" == payload


def test_body() -> None:
    """A body goes out with its length; a POST without one says 0."""
    full = Request(method="POST", target="/", body=b"abc")
    empty = Request(method="POST", target="/")

    assert sent(planned(full)).endswith(b"content-length: 3\r\n\r\nabc")
    assert sent(planned(empty)).endswith(b"content-length: 0\r\n\r\n")


def test_live_cookie() -> None:
    """A recorded cookie carries what this build set under that name."""
    each = planned(Request(method="GET", target="/"), (("sid", "old"), ("ab", "1")))

    assert b"\r\ncookie: sid=new; ab=1\r\n\r\n" in sent(each, "sid=new; Path=/", "zz=9")


def test_whole_jar_where_the_capture_could_not_know() -> None:
    """Without recorded cookies of any request the user's own cookies are sent."""
    each = planned(Request(method="GET", target="/"), None)

    assert b"cookie: a=1; b=2\r\n" in sent(each, "a=1", "b=2")
    assert b"cookie" not in sent(each)


def test_line_breaks_cannot_split_a_request() -> None:
    """A header value with line breaks stays one header."""
    request = Request(method="GET", target="/", headers=(("x", "a\r\nhost: evil"),))

    assert b"x: a  host: evil\r\n\r\n" in sent(planned(request))


def test_recorded_places() -> None:
    """Content-Length and cookies go where they were; the length is the body's own."""
    request = Request(
        method="POST",
        target="/",
        headers=(
            ("host", "a"),
            ("content-length", "99"),
            ("cookie", ""),
            ("x", "1"),
            ("x", "2"),
        ),
        body=b"abc",
    )

    assert (
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncookie: sid=1\r\n"
        b"x: 1\r\nx: 2\r\n\r\nabc"
    ) == sent(planned(request, (("sid", "1"),)))
    assert b"cookie" not in sent(planned(request))


@pytest.mark.parametrize(
    ("body", "framed"), [(b"abc", b"3\r\nabc\r\n0\r\n\r\n"), (b"", b"0\r\n\r\n")]
)
def test_chunked_request(body: bytes, framed: bytes) -> None:
    """A request that was recorded as chunked is sent so."""
    headers = (("transfer-encoding", "chunked"),)
    request = Request(method="POST", target="/", headers=headers, body=body)

    payload = sent(planned(request))

    assert payload.endswith(b"transfer-encoding: chunked\r\n\r\n" + framed)
    assert b"content-length" not in payload


def test_chunks_alone() -> None:
    """No other coding is left of recorded chunked content, and no length is said."""
    headers = (
        ("content-length", "9"),
        ("transfer-encoding", "gzip, chunked"),
        ("accept", "*/*"),
    )
    request = Request(method="PUT", target="/", headers=headers, body=b"ab")

    assert sent(planned(request)).endswith(
        b"\r\ntransfer-encoding: chunked\r\naccept: */*\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    )


def test_habits() -> None:
    """What the client has to do besides sending is known beforehand."""
    head = (("expect", "100-continue"),)
    upload = Request(method="PUT", target="/", headers=head, body=b"x")
    last = Request(method="GET", target="/", headers=head, keeps_alive=False)

    assert (True, False) == _habits(upload)
    assert (False, True) == _habits(last)


def _habits(request: Request) -> tuple[bool, bool]:
    wire = Wire(planned(request), "x")
    return wire.expects_continue, wire.closes


def test_live_values() -> None:
    """A live value changes its place and the length that is said, and nothing else."""
    request = Request(
        method="POST",
        target="/o/7",
        headers=(("host", "a"), ("content-length", "9"), ("x", "1")),
        body=b'{"id": 7}',
    )
    fills = (
        Fill(slot=0, part="target", start=3, end=4, coding="percent"),
        Fill(slot=0, part="body", start=7, end=8, coding="number"),
    )
    each = replace(planned(request), links=Links(fills=fills))

    wire, missing = Wire(each, "x").with_values({0: "123"})
    same, unknown = Wire(each, "x").with_values({})

    assert (0, 2) == (missing, unknown)
    assert (
        b"POST /o/123 HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\nx: 1\r\n\r\n"
        b'{"id": 123}'
    ) == wire.payload(Jar())
    assert Wire(each, "x").payload(Jar()) == same.payload(Jar())
