from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture import READERS, import_capture
from harness.capture.logs import LOGS
from harness.capture.source import Source
from harness.capture.tally import Tally
from harness.errors import RecordingError
from harness.model.traffic import Exchange, Request, Response

REAL = Path(__file__).resolve().parents[2] / "../shared/data/formats"
CHROME = "Mozilla/5.0%20(Windows%20NT%2010.0)%20Chrome/78"
FIELDS = {
    "cloudfront": (
        "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method "
        "cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query "
        "cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol "
        "cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher "
        "x-edge-response-result-type cs-protocol-version fle-status "
        "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type "
        "sc-content-type sc-content-len sc-range-start sc-range-end\n"
    ),
    "iis": (
        "#Software: Microsoft Internet Information Services 8.0\n#Version: 1.0\n"
        "#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port "
        "cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status "
        "sc-substatus sc-win32-status sc-bytes cs-bytes time-taken\n"
    ),
}
CLOUDFRONT = (
    "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111.cloudfront.net\t"
    f"/index.html\t200\t-\t{CHROME}\ta=1&b=%20\tsid=7\tMiss\tSOX4==\tshop.test\t"
    "https\t23\t1.700\t-\tTLSv1.2\tECDHE\tMiss\tHTTP/2.0\t-\t-\t11040\t0.001\tMiss\t"
    "text/html\t78\t-\t-\n"
)
IIS = (
    "2014-01-01 02:01:09 SITE GET /blog/step2.png "
    "X-ARR-LOG-ID=2ec4b8ad-3cf0-4442-93ab-837317ece6a1 80 bob 1.54.23.196 "
    "Mozilla/5.0+(Windows+NT+6.3) a=b;+c=d http://weblogs.test/x www.sample.com 200 0 "
    "0 53175 871 46\n"
)
ALB = (
    "https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 "
    "192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "
    '"GET https://www.example.com:443/a?b=1 HTTP/1.1" "curl/7.46.0" '
    "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:1:t/7 "
    '"Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:x" 1 '
    '2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" '
    '"-" "-" TID_1234 "-" "-" "-"\n'
)
CLASSIC = (
    "2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 "
    '0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ '
    'HTTP/1.1" "curl/7.38.0" - -\n'
)
ENVOY = (
    '[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 '
    '"10.0.35.28" "nsq2http" "cc21d9b0" "locations" "tcp://10.0.2.1:80"\n'
)
ISTIO = (
    '[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 '
    '135 3 1 "-" "curl/7.73.0-DEV" "84961386" "httpbin:8000" "127.0.0.1:80" '
    "inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 "
    "outbound_.8000_._.httpbin.foo.svc.cluster.local default\n"
)
ISTIO_13 = (
    '[2019-03-06T09:31:27.360Z] "GET /status/418 HTTP/1.1" 418 - "-" "-" 0 135 5 2 '
    '"-" "curl/7.60.0" "d209e46f" "httpbin:8000" "127.0.0.1:80" '
    "inbound|8000|http|httpbin.default.svc.cluster.local - 172.30.146.73:80 "
    "172.30.146.82:38618 outbound_.8000_._.httpbin.default.svc.cluster.local -\n"
)
ENVOY_JSON = (
    '{":authority":"localhost:8888","bytes_received":0,"bytes_sent":302,'
    '"downstream_remote_address":"127.0.0.1:55222","duration":6,"method":"GET",'
    '"protocol":"HTTP/1.1","response_code":200,"response_flags":"-",'
    '"start_time":"2025-08-20T23:21:58.905Z","user-agent":"curl/8.7.1",'
    '"x-envoy-origin-path":"/v1/chat","x-envoy-upstream-service-time":null,'
    '"x-forwarded-for":"10.244.0.30","x-request-id":"4000a69d"}\n'
)
ISTIO_JSON = (
    '{"upstream_cluster":"outbound|9080||reviews","downstream_remote_address":'
    '"10.40.0.12:43866","authority":"reviews:9080","path":"/reviews/0","protocol":'
    '"HTTP/1.1","upstream_service_time":"1786","duration":"1787","user_agent":'
    '"curl/7.47.0","response_code":"200","response_flags":"-","start_time":'
    '"2020-05-15T06:30:26.480Z","method":"GET","request_id":"e2de9f03",'
    '"x_forwarded_for":"-","bytes_received":"0","bytes_sent":"379"}\n'
)
TRAEFIK = (
    '{"ClientAddr":"172.17.0.1:39496","ClientHost":"172.17.0.1","ClientUsername":"-",'
    '"DownstreamContentSize":357,"DownstreamStatus":200,"Duration":357313,'
    '"OriginStatus":200,"RequestAddr":"shop.test","RequestContentSize":0,'
    '"RequestMethod":"GET","RequestPath":"/a?b=1","RequestProtocol":"HTTP/1.1",'
    '"StartUTC":"2021-12-08T14:02:43.587782192Z","downstream_Content-Type":'
    '"text/plain","request_User-Agent":"Nikto","time":"2021-12-08T14:02:43Z"}\n'
)
CADDY = (
    '{"level":"info","ts":1693840791.7564995,"logger":"http.log.access","msg":'
    '"handled request","request":{"remote_ip":"172.17.0.1","client_ip":"127.0.0.1",'
    '"proto":"HTTP/1.0","method":"GET","host":"127.0.0.1:8080","uri":"/p","headers":'
    '{"User-Agent":["curl/7.74.0"],"Cookie":["REDACTED"],"Accept":["a/b","*/*"]}},'
    '"bytes_read":0,"user_id":"","duration":0.0000027,"size":7,"status":200,'
    '"resp_headers":{"Server":["Caddy"]}}\n'
)
NGINX_JSON = (
    '{"time":"2026-02-10T20:30:45+01:00","remote_addr":"192.168.1.10",'
    '"remote_user":"alice","request_method":"GET","request_uri":"/api/users?x=1",'
    '"status":200,"body_bytes_sent":2048,"http_referer":"-",'
    '"http_user_agent":"curl \\"q\\"","request_time":2.123,'
    '"upstream_response_time":"0.089"}\n'
)
NGINX_UNESCAPED = (
    '{"@timestamp":"1784477440.250","http_host":"a.test","clientip":"192.168.1.2",'
    '"request":"POST /i.php?id=3 HTTP/2.0","status":"200","size":"44",'
    '"request_time":0.041,"upstream_response_time":-,"http_user_agent":"a\\x22b\\xE9",'
    '"http_x_forwarded_for":"1.1.1.1, 2.2.2.2","request_body":"{\\x22a\\x22:1}"}\n'
)
OPEN = (
    '{"time":"2026-01-01T00:00:00.250Z","method":"POST","target":"/cart?x=1",'
    '"headers":{"Content-Type":"text/plain","Cookie":["a=1","b=2"]},"body":"\\u00e9",'
    '"client":"10.0.0.1","session":"u1","status":201,"duration_ms":12.5,"size":4,'
    '"response":{"headers":[["Location","/cart/7"]],"body_base64":"AAE="}}\n'
)


