"""Texts in the notations that they are written in, one inside another.

URL, form, JSON, multipart, XML and HTML, and prose, which also is any script. Each
value is read in plain, percent-encoding, JSON escapes and entities undone, and written
as it was; what holds no secret stays byte for byte. A value inside a value, such as
JSON in a parameter of a URL in JSON, is followed three levels down.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from harness.capture.escape import (
    coded,
    decoded,
    encoded,
    entities,
    json_string,
    json_text,
    unescaped,
)
from harness.capture.secret import TOKEN
from harness.capture.shape import CREDENTIAL, rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.capture.secret import Mask

    Notation = Callable[[Mask, str, int], str]

__all__ = ["body", "plain", "url"]

_DEEP: Final = 3

_ORIGIN: Final = re.compile(
    r"((?:[a-zA-Z][\w+.-]{0,20}:)?//)(?:([^/?#@\s]++)(?=@))?([^/?#]*)"
)
_ENCODED: Final = re.compile(r"[%{\[]")
_NAMES: Final = re.compile(r"(?<![^?&;#/=])([^?&;#/=]++)=")
_JSON: Final = re.compile(r"[\ufeff\s]*(?:\)\]\}',?\s*)?[{\[]")
_STRING: Final = r'"[^"\\\n]*(?:(?:\\.|\n(?!\{"))[^"\\\n]*)*'
_SINGLE: Final = (
    r"(?:(?<=[\[{(,:=\s])|(?<=\b[bru]))'[^'\\\n]*(?:(?:\\.|\n(?!\{'))[^'\\\n]*)*"
)
"""Strings without their end, which they may lack: at the latest a next line of JSON."""
_JSON_TOKEN: Final = re.compile(
    rf"(?P<key>{_STRING}\"|{_SINGLE}')(?=\s*:)|(?P<text>{_STRING}\"|{_SINGLE}')"
    rf"|(?P<cut>{_STRING}\\?|{_SINGLE}\\?)|(?P<opens>[{{\[])|(?P<closes>[}}\]])"
    r"|(?P<number>(?<=[:,\[])\s*-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![^\s,}\]]|\s+[\d(]))",
    re.DOTALL,
)
_INTEGER: Final = re.compile(r"-?[1-9]\d{2,}")
_MULTIPART: Final = re.compile(
    r"\s*(--[^\r\n]+)\r?\n(?=(?:[\w-]+:[^\n]*\n)*?content-[\w-]+:|.*\n\1--\s*\Z)",
    re.IGNORECASE | re.DOTALL,
)
_BLANK_LINE: Final = re.compile(r"\r?\n\r?\n")
_PART_NAME: Final = re.compile(
    r";\s*name(?:\*\s*=\s*[^\s';]*'[^\s';]*'|\s*=\s*)(\"(?:[^\"\\]|\\.)*\"|[^\s;\"]+)",
    re.IGNORECASE | re.DOTALL,
)
_MARKUP: Final = re.compile(r"[\ufeff\s]*<")
_FORM: Final = re.compile(r"(?:[^\s=&(){}<>\"',]*&)*+[^\s=&(){}<>\"',]+=\S*")
_LETS_IN: Final = (
    r"(?i:/(?:[\w-]*[_-])?(?:(?:password[_-]?)?reset(?:[_-]?password)?|activat(?:e|ion)"
    r"|unsubscribe|magic(?:[_-]?(?:link|login))?|verif(?:y|ication)|verify[_-]?(?:e?mail|account)"
    r"|confirm[_-]?(?:e?mail|account)|(?:e?mail|account)/confirm(?:ation)?)/)"
)
"""Parts of a path behind which a mail has what lets in, and a service has no ids."""
_MAILED: Final = re.compile(
    rf"(?P<name>{_LETS_IN})(?:[\w=-]{{1,19}}/)?"
    r"(?![^/;?#]*\.[A-Za-z][A-Za-z\d]{1,4}(?:[/;?#]|$))"
    r"(?!(?:[A-Za-z]+|\d+)(?:[-_.~](?:[A-Za-z]+|\d+))*+(?:[/;?#]|$))"
    r"(?=[\w.~=:-]*\d)(?=[^/;?#]*[A-Za-z])"
    r"(?P<token>(?:[\w.~=:-]|%(?:2[BFbf]|3[ADad])){20,})(?=[/;?#]|$)"
)
"""Such as `/reset/MQ/TOKEN`; neither files nor titles, `/reset/how-to-reset-tv-7`."""
_URL: Final = re.compile(r"(?:[a-zA-Z][\w+.-]{0,20}:)?/\S[^\r\n]*")

_ELEMENT: Final = re.compile(r"(<!\[CDATA\[|<[^<>]*>)([^<]*)")
_OPENING: Final = re.compile(r"<(?:[\w-]+:)?([\w-]+)(?:[^<>]*[^<>/])?>")
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w:.@*-])([\w:.@*-]++)(\s*+=\s*+)(\"[^\"]*+\"|'[^']*+'|[^\s\"'<>=`]++)"
)
_LABELS: Final = ("name", "id", "property", "itemprop")
_LABELLED: Final = frozenset({"value", "content", "data-value"})
_LINKING: Final = frozenset({"href", "src", "action", "formaction", "poster"})
_HARMLESS: Final = frozenset({"accesskey", "d", "points", "transform"})
"""Attributes that seem to hold a secret, or an address in what is drawn."""
_CDATA_END: Final = "]]>"

_BINARY: Final = "\0"
_ASSIGNED: Final = re.compile(
    r"((?<![=!])[:=]\s{0,4}\\{0,3}[\"'])([^\"'\\\s]{1,4096})(?=\\{0,3}[\"'])"
)
_BEFORE: Final = re.compile(r"([\w$.-]+)[\\\"'\]]{0,4}\s*$")
_NEARBY: Final = 80
_WORD: Final = "\\s\"'<>(){}|^`"
_WORTHY: Final = re.compile(
    rf"\?[^{_WORD}=]{{0,256}}+=|#[^{_WORD}=]{{0,256}}+=|%[0-9A-Fa-f]{{2}}"
    r"|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|&(?:#|commat;|period;|plus;|colon;)"
    rf"|{_LETS_IN}"
)
"""What shows that there is something in a word of prose."""
_WORD_BEFORE: Final = re.compile(rf"(?<![^{_WORD}])[^{_WORD}]*+$")
_WORD_AFTER: Final = re.compile(rf"[^{_WORD}]*+")
_LONGEST: Final = 1024
_LINKED: Final = re.compile(r"[\w/.:;,%~@+$-]*[?#][^=]{0,256}+=")


def body(mask: Mask, content: bytes) -> bytes:
    """Whatever notation a body has; the declared type is often wrong."""
    text = content.decode(errors="surrogateescape")
    if not mask.suspects(text):
        return content
    return _written(mask, text, _DEEP).encode(errors="surrogateescape")


def plain(mask: Mask, text: str, depth: int = _DEEP) -> str:
    """A text that is no longer encoded, such as a parameter's value."""
    if not mask.suspects(text):
        return text
    if not depth:
        return mask.values(text)
    if _URL.fullmatch(text):
        return url(mask, text, depth - 1)
    return _written(mask, text, depth - 1)


