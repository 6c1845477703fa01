from __future__ import annotations

import gzip
import json
import re
import string
import tracemalloc
import zlib
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.capture import accesslog, har
from harness.capture.batch import batches_of
from harness.capture.coding import plain
from harness.capture.pseudonym import Pseudonyms
from harness.capture.redact import Redactor
from harness.capture.secret import Rules
from harness.capture.source import Source
from harness.capture.tally import Tally
from harness.model.traffic import Exchange, Request, Response
from tests.capture.conftest import redacted_by

if TYPE_CHECKING:
    from collections.abc import Callable

REAL = Path(__file__).resolve().parents[2] / "../shared/data"
KEY = b"a key for tests"
REDACTOR = Redactor(KEY)
PSEUDONYMS = Pseudonyms(KEY)
SECRET = "sEcReT-Value-4711"
PSEUDONYM = PSEUDONYMS.of(SECRET)


def redacted(target: str = "/", body: bytes = b"", *, header: str = "") -> Exchange:
    name, colon, value = header.partition(": ")
    headers = ((name, value),) if colon else ()
    request = Request(method="POST", target=target, headers=headers, body=body)
    return redacted_by(
        REDACTOR, Exchange(start_ns=0, client="10.0.0.7", request=request)
    )


def header(name: str, value: str) -> str:
    return redacted(header=f"{name}: {value}").request.headers[0][1]


@pytest.mark.parametrize(
    "target",
    [
        f"/p?token={SECRET}",
        f"/p?a=1&access_token={SECRET}&b=2",
        f"/p?user[password]={SECRET}",
        f"/p?accessToken={SECRET}",
        f"/p?X-Amz-Signature={SECRET}",
        f"/p?%74oken={SECRET}",
        f"/p?a=1;sid={SECRET};b=2",
        f"/p?xsrf={SECRET}",
        f"/p;jsessionid={SECRET}/q?x=1",
        f"/p?next=%2Fq%3Fa%3D1%26code%3D{SECRET}",
        f"/p?next=http://{SECRET}@h/",
        f'/p?data={{"password":"{SECRET}"}}',
        f'/p?data={{"next":"/a?token={SECRET}"}}',
        f"/p?u=/a?token={SECRET}",
        f"/p?code={SECRET}",
        f"/p?key={SECRET}",
        f"/p?sort_key={SECRET}",
        f"/p?my_session={SECRET}",
        f"/p?tokens={SECRET}",
        f"/p?refreshTokens={SECRET}",
    ],
)
def test_secrets_leave_the_target(target: str) -> None:
    """A token parameter is hidden however its name and place are written."""
    assert target.replace(SECRET, PSEUDONYM) == redacted(target).request.target


@pytest.mark.parametrize(
    "name",
    [
        "secret_key",
        "secretKey",
        "auth_key",
        "authkey",
        "AuthKey",
        "auth_code",
        "user_session",
        "user[session_key]",
        "tokens",
    ],
)
def test_a_certain_secret_may_be_short(name: str) -> None:
    """Where the name leaves no doubt, the value need not look like a secret."""
    assert "abc" not in redacted(f"/p?{name}=abc").request.target
    assert (
        "abc"
        not in redacted(body=f'{{"{name}": "abc"}}'.encode()).request.body.decode()
    )


