"""Value → pseudonym of the same form, keyed: the same value, the same pseudonym.

    e-mail    anon-<16 hex>@example.com
    address   240.0.0.0 to 254.255.255.255, or 2001:db8:5ea7::/48
    card      the first two digits, 0000, then drawn; Luhn-valid, separators kept
    phone     the first two digits, the others drawn; separators kept
    JWT       `alg`, `typ`, a `kid` of ours; `exp`, `iat`, `nbf`, a `jti` of ours;
              a dead signature
    others    letters, digits and hexadecimal words of the same length; the rest is kept

A pseudonym can be told from a real value without the key: by its range, or because its
last characters follow from those before them, one in four of them and at most eight.
Whoever has the key can test a guess against a pseudonym; nobody can undo one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, Final

from harness.capture.recall import remembered
from harness.capture.shape import (
    ADDRESS,
    CARD,
    EMAIL,
    JWT,
    PHONE,
    address_of,
    key_prefix,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Slots = Sequence[tuple[int, str]]

__all__ = ["Pseudonyms", "is_pseudonym"]

_HEX_DIGITS: Final = 16
_MARK: Final = b"seatrial"
_LEAST_MARKED: Final = 6
_MOST_MARK: Final = 8

_LABEL: Final = re.compile(r"anon-[0-9a-f]{16}")
_OWN_EMAIL: Final = re.compile(rf"{_LABEL.pattern}@example\.com")
_OWN_V6: Final = IPv6Network("2001:db8:5ea7::/48")
_FIRST_V4, _V4_BLOCKS = 240, 15
_CARD_ZEROS: Final = slice(2, 6)
_KEY_ID: Final = "kid"
_JOSE: Final = {
    "alg": re.compile(
        r"[A-Z]{2}(?:256|384|512)K?|EdDSA|none|dir|RSA-OAEP(?:-256)?|RSA1_5"
        r"|(?:ECDH-ES\+)?A(?:128|192|256)(?:GCM)?KW|ECDH-ES"
    ),
    "typ": re.compile(r"(?:application/)?(?:[a-z]{2,10}\+)?jwt", re.IGNORECASE),
    _KEY_ID: _LABEL,
}
"""What stays of a header, `kid` once it is ours; an `alg` stands for an empty one."""
_TIMES: Final = ("exp", "iat", "nbf")

_DIGITS: Final = "0123456789"
_HEX: Final = "0123456789abcdef"
_NO_HEX: Final = "ghijklmnopqrstuvwxyz"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_WORD: Final = re.compile(
    r"(?P<uuid>(?<![^\W_])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![^\W_]))"
    r"|(?P<digits>[0-9]+(?![^\W_]))|(?P<hex>(?:[0-9a-f]{4,}|[0-9A-F]{4,})(?![^\W_]))"
    r"|(?P<word>[^\W_]+)"
)
_VERSION, _VARIANT = 14, 19


class Pseudonyms:
    """Makes pseudonyms.

    Args:
        key: secret; the same key gives the same pseudonyms.
    """

    __slots__ = ("_key", "label", "of")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.of: Callable[[str], str] = remembered(self._of, len)
        """The pseudonym of a value in plain, of the value's own form."""
        self.label: Callable[[str], str] = remembered(self._label, len)
        """A pseudonym that only tells values apart: `anon-` and 16 hex digits."""

    def _of(self, value: str) -> str:
        write = _WRITERS.get(kind_of(value) or "", _shaped)
        return write(self, value)

    def _label(self, value: str) -> str:
        return f"anon-{self.drawn(value, _HEX_DIGITS // 2).hex()}"

    def drawn(self, value: str, count: int) -> bytes:
        """That many bytes that look random, always the same for a value."""
        message = value.encode(errors="surrogatepass")
        seed = hmac.digest(self._key, message, "sha256")
        return hashlib.shake_256(seed).digest(count)


def is_pseudonym(value: str) -> bool:
    """Whether a value in plain is one of ours, under whatever key.

    One that is too short to tell, with under 6 characters to draw, is not.
    """
    if _LABEL.fullmatch(value):
        return True
    kind = kind_of(value)
    known = _KNOWN.get(kind or "")
    if known:
        return known(value)
    slots = _phone_slots(value) if kind == PHONE else _slots(value)
    return _marks(slots) > 0 and value == _marked(value, slots)


def _is_own_email(value: str) -> bool:
    return _OWN_EMAIL.fullmatch(value) is not None


def _is_own_address(value: str) -> bool:
    address = address_of(value)
    if isinstance(address, IPv4Address):
        return address.packed[0] >= _FIRST_V4
    return address in _OWN_V6


def _is_own_card(value: str) -> bool:
    return "".join(filter(str.isdigit, value))[_CARD_ZEROS] == "0000"


def _is_own_jwt(value: str) -> bool:
    header, claims = map(_json_of, value.split(".")[:2])
    named = _LABEL.fullmatch(str(claims.get("jti"))) and header == _kept(header)
    return bool(named) and {*claims} <= {*_TIMES, "jti"}


def _email(pseudonyms: Pseudonyms, value: str) -> str:
    return f"{pseudonyms.label(value.lower())}@example.com"


def _address(pseudonyms: Pseudonyms, value: str) -> str:
    address = address_of(value)
    if isinstance(address, IPv4Address):
        first, *rest = pseudonyms.drawn(str(address), 4)
        return ".".join(map(str, (_FIRST_V4 + first % _V4_BLOCKS, *rest)))
    prefix = _OWN_V6.network_address.packed[:6]
    return str(IPv6Address(prefix + pseudonyms.drawn(str(address), 10)))


