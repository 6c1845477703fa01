"""What is secret by its written form alone, wherever it stands in a text.

One pass over a text finds each value once. Forms that harmless numbers have as well are
left alone: digits without separators are a card number only with its check digit, never
a phone number; an address after `//` is a server's, after `Chrome/` a version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ADDRESS",
    "CARD",
    "CREDENTIAL",
    "EMAIL",
    "JWT",
    "KEY",
    "PHONE",
    "address_of",
    "hinted",
    "key_prefix",
    "kind_of",
    "replaced",
    "rewritten",
]

ADDRESS: Final = "address"
CARD: Final = "card number"
CREDENTIAL: Final = "credential"
EMAIL: Final = "e-mail"
JWT: Final = "JWT"
KEY: Final = "API key"
PHONE: Final = "phone number"

_CACHED: Final = 8192
_LONGEST_ADDRESS: Final = 64
_DOTS: Final = 3
_PHONE_DIGITS: Final = range(8, 16)
_NATIONAL_DIGITS: Final = range(9, 13)
_FIRST_OF_OWN: Final = 224
"""From here on IPv4 addresses are no host's: multicast, and reserved for ever."""

_JWT: Final = re.compile(
    r"eyJ(?<![\w-]eyJ)[\w-]{8,}\.[\w-]{8,}\.[\w-]*(?:\.[\w-]+){0,2}"
)
_KEY: Final = re.compile(
    r"(AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"
    r"|(gh[opsur]_)[0-9A-Za-z]{36,255}"
    r"|(github_pat_)\w{22,255}"
    r"|(glpat-)[\w-]{20,}"
    r"|((?:sk|rk|pk)_(?:live|test)_)[0-9A-Za-z]{16,}"
    r"|(whsec_)[0-9A-Za-z+/=]{16,}"
    r"|(sk-(?<![\w-]sk-)(?:ant-|proj-)?)(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}"
    r"|(xox[abeoprs]-|xapp-)[0-9A-Za-z-]{10,}"
    r"|(AIza)[\w-]{35}"
    r"|(ya29\.)[\w-]{20,}"
    r"|(npm_)[0-9A-Za-z]{36}"
    r"|(SG\.)[\w-]{16,}\.[\w-]{16,}"
    r"|(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]+(?:-(?!----)[^-]*)*"
)
"""A group for each maker's prefix, which stays; PEM may be cut off before its end."""

_KEY_MARK: Final = re.compile(
    r"A(?:KIA|SIA|Iza)|_(?<=gh[opsru]_)|_(?<=_pat_)|_(?<=live_)|_(?<=test_)"
    r"|_(?<=whsec_)|_(?<=npm_)|-(?<=sk-)|-(?<=glpat-)|x(?:ox|app-)|\.(?<=SG\.)"
    r"|\.(?<=ya29\.)|-----B"
)
"""In every key; each starts with a sign of its own, which is looked for fast."""

_AT: Final = re.compile(r"@(?=[\w\[])")
_USERINFO: Final = re.compile(r"(?<=://)[^/?#@\s\"'<>\\]{1,512}$")
_LOCAL: Final = re.compile(r"(?<![\w.+-])[\w.+'-]{1,64}$")
_DOMAIN: Final = re.compile(
    r"(?!\d(?:\.\d)?x\.)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@-])"
)
"""Of an e-mail address; `logo@2x.png` has none."""
_BEFORE_AT: Final = 600

_COLONS: Final = re.compile(r":[0-9a-fA-F]{0,4}:")
_V6: Final = re.compile(
    r"[0-9a-fA-F](?<![\w:.].)(?<!//\[.)[0-9a-fA-F]{3}:(?:[0-9a-fA-F]{0,4}:){1,6}"
    r"[0-9a-fA-F]{1,4}(?![\w:])"
)
_CARD: Final = (
    r"(?<=[2-6])(?:\d{12,18}"
    r"|\d{3}(?P<by4>[ .-])\d{4}(?P=by4)\d{4}(?P=by4)\d{1,4}(?:(?P=by4)\d{1,3})?"
    r"|\d{3}(?P<by6>[ .-])\d{6}(?P=by6)\d{4,5})(?![\w@]|\.\d)"
)
_V4: Final = (
    r"(?<=\d)(?<!//.)(?<![A-Za-z]-.)(?<!@.)\d{0,2}(?:\.\d{1,3}){3}"
    r"(?![\w@]|\.\w|-[A-Za-z])"
)
_PHONE: Final = (
    r"(?:(?<=\+)[1-9](?:[ .()/-]{0,2}\d){6,14}(?![\w@])"
    r"|(?:(?<=0)0[1-9]\d{0,2}(?=[ ./-])(?:[ ./-]?\d){6,12}"
    r"|(?<=\()[2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}"
    r"|(?<=[2-9])\d\d[.-][2-9]\d\d[ .-]\d{4}"
    r"|(?<=1)[ .-](?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[ .-]\d{4}"
    r"|(?<=\()0\d{1,4}\) ?\d{3,8}(?:[ -]\d{2,6})?"
    r"|(?<=0)[1-9](?P<by2>[ .-])\d\d(?:(?P=by2)\d\d){3}"
    r"|(?<=0)(?!\d{4}-\d{4}(?!\d))[1-9]\d{0,3}[ /-]\d{3,8}(?:[ -]\d{3,4})?)"
    r"(?![\w@]|[ .:/-]?\d))"
)
_NUMBER: Final = re.compile(
    rf"[\d+(](?<![\w.+].)(?:(?P<card>{_CARD})|(?P<v4>{_V4})|(?P<phone>{_PHONE}))"
)
"""The first character comes first, before what may not precede it: that is faster."""
_NUMERIC: Final = re.compile(
    r"\d(?:\d{12}|[ .)/-]{1,2}\d{2}|\.\d{1,3}\.\d)|\+\(?\d|:[0-9a-fA-F]{0,4}:"
)
_SHORTEST: Final = 13
"""Of letters and digits alone: the digits of a card number."""