@pytest.mark.parametrize(
    "pair",
    [
        *(
            f"{name}={SECRET}"
            for name in (
                "keyword",
                "monkey",
                "country_code",
                "zipcode",
                "postcode",
                "barcode",
                "keyboard",
                "sessions",
                "encoder",
                "tokenizer",
                "author",
            )
        ),
        "code=DE",
        "key=name",
        "sort_key=created_at",
        "session=morning",
        "translationKey=checkout.button.confirm",
        "key=A%20title%20of%202%20words",
        "tokens=128",
        "maxTokens=4096",
    ],
)
def test_ordinary_names_and_values_stay(pair: str) -> None:
    """A name that only resembles a secret's, or a value that is none, stays."""
    name, _, value = pair.partition("=")
    body = f'{{"{name}": "{value}"}}'
    assert f"/p?{pair}" == redacted(f"/p?{pair}").request.target
    assert body == redacted(body=body.encode()).request.body.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authentication", "abc"),
        ("ocp-apim-subscription-key", "abc"),
        ("x-functions-key", "abc"),
        ("from", "jo@example.org"),
        ("x-forwarded-user", "jo@example.org"),
        ("remote-user", "jo"),
        ("x-user-email", "jo@example.org"),
        ("x-envoy-external-address", "10.0.0.7"),
        ("x-real-ip", "127.0.0.1"),
        ("x-anything", "10.0.0.7"),
        ("x-anything", "2001:db8::1"),
        ("x-anything", "jo@example.org"),
        ("x-anything", "jo%40example.org"),
    ],
)
def test_people_and_keys_leave_the_headers(name: str, value: str) -> None:
    """Users, addresses and subscription keys are hidden, however short."""
    assert PSEUDONYMS.of(unquote(value)) == unquote(header(name, value)) != value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "10.0.0.7"),
        ("user-agent", "curl/8.5.0"),
        ("x-time", "12:34:56"),
        ("x-app-version", "1.2.3.4"),
        ("x-size", "999.1.1.1"),
        ("x-from", "here"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
    ],
)
def test_ordinary_headers_stay(name: str, value: str) -> None:
    """The service's own address, versions, times and the browser are no secrets."""
    assert value == header(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cookie", f"sid={SECRET}; csrf={SECRET}"),
        ("cookie", SECRET),
        ("authorization", f"Bearer {SECRET}"),
        ("authorization", SECRET),
        ("proxy-authorization", f"Basic {SECRET}"),
        ("authorization", f'Digest username="{SECRET}", response={SECRET}'),
        ("x-api-key", SECRET),
        ("x-auth-token", SECRET),
        ("x-csrf-token", SECRET),
        ("referer", f"https://{SECRET}@h/p"),
        ("referer", f"https://h/p?token={SECRET}"),
        ("x-original-url", f"/p?token={SECRET}"),
        ("link", f"<https://h/p?token={SECRET}>; rel=next"),
        ("location", f"/callback#access_token={SECRET}&state=x"),
        ("cookie2", f"a={SECRET}"),
        ("set-cookie", f"a={SECRET}; Path=/; Max-Age=3600; HttpOnly"),
        ("set-cookie", f"a={SECRET}; Expires=Wed, 21 Oct 2026 07:28:00 GMT b={SECRET}"),
        ("set-cookie", f'a="{SECRET}"; Secure; SameSite=Lax,b={SECRET}'),
        ("x-data", f'{{"token": "{SECRET}"}}'),
    ],
)
def test_secrets_leave_the_headers(name: str, value: str) -> None:
    """Credentials in headers are hidden."""
    assert value.replace(SECRET, PSEUDONYM) == header(name, value)


@pytest.mark.parametrize(
    "body",
    [
        f"user=x&password={SECRET}",
        f'{{"user": "x", "password": "{SECRET}"}}',
        f'[{{"a": {{"apiKey" : "{SECRET}"}}}}]',
        f'{{"tokens": 1, "refresh_token": ["{SECRET}", "{SECRET}"]}}',
        f'--b\r\nContent-Disposition: form-data; name="pwd"\r\n\r\n{SECRET}\r\n--b--',
        f"<login><ns:password>{SECRET}</ns:password></login>",
    ],
)
def test_secrets_leave_the_body(body: str) -> None:
    """Form, JSON, multipart and XML bodies lose their secrets, nothing else."""
    result = redacted(body=body.encode()).request.body.decode()
    assert body.replace(SECRET, PSEUDONYM) == result


def test_addresses_become_clients() -> None:
    """Client addresses go, in the client and in the headers that carry them."""
    result = redacted(header="x-forwarded-for: 10.0.0.7, 2001:db8::1")
    first, second = result.request.headers[0][1].split(", ")
    assert PSEUDONYMS.of("10.0.0.7") == first == result.client
    assert PSEUDONYMS.of("2001:db8::1") == second
    assert "10.9.8.7" not in header("forwarded", 'for="10.9.8.7:4711";proto=http')


def test_what_is_known_of_a_credential_stays() -> None:
    """The scheme of Authorization and the names of cookies are not secret."""
    assert header("authorization", "Bearer abc").startswith("Bearer ")
    names = re.findall(r'(\w+)="?(\w)', header("cookie", 'a=1; b="2"; c='))
    assert ["a", "b"] == [name for name, _ in names]


