"""The distinct requests of a plan, each with what ties it to others of its session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.model.link import NO_LINKS
from harness.model.plan import PlannedRequest
from harness.planning.correlation import correlated
from harness.planning.rule import NOTHING, ruled, token_of, with_rules
from harness.store.content import has_contents, read_contents
from harness.store.recording import HEADS, exchanges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.model.flow import Login, Rule
    from harness.model.link import Links
    from harness.model.route import Routes
    from harness.model.traffic import Exchange, Recording
    from harness.planning.rule import Ruled

__all__ = ["distinct_requests", "legible", "planned_request"]

_BY_BODY: Final = frozenset({"json", "field", "text"})
_CODINGS: Final = "accept-encoding"
_READABLE: Final = ("gzip", "deflate", "identity")


def planned_request(
    exchange: Exchange,
    routes: Routes,
    *,
    cookies_recorded: bool,
    logged_in: bool = False,
) -> PlannedRequest:
    """A recorded request as it will be sent; an empty header is where cookies go.

    Args:
        exchange: as it was recorded.
        routes: of the service.
        cookies_recorded: whether the recording would have the cookies that were sent.
        logged_in: whether a login came before that sets cookies no recording has.
    """
    request, pairs = exchange.request, tuple[tuple[str, str], ...]()
    lines = [value for name, value in request.headers if name == "cookie"]
    if lines:
        pairs = tuple(pair for line in lines for pair in _crumbs(line))
        names = [name for name, _ in request.headers]
        place = names.index("cookie")
        headers = [pair for pair in request.headers if pair[0] != "cookie"]
        headers.insert(place, ("cookie", ""))
        request = replace(request, headers=tuple(headers))
    return PlannedRequest(
        request=request,
        route=routes.of(request.method, request.target),
        cookies=pairs if cookies_recorded and (pairs or not logged_in) else None,
        recorded_status=exchange.response.status if exchange.response else 0,
    )


def _crumbs(line: str) -> Iterator[tuple[str, str]]:
    for crumb in line.split(";"):
        name, _, value = crumb.partition("=")
        if name := name.strip():
            yield name, value.strip()


def distinct_requests(
    recording: Recording,
    rows: NDArray[Any],
    session: NDArray[np.int64],
    routes: Routes,
    *,
    rules: Sequence[Rule] = (),
    login: Login | None = None,
) -> tuple[NDArray[Any], list[PlannedRequest]]:
    """The requests of some rows, equal ones once.

    Args:
        recording: which.
        rows: of the shots.
        session: of each row of the recording.
        routes: of the service.
        rules: of the scenario, on values that answers give.
        login: ahead of each session.

    Returns:
        Of each shot, the place of its request; and the requests.
    """
    wanted, place = np.unique(rows, return_inverse=True)
    numbers: dict[PlannedRequest, int] = {}
    number_of = np.empty(len(wanted), "u4")
    known = recording.cookies_recorded
    token = token_of(login, len(rules)) if login else None
    by_cookies = login is not None and token is None
    for index, exchange in enumerate(exchanges(recording, wanted, HEADS)):
        planned = planned_request(
            exchange, routes, cookies_recorded=known, logged_in=by_cookies
        )
        number_of[index] = numbers.setdefault(planned, len(numbers))
    requests = list(numbers)
    story = number_of.tolist(), session[wanted].tolist()
    links: Mapping[int, Links] = {}
    if has_contents(recording):
        links = correlated(requests, *story, read_contents(recording, wanted))
    said = [NOTHING] * len(wanted)
    if rules or token:
        said = ruled(rules, token, [each.route for each in requests], *story)
    tied, requests = _tied(requests, story[0], links, said)
    return np.array(tied, "u4")[place], requests


def _tied(
    requests: Sequence[PlannedRequest],
    number_of: Sequence[int],
    links: Mapping[int, Links],
    said: Sequence[Ruled],
) -> tuple[list[int], list[PlannedRequest]]:
    """Of each row, the place of its request with its links; and these requests."""
    numbers: dict[PlannedRequest, int] = {}
    known: dict[tuple[int, Links, Ruled], int] = {}
    tied = []
    for row, number in enumerate(number_of):
        key = number, links.get(row, NO_LINKS), said[row]
        if key not in known:
            planned = requests[number]
            if key[1] is not NO_LINKS:
                planned = replace(planned, links=key[1])
            if key[2] is not NOTHING:
                planned = with_rules(planned, key[2])
            planned = legible(planned)
            known[key] = numbers.setdefault(planned, len(numbers))
        tied.append(known[key])
    return tied, list(numbers)


def legible(planned: PlannedRequest) -> PlannedRequest:
    """The request, asking for no coding that hides a value of the answer."""
    if not any(extract.kind in _BY_BODY for extract in planned.links.extracts):
        return planned
    headers = tuple(
        (name, _readable(value) if name == _CODINGS else value)
        for name, value in planned.request.headers
    )
    return replace(planned, request=replace(planned.request, headers=headers))


def _readable(accepted: str) -> str:
    codings = [each.strip() for each in accepted.split(",")]
    kept = [each for each in codings if each.partition(";")[0] in _READABLE]
    return ", ".join(kept) or "identity"
