"""What a recording holds, in figures: read once, a row group in memory at a time."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.capture.histogram import Histogram
from harness.capture.robot import kind_of
from harness.capture.sessions import IDLE_NS
from harness.model.route import Routes
from harness.store.recording import columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.model.traffic import Recording

__all__ = ["Gap", "Inspection", "RouteShare", "inspection"]

_SECOND_NS: Final = 1_000_000_000
_ROUTES: Final = 50
_BINS: Final = 60
_GAPS: Final = 3
_COLUMNS: Final = (
    *("start_ns", "session", "method", "target", "headers"),
    *("status", "response_bytes", "duration_ns"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteShare:
    """A route.

    Attributes:
        name: such as `GET /orders/{id}`.
        requests: how many.
        median_ns: of its recorded latencies; `None` where none is recorded.
        p95_ns: likewise, their 95th percentile.
    """

    name: str
    requests: int
    median_ns: int | None
    p95_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time without any start.

    Attributes:
        start_ns: since the first start of all.
        length_ns: until the next one.
    """

    start_ns: int
    length_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """Figures of a recording; quantiles are exact to 1 %.

    Attributes:
        recording: the recording; has the counts of exchanges, sessions and skipped.
        routes: the most frequent routes, at most fifty.
        more_routes: how many further routes there are.
        methods: requests by method, the most frequent first.
        statuses: requests by recorded status; 0 without a recorded answer.
        robots: requests of bots and health checks, by their kind.
        session_median: requests per session, median.
        session_max: requests per session, maximum.
        mean_rate: requests per second over the whole span.
        peak_rate: requests in the busiest second.
        over_time: requests in each sixtieth of the span, from the first to the last.
        gaps: the three longest, the longest first.
        think_median_ns: pause inside a session, from an answer (where its time is
            recorded, otherwise from the request) to the next request: median; 0 where
            no session has two requests.
        think_p95_ns: its 95th percentile.
        answer_median_bytes: content of the answers, median; `None` where no size is
            recorded.
        answer_p95_bytes: its 95th percentile.
    """

    recording: Recording
    routes: tuple[RouteShare, ...]
    more_routes: int
    methods: tuple[tuple[str, int], ...]
    statuses: tuple[tuple[int, int], ...]
    robots: tuple[tuple[str, int], ...]
    session_median: float
    session_max: int
    mean_rate: float
    peak_rate: int
    over_time: tuple[int, ...]
    gaps: tuple[Gap, ...]
    think_median_ns: int
    think_p95_ns: int
    answer_median_bytes: int | None
    answer_p95_bytes: int | None


def inspection(recording: Recording, paths: tuple[str, ...] = ()) -> Inspection:
    """Read the recording and count.

    Args:
        recording: which.
        paths: of an OpenAPI document, which name the routes.
    """
    seen = _Seen(recording, Routes(slugs=frozenset(recording.slugs), paths=paths))
    for table in columns(recording, _COLUMNS):
        if len(table):
            seen.add(table.combine_chunks())
    return seen.told()


class _Open(NamedTuple):
    """A session that may go on: its last start and end, and its requests so far."""

    last_ns: int
    end_ns: int
    requests: int