def test_basic_credentials_stay_readable() -> None:
    """User and password are hidden one by one, as a form that has them hides them."""
    value = header(
        "authorization", "Basic " + b64encode(f"jo:{SECRET}".encode()).decode()
    )
    pair = b64decode(value.removeprefix("Basic ")).decode()
    assert f"{PSEUDONYMS.of('jo')}:{PSEUDONYM}" == pair


def test_equal_values_are_equal_pseudonyms() -> None:
    """However a value was percent-encoded, and only under the same key."""
    spellings = ("a%2Fb%20c%24", "a/b+c%24", "%61%2fb%20c%24")
    targets = {redacted(f"/?token={value}").request.target for value in spellings}
    assert len(targets) == 1
    assert header("x-api-key", "a/b c$") == unquote(targets.pop().partition("=")[2])
    exchange = Exchange(
        start_ns=0, client="c", request=Request(method="GET", target="/")
    )
    other = redacted_by(Redactor(b"another"), exchange)
    assert redacted_by(REDACTOR, exchange).client != other.client


_WORD = st.text(string.ascii_letters + "-._~%/:;+ü", max_size=8)


@given(st.lists(st.tuples(st.sampled_from(["q", "page", "x%20y"]), _WORD), max_size=4))
def test_other_targets_keep_their_bytes(pairs: list[tuple[str, str]]) -> None:
    """A target without secrets is not touched."""
    target = "/a%2Fb/ü?" + "&".join(f"{name}={value}" for name, value in pairs)
    assert target == redacted(target).request.target


