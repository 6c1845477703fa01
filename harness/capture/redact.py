"""Exchange → Exchange with pseudonyms, before anything is written.

What identifies a person or opens a door becomes `anon-` and 16 hexadecimal digits: a
truncated HMAC-SHA256 under the user's key, separate for each kind of value. The same
value gives the same pseudonym, however it was percent-encoded, so sessions, caches and
joins behave as recorded. All else stays byte for byte.

A name such as `password` or `secret_key` hides any value. One that is as often
harmless (`code`, `key`, `session`, `sort_key`) hides only what looks like a secret: at
least 16 characters without a space, one of them a digit or a capital. `tokens` hides
what is not a number, since that would be a count.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus, unquote, unquote_plus

from harness.capture.batch import Batch
from harness.model.traffic import Exchange, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.traffic import Response

    Mask = Callable[[str, str], str]
    Rule = Callable[[Mask, str], str]

__all__ = ["Redactor"]

_HEX_DIGITS: Final = 16
_CACHED: Final = 8192
_NESTED: Final = 3

_ANYTHING: Final = re.compile(r".+", re.DOTALL)
_NO_NUMBER: Final = re.compile(r"(?!-?[\d.]+$).+", re.DOTALL)
_OPAQUE: Final = re.compile(r"(?=\S*[A-Z\d])\S{16,}")
_SECRETS: Final = (
    (
        re.compile(
            r"^x?(?:auth|authentication|bearer|creds|cvv|jwt|otp|pass|passcode|pin"
            r"|passphrase|pwd|samlrequest|samlresponse|sess|sid|sig|ticket)$"
            r"|(?:token|secret|signature|credentials?|nonce|authorization|oauth|jwt"
            r"|verifier|pwd|sid|sessid|sessionid|usersession|authcode"
            r"|authorizationcode)$"
            r"|(?:access|api|auth|functions|private|secret|session|subscription)keys?$"
            r"|password|passwd|csrf|xsrf"
        ),
        _ANYTHING,
    ),
    (re.compile(r"tokens$"), _NO_NUMBER),
    (re.compile(r"^code$|(?:^|_)(?:keys?|session)$"), _OPAQUE),
)
"""Names in either spelling of `_spellings`, and which of their values are secrets."""

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FILLERS: Final = re.compile(r"[^a-z0-9]+")
_SENDS_VALUES: Final = re.compile(r"[=@]|eyJ")
_SUSPECT: Final = re.compile(
    r"token|secret|pass|pwd|key|sig|ses|sid|jwt|auth|code|csrf|xsrf|cred|nonce|otp|pin"
    r"|saml|ticket|verifier|bearer|cvv|eyj|[@%]"
)
_JWT: Final = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
_USERINFO: Final = re.compile(r"(?<=://)([^/?#@\s]+)(?=@)")
_PATH_PARAM: Final = re.compile(r"(?<=;)([^=;/]+)=([^;/]+)")
_ADDRESS: Final = re.compile(
    r"\[?(?:[0-9a-f]*:){2,}[0-9a-f:.%]*\]?|\d{1,3}(?:\.\d{1,3}){3}", re.IGNORECASE
)
_JSON: Final = re.compile(r"[\ufeff\s]*(?:\)\]\}',?\s*)?[{\[]")
_JSON_TOKEN: Final = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d[\d.eE+-]*)|(?P<opens>[{\[])|(?P<closes>[}\]])",
    re.DOTALL,
)
_FORM_PART: Final = re.compile(
    r'(;\s*name="([^"]*)"[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n)(.*?)(?=\r?\n--)',
    re.DOTALL,
)
_XML_ELEMENT: Final = re.compile(r"(<(?:[\w-]+:)?([\w-]+)\b[^<>]*>)([^<>]+)(?=</)")


def _spellings(name: str) -> tuple[str, str]:
    """`X-Api%4Bey` as `x_api_key` and as `xapikey`."""
    words = _FILLERS.sub("_", _HUMP.sub("_", unquote_plus(name)).lower()).strip("_")
    return words, words.replace("_", "")


@lru_cache(maxsize=_CACHED)
def _secrets_under(name: str) -> re.Pattern[str] | None:
    """What a parameter's value must look like to be a secret; `None`: none ever is."""
    parts = name.replace("]", "").split("[")
    spelled = [spelling for part in parts for spelling in _spellings(part)]
    for names, values in _SECRETS:
        if any(map(names.search, spelled)):
            return values
    return None


