from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.capture import har
from harness.capture.source import Source
from harness.capture.tally import Tally
from harness.errors import RecordingError
from harness.model.traffic import Exchange, Response

REAL = Path(__file__).resolve().parents[2] / "../shared/data/har"
START_NS = 1_767_225_600_000_000_000
EXPECTED = {
    "PerfCascade__chrome_github.com_home.har": 15,
    "har-to-k6__full.har": 7,
    "har-to-k6__multipart-formdata.har": 5,
    "har-to-k6__x-www-form-url-encoded.har": 3,
    "har2locust__reqres.in.har": 2,
    "har2locust__url-encoded-body-no-text-field.har": 1,
    "haralyzer__humanssuck.net.har": 4,
    "harviewer__ie11.fiddler.har": 11,
    "harviewer__softwareishard.com.har": 36,
    "microcks__api-pastries-0.0.1.har": 6,
    "mitmproxy__charles.har": 1,
    "mitmproxy__firefox.har": 13,
    "mitmproxy__incomplete_log.har": 3,
    "mitmproxy__postdata.har": 1,
    "mitmproxy__with-bom.har": 1,
}


def entry(url: str = "http://h/p", **changes: Any) -> dict[str, Any]:
    request = {"method": "GET", "url": url, "headers": [], **changes.pop("request", {})}
    return {
        "startedDateTime": "2026-01-01T00:00:00.000Z",
        "time": 50.5,
        "request": request,
        "response": {"status": 200, "bodySize": -1, "content": {"size": 7}},
        **changes,
    }


def read(
    tmp_path: Path, *entries: object, host: str | None = None
) -> tuple[list[Exchange], dict[str, int]]:
    path = tmp_path / "site.har"
    path.write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8-sig")
    tally = Tally()
    kept = list(har.read([Source(path)], host, tally))
    return kept, {skipped.reason: skipped.count for skipped in tally.skipped()}


def one(tmp_path: Path, **changes: Any) -> Exchange:
    [exchange], _ = read(tmp_path, entry(**changes))
    return exchange


def test_an_entry(tmp_path: Path) -> None:
    """Start, answer, size and time of an entry arrive in our units."""
    exchange = one(tmp_path)
    assert START_NS == exchange.start_ns
    assert (
        Response(status=200, body_bytes=7, duration_ns=50_500_000) == exchange.response
    )


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://h", "/"),
        ("http://u:p@H:80/p?a=%20#f", "/p?a=%20"),
        ("http://h/é ?q=ü", "/%C3%A9%20?q=%C3%BC"),
    ],
)
def test_urls_become_origin_form(tmp_path: Path, url: str, target: str) -> None:
    """The target has neither host nor fragment and can be sent as it is."""
    [exchange], _ = read(tmp_path, entry(url))
    assert target == exchange.request.target


@pytest.mark.parametrize(
    ("version", "connection", "expected"),
    [
        ("HTTP/1.1", None, True),
        ("HTTP/1.1", "Close", False),
        ("HTTP/1.0", None, False),
        ("http/1.0", "keep-alive", True),
        ("h2", None, True),
    ],
)
def test_connection_habits(
    tmp_path: Path, version: str, connection: str | None, expected: bool
) -> None:
    """Whether a connection could be used again is kept, as RFC 9112 says."""
    headers = [{"name": "Connection", "value": connection}] if connection else []
    request = {"headers": headers, "httpVersion": version}

    assert expected is one(tmp_path, request=request).request.keeps_alive


def test_a_query_that_the_url_lacks(tmp_path: Path) -> None:
    """It is encoded from its names and values, once."""
    pairs = [{"name": "q", "value": "a&b=\u00e9 %"}, {"name": "n", "value": 7}]
    request = {"queryString": [*pairs, "x", ["z", 0], {"name": "e", "value": None}]}

    found = one(tmp_path, request=request).request

    assert "/p?q=a%26b%3D%C3%A9%20%25&n=7&z=0&e=" == found.target


def test_content_type_keeps_its_place(tmp_path: Path) -> None:
    """The one that is sent with a body stands where it was recorded."""
    headers = [["Content-Type", "a/b"], ["Accept", "*/*"], ["content-type", "c/d"]]
    request = {"headers": headers, "postData": {"mimeType": "x/y", "text": "{}"}}

    assert (("content-type", "a/b"), ("accept", "*/*")) == one(
        tmp_path, request=request
    ).request.headers


def test_grpc_web_is_plain_http(tmp_path: Path) -> None:
    """gRPC-Web was made for HTTP/1.1 and is replayed."""
    headers = [["content-type", "application/grpc-web+proto"]]

    assert ("content-type", "application/grpc-web+proto") in one(
        tmp_path, request={"headers": headers}
    ).request.headers