@given(st.binary(max_size=60))
def test_binary_bodies_pass(body: bytes) -> None:
    """Whatever a body holds, redaction neither fails nor changes a secretless one.

    But for one that begins as a packed file does, and is none.
    """
    assume(not body.startswith((b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd")))
    assert body == redacted(body=body).request.body


def test_long_garbage_passes() -> None:
    """Thousands of separators, as scanners send them, are no problem."""
    for garbage in ("?" + "a=" * 9999, "?" + "a;" * 9999, "?u=" + "%25" * 9999):
        target = f"/{garbage}@key"
        assert target == redacted(target).request.target


@pytest.mark.parametrize(
    "body",
    [
        f'\ufeff {{"password": "{SECRET}"}}',
        f')]}}\',\n{{"password": "{SECRET}"}}',
        f')]}}\',\n[{{"a": "it\'s", "password": "{SECRET}", "b": "it\'s"}}]',
        f'{{"token": {{"a": {{"b": ["{SECRET}", {{"c": "{SECRET}"}}], "ttl": 60}}}}}}',
        f'{{"tokens": [["{SECRET}"], {{"x": "{SECRET}"}}], "user": "x"}}',
        f'data={{"password":"{SECRET}"}}',
        f'a=1&data={quote_plus(chr(123) + chr(34) + "pin" + chr(34))}:"{SECRET}"}}&b=2',
    ],
)
def test_secrets_leave_json_wherever_it_is(body: str) -> None:
    """JSON after a guard, deep below a secret key, or in a parameter is hidden."""
    result = unquote_plus(redacted(body=body.encode()).request.body.decode())
    assert unquote_plus(body).replace(SECRET, PSEUDONYM) == result


def test_what_is_beside_a_secret_in_json_stays() -> None:
    """The end of what a secret key holds is the end of hiding."""
    body = f'[{{"token": {{"a": ["{SECRET}"]}}, "user": "x"}}, "y", {{"user": ["z"]}}]'
    result = redacted(body=body.encode()).request.body.decode()
    assert body.replace(SECRET, PSEUDONYM) == result


@given(st.text(max_size=20), st.sampled_from(["u=/a?token=", "a=", "a={"]))
def test_no_text_stops_redaction(text: str, start: str) -> None:
    """A form with any characters, nested or not, is redacted."""
    body = f"{start}{text}&u=\u20ac/?token={SECRET}".encode(errors="surrogatepass")
    assert SECRET.encode() not in redacted(body=body).request.body


def test_half_a_character_has_a_pseudonym() -> None:
    """JSON can escape a surrogate without its partner."""
    body = redacted(body=b'{"password": "\\ud800x"}').request.body.decode()
    assert re.fullmatch(r'{"password": "\\ud800\w"}', body)
    assert "x" not in body


def test_answers() -> None:
    """What an answer sets or tells is hidden under the name that the request shows."""
    token = "Zk3J9x0PqLm2Vt8R"
    exchange = Exchange(
        start_ns=0,
        client="c",
        request=Request(method="GET", target="/", headers=(("x-csrf", token),)),
        response=Response(
            status=200,
            headers=(("set-cookie", f"sid={token}; Path=/"), ("x-csrf", token)),
            body=json.dumps({"csrf_token": token}).encode(),
        ),
    )

    redacted = redacted_by(Redactor(b"key"), exchange)

    assert token not in repr(redacted)
    assert redacted.response is not None
    assert redacted.request.headers[0] in redacted.response.headers
    assert redacted.request.headers[0][1] in repr(redacted.response.body)


def test_real_traffic_stays() -> None:
    """In the real log only addresses of crawlers' makers and session ids change."""
    log = REAL / "elastic_apache_combined_10k.log"
    if not log.exists():
        pytest.skip("the real log is not here")
    redactor = Redactor(KEY)
    for exchange in accesslog.read([Source(log)], None, Tally()):
        redacted = redacted_by(redactor, exchange)
        assert exchange.request.target == redacted.request.target
    counts = {each.reason: each.count for each in redactor.redacted()}
    assert {"e-mail": 198, "token": 5, "address": 1} == counts


def test_real_pages_stay() -> None:
    """Of a megabyte of real pages and scripts no number seems to be a person's."""
    if not (REAL / "har").is_dir():
        pytest.skip("the real archives are not here")
    redactor = Redactor(KEY)
    read_bytes = 0
    for archive in sorted((REAL / "har").glob("*.har")):
        for exchange in har.read([Source(archive)], None, Tally()):
            redacted_by(redactor, exchange)
            if exchange.response and exchange.response.body:
                read_bytes += len(exchange.response.body)
    counts = {each.reason: each.count for each in redactor.redacted()}
    assert read_bytes > 1_000_000
    assert not {"card number", "phone number", "API key", "JWT"} & {*counts}
    assert counts["address"] <= 10


def test_a_batch_is_redacted_as_its_exchanges_are() -> None:
    """One by one or all at once: the same pseudonyms in the same places."""
    given = [
        Exchange(
            start_ns=number,
            client=f"10.0.0.{number % 3}",
            request=Request(
                method="GET",
                target=f"/{number}?token={SECRET}",
                headers=(("cookie", f"a={SECRET}"),),
            ),
            response=Response(
                status=200, headers=(("set-cookie", f"a={SECRET}"),), body=b"x"
            )
            if number % 2
            else None,
        )
        for number in range(9)
    ]
    [batch] = batches_of(given)

    redacted_batch = list(REDACTOR.redact(batch).exchanges())

    assert [redacted_by(REDACTOR, each) for each in given] == redacted_batch
    assert SECRET not in str(redacted_batch)


def test_what_comes_again_counts_again() -> None:
    """In a batch and in the next, although it is looked through once."""
    request = Request(method="GET", target=f"/?token={SECRET}")
    exchange = Exchange(start_ns=0, client="c", request=request)
    redactor = Redactor(KEY)
    for batch in batches_of([exchange] * 6, rows=4):
        redactor.redact(batch)
    assert [("token", 6)] == [(each.reason, each.count) for each in redactor.redacted()]


def packed_by(codec: str) -> Callable[[bytes], bytes]:
    return lambda content: pa.compress(content, codec, asbytes=True)


PACKERS = [
    ("gzip", gzip.compress),
    ("X-GZip", gzip.compress),
    ("deflate", zlib.compress),
    ("br", packed_by("brotli")),
    ("zstd", packed_by("zstd")),
    ("deflate, gzip", lambda content: gzip.compress(zlib.compress(content))),
    ("identity", bytes),
]


def sent(coding: str, body: bytes) -> tuple[bytes, Redactor]:
    """What is recorded of a body in that coding, and what recorded it."""
    headers = (("content-encoding", coding),) if coding else ()
    request = Request(method="POST", target="/", headers=headers, body=body)
    exchange = Exchange(start_ns=0, client="c", request=request)
    redactor = Redactor(KEY)
    return redacted_by(redactor, exchange).request.body, redactor


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
def test_secrets_leave_packed_bodies(
    coding: str, pack: Callable[[bytes], bytes]
) -> None:
    """Whatever a body is packed in, it is so again; without a secret, byte for byte."""
    given = f'{{"password": "{SECRET}"}}'.encode()
    body, redactor = sent(coding, pack(given))
    expected = given.replace(SECRET.encode(), PSEUDONYM.encode())
    assert expected == plain(body, coding, 1 << 20)
    assert () == redactor.adapted()
    harmless = pack(b'{"a": 1}')
    assert harmless == sent(coding, harmless)[0]


def test_secrets_leave_all_of_a_packed_body() -> None:
    """Gzip may have several members, and a file may be packed twice, or undeclared."""
    first, second = b'{"token": "', f'{SECRET}"}}'.encode()
    expected = first + second.replace(SECRET.encode(), PSEUDONYM.encode())
    members = gzip.compress(first) + gzip.compress(second)
    for coding in ("gzip", ""):
        assert expected == gzip.decompress(sent(coding, members)[0])
    twice = sent("gzip", gzip.compress(members))[0]
    assert expected == gzip.decompress(gzip.decompress(twice))
    frame = packed_by("zstd")(first + second)
    assert expected == plain(sent("", frame)[0], "zstd", 1 << 20)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(SECRET.encode())[:-4]),
        ("gzip", gzip.compress(b"") + SECRET.encode()),
        ("", gzip.compress(SECRET.encode())[:-4]),
        ("deflate", zlib.compress(b"") + SECRET.encode()),
        ("br", packed_by("brotli")(SECRET.encode())[:-4]),
        ("compress", SECRET.encode()),
        ("gzip", gzip.compress(bytes(17 << 20))),
    ],
)
def test_what_cannot_be_read_is_left_out(coding: str, body: bytes) -> None:
    """A body that is damaged, enormous or in an unknown coding is none, and counted."""
    kept, redactor = sent(coding, body)
    assert b"" == kept
    assert [("sent without its body, which cannot be unpacked", 1)] == [
        (each.reason, each.count) for each in redactor.adapted()
    ]
    assert () == redactor.redacted()