def _written(mask: Mask, text: str, depth: int) -> str:
    write = next((write for form, write in _NOTATIONS if form.match(text)), _prose)
    return write(mask, text, depth)


def url(mask: Mask, text: str, depth: int = _DEEP) -> str:
    """A URL, whole or from its path on; its host is the service's, or a public one."""
    if not (
        mask.suspects_value(text)
        or _ENCODED.search(text)
        or ("=" in text and any(map(mask.knows, _NAMES.findall(text))))
        or _MAILED.search(text)
    ):
        return text
    origin = ""
    if found := _ORIGIN.match(text):
        (scheme, userinfo, host), text = found.groups(), text[found.end() :]
        hidden = userinfo and coded(userinfo, partial(mask.put, CREDENTIAL))
        origin = f"{scheme}{hidden or ''}{mask.said(host)}"
    front, hash_, fragment = text.partition("#")
    path, mark, query = front.partition("?")
    path = _path(mask, path, depth)
    query, fragment = _form(mask, query, depth), _form(mask, fragment, depth)
    return f"{origin}{path}{mark}{query}{hash_}{fragment}"


def _path(mask: Mask, path: str, depth: int) -> str:
    segments = path.split("/")
    written = [_parameter(mask, segment, depth) for segment in segments]
    for found in _MAILED.finditer(path):
        place = path.count("/", 0, found.start("token"))
        if written[place] == segments[place]:
            written[place] = _mailed(mask, found["name"].strip("/"), segments[place])
    return "/".join(written)