def test_newer_versions_are_said(tmp_path: Path) -> None:
    """HTTP/2 and 3 are replayed over HTTP/1.1 and counted; gRPC cannot be."""
    grpc = [{"name": "content-type", "value": "application/grpc+proto"}]
    versions = ("http/2.0", "h3", "h2")
    entries = [entry(request={"httpVersion": version}) for version in versions]
    call = entry(request={"httpVersion": "h2", "headers": grpc})
    path = tmp_path / "site.har"
    path.write_text(json.dumps({"log": {"entries": [*entries, call]}}))
    tally = Tally()

    assert 3 == len(list(har.read([Source(path)], None, tally)))
    assert [
        ("HTTP/2, replayed over HTTP/1.1", 2),
        ("HTTP/3, replayed over HTTP/1.1", 1),
    ] == [(each.reason, each.count) for each in tally.adapted()]
    assert [("gRPC", 1)] == [(each.reason, each.count) for each in tally.skipped()]


def test_headers_are_those_of_the_request(tmp_path: Path) -> None:
    """Pseudo headers and those for a proxy go; order, pairs and cookies stay."""
    headers = [
        {"name": ":method", "value": "GET"},
        {"name": "Accept", "value": "a/b"},
        ["X-Pair", "1"],
        {"name": "Connection", "value": "keep-alive"},
        {"name": "Content-Length", "value": "9"},
        {"name": "Proxy-Connection", "value": "keep-alive"},
        {"name": "X-Lines", "value": "a\r\nb"},
        {"name": "bad name", "value": "1"},
    ]
    cookies = [{"name": "sid", "value": "1"}, {"name": "b", "value": "2"}]
    exchange = one(tmp_path, request={"headers": headers, "cookies": cookies})
    assert exchange.request.headers == (
        ("accept", "a/b"),
        ("x-pair", "1"),
        ("connection", "keep-alive"),
        ("content-length", "9"),
        ("x-lines", "a  b"),
        ("cookie", "sid=1; b=2"),
    )


def test_the_authority_of_http_2_is_its_host(tmp_path: Path) -> None:
    """It is sent as `Host`, first; one that was recorded as such stays."""
    headers = [["accept", "*/*"], [":authority", "h.test"]]

    first, second = (
        one(tmp_path, request={"headers": each}).request.headers
        for each in (headers, [*headers, ["Host", "i.test"]])
    )

    assert (("host", "h.test"), ("accept", "*/*")) == first
    assert (("accept", "*/*"), ("host", "i.test")) == second


def test_a_host_on_its_own_port_is_one_host(tmp_path: Path) -> None:
    """Proxies name port 443 where browsers do not; either way it is found."""
    entries = [entry("https://h/1"), entry("https://h:443/2"), entry("https://h:8/3")]
    for host in (None, "h:443"):
        kept, skipped = read(tmp_path, *entries, host=host)
        assert (2, {"other host": 1}) == (len(kept), skipped)


def test_the_most_frequent_host_is_kept(tmp_path: Path) -> None:
    """Others are counted, unless another one is asked for."""
    entries = [entry("http://a/1"), entry("http://b/2"), entry("http://b/3")]
    kept, skipped = read(tmp_path, *entries)
    assert ["/2", "/3"] == [exchange.request.target for exchange in kept]
    assert {"other host": 1} == skipped
    assert len(read(tmp_path, *entries, host="a")[0]) == 1


@pytest.mark.parametrize(
    ("strange", "reason"),
    [
        (entry("data:text/plain,x"), "unusable"),
        (entry("blob:http://h/1"), "unusable"),
        (entry("http://[bad/"), "unusable"),
        (entry("wss://h/ws"), "websocket"),
        (entry(_webSocketMessages=[{"type": "send"}]), "websocket"),
        (entry(response={"status": 101}), "websocket"),
        (entry(request={"method": "CONNECT"}), "unusable"),
        (entry(request={"method": "get it"}), "unusable"),
        (entry(_fromCache="disk"), "from cache"),
        (entry(_fetchType="Memory Cache"), "from cache"),
        (
            entry(response={"status": 0, "_error": "net::ERR_BLOCKED_BY_CLIENT"}),
            "never sent",
        ),
        (entry(startedDateTime="yesterday"), "malformed"),
        (entry(startedDateTime="0001-01-01T00:00:00Z"), "malformed"),
        (entry(startedDateTime="9999-12-31T23:59:59Z"), "malformed"),
        ({"startedDateTime": "2026-01-01T00:00:00Z"}, "malformed"),
        (7, "malformed"),
    ],
)
def test_what_did_not_reach_the_service_is_counted(
    tmp_path: Path, strange: object, reason: str
) -> None:
    """Entries that were no request to the service are left out, with the reason."""
    kept, skipped = read(tmp_path, entry(), strange)
    assert (1, {reason: 1}) == (len(kept), skipped)


