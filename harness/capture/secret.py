"""What is secret: by its name, by its written form, or because a rule says so.

A name such as `password` or `secret_key` hides any value. One that is as often
harmless (`code`, `key`, `session`, `sort_key`) hides only what looks like a secret: at
least 16 characters without a space, one of them a digit or a capital. `tokens` hides
what is not a number, since that would be a count; `phone` and `card_number` hide what
has as many digits. What is secret by its form alone is in `shape`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, unquote_plus

from harness.capture.recall import remembered
from harness.capture.shape import (
    CARD,
    CREDENTIAL,
    EMAIL,
    JWT,
    KEY,
    PHONE,
    hinted,
    replaced,
    rewritten,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Put = Callable[[str, str], str]

__all__ = [
    "COOKIE",
    "DROPPED",
    "NO_RULES",
    "RULE",
    "TOKEN",
    "USER",
    "Mask",
    "Rules",
    "spelled",
]

COOKIE: Final = "cookie"
DROPPED: Final = "dropped header"
RULE: Final = "by rule"
TOKEN: Final = "token"
USER: Final = "user"

_SAID: Final = frozenset({CREDENTIAL, EMAIL, JWT, KEY})

_ANYTHING: Final = re.compile(r".+", re.DOTALL)
_RULED: Final = re.compile(r".+(?:)", re.DOTALL)
_NO_NUMBER: Final = re.compile(r"(?!-?[\d.]+$).+", re.DOTALL)
_OPAQUE: Final = re.compile(r"(?=\S*[A-Z\d])\S{16,}")
_PHONE: Final = re.compile(r"[ +]?(?:[ ().+/-]{0,2}\d){7,15}")
_CARD: Final = re.compile(r"(?:[ .+-]?\d){12,19}")
_VERSION: Final = re.compile(r"v?\d+(?:\.\d+)+[\w.+-]*")
_NONE: Final = ""
"""The kind of what stays, although it may look like an address."""

_SECRETS: Final = (
    (
        re.compile(
            r"^x?(?:auth|authentication|bearer|creds|csc|cvc2?|cvv2?|jwt|otp|pass"
            r"|passcode|pin|passphrase|pwd|samlrequest|samlresponse|sess|sid|sig|ticket)$"
            r"|(?:token|secret|signature|credentials?|nonce|authorization|oauth|jwt"
            r"|verifier|pwd|(?<!clas)sid|sessid|sessionid|usersession|authcode"
            r"|authorizationcode)$"
            r"|(?:access|api|auth|functions|private|secret|session|subscription)keys?$"
            r"|password|passwd|csrf|xsrf"
        ),
        _ANYTHING,
        TOKEN,
    ),
    (re.compile(r"tokens$"), _NO_NUMBER, TOKEN),
    (re.compile(r"^code$|(?:^|_)(?:keys?|session)$"), _OPAQUE, TOKEN),
    (
        re.compile(
            r"(?:phone|mobile|msisdn|telephone|whatsapp)(?:number|num|no|nr)?$"
            r"|(?:^|_)(?:tel|cell|fax|mob)$"
        ),
        _PHONE,
        PHONE,
    ),
    (re.compile(r"card(?:number|num|no|nr)$|^cc(?:number|num|no)$|^pan$"), _CARD, CARD),
    (re.compile(r"(?:version|^ver|release|build|firmware)$"), _VERSION, _NONE),
)
"""Names in either spelling of `spelled`; which values are secrets; their kind."""

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FILLERS: Final = re.compile(r"[^a-z0-9]+")
_SEPARATORS: Final = ("=", ":", ">", "/", "%", "&#", "\\u00")
_SUSPECTS: Final = (
    *("token", "secret", "pass", "pwd", "key", "sig", "ses", "sid", "jwt", "auth"),
    *("code", "csrf", "xsrf", "cred", "nonce", "otp", "pin", "saml", "ticket", "cvv"),
    *("verifier", "bearer", "cvc", "csc", "phone", "mobile", "msisdn", "whatsapp"),
    *("tel", "cell", "fax", "mob", "card", "ccn", "cc_n", "pan", "%", "&#", "\\u00"),
    *("reset", "activat", "unsub", "magic", "verif", "confirm"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the user wants otherwise.

    Attributes:
        names: a name that one of them matches as a whole hides any value.
        values: what one of them matches is hidden, wherever it is.
        allowed: names, as `spelled` joins them, whose values stay.
        dropped: headers that are removed, in lower case.
    """

    names: tuple[re.Pattern[str], ...] = ()
    values: tuple[re.Pattern[str], ...] = ()
    allowed: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()


