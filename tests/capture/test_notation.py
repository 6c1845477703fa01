"""Secrets of every kind, in every place and encoding: none is left."""

from __future__ import annotations

import base64
import json
import re
from html import escape, unescape
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.capture.pseudonym import Pseudonyms
from harness.capture.redact import Redactor
from harness.model.traffic import Exchange, Request, Response
from tests.capture.conftest import redacted_by

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = b"a key for tests"
REDACTOR = Redactor(KEY)
PSEUDONYMS = Pseudonyms(KEY)


def luhn(digits: str) -> str:
    total = sum(
        sum(divmod(int(digit) * (2 - place % 2), 10))
        for place, digit in enumerate(reversed(digits))
    )
    return f"{digits}{-total % 10}"


def digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most)


def base64url(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def grouped(number: str, separator: str) -> str:
    return separator.join(number[at : at + 4] for at in range(0, len(number), 4))


EMAILS = st.from_regex(
    r"[a-z]{2,9}[.+]?[a-z0-9]{2,9}@[a-z]{3,9}\.(com|co\.uk)", fullmatch=True
)
V4 = st.tuples(
    st.integers(1, 223).filter(lambda first: first != 127),
    st.integers(0, 255),
    st.integers(1, 255),
    st.integers(0, 255),
).map(lambda octets: ".".join(map(str, octets)))
V6 = st.integers(0x2001 << 112, (0x3FFF << 112) - 1).map(
    lambda number: ":".join(f"{number:032x}"[at : at + 4] for at in range(0, 32, 4))
)
CARDS = st.builds(
    lambda first, rest, separator: grouped(luhn(first + rest), separator),
    st.sampled_from("3456"),
    digits(11, 17),
    st.sampled_from(["", " ", "-"]),
)
PHONES = st.one_of(
    digits(9, 10).map(lambda number: f"+4{number}"),
    digits(4, 4).map(lambda number: f"+1 (415) 555-{number}"),
    digits(4, 4).map(lambda number: f"(415) 555-{number}"),
    digits(4, 4).map(lambda number: f"415-555-{number}"),
    digits(7, 7).map(lambda number: f"0170 {number}"),
    digits(4, 4).map(lambda number: f"020 7946 {number}"),
)
JWTS = st.builds(
    lambda user, end: ".".join(
        (
            base64url({"alg": "HS256", "typ": "JWT"}),
            base64url({"sub": user, "exp": end}),
            base64.urlsafe_b64encode(f"{user:>32}".encode()).rstrip(b"=").decode(),
        )
    ),
    st.text("abcdef", min_size=4, max_size=20),
    st.integers(0, 2_000_000_000),
)
_ALNUM = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"
KEYS = st.one_of(
    st.text("0123456789ABCDEFGHJK", min_size=16, max_size=16).map("AKIA{}".format),
    st.text(_ALNUM, min_size=36, max_size=36).map("ghp_{}".format),
    st.text(_ALNUM, min_size=24, max_size=24).map("sk_live_{}".format),
    st.text(_ALNUM, min_size=24, max_size=24).map("xoxb-{}".format),
    st.text(_ALNUM, min_size=35, max_size=35).map("AIza{}".format),
)
BY_FORM = st.one_of(EMAILS, V4, V6, CARDS, PHONES, JWTS, KEYS)
BY_NAME = st.one_of(
    st.text(_ALNUM + "-_.~", min_size=12, max_size=40),
    st.text(_ALNUM + "+/=", min_size=12, max_size=40),
    st.text("0123456789abcdef", min_size=16, max_size=64),
    st.uuids().map(str),
    BY_FORM,
).filter(lambda text: sum(map(str.isalnum, text)) >= 10)


def _every_byte(value: str) -> str:
    return "".join(f"%{byte:02X}" for byte in value.encode())


def _twice(value: str) -> str:
    return quote(quote(value, safe=""), safe="")


def _raw(value: str) -> str:
    plain = re.fullmatch(r"[\w@.:~-]+|\+\d+", value)
    return value if plain else quote(value, safe="")


def _json_escapes(value: str) -> str:
    escapes = (f"\\u{ord(char):04x}" for char in value)
    return f'"{"".join(escapes)}"'


def _json_slashes(value: str) -> str:
    return json.dumps(value).replace("/", "\\/")


def _json_in_json(value: str) -> str:
    return json.dumps(json.dumps({"x": value}))


def _decimal_entities(value: str) -> str:
    return "".join(f"&#{ord(char)};" for char in value)


def _entities(value: str) -> str:
    return "".join(f"&#x{ord(char):x};" for char in value)


URL = (_raw, quote_plus, _every_byte, _twice)
ONCE = URL[:3]
CODED = URL[1:3]
JSON = (json.dumps, _json_escapes, _json_slashes)
TAGS = (escape, _decimal_entities, _entities)
PLAIN = (str,)

BY_FORM_PLACES = {
    "path": ("target", "/users/{}/orders", URL),
    "end of the path": ("target", "/users/{}", URL),
    "query": ("target", "/p?a=1&q={}&b=2", URL),
    "query without a name": ("target", "/p?{}", URL),
    "parameter's name": ("target", "/p?{}=1", ONCE),
    "query with semicolons": ("target", "/p?a=1;q={};b=2", URL),
    "query of arrays": ("target", "/p?filter[q]={}", URL),
    "path's parameter": ("target", "/p;q={}/x", URL),
    "JSON in a query": ("target", "/p?q=%7B%22x%22%3A%22{}%22%7D", CODED),
    "URL in a query": ("target", "/p?next=https%3A%2F%2Fh.example%2Fu%3Fq%3D{}", CODED),
    "referer": ("referer", "https://shop.example/p?q={}", URL),
    "header": ("x-note", "{}", PLAIN),
    "header of JSON": ("x-note", '{"q": {}}', JSON),
    "cookie": ("cookie", "a=1; q={}; b=2", (_raw, quote, _every_byte)),
    "form": ("body", "a=1&q={}&b=2", URL),
    "form's first": ("body", "q={}&b=2", URL),
    "JSON": ("body", '{"a": 1, "q": {}, "b": [1.5, null]}', JSON),
    "JSON array": ("body", '[[1, {}], {"x": {}}]', JSON),
    "JSON key": ("body", "{{}: true}", JSON),
    "deep in JSON": ("body", '{"a": {"b": [{"c": {}}]}}', (*JSON, _json_in_json)),
    "lines of JSON": ("body", '{"a": 1}\n{"q": {}}\n', JSON),
    "guarded JSON": ("body", ")]}',\n[{}]", JSON),
    "sentence in JSON": ("body", '{"q": "Ask {}, please."}', PLAIN),
    "URL in JSON": ("body", '{"q": "https://h.example/p?a=1&q={}"}', ONCE),
    "multipart": (
        "body",
        '--b1\r\nContent-Disposition: form-data; name="q"\r\n\r\n{}\r\n--b1--\r\n',
        PLAIN,
    ),
    "JSON in multipart": (
        "body",
        '--b1\r\nContent-Type: application/json\r\n\r\n{"q": {}}\r\n--b1--\r\n',
        JSON,
    ),
    "text": ("body", "<p>Dear {}, hello</p>", TAGS),
    "element": ("body", "<?xml version='1.0'?><a><q>{}</q></a>", TAGS),
    "CDATA": ("body", "<a><![CDATA[{}]]></a>", PLAIN),
    "attribute": ("body", '<a title="{}">x</a>', TAGS),
    "attribute in single quotes": ("body", "<a title='{}'>x</a>", TAGS),
    "comment": ("body", "<p>x</p><!-- {} -->", PLAIN),
    "input": ("body", '<form><input name="q" value="{}"></form>', TAGS),
    "link": ("body", '<a href="/p?a=1&amp;q={}">x</a>', ONCE),
    "script": ("body", '<script>var state = {"q": {}};</script>', JSON),
    "sentence": ("body", "Please ask {}, soon.", PLAIN),
    "line": ("body", "x\n{}\n", PLAIN),
    "table": ("body", "id,who\n1,{}\n", PLAIN),
    "coded in a sentence": ("body", "See https://h.example/p?q={} there", ONCE),
}
BY_NAME_PLACES = {
    "query": ("target", "/p?a=1&access_token={}&b=2", URL),
    "query, name coded": ("target", "/p?%74oken={}", ONCE),
    "path's parameter": ("target", "/p;jsessionid={}/x", ONCE),
    "JSON in a query": ("target", "/p?q=%7B%22pin%22%3A%22{}%22%7D", CODED),
    "URL in a query": ("target", "/p?next=%2Fq%3Fa%3D1%26ticket%3D{}", CODED),
    "authorization": ("authorization", "Bearer {}", PLAIN),
    "key": ("x-api-key", "{}", PLAIN),
    "set-cookie": ("set-cookie", "sid={}; Path=/; HttpOnly", (quote, str)),
    "location": ("location", "/cb?a=1#access_token={}", ONCE),
    "cookie": ("cookie", "a=1; sid={}", (quote, str)),
    "form": ("body", "user=jo&password={}", URL),
    "form that begins with an ampersand": ("body", "&user=jo&password={}", URL),
    "form with a flag": ("body", "remember&password={}", URL),
    "JSON": ("body", '{"user": "jo", "password": {}}', JSON),
    "deep in JSON": ("body", '{"token": {"a": [{"b": {}}]}}', JSON),
    "URL in JSON": ("body", '{"next": "/a?token={}"}', ONCE),
    "multipart": (
        "body",
        '--b1\r\nContent-Disposition: form-data; name="pwd"\r\n\r\n{}\r\n--b1--\r\n',
        PLAIN,
    ),
    "element": ("body", "<a><ns:password x='1'>{}</ns:password></a>", TAGS),
    "CDATA": ("body", "<a><secret><![CDATA[{}]]></secret></a>", PLAIN),
    "input": ("body", '<input type=hidden name="csrf_token" value="{}">', TAGS),
    "meta": ("body", '<meta name="csrf-token" content="{}" />', TAGS),
    "attribute": ("body", '<div data-csrf="{}"></div>', TAGS),
    "link": ("body", '<a href="/p?a=1&amp;token={}">x</a>', ONCE),
    "script": ("body", '<script>let csrfToken = "{}";</script>', PLAIN),
    "GraphQL": ("body", 'mutation { login(password: "{}") }', PLAIN),
}
MAILED = (
    *("/reset/{}", "/account/password_reset/MQ/{}/", "/users/verify-email/17/{}"),
    *("/en/resetPassword/{}/new", "/email/confirmation/{}?x=1", "/unsubscribe/{}"),
    *("/accounts/activate/{}/", "/email/verify/17/{}", "/magic-login/{};a=1"),
)
"""Paths that are sent in a mail, and let in whoever has them."""
DRAWN = st.one_of(
    st.text("0123456789abcdef", min_size=32, max_size=64),
    st.text(_ALNUM + "-_:", min_size=20, max_size=43),
    st.uuids().map(str),
).filter(lambda text: re.search("[0-9][A-Za-z]|[A-Za-z][0-9]", text))


def every_plain(text: str) -> str:
    """The text and what it says in any encoding, as far as there is one."""
    seen = [text]
    for _ in range(4):
        text = unquote(text, errors="surrogateescape")
        text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
        text = unescape(text).replace("\\/", "/").replace('\\"', '"')
        seen.append(text)
    return "\n".join((*seen, *(each.replace("+", " ") for each in seen)))


def written(where: str, text: str) -> list[str]:
    """What redaction makes of the text there: in a request, and in an answer."""
    target = text if where == "target" else "/"
    headers = () if where in {"target", "body"} else ((where, text),)
    body = text.encode(errors="surrogateescape") if where == "body" else b""
    redacted = redacted_by(
        REDACTOR,
        Exchange(
            start_ns=0,
            client="c",
            request=Request(method="POST", target=target, headers=headers, body=body),
            response=Response(status=200, headers=headers, body=body),
        ),
    )
    assert redacted.response is not None
    ways = (redacted.request, redacted.response)
    if where == "target":
        return [redacted.request.target]
    if where == "body":
        return [(way.body or b"").decode(errors="surrogateescape") for way in ways]
    return [dict(way.headers)[where] for way in ways]


def hidden_everywhere(
    value: str, where: str, form: str, codings: tuple[Callable[[str], str], ...]
) -> None:
    for coding in codings:
        for text in written(where, form.replace("{}", coding(value))):
            plain = every_plain(text)
            assert value not in plain, (coding.__name__, text)
            assert PSEUDONYMS.of(value) in plain, (coding.__name__, text)


@pytest.mark.parametrize("place", BY_FORM_PLACES)
@settings(max_examples=10)
@given(value=BY_FORM)
def test_what_is_secret_by_its_form(place: str, value: str) -> None:
    """E-mails, addresses, cards, phones, JWTs and keys go wherever they are."""
    hidden_everywhere(value, *BY_FORM_PLACES[place])


FRAGMENTS = (
    *("a=", "&", ";", "?", "#", "/", "//", "://", "@", "%", "%41", "%ED%A0%80", "%FF"),
    *('{"', '"', ":", "}", "[", "]", ",", "\\", "\\u", "\\ud800", "\\u0040", "1e9"),
    *("<", ">", "</", "<!--", "<![CDATA[", "]]>", "&#64;", "&#xD800;", "name=", "'"),
    *("token", "password", "--b\r\n", "\r\n\r\n", "eyJhbGciOi.eyJhbGciOi.", "\ufeff"),
    *(
        "jo@x.org",
        "10.1.2.3",
        "2001:db8::1",
        "+14155552671",
        "\x00",
        "\udc80",
        "\x1f\x8b",
    ),
)


@settings(max_examples=300)
@given(pieces=st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=14))
def test_nothing_stops_redaction(pieces: list[str]) -> None:
    """Any text is redacted, or stays, whatever it is cut from; and no body is lost."""
    text = "".join(pieces)
    body = text.encode(errors="surrogatepass")
    for content in (body, b"{" + body, b"<" + body, b"--b\r\n" + body, b"a=" + body):
        redacted = redacted_by(
            REDACTOR,
            Exchange(
                start_ns=0,
                client=text,
                request=Request(
                    method="POST",
                    target=f"/{text}",
                    headers=(("x-a", text), ("cookie", text), ("location", text)),
                    body=content,
                ),
                response=Response(status=200, body=content),
            ),
        )
        assert redacted.response is not None
        assert redacted.request.body == redacted.response.body