def _is_secret(name: str, value: str) -> bool:
    """Whether a parameter of this name, in any spelling, obviously holds a secret."""
    values = _secrets_under(name)
    return values is not None and bool(values.fullmatch(unquote(value)))


def _token(mask: Mask, value: str) -> str:
    return mask("token", unquote_plus(value))


def _jwt(mask: Mask, text: str) -> str:
    return _JWT.sub(lambda found: mask("token", found[0]), text)


def _parameter(mask: Mask, pair: str, depth: int) -> str:
    """One `name=value` of a query; also several with `;`, as older servers take it."""
    parts = pair.split(";")
    for place, part in enumerate(parts):
        name, _, value = part.partition("=")
        if _is_secret(name, value):
            secret = ";".join((value, *parts[place + 1 :]))
            return ";".join((*parts[:place], f"{name}={_token(mask, secret)}"))
        if value and depth:
            parts[place] = f"{name}={_nested(mask, value, depth - 1)}"
    return ";".join(parts)


def _nested(mask: Mask, value: str, depth: int) -> str:
    """A value that may be JSON or a URL, encoded again only if it was changed."""
    plain = unquote_plus(value, errors="surrogateescape")
    inner = _json(mask, plain) if _JSON.match(plain) else plain
    if "=" in inner or "@" in inner:
        inner = _url(mask, inner, depth)
    return value if inner == plain else quote_plus(inner, errors="surrogateescape")


def _form(mask: Mask, text: str, depth: int = _NESTED) -> str:
    return "&".join(_parameter(mask, pair, depth) for pair in text.split("&"))


def _url(mask: Mask, url: str, depth: int = _NESTED) -> str:
    if not _SENDS_VALUES.search(url) or not _SUSPECT.search(url.lower()):
        return url
    path, mark, query = url.partition("?")
    path = _USERINFO.sub(lambda found: mask("credential", found[0]), path)
    path = _PATH_PARAM.sub(
        lambda found: (
            f"{found[1]}={_token(mask, found[2])}"
            if _is_secret(found[1], found[2])
            else found[0]
        ),
        path,
    )
    return _jwt(mask, f"{path}{mark}{_form(mask, query, depth)}")


def _cookies(mask: Mask, value: str) -> str:
    return "; ".join(_cookie(mask, crumb.strip()) for crumb in value.split(";"))


def _cookie(mask: Mask, crumb: str) -> str:
    name, equals, value = crumb.partition("=")
    if not equals:
        name, value = "", name
    plain = unquote_plus(value.strip().strip('"'))
    return f"{name}{equals}{mask('cookie', plain)}" if plain else crumb


def _credentials(mask: Mask, value: str) -> str:
    scheme, space, secret = value.partition(" ")
    return (
        f"{scheme}{space}{mask('credential', secret)}"
        if secret
        else mask("credential", scheme)
    )


def _addresses(mask: Mask, value: str) -> str:
    return _ADDRESS.sub(lambda found: mask("client", found[0].strip("[]")), value)


def _json(mask: Mask, text: str) -> str:
    """Whatever is under a secret key; numbers further below only count or date it."""
    above = [("", "")]  # the secret key over texts, and over numbers

    def token(found: re.Match[str]) -> str:
        kind, literal = found.lastgroup, found[0]
        if kind == "opens":
            above.append(above[-1])
        elif kind == "closes":
            del above[max(1, len(above) - 1) :]
        elif kind == "key":
            name = _json_text(literal)
            secret = _secrets_under(name) is not None
            above[-1] = (name, name) if secret else (above[-2:][0][0], "")
        elif name := above[-1][kind == "number"]:
            value = _json_text(literal)
            return f'"{_token(mask, value)}"' if _is_secret(name, value) else literal
        return literal

    return _jwt(mask, _JSON_TOKEN.sub(token, text))


def _json_text(literal: str) -> str:
    try:
        return str(json.loads(literal, strict=False))
    except json.JSONDecodeError:
        return literal.strip('"')


def _person(mask: Mask, value: str) -> str:
    return mask("user", value) if value else value


def _named(form: re.Pattern[str]) -> Rule:
    """The rule for a form whose match has what comes before, the name, the value."""

    def rule(mask: Mask, text: str) -> str:
        return form.sub(
            lambda found: (
                found[1] + _token(mask, found[3])
                if _is_secret(found[2], found[3])
                else found[0]
            ),
            text,
        )

    return rule


