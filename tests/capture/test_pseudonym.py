from __future__ import annotations

import base64
import json
import re
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.pseudonym import Pseudonyms, is_pseudonym

if TYPE_CHECKING:
    from collections.abc import Mapping

PSEUDONYMS = Pseudonyms(b"a key for tests")


def luhn_valid(text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()][::-1]
    return (
        sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    ) % 10 == 0


@st.composite
def cards(draw: st.DrawFn) -> str:
    length = draw(st.integers(13, 19))
    first = draw(st.sampled_from("3456"))
    body = first + draw(st.text("0123456789", min_size=length - 2, max_size=length - 2))
    digits = next(filter(luhn_valid, (f"{body}{check}" for check in range(10))))
    separator = draw(st.sampled_from(["", " ", "-"]))
    return separator.join(digits[at : at + 4] for at in range(0, length, 4))


def token(header: Mapping[str, object] | None = None, /, **claims: object) -> str:
    parts = (header or {"alg": "HS256", "typ": "JWT"}, claims)
    coded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in parts
    ]
    return ".".join((*coded, "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"))


def part(jwt: str, place: int) -> dict[str, object]:
    part = jwt.split(".")[place]
    content: dict[str, object] = json.loads(
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    )
    return content


@given(cards())
def test_cards(card: str) -> None:
    """A card number keeps its length, separators, brand digit and Luhn's check."""
    hidden = PSEUDONYMS.of(card)
    assert card != hidden
    assert re.sub(r"\d", "0", card) == re.sub(r"\d", "0", hidden)
    assert card[0] == hidden[0]
    assert luhn_valid(hidden)
    digits = re.sub(r"\D", "", card)
    assert PSEUDONYMS.of(digits) == re.sub(r"\D", "", hidden)
    assert is_pseudonym(hidden)


@given(
    st.from_regex(r"[a-z]{1,8}[.+-]?[a-z_0-9]{1,8}@[a-z]{1,9}\.example", fullmatch=True)
)
def test_emails(email: str) -> None:
    """An e-mail address becomes one of a domain that is nobody's."""
    hidden = PSEUDONYMS.of(email)
    assert re.fullmatch(r"anon-[0-9a-f]{16}@example\.com", hidden)
    assert hidden == PSEUDONYMS.of(email.capitalize())
    assert is_pseudonym(hidden)
    assert not is_pseudonym(email)


@given(st.ip_addresses())
def test_addresses(address: object) -> None:
    """An address stays of its version, in a range that no host has."""
    hidden = ip_address(PSEUDONYMS.of(str(address)))
    assert getattr(address, "version", 0) == hidden.version
    assert hidden.is_reserved if hidden.version == 4 else hidden.is_private
    assert is_pseudonym(str(hidden))


def test_spellings_of_an_address_are_one() -> None:
    """IPv6 has many."""
    assert PSEUDONYMS.of("2001:db8::1") == PSEUDONYMS.of("2001:DB8:0:0:0:0:0:1")


@given(st.uuids())
def test_uuids(uuid: UUID) -> None:
    """A UUID keeps its version and variant, also inside another value."""
    for text in (str(uuid), str(uuid).upper(), f"s:{uuid}.sig"):
        hidden = PSEUDONYMS.of(text)
        assert str(uuid) not in hidden.lower()
        fresh = UUID(re.sub(r"^\w:|\.\w{3}$", "", hidden))
        assert (uuid.version, uuid.variant) == (fresh.version, fresh.variant)
        assert text.isupper() == hidden.isupper()
        assert is_pseudonym(hidden)


@pytest.mark.parametrize(
    "phone",
    ["+1 (415) 555-2671", "415-555-2671", "06 12 34 56 78", "030/1234567"],
)
def test_phones(phone: str) -> None:
    """A phone number keeps its shape, and its country."""
    hidden = PSEUDONYMS.of(phone)
    assert phone != hidden
    assert re.sub(r"\d", "0", phone) == re.sub(r"\d", "0", hidden)
    assert re.sub(r"\D", "", phone)[:2] == re.sub(r"\D", "", hidden)[:2]
    assert is_pseudonym(hidden)


def test_a_phone_number_is_one_however_it_is_written() -> None:
    """Separators do not tell people apart."""
    spellings = ("+14155552671", "+1 415 555 2671", "+1 (415) 555-2671")
    hidden = {re.sub(r"\D", "", PSEUDONYMS.of(phone)) for phone in spellings}
    assert len(hidden) == 1