class Sample(NamedTuple):
    """A line of a format, with what has to come before it, and what it says."""

    format: str
    line: str
    expected: Exchange


def exchange(
    start_ns: int,
    client: str,
    target: str,
    *fields: tuple[str, str],
    method: str = "GET",
    session: str = "",
    body: bytes = b"",
    keeps_alive: bool = True,
    response: Response | None,
) -> Exchange:
    return Exchange(
        start_ns=start_ns,
        client=client,
        session=session,
        request=Request(
            method=method,
            target=target,
            headers=fields,
            body=body,
            keeps_alive=keeps_alive,
        ),
        response=response,
    )


SAMPLES = {
    "alb": Sample(
        "alb",
        ALB,
        exchange(
            1530570168_364000000,
            "192.168.131.39",
            "/a?b=1",
            ("host", "www.example.com"),
            ("user-agent", "curl/7.46.0"),
            response=Response(status=200, duration_ns=171_000_000),
        ),
    ),
    "classic": Sample(
        "alb",
        CLASSIC,
        exchange(
            1431560383_945958000,
            "192.168.131.39",
            "/",
            ("host", "www.example.com"),
            ("user-agent", "curl/7.38.0"),
            response=Response(status=200, duration_ns=1_178_000),
        ),
    ),
    "cloudfront": Sample(
        "cloudfront",
        FIELDS["cloudfront"] + CLOUDFRONT,
        exchange(
            1575493349_000000000,
            "192.0.2.100",
            "/index.html?a=1&b=%20",
            ("host", "shop.test"),
            ("user-agent", "Mozilla/5.0 (Windows NT 10.0) Chrome/78"),
            ("cookie", "sid=7"),
            response=Response(
                status=200,
                body_bytes=78,
                duration_ns=1_700_000_000,
                headers=(("content-type", "text/html"),),
            ),
        ),
    ),
    "iis": Sample(
        "iis",
        FIELDS["iis"] + IIS,
        exchange(
            1388541669_000000000,
            "1.54.23.196 bob",
            "/blog/step2.png",
            ("host", "www.sample.com"),
            ("user-agent", "Mozilla/5.0 (Windows NT 6.3)"),
            ("cookie", "a=b; c=d"),
            ("referer", "http://weblogs.test/x"),
            response=Response(status=200, duration_ns=46_000_000),
        ),
    ),
    "envoy": Sample(
        "envoy",
        ENVOY,
        exchange(
            1460751420_310000000,
            "10.0.35.28",
            "/api/v1/locations",
            ("host", "locations"),
            ("x-forwarded-for", "10.0.35.28"),
            ("user-agent", "nsq2http"),
            ("x-request-id", "cc21d9b0"),
            method="POST",
            response=Response(status=204, body_bytes=0, duration_ns=226_000_000),
        ),
    ),
    "istio": Sample(
        "envoy",
        ISTIO,
        exchange(
            1606339578_409000000,
            "10.44.1.23",
            "/status/418",
            ("host", "httpbin:8000"),
            ("user-agent", "curl/7.73.0-DEV"),
            ("x-request-id", "84961386"),
            response=Response(status=418, body_bytes=135, duration_ns=3_000_000),
        ),
    ),
    "istio before 1.9": Sample(
        "envoy",
        ISTIO_13,
        exchange(
            1551864687_360000000,
            "172.30.146.82",
            "/status/418",
            ("host", "httpbin:8000"),
            ("user-agent", "curl/7.60.0"),
            ("x-request-id", "d209e46f"),
            response=Response(status=418, body_bytes=135, duration_ns=5_000_000),
        ),
    ),
    "envoy gateway": Sample(
        "envoy-json",
        ENVOY_JSON,
        exchange(
            1755732118_905000000,
            "10.244.0.30",
            "/v1/chat",
            ("host", "localhost:8888"),
            ("x-forwarded-for", "10.244.0.30"),
            ("user-agent", "curl/8.7.1"),
            ("x-request-id", "4000a69d"),
            response=Response(status=200, body_bytes=302, duration_ns=6_000_000),
        ),
    ),
    "istio json": Sample(
        "envoy-json",
        ISTIO_JSON,
        exchange(
            1589524226_480000000,
            "10.40.0.12",
            "/reviews/0",
            ("host", "reviews:9080"),
            ("user-agent", "curl/7.47.0"),
            ("x-request-id", "e2de9f03"),
            response=Response(status=200, body_bytes=379, duration_ns=1_787_000_000),
        ),
    ),
    "traefik": Sample(
        "traefik",
        TRAEFIK,
        exchange(
            1638972163_587782192,
            "172.17.0.1",
            "/a?b=1",
            ("host", "shop.test"),
            ("user-agent", "Nikto"),
            response=Response(
                status=200,
                body_bytes=357,
                duration_ns=357_313,
                headers=(("content-type", "text/plain"),),
            ),
        ),
    ),
    "caddy": Sample(
        "caddy",
        CADDY,
        exchange(
            1693840791_756496800,
            "127.0.0.1",
            "/p",
            ("host", "127.0.0.1:8080"),
            ("user-agent", "curl/7.74.0"),
            ("accept", "a/b"),
            ("accept", "*/*"),
            keeps_alive=False,
            response=Response(
                status=200,
                body_bytes=7,
                duration_ns=2_700,
                headers=(("server", "Caddy"),),
            ),
        ),
    ),
    "nginx-json": Sample(
        "nginx-json",
        NGINX_JSON,
        exchange(
            1770751843_000000000,
            "192.168.1.10 alice",
            "/api/users?x=1",
            ("user-agent", 'curl "q"'),
            response=Response(status=200, body_bytes=2048, duration_ns=2_123_000_000),
        ),
    ),
    "nginx without escape=json": Sample(
        "nginx-json",
        NGINX_UNESCAPED,
        exchange(
            1784477440_209000000,
            "1.1.1.1",
            "/i.php?id=3",
            ("host", "a.test"),
            ("user-agent", 'a"b\xe9'),
            ("x-forwarded-for", "1.1.1.1, 2.2.2.2"),
            method="POST",
            body=b'{"a":1}',
            response=Response(status=200, body_bytes=44, duration_ns=41_000_000),
        ),
    ),
    "jsonl": Sample(
        "jsonl",
        OPEN,
        exchange(
            1767225600_250000000,
            "10.0.0.1",
            "/cart?x=1",
            ("content-type", "text/plain"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            method="POST",
            session="u1",
            body=b"\xc3\xa9",
            response=Response(
                status=201,
                body_bytes=4,
                duration_ns=12_500_000,
                headers=(("location", "/cart/7"),),
                body=b"\0\1",
            ),
        ),
    ),
}


def read(tmp_path: Path, name: str, text: str) -> tuple[list[Exchange], Tally]:
    path = tmp_path / "log"
    path.write_bytes(text.encode("latin-1"))
    tally = Tally()
    return list(READERS[name].read([Source(path)], None, tally)), tally


def counts(tally: Tally) -> dict[str, int]:
    return {each.reason: each.count for each in tally.skipped()}


def adapted(tally: Tally) -> list[str]:
    return [each.reason for each in tally.adapted()]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_of_each_format(tmp_path: Path, name: str) -> None:
    """A line as its vendor documents it gives this exchange, start, client and all."""
    sample = SAMPLES[name]

    kept, tally = read(tmp_path, sample.format, sample.line)

    assert [sample.expected] == kept
    assert not tally.skipped()


@pytest.mark.parametrize("name", SAMPLES)
def test_each_is_recognised(tmp_path: Path, name: str) -> None:
    """By its content, as that format and no other before it; also in a container."""
    sample = SAMPLES[name]
    contained = "".join(
        f"2023-10-27T10:00:00.000000Z stdout F {line}"
        for line in sample.line.splitlines(keepends=True)
    )

    for text in (sample.line, contained):
        found = [
            each for each, reader in READERS.items() if reader.sniff(text.encode())
        ]
        assert sample.format == found[0]
        if not sample.line.startswith("#"):
            assert [sample.expected] == read(tmp_path, sample.format, text)[0]


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("cloudfront", CLOUDFRONT.replace("Miss", "Hit"), "served by the edge"),
        ("cloudfront", CLOUDFRONT.replace("Miss", "Redirect"), "served by the edge"),
        ("cloudfront", CLOUDFRONT[:-4], "malformed"),
        ("iis", IIS[:-4], "malformed"),
        ("alb", ALB.replace("https 2", "wss 2"), "websocket"),
        ("alb", ALB.replace("https 2", "grpcs 2"), "gRPC"),
        ("alb", ALB.replace('"GET https', '"- https'), "unusable"),
        (
            "alb",
            ALB.replace("10.0.0.1:80 0", "- 0").replace("authenticate,forward", "waf"),
            "served by the edge",
        ),
        ("alb", ALB[:150], "malformed"),
        ("envoy", ENVOY.replace("204 - 154", "404 NR 154"), "served by the edge"),
        ("envoy", ENVOY.replace("POST /api/v1/locations HTTP/2", "- - -"), "unusable"),
        ("envoy", ENVOY.replace(" 204", " 101"), "websocket"),
        ("envoy", ENVOY.replace("2016-04-15", "2016-04-31"), "malformed"),
        ("envoy", ENVOY.replace(" 204", " two"), "malformed"),
        ("envoy-json", ENVOY_JSON.replace('"GET"', "null"), "unusable"),
        (
            "traefik",
            TRAEFIK.replace('nStatus":200', 'nStatus":0'),
            "served by the edge",
        ),
        ("traefik", "DEBUG: a line between them\n", "unusable"),
        ("traefik", TRAEFIK[:99], "malformed"),
        ("caddy", CADDY.replace("handled request", "upstream roundtrip"), "unusable"),
        ("caddy", CADDY.replace("1693840791", '"x"'), "malformed"),
        ("nginx-json", NGINX_JSON.replace('"/api', '"api'), "unusable"),
        ("nginx-json", "[" * 99_999, "unusable"),
        ("nginx-json", '{"a":' * 99_999, "malformed"),
        ("jsonl", OPEN.replace('"time"', '"when"'), "malformed"),
        ("jsonl", OPEN.replace("AAE=", "*"), "malformed"),
        ("jsonl", OPEN.replace('"10.0.0.1"', "7").replace("201", "-1"), "malformed"),
    ],
)
def test_what_is_no_exchange_is_counted(
    tmp_path: Path, name: str, line: str, reason: str
) -> None:
    """An entry that the service never saw or that is damaged: reason and place."""
    kept, tally = read(tmp_path, name, FIELDS.get(name, "") + line)

    assert not kept
    assert {reason: 1} == counts(tally)
    place = FIELDS.get(name, "").count("\n") + 1
    assert f"log:{place}" in tally.skipped()[0].samples[0]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("envoy", ENVOY.replace("204 - 154", "503 UF,URX 154")),
        ("envoy", ENVOY.replace("204 - 154", "0 DC 154")),
        ("alb", ALB.replace("0.037 200 200", "-1 504 -")),
        ("cloudfront", FIELDS["cloudfront"] + CLOUDFRONT.replace("\t200\t", "\t000\t")),
    ],
)
def test_no_answer_of_the_service(tmp_path: Path, name: str, line: str) -> None:
    """Where a proxy answered for it, or nobody, the request has no answer."""
    [kept], _ = read(tmp_path, name, line)

    assert kept.response is None