_HEADERS: Final[tuple[tuple[re.Pattern[str], Rule], ...]] = (
    (re.compile(r"(?:proxy-)?authorization|authentication"), _credentials),
    (re.compile(r"(?:set-)?cookie2?"), _cookies),
    (re.compile(r"referer|link|(?:.+-)?(?:host|version|url|uri)"), _url),
    (
        re.compile(
            r"forwarded|(?:.+-)?(?:client-ip|connecting-ip|real-ip|forwarded-for"
            r"|external-address)"
        ),
        _addresses,
    ),
    (re.compile(r"from|(?:.+-)?(?:user|username|email)"), _person),
)
"""Names in lower case; the others go by their value and by `_SECRETS`."""

_BODIES: Final[tuple[tuple[re.Pattern[str], Rule], ...]] = (
    (_JSON, _json),
    (re.compile(r"\s*--[^\r\n]+\r?\n"), _named(_FORM_PART)),
    (re.compile(r"\s*<"), _named(_XML_ELEMENT)),
    (re.compile(r"[^\s=&]+=\S*"), _form),
)


@lru_cache(maxsize=_CACHED)
def _rule_for(header: str) -> Rule | None:
    return next((rule for names, rule in _HEADERS if names.fullmatch(header)), None)


def _header(mask: Mask, name: str, value: str) -> str:
    if (rule := _rule_for(name)) is not None:
        return rule(mask, value)
    if _is_secret(name, value):
        return _token(mask, value)
    if _is_address(value):
        return _addresses(mask, value)
    return _url(mask, value) if "://" in value else _jwt(mask, value)


def _is_address(text: str) -> bool:
    if not _ADDRESS.fullmatch(text):
        return False
    try:
        return bool(ip_address(text.strip("[]")))
    except ValueError:
        return False


def _body(mask: Mask, body: bytes) -> bytes:
    """The first rule whose form the body has; the declared type is often wrong."""
    text = body.decode(errors="surrogateescape")
    if not _SUSPECT.search(text.lower()):
        return body
    for form, rule in _BODIES:
        if form.match(text):
            return rule(mask, text).encode(errors="surrogateescape")
    return _jwt(mask, text).encode(errors="surrogateescape")


class Redactor:
    """Puts pseudonyms into exchanges.

    Args:
        key: secret; the same key gives the same pseudonyms.
    """

    __slots__ = ("_client", "_header", "_key", "_request")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._client = lru_cache(maxsize=_CACHED)(self._masked_client)
        self._header = lru_cache(maxsize=_CACHED)(self._masked_header)
        self._request = lru_cache(maxsize=_CACHED)(self._masked_request)

    def pseudonym(self, kind: str, value: str) -> str:
        """The pseudonym of a value; kinds keep equal values of two sorts apart."""
        message = f"{kind}\0{value}".encode(errors="surrogatepass")
        return f"anon-{hmac.digest(self._key, message, 'sha256').hex()[:_HEX_DIGITS]}"

    def redact(self, exchange: Exchange) -> Exchange:
        """The exchange with pseudonyms for its client and its secrets."""
        return Exchange(
            start_ns=exchange.start_ns,
            client=self._client(exchange.client),
            session=exchange.session,
            request=self._request(exchange.request),
            response=self._response(exchange.response),
        )

    def redact_batch(self, batch: Batch) -> Batch:
        """The same of many."""
        return Batch(
            starts_ns=batch.starts_ns,
            clients=batch.clients.of_each(self._client),
            requests=batch.requests.of_each(self._request),
            responses=batch.responses.of_each(self._response),
        )

    def _response(self, response: Response | None) -> Response | None:
        if response is None:
            return None
        if not response.headers and response.body is None:
            return response
        return replace(
            response,
            headers=self._headers(response.headers),
            body=response.body and _body(self.pseudonym, response.body),
        )

    def _headers(
        self, headers: tuple[tuple[str, str], ...]
    ) -> tuple[tuple[str, str], ...]:
        return tuple([(name, self._header(name, value)) for name, value in headers])

    def _masked_client(self, client: str) -> str:
        return self.pseudonym("client", client)

    def _masked_header(self, name: str, value: str) -> str:
        return _header(self.pseudonym, name, value)

    def _masked_request(self, request: Request) -> Request:
        """The same object where there is nothing to hide, as in most requests."""
        mask = self.pseudonym
        target = _url(mask, request.target)
        headers = self._headers(request.headers)
        body = _body(mask, request.body) if request.body else b""
        if (target, headers, body) == (request.target, request.headers, request.body):
            return request
        return replace(request, target=target, headers=headers, body=body)