NO_RULES: Final = Rules()


def spelled(name: str) -> tuple[str, str]:
    """`X-Api%4Bey` as `x_api_key` and as `xapikey`."""
    words = _FILLERS.sub("_", _HUMP.sub("_", unquote_plus(name)).lower()).strip("_")
    return words, words.replace("_", "")


def _parts(name: str) -> list[str]:
    """`user[password]` is about a user, and about a password."""
    return name.replace("]", "").split("[")


class Mask:
    """Finds what is secret and puts something in its place.

    Args:
        put: from a value's kind and the value in plain to what is to stand there.
        rules: the user's.
    """

    __slots__ = ("_known_under", "_rules", "put", "said", "values")

    def __init__(self, put: Put, rules: Rules) -> None:
        self.put = put
        self._rules = rules
        self.values = self._writing(put)
        """A text in plain, without the values that are secret by their form."""
        self.said = self._writing(self._put_said)
        """Likewise, for a text where numbers are versions, dates and sizes."""
        self._known_under = remembered(self._looked_up, len)

    def suspects(self, text: str) -> bool:
        """Whether there can be anything secret in a text of names and values."""
        return self.suspects_value(text) or self.suspects_name(text)

    def suspects_value(self, text: str) -> bool:
        """Whether there can be a value that is secret by its form."""
        return bool(self._rules.values) or hinted(text)

    def suspects_name(self, text: str) -> bool:
        """Whether there can be the name of a secret, or a value in another encoding."""
        if not any(map(text.__contains__, _SEPARATORS)):
            return False
        lower = text.lower()
        return bool(self._rules.names) or any(map(lower.__contains__, _SUSPECTS))

    def knows(self, name: str) -> bool:
        """Whether the name tells something of its values."""
        return self._known_under(name) is not None

    def hides(self, name: str) -> bool:
        """Whether some value under this name would be secret."""
        known = self._known_under(name)
        return known is not None and known[1] != _NONE

    def spares(self, name: str, value: str) -> bool:
        """Whether the value stays for the sake of its name."""
        known = self._known_under(name)
        return known is not None and not (known[1] or not known[0].fullmatch(value))

    def rules_on(self, name: str) -> bool:
        """Whether the user's rules say what becomes of any value under this name."""
        known = self._known_under(name)
        return known is not None and known[0] is _RULED

    def under(self, name: str, value: str) -> str | None:
        """What stands for a value in plain; `None` where the name does not tell."""
        known = self._known_under(name)
        if known is None or not known[0].fullmatch(unquote(value)):
            return None
        return self.put(known[1], value) if known[1] else value

    def _writing(self, put: Put) -> Callable[[str], str]:
        write = partial(replaced, put=put)
        for rule in self._rules.values:
            write = partial(rewritten, rule, inside=self._by_rule, outside=write)
        return write

    def _put_said(self, kind: str, value: str) -> str:
        return self.put(kind, value) if kind in _SAID else value

    def _by_rule(self, found: re.Match[str]) -> str:
        return self.put(RULE, found[0]) if found[0] else ""

    def _looked_up(self, name: str) -> tuple[re.Pattern[str], str] | None:
        spellings = [each for part in _parts(name) for each in spelled(part)]
        if not self._rules.allowed.isdisjoint(spellings):
            return _RULED, _NONE
        written = (unquote(name), *_parts(name))
        if any(rule.fullmatch(each) for rule in self._rules.names for each in written):
            return _RULED, RULE
        for names, values, kind in _SECRETS:
            if any(map(names.search, spellings)):
                return values, kind
        return None
