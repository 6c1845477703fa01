"""Which exchanges of a capture are wanted; the rest is counted by its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from harness.capture.robot import robot_of
from harness.capture.timeformat import moment
from harness.errors import InputError
from harness.model.route import Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.capture.batch import Batch
    from harness.capture.tally import Tally
    from harness.model.traffic import Request, Response
    from harness.store.coded import Coded

    Mask = NDArray[np.bool_]

__all__ = ["EVERYTHING", "Selection", "selected", "selection_of"]

Value = TypeVar("Value")

_ROUTES: Final = Routes()
_METHOD: Final = re.compile(r"[A-Z][A-Z_-]*")
_ROUTE: Final = re.compile(r"(?:(\S+) )?([/*].*)", re.DOTALL)
_PARAMETER: Final = re.compile(r"\{[^{}/]*\}")
_ANY: Final = "\0"
_STATUS: Final = re.compile(r"([1-5])xx|(\d{3})(?:-(\d{3}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is wanted.

    Attributes:
        routes: at least one of them matches `METHOD /path`, or its route; all if empty.
        without: none of them does.
        methods: one of them; all if empty.
        statuses: first and last of ranges, in one of which the answer's status is, 0
            standing for none; all if empty.
        since_ns: no earlier start, since the Unix epoch.
        until_ns: no start then or later.
        robots: whether bots and health checks are wanted.
    """

    routes: tuple[re.Pattern[str], ...] = ()
    without: tuple[re.Pattern[str], ...] = ()
    methods: frozenset[str] = frozenset()
    statuses: tuple[tuple[int, int], ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None
    robots: bool = True

    def wants(self, batch: Batch) -> Iterator[tuple[str, Mask]]:
        """What is asked of the rows, and which of them comply."""
        if self.since_ns is not None:
            yield "before --since", batch.starts_ns >= self.since_ns
        if self.until_ns is not None:
            yield "from --until on", batch.starts_ns < self.until_ns
        asked = (
            (self.methods, "other method", self._of_method),
            (self.routes, "other route", partial(_matches, self.routes)),
            (self.without, "route not wanted", self._of_no_other),
            (not self.robots, "bot or health check", _of_a_person),
        )
        for given, reason, keeps in asked:
            if given:
                yield reason, _mask(batch.requests, keeps)
        if self.statuses:
            yield "other status", _mask(batch.responses, self._of_status)

    def _of_method(self, request: Request) -> bool:
        return request.method in self.methods

    def _of_no_other(self, request: Request) -> bool:
        return not _matches(self.without, request)

    def _of_status(self, response: Response | None) -> bool:
        status = response.status if response else 0
        return any(first <= status <= last for first, last in self.statuses)


EVERYTHING: Final = Selection()


def _matches(patterns: Sequence[re.Pattern[str]], request: Request) -> bool:
    route = _ROUTES.of(request.method, request.target)
    written = f"{request.method} {request.target.partition('?')[0]}"
    return any(
        pattern.fullmatch(text) for pattern in patterns for text in (route, written)
    )


def _of_a_person(request: Request) -> bool:
    return not robot_of(request)


def _mask(column: Coded[Value], keeps: Callable[[Value], bool]) -> Mask:
    kept = column.of_each(keeps)
    mask: Mask = np.array(kept.values, np.bool_)[kept.places]
    return mask


def selected(
    batches: Iterable[Batch], selection: Selection, tally: Tally
) -> Iterator[Batch]:
    """The batches without what is not wanted.

    Args:
        batches: not redacted yet, so that a path is as the user knows it.
        selection: what is wanted.
        tally: takes the counts of the rest, each by the first reason.
    """
    for batch in batches:
        wanted = np.ones(len(batch), np.bool_)
        for reason, complies in selection.wants(batch):
            tally.filter(reason, int((wanted & ~complies).sum()))
            wanted &= complies
        rows = np.flatnonzero(wanted)
        if len(rows) == len(batch):
            yield batch
        elif len(rows):
            yield batch.taken(rows).used()


def selection_of(
    *,
    routes: Sequence[str],
    without: Sequence[str],
    methods: Sequence[str],
    statuses: Sequence[str],
    since: str | None,
    until: str | None,
    no_robots: bool,
) -> Selection:
    """The selection as it is written on the command line.

    Args:
        routes: patterns such as `GET /api/*` or, for any method, `/api/*`.
        without: likewise.
        methods: such as `GET`.
        statuses: such as `200`, `2xx` or `500-599`.
        since: ISO 8601, or seconds since 1970.
        until: likewise.
        no_robots: whether bots and health checks are left out.

    Raises:
        InputError: something is written otherwise.
    """
    return Selection(
        routes=tuple(_pattern("--route", each) for each in routes),
        without=tuple(_pattern("--not-route", each) for each in without),
        methods=frozenset(map(_method, methods)),
        statuses=tuple(map(_range, statuses)),
        since_ns=_moment_ns("--since", since),
        until_ns=_moment_ns("--until", until),
        robots=not no_robots,
    )


def _pattern(name: str, text: str) -> re.Pattern[str]:
    """Of a route: `{id}`, whatever it is called, is any one part of a path."""
    match = _ROUTE.fullmatch(text)
    if match is None:
        raise InputError(
            f"{name} {text}: not a route",
            hint="write it as '/api/*' or 'GET /orders/{id}'",
        )
    method, path = (match[1] or "*").upper(), _PARAMETER.sub(_ANY, match[2])
    return re.compile(translate(f"{method} {path}").replace(_ANY, "[^/]+"))


def _method(text: str) -> str:
    if not _METHOD.fullmatch(text.upper()):
        raise InputError(f"--method {text}: not a method", hint="such as GET")
    return text.upper()


def _range(text: str) -> tuple[int, int]:
    match = _STATUS.fullmatch(text.lower())
    if match is None:
        hint = "write it as 200, 2xx or 500-599"
        raise InputError(f"--status {text}: not a status", hint=hint)
    hundred, first, last = match.groups()
    if hundred:
        return int(hundred) * 100, int(hundred) * 100 + 99
    return int(first), int(last or first)


def _moment_ns(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return moment(text)[0]
    except ValueError as error:
        hint = "write it as 2026-01-31T12:00:00Z"
        raise InputError(f"{name} {text}: not a time", hint=hint) from error