def _mailed(mask: Mask, name: str, segment: str) -> str:
    token, mark, rest = segment.partition(";")
    if mask.rules_on(name):
        hidden = coded(token, partial(mask.under, name))
    else:
        hidden = coded(token, partial(mask.put, TOKEN))
    return f"{token if hidden is None else hidden}{mark}{rest}"


def _form(mask: Mask, text: str, depth: int) -> str:
    return "&".join(_parameter(mask, pair, depth) for pair in text.split("&"))


def _parameter(mask: Mask, pair: str, depth: int) -> str:
    """One `name=value` of a query; also several with `;`, as older servers take it.

    What follows a secret after `;` without a name may belong to it.
    """
    parts = pair.split(";")
    above = ""
    for place, part in enumerate(parts):
        name, equals, value = part.partition("=") if "=" in part else (above, "", part)
        hidden = _under(mask, name, value)
        if hidden is not None:
            parts[place] = f"{name}={hidden}" if equals else hidden
            above = name
            continue
        value = _nested(mask, value, depth)
        parts[place] = f"{_name(mask, name)}={value}" if equals else value
    return ";".join(parts)


def _under(mask: Mask, name: str, value: str) -> str | None:
    return coded(value, partial(mask.under, name)) if mask.knows(name) else None


def _name(mask: Mask, name: str) -> str:
    inner = decoded(name)
    return encoded(name, inner, mask.values(inner))


def _nested(mask: Mask, value: str, depth: int) -> str:
    inner = decoded(value)
    new = plain(mask, inner, depth)
    return value if new == inner else encoded(value, inner, new)


def _json(mask: Mask, text: str, depth: int) -> str:
    """Whatever is under a secret key; numbers further below only count or date it."""
    above = [("", "", "")]  # the secret key over texts, that over numbers, the key

    def token(found: re.Match[str]) -> str:
        kind, literal = str(found.lastgroup), found[0]
        texts, numbers, key = above[-1]
        match kind:
            case "opens":
                above.append(above[-1])
            case "closes":
                del above[max(1, len(above) - 1) :]
            case "key":
                name = json_text(literal)
                hides = mask.hides(name)
                over = name if hides else above[-2:][0][0]
                above[-1] = (over, name if hides else "", name)
                return json_string(literal, mask.values)
            case "text":
                return json_string(
                    literal, lambda value: _member(mask, (key, texts), value, depth)
                )
            case "cut":
                return json_string(
                    literal + literal[0],
                    lambda value: _member(mask, (key, texts), value, depth),
                )[:-1]
            case "number":
                return _number(mask, (key, numbers), literal)
        return literal

    return rewritten(_JSON_TOKEN, text, token, lambda rest: _prose(mask, rest, depth))


def _member(mask: Mask, names: tuple[str, ...], value: str, depth: int) -> str:
    for name in filter(None, names):
        if (hidden := mask.under(name, value)) is not None:
            return hidden
    return plain(mask, value, depth)


def _number(mask: Mask, names: tuple[str, ...], literal: str) -> str:
    digits = literal.lstrip()
    if not _INTEGER.fullmatch(digits):
        return literal
    return literal.removesuffix(digits) + _member(mask, names, digits, 0)


def _multipart(mask: Mask, text: str, depth: int) -> str:
    opening = _MULTIPART.match(text)
    assert opening is not None, "that is how it was recognised"
    parts = re.split(f"(?m:^){re.escape(opening[1])}", text)
    return opening[1].join(_part(mask, part, depth) for part in parts)