def test_jwts() -> None:
    """A JWT can be read, and says when it expires, but not of whom it is."""
    times = {"exp": 1_700_000_000, "iat": 1_600_000_000, "nbf": 1_600_000_000.5}
    jwt = token(sub="alice", email="jo@shop.example", admin=True, **times)
    hidden = PSEUDONYMS.of(jwt)
    claims = part(hidden, 1)
    assert times == {name: claims[name] for name in times}
    assert {*times, "jti"} == {*claims}
    assert len(jwt.split(".")[2]) == len(hidden.split(".")[2])
    assert jwt.split(".")[2] != hidden.split(".")[2]
    assert is_pseudonym(hidden)
    assert not is_pseudonym(jwt)
    assert PSEUDONYMS.of(token(sub="bob", **times)) != hidden


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ({"alg": "RS256", "typ": "at+jwt"}, {"alg": "RS256", "typ": "at+jwt"}),
        ({"alg": "jo@shop.example", "typ": "JWT"}, {"typ": "JWT"}),
        ({"alg": "HS256", "typ": "jo@shop.example"}, {"alg": "HS256"}),
        ({"alg": "HS256", "cty": "jo@shop.example"}, {"alg": "HS256"}),
        ({"alg": "dir", "enc": "A256GCM", "x5u": "//jo"}, {"alg": "dir"}),
        ({"jku": "https://jo.example"}, {"alg": "none"}),
        ({"alg": 1, "typ": ["jo"]}, {"alg": "none"}),
    ],
)
def test_heads_of_jwts(header: dict[str, object], kept: dict[str, object]) -> None:
    """Algorithm and type stay where they are such; nothing else does."""
    jwt = token(header, sub="alice")
    hidden = PSEUDONYMS.of(jwt)
    assert kept == part(hidden, 0)
    assert is_pseudonym(hidden)
    own = hidden.split(".")
    assert is_pseudonym(".".join((jwt.split(".")[0], *own[1:]))) == (header == kept)


def test_keys_of_jwts_are_told_apart() -> None:
    """Their names are labels, since a name may be a person's."""
    mine, also_mine, yours = (
        PSEUDONYMS.of(token({"alg": "HS256", "kid": kid}, sub=sub))
        for kid, sub in (("jo@shop.example", "a"), ("jo@shop.example", "b"), ("k", "a"))
    )
    assert PSEUDONYMS.label("jo@shop.example") == part(mine, 0)["kid"]
    assert part(mine, 0) == part(also_mine, 0) != part(yours, 0)
    assert is_pseudonym(mine)
    header = token({"alg": "HS256", "kid": "jo@shop.example"}).split(".")[0]
    assert not is_pseudonym(".".join((header, *mine.split(".")[1:])))


@given(st.text("0123456789abcdef", min_size=8, max_size=64))
def test_hexadecimal_tokens(text: str) -> None:
    """Hexadecimal digits stay such, as many."""
    hidden = PSEUDONYMS.of(text)
    assert re.fullmatch(rf"[0-9a-f]{{{len(text)}}}", hidden)
    assert text.isdigit() == hidden.isdigit()
    assert text != hidden
    assert is_pseudonym(hidden) or hidden.strip("0") != hidden


@given(st.text(min_size=1, max_size=40))
def test_any_secret_keeps_its_shape(text: str) -> None:
    """Digits stay digits, capitals capitals, signs themselves; it is never the same."""
    hidden = PSEUDONYMS.of(text)
    assert text != hidden
    if not re.fullmatch(r"anon-[0-9a-f]{16}", hidden):
        assert len(text) == len(hidden)
        for before, after in zip(text, hidden, strict=True):
            assert before.isalnum() == after.isalnum()
            if not before.isalnum():
                assert before == after


@given(st.text("abcXYZ019-_.", min_size=16, max_size=60))
def test_own_pseudonyms_are_known_without_the_key(text: str) -> None:
    """Others, of which 16 characters or more could be drawn, hardly ever are."""
    drawn = [char for char in text if char.isalnum()]
    if len(drawn) >= 16 and not re.search(r"[0-9]{6}|\d\.\d", text):
        assert is_pseudonym(Pseudonyms(b"another key").of(text))


@pytest.mark.parametrize(
    "text",
    [
        "9f86d081884c7d659a2feaa0c55ad015",
        "AKIAIOSFODNN7EXAMPLE",
        "4111111111111111",
        "203.0.113.9",
        "2001:db8::1",
        "jo@example.com",
        "Zk3J9x0PqLm2Vt8R",
    ],
)
def test_real_values_are_no_pseudonyms(text: str) -> None:
    """Nor are the examples that documentation uses."""
    assert not is_pseudonym(text)


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("AKIAIOSFODNN7EXAMPLE", r"AKIA[A-Z0-9]{16}"),
        ("ghp_" + "aB3" * 12, r"ghp_\w{36}"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", r"sk_live_\w{24}"),
        ("xoxb-123456789012-abcDEF", r"xoxb-\d{12}-\w{6}"),
        ("AIza" + "Sy-0_" * 7, r"AIza[\w-]{35}"),
    ],
)
def test_keys_keep_their_makers_prefix(key: str, shape: str) -> None:
    """Its rest is drawn."""
    hidden = PSEUDONYMS.of(key)
    assert re.fullmatch(shape, hidden)
    assert key != hidden
    assert is_pseudonym(hidden)


def test_the_key_decides() -> None:
    """The same key gives the same pseudonyms, another others, and none come twice."""
    values = [f"Value-{number:06}" for number in range(500)]
    first, again, other = (
        [Pseudonyms(key).of(value) for value in values] for key in (b"a", b"a", b"b")
    )
    assert first == again
    assert not {*first} & {*other}
    assert len({*first}) == len(values)
    assert all(before != after for before, after in pairwise(sorted(first)))
