"""What a scenario's rules say of the links that a recording does not show."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from harness.model.flow import Use
from harness.model.link import Extract, Fill, Links
from harness.planning.naming import segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.flow import Login, Rule, Token
    from harness.model.link import Coding, Part
    from harness.model.plan import PlannedRequest
    from harness.model.traffic import Request

__all__ = [
    "NOTHING",
    "Ruled",
    "ruled",
    "same_route",
    "token_of",
    "with_rules",
]

_PLACEHOLDER: Final = re.compile(r"\{[^}]*\}")
_PARTS: Final = ("target", "header", "body")
_AUTHORIZATION: Final = "authorization"
_BEARER: Final = "Bearer "
_NO_TOKEN: Final = re.compile("(?:basic|digest) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """What the rules say of one request of a session.

    Attributes:
        takes: slots of values that it takes, and where, the one given last at the end.
        gives: values that are in its answer.
    """

    takes: tuple[tuple[int, Use], ...] = ()
    gives: tuple[Extract, ...] = ()


NOTHING: Final = Ruled()


def _extract_of(rule: Rule, place: int) -> Extract:
    """Where the answer has the value of a rule.

    Args:
        rule: which.
        place: of it in the scenario, counted from 0; slots of rules are negative.
    """
    slot = -1 - place
    if rule.json_ is not None:
        return Extract(slot=slot, kind="json", name=rule.json_)
    if rule.header is not None:
        name, pattern = rule.header.lower(), rule.text or ""
        return Extract(slot=slot, kind="header", name=name, pattern=pattern)
    if rule.text is not None:
        return Extract(slot=slot, kind="text", pattern=rule.text)
    kind: Final = "cookie" if rule.cookie is not None else "field"
    return Extract(slot=slot, kind=kind, name=rule.cookie or rule.field or "")


def token_of(login: Login, rules: int) -> tuple[Extract, Use] | None:
    """Where a login's answer has its token, and where it goes; behind so many rules."""
    token: Token | None = login.then
    if token is None:
        return None
    header = _AUTHORIZATION if token.as_ == "bearer" else token.as_.lower()
    extract = Extract(slot=-1 - rules, kind="json", name=token.json_)
    return extract, Use(header=header)


def ruled(
    rules: Sequence[Rule],
    token: tuple[Extract, Use] | None,
    routes: Sequence[str],
    number_of: Sequence[int],
    session_of: Sequence[int],
) -> list[Ruled]:
    """What the rules say of each row of a recording.

    Args:
        rules: of the scenario.
        token: of its login, which every request takes.
        routes: of the distinct requests.
        number_of: of each row, the place of its request among them.
        session_of: of each row, the number of its session; rows are in order of time.
    """
    always = ((token[0].slot, token[1]),) if token else ()
    gives = [_giving(rules, route) for route in routes]
    takes = [_taking(rules, route) for route in routes]
    known: defaultdict[int, dict[int, None]] = defaultdict(dict)
    said = []
    for number, session in zip(number_of, session_of, strict=True):
        given = known[session]
        taken = tuple(
            each for slot in given for each in takes[number] if each[0] == slot
        )
        for extract in gives[number]:
            given.pop(extract.slot, None)
            given[extract.slot] = None
        said.append(Ruled(takes=always + taken, gives=gives[number]))
    return said


def _giving(rules: Sequence[Rule], route: str) -> tuple[Extract, ...]:
    return tuple(
        _extract_of(rule, place)
        for place, rule in enumerate(rules)
        if same_route(rule.from_, route)
    )


def _taking(rules: Sequence[Rule], route: str) -> tuple[tuple[int, Use], ...]:
    return tuple(
        (-1 - place, use)
        for place, rule in enumerate(rules)
        for use in rule.use
        if use.route is None or same_route(use.route, route)
    )


@lru_cache(maxsize=65_536)
def same_route(named: str, route: str) -> bool:
    """Whether a route is meant, whatever the parts of its path are called."""
    return _PLACEHOLDER.sub("{}", named) == _PLACEHOLDER.sub("{}", route)


def with_rules(planned: PlannedRequest, said: Ruled) -> PlannedRequest:
    """The request with what the rules say; they win over what was found.

    Of several values for one place the one counts that was given last.
    """
    request, fills = planned.request, list[Fill]()
    for slot, use in said.takes:
        if use.header is not None:
            request = _with_header(request, use.header.lower())
        fills += [replace(fill, slot=slot) for fill in _fills(request, use)]
    every = (*planned.links.fills, *fills)
    kept = [
        fill
        for number, fill in enumerate(every, start=1)
        if not any(_overlap(fill, later) for later in every[number:])
    ]
    links = Links(
        fills=tuple(sorted(kept, key=_place)),
        extracts=(*planned.links.extracts, *said.gives),
    )
    return replace(planned, request=request, links=links)


def _with_header(request: Request, name: str) -> Request:
    """With such a header; a token does not go under a scheme that has none."""
    empty, headers = "", request.headers
    if name == _AUTHORIZATION:
        empty = _BEARER
        headers = tuple(
            (each, empty if each == name and _NO_TOKEN.match(value) else value)
            for each, value in headers
        )
    if not any(each == name for each, _ in headers):
        headers = (*headers, (name, empty))
    return replace(request, headers=headers)


def _fills(request: Request, use: Use) -> Iterator[Fill]:
    """Every place that the use names."""
    if use.header is not None:
        yield from _in_headers(request, use.header.lower())
    elif use.path is not None:
        yield from _in_path(request.target, use)
    elif use.query is not None:
        path, mark, query = request.target.partition("?")
        start = len(path) + len(mark)
        yield from _in_pairs(query, use.query, "target", start)
    else:
        body = request.body.decode("latin-1")
        yield from _in_pairs(body, use.form or "", "body", 0)


def _in_headers(request: Request, name: str) -> Iterator[Fill]:
    for number, (each, value) in enumerate(request.headers):
        if each == name:
            space = value.find(" ") if name == _AUTHORIZATION else -1
            yield _fill("header", (space + 1, len(value)), "plain", number)


def _in_path(target: str, use: Use) -> Iterator[Fill]:
    start = 0
    named = (use.route or "").partition(" ")[2].split("/")
    for name, part in zip(named, segments(target), strict=False):
        before, braces, behind = name.partition(f"{{{use.path}}}")
        end = start + len(part)
        if braces and part.startswith(before) and part.endswith(behind):
            yield _fill("target", (start + len(before), end - len(behind)), "percent")
        start = end + 1


def _in_pairs(text: str, wanted: str, part: Part, start: int) -> Iterator[Fill]:
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        end = start + len(pair)
        if equals and unquote_plus(name) == wanted:
            yield _fill(part, (end - len(value), end), "percent")
        start = end + 1


def _fill(part: Part, span: tuple[int, int], coding: Coding, header: int = 0) -> Fill:
    start, end = span
    return Fill(slot=0, part=part, header=header, start=start, end=end, coding=coding)


def _place(fill: Fill) -> tuple[int, int, int]:
    return _PARTS.index(fill.part), fill.header, fill.start


def _overlap(one: Fill, other: Fill) -> bool:
    if (one.part, one.header) != (other.part, other.header):
        return False
    touch = one.start < other.end and other.start < one.end
    return touch or (one.start, one.end) == (other.start, other.end)