def _card(pseudonyms: Pseudonyms, value: str) -> str:
    digits = "".join(filter(str.isdigit, value))
    drawn = pseudonyms.drawn(digits, len(digits) - 7)
    body = digits[:2] + "0000" + "".join(_DIGITS[each % 10] for each in drawn)
    odd = [sum(divmod(2 * int(digit), 10)) for digit in body[::-2]]
    check = -(sum(odd) + sum(map(int, body[-2::-2]))) % 10
    fresh = iter(f"{body}{check}")
    return "".join(next(fresh) if char.isdigit() else char for char in value)


def _phone(pseudonyms: Pseudonyms, value: str) -> str:
    digits = "".join(filter(str.isdigit, value))
    return _written(value, _phone_slots(value), pseudonyms, digits)


def _phone_slots(value: str) -> Slots:
    """All but two digits; areas and exchanges start with 2 to 9 in some countries."""
    places = [place for place, char in enumerate(value) if char.isdigit()]
    area = [
        (place, "01" if value[place] in "01" else _DIGITS[2:]) for place in places[2:6]
    ]
    return [*area, *((place, _DIGITS) for place in places[6:])]


def _jwt(pseudonyms: Pseudonyms, value: str) -> str:
    head, body, signature, *_ = value.split(".")
    header, payload = _json_of(head), _json_of(body)
    if not header:
        return _shaped(pseudonyms, value)
    if _KEY_ID in header:
        header = {**header, _KEY_ID: pseudonyms.label(str(header[_KEY_ID]))}
    times = {
        name: payload[name]
        for name in _TIMES
        if isinstance(payload.get(name), int | float)
    }
    claims = {**times, "jti": pseudonyms.label(value)}
    dead = pseudonyms.drawn(value, len(signature) * 3 // 4)
    return ".".join(map(_base64url, (_json(_kept(header)), _json(claims), dead)))


def _kept(header: Mapping[str, Any]) -> Mapping[str, str]:
    kept = {
        name: header[name]
        for name, form in _JOSE.items()
        if form.fullmatch(str(header.get(name)))
    }
    return kept or {"alg": "none"}


def _json_of(part: str) -> Mapping[str, Any]:
    try:
        content = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _shaped(pseudonyms: Pseudonyms, value: str) -> str:
    slots = _slots(value)
    if not slots:
        return pseudonyms.label(value)
    return _written(value, slots, pseudonyms, value.replace(" ", "+"))


def _slots(value: str) -> Slots:
    """The places that change, each with the characters it may take."""
    start = key_prefix(value)
    return [
        slot
        for found in _WORD.finditer(value, start)
        for slot in _SLOTS[str(found.lastgroup)](found.start(), found[0])
    ]


def _uuid(start: int, word: str) -> Slots:
    """Version and variant stay."""
    return [
        (start + place, _cased(_HEX, word))
        for place, char in enumerate(word)
        if char != "-" and place not in {_VERSION, _VARIANT}
    ]


def _digits(start: int, word: str) -> Slots:
    """A zero in front stays, and none comes there."""
    first = [] if word[0] == "0" else [(start, _DIGITS[1:])]
    return [*first, *((start + place, _DIGITS) for place in range(1, len(word)))]


def _hex(start: int, word: str) -> Slots:
    """A letter in front, or by chance it might become a number."""
    rest = [(start + place, _cased(_HEX, word)) for place in range(1, len(word))]
    return [(start, _cased(_HEX[10:], word)), *rest]


def _letters(start: int, word: str) -> Slots:
    """The first letter is none of the hexadecimal digits, or it might become one."""
    slots: list[tuple[int, str]] = []
    letters = _NO_HEX
    for place, char in enumerate(word, start):
        if char in _DIGITS:
            slots.append((place, _DIGITS))
        else:
            slots.append((place, _cased(letters, char)))
            letters = _LETTERS
    return slots


def _cased(characters: str, like: str) -> str:
    return characters.upper() if like.isupper() else characters


_SLOTS: Final[Mapping[str, Callable[[int, str], Slots]]] = {
    "uuid": _uuid,
    "digits": _digits,
    "hex": _hex,
    "word": _letters,
}


def _written(value: str, slots: Slots, pseudonyms: Pseudonyms, message: str) -> str:
    """The value, its slots drawn; never the value itself."""
    while True:
        drawn = pseudonyms.drawn(message, len(slots))
        text = _marked(_filled(value, slots, drawn), slots)
        if text != value:
            return text
        message += "\0"


def _marks(slots: Slots) -> int:
    return min(_MOST_MARK, len(slots) // 4) if len(slots) >= _LEAST_MARKED else 0


def _marked(text: str, slots: Slots) -> str:
    """The text, its last slots drawn from all before them, without a key."""
    marks = _marks(slots)
    first = len(slots) - marks
    head = "".join(text[place] for place, _ in slots[:first]).encode()
    drawn = hashlib.shake_256(_MARK + head).digest(marks)
    return _filled(text, slots[first:], drawn)


def _filled(text: str, slots: Slots, drawn: bytes) -> str:
    characters = list(text)
    for (place, alphabet), byte in zip(slots, drawn, strict=True):
        characters[place] = alphabet[byte % len(alphabet)]
    return "".join(characters)


_WRITERS: Final[Mapping[str, Callable[[Pseudonyms, str], str]]] = {
    ADDRESS: _address,
    CARD: _card,
    EMAIL: _email,
    JWT: _jwt,
    PHONE: _phone,
}

_KNOWN: Final[Mapping[str, Callable[[str], bool]]] = {
    ADDRESS: _is_own_address,
    CARD: _is_own_card,
    EMAIL: _is_own_email,
    JWT: _is_own_jwt,
}