def _part(mask: Mask, part: str, depth: int) -> str:
    blank = _BLANK_LINE.search(part)
    if blank is None:
        return mask.values(part)
    head, content = part[: blank.end()], part[blank.end() :]
    core = content.removesuffix("\n").removesuffix("\r")
    end = content[len(core) :]
    names = tuple(_PART_NAME.findall(head)) if core else ()
    return f"{_prose(mask, head, depth)}{_member(mask, names, core, depth)}{end}"


def _markup(mask: Mask, text: str, depth: int) -> str:
    """Tags, and the text after each, which is the element's if the tag opens it."""
    element = ""

    def piece(found: re.Match[str]) -> str:
        nonlocal element
        tag, content = found.groups()
        if not tag.startswith("<!["):
            opening = _OPENING.fullmatch(tag)
            element = opening[1] if opening else ""
        return _tag(mask, tag, depth) + _content(mask, element, content, depth)

    return rewritten(_ELEMENT, text, piece, lambda rest: _prose(mask, rest, depth))


def _content(mask: Mask, element: str, content: str, depth: int) -> str:
    core = content.rstrip().removesuffix(_CDATA_END).strip()
    if core and element and mask.hides(element):
        hidden = entities(core, lambda value: _member(mask, (element,), value, depth))
        return content.replace(core, hidden, 1)
    return _prose(mask, content, depth)


def _tag(mask: Mask, tag: str, depth: int) -> str:
    if not mask.suspects(tag):
        return tag
    pairs = {
        found[1].lower(): found[3].strip("\"'") for found in _ATTRIBUTE.finditer(tag)
    }
    label = next((pairs[name] for name in _LABELS if name in pairs), "")

    def attribute(found: re.Match[str]) -> str:
        name, equals, quoted = found.groups()
        if name.lower() in _HARMLESS:
            return found[0]
        mark = quoted[0] if quoted[0] in "\"'" else ""
        value = quoted[1:-1] if mark else quoted
        names = (name, label) if name.lower() in _LABELLED else (name,)
        write = _address if name.lower() in _LINKING else _member
        new = entities(value, lambda inner: write(mask, names, inner, depth))
        return f"{name}{equals}{mark}{new}{mark}"

    return rewritten(_ATTRIBUTE, tag, attribute, mask.values)


def _address(mask: Mask, _names: tuple[str, ...], value: str, depth: int) -> str:
    return url(mask, value, depth)


def _prose(mask: Mask, text: str, depth: int) -> str:
    """Any other text: of people, and of programs, where `name = "value"` is told."""
    if not mask.suspects(text):
        return text
    if _BINARY in text:
        return mask.said(text)

    def assigned(found: re.Match[str]) -> str:
        equals, value = found.groups()
        near = text[max(0, found.start() - _NEARBY) : found.start()]
        name = _BEFORE.search(near)
        return equals + _member(mask, (name[1],) if name else (), value, depth)

    return rewritten(_ASSIGNED, text, assigned, lambda rest: _words(mask, rest, depth))


def _words(mask: Mask, text: str, depth: int) -> str:
    pieces: list[str] = []
    done = 0
    for found in _WORTHY.finditer(text):
        if found.start() < done:
            continue
        first = max(done, found.start() - _LONGEST)
        before = _WORD_BEFORE.search(text, first, found.start())
        after = _WORD_AFTER.match(text, found.end())
        start, end = before.start() if before else first, after.end() if after else 0
        pieces += (mask.values(text[done:start]), _word(mask, text[start:end], depth))
        done = end
    return "".join((*pieces, mask.values(text[done:])))


def _word(mask: Mask, word: str, depth: int) -> str:
    if not depth:
        return mask.values(word)
    if _LINKED.match(word) or _MAILED.search(word):
        return url(mask, word, depth - 1)
    new = unescaped(word, lambda inner: plain(mask, inner, depth - 1))
    return mask.values(word) if new == word else new


_NOTATIONS: Final[tuple[tuple[re.Pattern[str], Notation], ...]] = (
    (_JSON, _json),
    (_MULTIPART, _multipart),
    (_MARKUP, _markup),
    (_FORM, _form),
)
