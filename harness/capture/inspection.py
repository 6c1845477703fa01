"""What a recording holds, in figures: read once, a row group in memory at a time."""

from __future__ import annotations

import statistics
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.model.route import route_of
from harness.store.recording import columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from harness.model.traffic import Recording

__all__ = ["Inspection", "inspection"]

_SECOND_NS: Final = 1_000_000_000
_ROUTES: Final = 50
_COLUMNS: Final = ("start_ns", "session", "method", "target", "status", "duration_ns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """Figures of a recording.

    Attributes:
        recording: the recording; has the counts of exchanges, sessions and skipped.
        routes: the most frequent routes with their counts, at most fifty.
        more_routes: how many further routes there are.
        methods: requests by method, the most frequent first.
        statuses: requests by recorded status; 0 without a recorded answer.
        session_median: requests per session, median.
        session_max: requests per session, maximum.
        mean_rate: requests per second over the whole span.
        peak_rate: requests in the busiest second.
        think_median_ns: pause inside a session, from an answer (where its time is
            recorded, otherwise from the request) to the next request: median.
        think_p95_ns: its 95th percentile.
    """

    recording: Recording
    routes: tuple[tuple[str, int], ...]
    more_routes: int
    methods: tuple[tuple[str, int], ...]
    statuses: tuple[tuple[int, int], ...]
    session_median: float
    session_max: int
    mean_rate: float
    peak_rate: int
    think_median_ns: int
    think_p95_ns: int


def inspection(recording: Recording) -> Inspection:
    """Read the recording and count."""
    requests: Counter[tuple[str, str]] = Counter()
    statuses: Counter[int] = Counter()
    sessions: Counter[str] = Counter()
    seconds: Counter[int] = Counter()
    ends_ns: dict[str, int] = {}
    pauses_ns = array("q")
    for start_ns, session, method, target, status, duration_ns in _rows(recording):
        requests[method, target.partition("?")[0]] += 1
        statuses[status or 0] += 1
        sessions[session] += 1
        seconds[start_ns // _SECOND_NS] += 1
        if session in ends_ns:
            pauses_ns.append(max(0, start_ns - ends_ns[session]))
        ends_ns[session] = start_ns + (duration_ns or 0)
    routes = _routes(requests)
    return Inspection(
        recording=recording,
        routes=tuple(routes.most_common(_ROUTES)),
        more_routes=max(0, len(routes) - _ROUTES),
        methods=tuple(_methods(requests).most_common()),
        statuses=tuple(statuses.most_common()),
        session_median=statistics.median(sessions.values()),
        session_max=max(sessions.values()),
        mean_rate=recording.exchanges * _SECOND_NS / max(recording.span_ns, _SECOND_NS),
        peak_rate=max(seconds.values()),
        think_median_ns=_quantile(pauses_ns, 0.5),
        think_p95_ns=_quantile(pauses_ns, 0.95),
    )


def _rows(recording: Recording) -> Iterator[tuple[Any, ...]]:
    for table in columns(recording, _COLUMNS):
        yield from zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True)


def _routes(requests: Counter[tuple[str, str]]) -> Counter[str]:
    routes: Counter[str] = Counter()
    for (method, path), count in requests.items():
        routes[route_of(method, path)] += count
    return routes


def _methods(requests: Counter[tuple[str, str]]) -> Counter[str]:
    methods: Counter[str] = Counter()
    for (method, _), count in requests.items():
        methods[method] += count
    return methods


def _quantile(values_ns: array[int], share: float) -> int:
    return round(float(np.quantile(values_ns, share))) if values_ns else 0