_PRODUCT: Final = re.compile(r"(?:^|[\s(;\"])[A-Z][\w.-]*/$|\b[Vv]ersion:? $")
_NEARBY: Final = 32


def rewritten(
    pattern: re.Pattern[str],
    text: str,
    inside: Callable[[re.Match[str]], str],
    outside: Callable[[str], str],
) -> str:
    """The text, every match and every piece between two matches written anew."""
    pieces: list[str] = []
    done = 0
    for found in pattern.finditer(text):
        pieces += (outside(text[done : found.start()]), inside(found))
        done = found.end()
    return "".join((*pieces, outside(text[done:])))


def hinted(text: str) -> bool:
    """Whether there can be a value to find in a text in plain."""
    if len(text) < _SHORTEST and text.isalnum():
        return False
    return (
        "@" in text
        or "eyJ" in text
        or _NUMERIC.search(text) is not None
        or _KEY_MARK.search(text) is not None
    )


def replaced(text: str, put: Callable[[str, str], str]) -> str:
    """The text with `put(kind, value)` in the place of every value found."""
    if not hinted(text):
        return text
    if "eyJ" in text:
        text = _JWT.sub(lambda found: put(JWT, found[0]), text)
    if _KEY_MARK.search(text):
        text = _KEY.sub(lambda found: put(KEY, found[0]), text)
    if "@" in text:
        text = _at_signs(text, put)
    if _COLONS.search(text):
        text = _V6.sub(lambda found: _v6(found[0], put), text)
    return _NUMBER.sub(lambda found: _number(found, put), text)


def _at_signs(text: str, put: Callable[[str, str], str]) -> str:
    """E-mail addresses, and what a URL says of its user."""
    pieces: list[str] = []
    done = 0
    for found in _AT.finditer(text):
        end = found.start()
        before = text[max(done, end - _BEFORE_AT) : end]
        if name := _USERINFO.search(before):
            kind = CREDENTIAL
        elif name := _LOCAL.search(before[-66:]):
            domain = _DOMAIN.match(text, found.end())
            kind, end = EMAIL, domain.end() if domain else 0
        if name is None or not end:
            continue
        start = found.start() - len(name[0])
        pieces += (text[done:start], put(kind, text[start:end]))
        done = end
    return "".join((*pieces, text[done:]))


def _v6(text: str, put: Callable[[str, str], str]) -> str:
    return put(ADDRESS, text) if address_of(text) else text


def kind_of(value: str) -> str | None:
    """The kind of a value that is nothing else."""
    if value.startswith("eyJ") and _JWT.fullmatch(value):
        return JWT
    if _KEY.fullmatch(value):
        return KEY
    if address_of(value):
        return ADDRESS
    local, at, domain = value.partition("@")
    if at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain):
        return EMAIL
    found = _NUMBER.fullmatch(value)
    return _kind_of_number(found) if found else None


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address that the text is."""
    if len(text) > _LONGEST_ADDRESS or not (":" in text or text.count(".") == _DOTS):
        return None
    return _parsed(text)


@lru_cache(maxsize=_CACHED)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def key_prefix(value: str) -> int:
    """The length of the maker's prefix, where the value is a key of a known shape."""
    found = _KEY.fullmatch(value)
    return found.end(found.lastindex) if found and found.lastindex else 0


def _number(found: re.Match[str], put: Callable[[str, str], str]) -> str:
    kind = _kind_of_number(found)
    return put(kind, found[0]) if kind else found[0]


def _kind_of_number(found: re.Match[str]) -> str | None:
    """`None` for what only looks like it."""
    digits = [int(char) for char in found[0] if char.isdigit()]
    if found["card"]:
        return CARD if _luhn(digits) else None
    if found["v4"]:
        return ADDRESS if _is_host(found) else None
    lengths = _PHONE_DIGITS if found[0].startswith(("+", "00")) else _NATIONAL_DIGITS
    return PHONE if len(digits) in lengths else None


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_host(found: re.Match[str]) -> bool:
    address = address_of(found[0])
    if address is None or address.is_loopback or found[0].endswith(".0.0"):
        return False
    if not 0 < int(found[0].partition(".")[0]) < _FIRST_OF_OWN:
        return False
    before = found.string[max(0, found.start() - _NEARBY) : found.start()]
    return not _PRODUCT.search(before)