def test_answers_are_in_no_coding() -> None:
    """Their readers undid it; what cannot be unpacked all the same is left out."""
    for body, kept in ((b"hello", b"hello"), (b"\x1f\x8b\x08" + b"?" * 20, None)):
        exchange = Exchange(
            start_ns=0,
            client="c",
            request=Request(method="GET", target="/"),
            response=Response(
                status=200, headers=(("content-encoding", "gzip"),), body=body
            ),
        )
        response = redacted_by(REDACTOR, exchange).response
        assert response is not None
        assert kept == response.body


@pytest.mark.parametrize("form", ["{}", "pin{}=", "pin=:{}", '{"pin{}": "{}"}'])
def test_large_bodies_are_not_held(form: str) -> None:
    """What was redacted is forgotten, whatever is remembered to save work."""
    redactor = Redactor(KEY)
    tracemalloc.start()
    for letter in string.ascii_lowercase[:20]:
        body = form.replace("{}", letter * 100_000).encode()
        request = Request(method="POST", target="/", body=body)
        redacted_by(redactor, Exchange(start_ns=0, client="c", request=request))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000


PEM = "\n".join(
    ("-----BEGIN RSA PRIVATE KEY-----", f"{SECRET.replace('-', '')}+/8abcd==")
)
PEM_END = "\n-----END RSA PRIVATE KEY-----\n"
LOCKED = (
    "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B2C3D4E5F60718293A4B5C6D7E8F9"
)


@pytest.mark.parametrize(
    "text",
    [
        PEM + PEM_END,
        PEM,
        PEM.replace("\n", f"\n{LOCKED}\n\n") + PEM_END,
        f"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n{PEM}{PEM_END}\r\n--b--",
        json.dumps({"x": PEM + PEM_END}),
    ],
)
def test_private_keys_leave_the_body(text: str) -> None:
    """In PEM, with or without a passphrase, whole or cut off; the frame may stay."""
    written = redacted(body=text.encode()).request.body.decode()
    assert "-----BEGIN RSA PRIVATE KEY-----" in written
    assert text.count("-----END RSA") == written.count("-----END RSA")
    assert "sEcReT" not in written
    assert "0A1B2C" not in written


@pytest.mark.parametrize(
    "name",
    [
        'name="password"',
        "name=password",
        "name = 'password'",
        "filename=x; name=password",
        'name="pass\\"word"',
        "name*=utf-8''pass%77ord",
        "name=x; name*=UTF-8'en'password",
    ],
)
def test_secrets_leave_parts_of_any_name(name: str) -> None:
    """The name of a part may lack its quotes, or be written in an extended way."""
    body = f"--b\r\nContent-Disposition: form-data; {name}\r\n\r\n{SECRET}\r\n--b--"
    written = redacted(body=body.encode()).request.body.decode()
    assert body.replace(SECRET, PSEUDONYM) == written