@pytest.mark.parametrize("response", [None, {"status": 0}, {"status": -2}, {}])
def test_a_request_without_answer_is_kept(tmp_path: Path, response: object) -> None:
    """It was sent, so it is part of the load."""
    assert one(tmp_path, response=response).response is None


def test_a_client_that_went_away_had_asked(tmp_path: Path) -> None:
    """A flow that mitmproxy exports with an error of the client is part of the load."""
    answer = {"status": 0, "content": {}, "_error": "Client disconnected."}
    assert one(tmp_path, response=answer).response is None


def test_entries_without_times_follow_one_another(tmp_path: Path) -> None:
    """An archive without any times is replayed in its order, one a second."""
    entries = [entry(f"http://h/{number}") for number in range(3)]
    for each in entries:
        del each["startedDateTime"]
    kept, _ = read(tmp_path, *entries)
    assert [0, 10**9, 2 * 10**9] == [exchange.start_ns for exchange in kept]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"log": {"entries": [', r"site.har:1:22: not a complete HAR"),
        ('{"log": {}}', "no list log.entries"),
        ('{"log": {"entries": 7}}', "not a list"),
        ('{"log": null}', "no list log.entries"),
        ('[{"log": {"entries": []}}]', "no list log.entries"),
        ('{"log": {"entries": [' + "7" * 5000 + "]}}", "thousands of digits"),
        ('{"log": {"entries": ' + "[" * 99_999, "not a "),
    ],
)
def test_a_broken_archive_is_named(tmp_path: Path, content: str, message: str) -> None:
    """The message names the file and, in broken JSON, the place."""
    path = tmp_path / "site.har"
    path.write_text(content)
    assert har.sniff(Source(path).head())
    with pytest.raises(RecordingError, match=message):
        list(har.read([Source(path)], None, Tally()))


@pytest.mark.parametrize("name", EXPECTED)
def test_real_archives(name: str) -> None:
    """Archives of browsers and proxies give the exchanges counted by hand."""
    if not (REAL / name).exists():
        pytest.skip("the real archives are not here")
    assert EXPECTED[name] == len(list(har.read([Source(REAL / name)], None, Tally())))


@pytest.mark.parametrize(
    "strange",
    [
        entry(request={"headers": 7, "postData": {"text": "x"}}),
        entry(request={"headers": True, "postData": {"text": "x"}}),
        entry(request={"postData": {"text": "x", "encoding": ["base64"]}}),
        entry(request={"postData": {"text": "x", "encoding": {}}}),
        entry(response={"status": 70_000}),
        entry(response={"status": 1 << 63}),
    ],
)
def test_a_spoilt_entry_is_malformed(tmp_path: Path, strange: object) -> None:
    """A value of the wrong type or size costs its own entry, not the file."""
    kept, skipped = read(tmp_path, entry(), strange)
    assert (1, {"malformed": 1}) == (len(kept), skipped)


@pytest.mark.parametrize(
    "changes",
    [
        {"request": {"postData": {"text": "\xe9\ud800", "encoding": "base64"}}},
        {"request": {"postData": {"text": '{"password": "\ud800"}'}}},
        {"response": {"status": True}},
    ],
)
def test_an_odd_entry_is_kept(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Text that no decoder takes is sent as it is; a status of no number is none."""
    kept, skipped = read(tmp_path, entry(), entry(**changes))
    assert (2, {}) == (len(kept), skipped)


def test_an_answer(tmp_path: Path) -> None:
    """Headers and content of an answer are kept, Base64 undone, beyond 1 MiB not."""

    def answer(**content: Any) -> Response | None:
        headers = [{"name": "Location", "value": "/orders/7"}]
        given = {"status": 201, "headers": headers, "content": content}
        return one(tmp_path, response=given).response

    text, coded = answer(text='{"id": 7}'), answer(text="AAE=", encoding="base64")
    none, large = answer(), answer(text="x" * (2 << 20))

    assert text is not None
    assert (("location", "/orders/7"),) == text.headers
    bodies = [each.body for each in (text, coded, none, large) if each]
    assert [b'{"id": 7}', b"\0\1", None, None] == bodies