@pytest.mark.parametrize(
    ("name", "line", "how"),
    [
        ("envoy", ENVOY, "sent without the body"),
        ("envoy", ENVOY, "HTTP/2, replayed over HTTP/1.1"),
        ("envoy", ENVOY.replace("204 - ", "503 UF "), "answered by the proxy"),
        ("alb", ALB.replace("0.037 200 200", "-1 504 -"), "answered by the proxy"),
        ("caddy", CADDY, "sent without credentials"),
        (
            "nginx-json",
            NGINX_JSON.replace("request_time", "took"),
            "times of the log's writing taken as starts",
        ),
    ],
)
def test_what_is_replayed_otherwise_is_said(
    tmp_path: Path, name: str, line: str, how: str
) -> None:
    """What a log does not tell, and what is done instead, is counted."""
    _, tally = read(tmp_path, name, line)

    assert any(each.startswith(how) for each in adapted(tally))


def test_columns_may_change_inside_a_file(tmp_path: Path) -> None:
    """IIS writes them anew when it starts, or is told to log others."""
    text = (
        f"{FIELDS['iis']}{IIS}#Date: 2014-01-02 00:00:00\n"
        "#Fields: time cs-method cs-uri-stem sc-status\n01:02:03 POST /other 500\n"
    )

    kept, tally = read(tmp_path, "iis", text)

    assert ["/blog/step2.png", "/other"] == [each.request.target for each in kept]
    assert 1388624523_000000000 == kept[1].start_ns
    assert not tally.skipped()