def test_heads_of_parts_are_redacted() -> None:
    """The name of a file may be an address, also in the extended way."""
    head = "Content-Disposition: form-data; name=f; filename*=utf-8''jo%40shop.test"
    written = redacted(body=f"--b\n{head}\n\nx\n--b--".encode()).request.body.decode()
    assert "jo%40" not in written
    assert PSEUDONYMS.of("jo@shop.test") in unquote(written)


def test_a_boundary_is_one_at_the_start_of_a_line() -> None:
    """The same characters inside a value do not part it."""
    value = "Zk3J9x0P--bqLm2Vt8R"
    body = f'--b\n\n\n--b\nContent-Disposition: form-data; name="pwd"\n\n{value}\n--b--'
    written = redacted(body=body.encode()).request.body.decode()
    assert body.replace(value, PSEUDONYMS.of(value)) == written


@pytest.mark.parametrize(
    "text",
    [
        f'{{"user":"a","password":"{SECRET}',
        f'{{"user":"a","password":"{SECRET}\\',
        f'{{"password":"{SECRET}\n{{"user":"a","password":"{SECRET}"}}\n',
        f'{{"token": ["a", {{"b": "{SECRET}',
        f"{{'user': 'a', 'password': '{SECRET}'}}",
        f"{{'user':'a','password':'{SECRET}",
        f"{{b'user': b'a', u'password': u'{SECRET}'}}",
        f"[{{'user': \"d'or\", 'password' : '{SECRET}', 'age': 7}}]",
        f'{{"note": "it\'s", "password": "{SECRET}", "end": "it\'s"}}',
    ],
)
def test_secrets_leave_what_is_nearly_json(text: str) -> None:
    """It may be cut off inside a string, or have the quotes of Python."""
    written = redacted(body=text.encode()).request.body.decode()
    assert SECRET not in written
    assert "Value" not in written
    assert "password" in written or "token" in written
    assert len(text) - len(written) in {0, -1}, written


@pytest.mark.parametrize(
    "text",
    [
        "[2026-01-01] login {} from here",
        "[2026-01-01] login from {}",
        "[{}]",
        "[{}, {}]",
        "{{}}",
        '[x] "{}',
        "[x] it isn't {}, isn't it",
        "[email=={}]",
        "{'email': '{}', 'password': 'hunter2'}",
    ],
)
@pytest.mark.parametrize(
    "value", ["alice@example.com", "81.2.69.142", "4111 1111 1111 1111", "+14155552671"]
)
def test_brackets_do_not_hide(text: str, value: str) -> None:
    """A text that begins as JSON does may be none: numbers in it are its words."""
    given = text.replace("{}", value)
    for written in (
        redacted(body=given.encode()).request.body.decode(),
        header("x-debug", given),
        unquote(redacted(f"/s?q={quote(given)}").request.target),
        unquote(redacted(f"/s?q={quote(given, ' []{}')}").request.target),
    ):
        assert value not in written
        assert "hunter2" not in written
        assert PSEUDONYMS.of(value) in written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ask {}&#64;x now", "alice@shop.test"),
        ("ask {}\\u0040x now", "alice@shop.test"),
        ("//{}/x", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
        ("see https://jo@{}/x", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
    ],
)
def test_secrets_leave_beside_escapes_and_as_hosts(text: str, value: str) -> None:
    """A word is read as it is besides; only the name of a host stays."""
    given = text.replace("{}", value)
    for written in (
        redacted(body=given.encode()).request.body.decode(),
        redacted(given if given[0] == "/" else f"/{quote(given)}").request.target,
    ):
        assert value not in unquote(written)
        assert PSEUDONYMS.of(value) in unquote(written)


def test_a_rule_that_matches_an_empty_text() -> None:
    """Between characters there is nothing to hide; around it all else stays."""
    rules = Rules(values=(re.compile(r"\b|x-\d+"),))
    request = Request(method="GET", target="/", headers=(("x-note", "an x-17 here"),))
    exchange = Exchange(start_ns=0, client="c", request=request)

    found = redacted_by(Redactor(KEY, rules), exchange).request.headers[0][1]

    assert ("an ", " here") == (found[:3], found[-5:])
    assert len(found) == len("an x-17 here")
