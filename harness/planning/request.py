"""The distinct requests of a plan, each with what ties it to others of its session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.model.plan import PlannedRequest
from harness.model.route import route_of
from harness.planning.correlation import correlated, linked
from harness.store.content import has_contents, read_contents
from harness.store.recording import HEADS, exchanges

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.model.link import Links
    from harness.model.traffic import Exchange, Recording

__all__ = ["distinct_requests", "planned_request"]


def planned_request(exchange: Exchange, *, cookies_recorded: bool) -> PlannedRequest:
    """A recorded request as it will be sent; an empty header is where cookies go."""
    request = exchange.request
    pairs = tuple(
        (name.strip(), value.strip())
        for header, line in request.headers
        if header == "cookie"
        for name, _, value in (pair.partition("=") for pair in line.split(";"))
        if name.strip()
    )
    first = next((pair for pair in request.headers if pair[0] == "cookie"), None)
    headers = tuple(
        ("cookie", "") if pair is first else pair
        for pair in request.headers
        if pair[0] != "cookie" or pair is first
    )
    return PlannedRequest(
        request=replace(request, headers=headers),
        route=route_of(request.method, request.target),
        cookies=pairs if cookies_recorded else None,
        recorded_status=exchange.response.status if exchange.response else 0,
    )


def distinct_requests(
    recording: Recording, rows: NDArray[Any], session: NDArray[np.int64]
) -> tuple[NDArray[Any], list[PlannedRequest]]:
    """The requests of some rows, equal ones once.

    Args:
        recording: which.
        rows: of the shots.
        session: of each row of the recording.

    Returns:
        Of each shot, the place of its request; and the requests.
    """
    wanted, place = np.unique(rows, return_inverse=True)
    numbers: dict[PlannedRequest, int] = {}
    number_of = np.empty(len(wanted), "u4")
    known = recording.cookies_recorded
    for index, exchange in enumerate(exchanges(recording, wanted, HEADS)):
        planned = planned_request(exchange, cookies_recorded=known)
        number_of[index] = numbers.setdefault(planned, len(numbers))
    requests = list(numbers)
    if has_contents(recording):
        contents = read_contents(recording, wanted)
        session_of = session[wanted].tolist()
        links = correlated(requests, number_of.tolist(), session_of, contents)
        requests = _tied(requests, number_of, links)
    return number_of[place], requests


def _tied(
    requests: list[PlannedRequest], number_of: NDArray[Any], links: Mapping[int, Links]
) -> list[PlannedRequest]:
    """The requests with the links of their rows, which `number_of` is changed to."""
    numbers: dict[PlannedRequest, int] = {}
    tied = []
    for row, number in enumerate(number_of.tolist()):
        planned = requests[number]
        if row in links:
            planned = linked(planned, links[row])
        tied.append(numbers.setdefault(planned, len(numbers)))
    number_of[:] = tied
    return list(numbers)