def test_older_cloudfront_logs_encode_twice(tmp_path: Path) -> None:
    """A blank of a user agent comes back from either."""
    text = FIELDS["cloudfront"] + CLOUDFRONT.replace("%20", "%2520")

    [kept], _ = read(tmp_path, "cloudfront", text)

    agent = dict(kept.request.headers)["user-agent"]
    assert "Mozilla/5.0 (Windows NT 10.0) Chrome/78" == agent


def test_letters_that_hold_a_blank_of_latin_1(tmp_path: Path) -> None:
    """The second byte of `\u00e0` in UTF-8 is one; it parts no columns."""
    text = FIELDS["iis"] + IIS.replace("step2.png", "voil\xc3\xa0.png")

    [kept], tally = read(tmp_path, "iis", text)

    assert "/blog/voil%C3%A0.png" == kept.request.target
    assert not tally.skipped()


def test_cookies_keep_their_names(tmp_path: Path) -> None:
    """Of a variable of nginx: capitals and underscores are part of a cookie's name."""
    line = json.dumps(
        {
            **json.loads(NGINX_JSON),
            "cookie_PHP_Sess": "7",
            "http_X_Some_Header": "8",
            "user_agent": "UA",
            "HTTP_USER_AGENT": "UA",
        }
    )

    [kept], _ = read(tmp_path, "nginx-json", line)

    assert "PHP_Sess=7" in dict(kept.request.headers)["cookie"]
    assert "8" == dict(kept.request.headers)["x-some-header"]
    names = [name for name, _ in kept.request.headers]
    assert len(names) == len(set(names))