@pytest.mark.parametrize("place", BY_NAME_PLACES)
@settings(max_examples=10)
@given(value=BY_NAME)
def test_what_is_secret_by_its_name(place: str, value: str) -> None:
    """Whatever a secret looks like, its name in any notation hides it.

    But in a URL in a query, encoded once, a plus is a blank.
    """
    written = value.replace("+", "-") if place == "URL in a query" else value
    hidden_everywhere(written, *BY_NAME_PLACES[place])


@pytest.mark.parametrize("path", MAILED)
@settings(max_examples=10)
@given(value=DRAWN)
def test_what_is_secret_in_a_path(path: str, value: str) -> None:
    """A token behind such a word goes, in a target and in every link to it."""
    hidden_everywhere(value, "target", path, PLAIN)
    link = f"https://shop.test{path}"
    hidden_everywhere(value, "referer", link, PLAIN)
    for body in ('{"l": "%s"}', '<a href="%s">x</a>', "a=1&l=%s", "See %s now"):
        hidden_everywhere(value, "body", body % link.replace("?x=1", ""), PLAIN)


@pytest.mark.parametrize(
    "target",
    [
        "/reset/how-to-reset-iphone-15-in-a-minute",
        "/reset/caf%C3%A9-der-sommer-in-paris-am-meer",
        "/app/reset-password/page-1a2b3c4d5e6f7a8b.js",
        "/presets/0f8fad5bd9cb469fa16570867728950e",
        "/orders/0f8fad5bd9cb469fa16570867728950e",
        "/invite/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "/hooks/0f8fad5bd9cb469fa16570867728950e",
        "/checkout/confirm/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "/password/reset",
    ],
)
def test_what_is_no_secret_in_a_path(target: str) -> None:
    """Titles, files, and what stands behind a word that has ids behind it stay."""
    assert [target] == written("target", target)


@pytest.mark.parametrize("secret", ["hunter2", "1234", "x"])
@pytest.mark.parametrize(
    "form",
    ['mutation { login(password: "{}") }', "&user=bob&password={}", "flag&pwd={}"],
)
def test_short_secrets(form: str, secret: str) -> None:
    """A password need not be long to be hidden by its name."""
    for text in written("body", form.replace("{}", secret)):
        assert not re.search(rf"[=\"]{secret}(?![\w])", text), text