class _Seen:
    """What the tables so far hold."""

    def __init__(self, recording: Recording, routes: Routes) -> None:
        self._recording = recording
        self._route = routes.of
        self._routes: Counter[str] = Counter()
        self._latencies: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._methods: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._agents: Counter[str] = Counter()
        self._open: dict[str, _Open] = {}
        self._session_sizes: Counter[int] = Counter()
        self._second = (-1, 0)
        self._peak = 0
        self._over_time = np.zeros(_BINS, np.int64)
        self._gaps: list[tuple[int, int]] = []
        self._last_ns = 0
        self._pauses = Histogram()
        self._sizes = Histogram()

    def add(self, table: pa.Table) -> None:
        """Count the rows of a table, which go on where the last one ended."""
        starts_ns = table["start_ns"].to_numpy()
        self._methods.update(_counts(table["method"]))
        self._statuses.update(_counts(pc.fill_null(table["status"], 0)))
        self._agents.update(_counts(_agents(table["headers"])))
        self._sizes.add(pc.drop_null(table["response_bytes"]).to_numpy())
        self._add_times(starts_ns)
        self._add_sessions(table["session"], starts_ns, table["duration_ns"])
        self._close(int(starts_ns[-1]) - IDLE_NS)
        self._add_routes(table)

    def _add_times(self, starts_ns: NDArray[np.int64]) -> None:
        seconds, counts = np.unique(starts_ns // _SECOND_NS, return_counts=True)
        if seconds[0] == self._second[0]:
            counts[0] += self._second[1]
        self._second = int(seconds[-1]), int(counts[-1])
        self._peak = max(self._peak, int(counts.max()))
        share = starts_ns / (self._recording.span_ns + 1)
        bins = (share * _BINS).astype(int).clip(max=_BINS - 1)
        self._over_time += np.bincount(bins, minlength=_BINS)
        before_ns = np.concatenate(([self._last_ns], starts_ns[:-1]))
        longest = np.argsort(before_ns - starts_ns, kind="stable")[:_GAPS]
        lengths_ns = (starts_ns - before_ns)[longest].tolist()
        found = zip(lengths_ns, before_ns[longest].tolist(), strict=True)
        self._gaps = heapq.nlargest(_GAPS, [*self._gaps, *found])
        self._last_ns = int(starts_ns[-1])

    def _add_sessions(
        self,
        sessions: pa.ChunkedArray,
        starts_ns: NDArray[np.int64],
        durations_ns: pa.ChunkedArray,
    ) -> None:
        encoded = sessions.combine_chunks().dictionary_encode()
        places = encoded.indices.to_numpy()
        order = np.argsort(places, kind="stable")
        ends_ns = (starts_ns + pc.fill_null(durations_ns, 0).to_numpy())[order]
        place, start_ns = places[order], starts_ns[order]
        goes_on = place[1:] == place[:-1]
        self._pauses.add((start_ns[1:] - ends_ns[:-1])[goes_on].clip(0))
        first = np.flatnonzero(np.concatenate(([True], ~goes_on)))
        last = np.concatenate((first[1:] - 1, [len(place) - 1]))
        names = encoded.dictionary.take(pa.array(place[first])).to_pylist()
        columns = (start_ns[first], start_ns[last], ends_ns[last], last - first + 1)
        each = zip(names, *(column.tolist() for column in columns), strict=True)
        pauses = []
        for name, begun_ns, last_ns, end_ns, requests in each:
            before = self._open.get(name)
            if before is not None:
                pauses.append(max(0, begun_ns - before.end_ns))
            so_far = before.requests if before else 0
            self._open[name] = _Open(last_ns, end_ns, so_far + requests)
        self._pauses.add(np.array(pauses, np.int64))

    def _close(self, before_ns: int) -> None:
        """Sessions that have nothing since; a later visit has another name."""
        over = [name for name, each in self._open.items() if each.last_ns < before_ns]
        self._session_sizes.update(self._open.pop(name).requests for name in over)

    def _add_routes(self, table: pa.Table) -> None:
        asked = pc.binary_join_element_wise(table["method"], table["target"], " ")
        encoded = asked.combine_chunks().dictionary_encode()
        texts = (text.partition(" ") for text in encoded.dictionary.to_pylist())
        names = [self._route(method, target) for method, _, target in texts]
        distinct = list(dict.fromkeys(names))
        place_of = {name: place for place, name in enumerate(distinct)}
        route_of_text = np.array([place_of[name] for name in names])
        places = route_of_text[encoded.indices.to_numpy()]
        self._routes.update(
            dict(zip(distinct, np.bincount(places).tolist(), strict=True))
        )
        known = table["duration_ns"].is_valid().to_numpy()
        if not known.any():
            return
        durations_ns = pc.drop_null(table["duration_ns"]).to_numpy()
        order = np.argsort(places[known], kind="stable")
        found, starts = np.unique(places[known][order], return_index=True)
        parts = np.split(durations_ns[order], starts[1:])
        for place, part in zip(found.tolist(), parts, strict=True):
            self._latencies[distinct[place]].add(part)

    def told(self) -> Inspection:
        """All of it."""
        self._close(self._last_ns + 1)
        recording = self._recording
        robots: Counter[str] = Counter()
        for agent, count in self._agents.items():
            robots[kind_of(agent)] += count
        del robots[""]
        return Inspection(
            recording=recording,
            routes=tuple(map(self._shared, self._routes.most_common(_ROUTES))),
            more_routes=max(0, len(self._routes) - _ROUTES),
            methods=tuple(self._methods.most_common()),
            statuses=tuple(self._statuses.most_common()),
            robots=tuple(robots.most_common()),
            session_median=_median(self._session_sizes),
            session_max=max(self._session_sizes),
            mean_rate=recording.exchanges
            * _SECOND_NS
            / max(recording.span_ns, _SECOND_NS),
            peak_rate=self._peak,
            over_time=tuple(self._over_time.tolist()),
            gaps=tuple(
                Gap(start_ns=start_ns, length_ns=length_ns)
                for length_ns, start_ns in self._gaps
                if length_ns
            ),
            think_median_ns=self._pauses.quantile(0.5) or 0,
            think_p95_ns=self._pauses.quantile(0.95) or 0,
            answer_median_bytes=self._sizes.quantile(0.5),
            answer_p95_bytes=self._sizes.quantile(0.95),
        )

    def _shared(self, route: tuple[str, int]) -> RouteShare:
        name, requests = route
        latencies = self._latencies.get(name, Histogram())
        return RouteShare(
            name=name,
            requests=requests,
            median_ns=latencies.quantile(0.5),
            p95_ns=latencies.quantile(0.95),
        )


def _median(counts: Counter[int]) -> float:
    """Of numbers by how often each is there."""
    numbers = sorted(counts)
    upto = np.cumsum([counts[number] for number in numbers])
    middle = np.array([upto[-1] + 1, upto[-1] + 2]) // 2
    return float(np.mean(np.array(numbers)[np.searchsorted(upto, middle)]))


def _counts(column: pa.ChunkedArray | pa.Array) -> dict[Any, int]:
    return {
        each["values"]: each["counts"] for each in pc.value_counts(column).to_pylist()
    }


def _agents(headers: pa.ChunkedArray) -> pa.Array:
    """The user agents of those requests that name one."""
    fields = headers.combine_chunks().flatten()
    named = pc.equal(pc.struct_field(fields, "name"), "user-agent")
    return pc.struct_field(fields, "value").filter(named)