def test_docker_wraps_lines(tmp_path: Path) -> None:
    """A line inside the JSON of Docker's own log is read."""
    line = '{"log":"%s\\n","stream":"stdout","time":"2026-01-01T00:00:00Z"}\n'
    text = line % ISTIO.rstrip().replace('"', '\\"')

    assert [SAMPLES["istio"].expected] == read(tmp_path, "envoy", text)[0]


COUNTS = {
    "apache-http-probing.log": ("accesslog", 75, {"unusable": 2}),
    "aws-alb-logs.log": ("alb", 6, {"served by the edge": 8}),
    "caddy-logs.log": ("caddy", 10, {"unusable": 1}),
    "traefik_json.log": ("traefik", 4, {"served by the edge": 2, "unusable": 1}),
}


@pytest.mark.parametrize("name", COUNTS)
def test_real_logs(tmp_path: Path, name: str) -> None:
    """Each real log is recognised, and every line of it is kept or accounted for."""
    source = REAL / name
    if not source.exists():
        pytest.skip("the real logs are not here")
    form, kept, skipped = COUNTS[name]

    recording = import_capture([source], tmp_path / "rec.parquet", key=b"k")

    assert (form, kept) == (recording.source_format, recording.exchanges)
    assert skipped == {each.reason: each.count for each in recording.skipped}
    lines = [line for line in source.read_bytes().split(b"\n") if line.strip()]
    assert len(lines) == kept + sum(skipped.values())


@pytest.mark.parametrize("name", COUNTS)
def test_real_logs_cut_anywhere(tmp_path: Path, name: str) -> None:
    """A real log that ends anywhere is imported, or refused in one message."""
    if not (REAL / name).exists():
        pytest.skip("the real logs are not here")
    content = (REAL / name).read_bytes()
    form, whole, _ = COUNTS[name]
    path = tmp_path / "log"
    for end in range(1, len(content), 97):
        path.write_bytes(content[:end])
        kept = list(READERS[form].read([Source(path)], None, Tally()))
        assert len(kept) <= whole


TEXTS = [sample.line.encode("latin-1") for sample in SAMPLES.values()]


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """A real line with some of it lost, doubled or replaced."""
    text = bytearray(draw(texts))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 9)))
        twice = st.just(bytes(text[start:end] * 2))
        text[start:end] = draw(st.binary(max_size=6) | twice)
    return bytes(text)


@pytest.mark.parametrize("name", LOGS)
@given(content=st.binary(max_size=200) | mutated(st.sampled_from(TEXTS)))
def test_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    """Each line that a file holds is an exchange or is counted, and nothing raised."""
    path = tmp_path_factory.getbasetemp() / f"any-{name}"
    path.write_bytes(b"\n" + content)  # a first line, lest it be taken for packed
    reader, tally = READERS[name], Tally()

    reader.sniff(content)
    kept = list(reader.read([Source(path)], None, tally))

    lines = [line for line in content.decode("latin-1").split("\n") if line.strip()]
    comments = sum(line.startswith("#") for line in lines)
    assert 0 <= len(lines) - len(kept) - sum(counts(tally).values()) <= comments


def test_a_forced_format_that_does_not_fit(tmp_path: Path) -> None:
    """It is refused with the first places."""
    path = tmp_path / "log"
    path.write_text(ENVOY * 3)

    with pytest.raises(RecordingError, match="3 of 3 entries are malformed") as caught:
        import_capture([path], tmp_path / "rec", key=b"k", format="alb")

    assert "log:1: not a time or number" in caught.value.message
