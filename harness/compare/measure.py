"""One arm of one round: columns in, what it measured out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from harness.compare.growth import growth, under_load
from harness.model.result import CAUSES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

__all__ = [
    "HELD",
    "SPENT",
    "ArmColumns",
    "ArmMeasures",
    "Signature",
    "latencies_by_route",
    "latencies_ns",
    "measured",
    "needed",
    "quantile",
    "wrong",
]

HELD: Final = ("descriptors", "threads", "sockets")
"""Columns of usage whose growth is judged as that of memory is."""
SPENT: Final = (
    "throttled_ns",
    "faults",
    "read_bytes",
    "written_bytes",
    "received_bytes",
    "sent_bytes",
)
"""Columns of usage that only rise, and are shown by the request."""

_BEYOND: Final = 30
_NOT_SENT: Final = CAUSES.index("not sent")
_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400
_DENIED: Final = (401, 403)
_NEVER_THE_BUILDS: Final = (_NOT_SENT, CAUSES.index("name not resolved"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmColumns:
    """One arm of one round as stored, warm-up included, joined with its plan.

    Attributes:
        samples: a column for each of `SAMPLE_FIELDS`.
        route: for each sample, its place in `routes`.
        routes: names of routes.
        recorded_status: for each sample, the recording's status, 0 if unknown.
        usage: a column for each of `USAGE_FIELDS`, without rows where nothing is
            measured.
        cpu_ns: CPU time from the first measured slice to the last one's end, `None`
            where it is not measured.
        deadline_ns: after which a request counts as unanswered.
        planned: how many measured shots the plan has for this arm and round; where no
            plan says it, how many were sent.
        open_loop: whether shots have due times of their own.
        settled: the share of the requests before which growth is not looked at.
        share: of the arm's planned requests, how many these samples are of. CPU time
            and growth, which are the whole build's, count for them by that much.
    """

    samples: Mapping[str, NDArray[Any]]
    route: NDArray[Any]
    routes: tuple[str, ...]
    recorded_status: NDArray[Any]
    usage: Mapping[str, NDArray[Any]]
    cpu_ns: int | None
    deadline_ns: int
    planned: int
    open_loop: bool
    settled: float = 0.0
    share: float = 1.0


class Signature(NamedTuple):
    """By what errors are known again."""

    route: str
    status: int
    cause: str

    @property
    def text(self) -> str:
        """Such as `500 on POST /checkout`, or `timeout on GET /`."""
        return f"{self.cause or self.status} on {self.route}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmMeasures:
    """What one arm of one round measured, in its measured slices.

    Attributes:
        latency_ns: by route, done - due of each request that counts for quantiles.
        requests: by route, requests that count for rates.
        errors: by route, how many of those went wrong.
        answered: complete answers.
        correct: complete answers that are no error.
        planned: planned shots.
        denied: answers 401 or 403 where the recording had none.
        reconnected: requests whose connection the build had closed.
        cpu_ns: CPU time of the build, `None` where it is not measured.
        memory_bytes: median of anonymous memory in the last third of the readings
            under load.
        growth_bytes: of it per 1,000 requests, `None` where it is not measured.
        held: by `HELD`, how much more of it there is after 1,000 requests.
        spent: by `SPENT`, how much of it each answer took, warm-up included.
        episodes: by signature of an error, the slices that had it.
        by_slice: by route, requests that count for rates and how many of them went
            wrong, a pair a slice.
    """

    latency_ns: Mapping[str, NDArray[np.int64]]
    requests: Mapping[str, int]
    errors: Mapping[str, int]
    answered: int
    correct: int
    planned: int
    denied: int
    reconnected: int
    cpu_ns: int | None
    memory_bytes: float | None
    growth_bytes: float | None = None
    held: Mapping[str, float] = field(default_factory=dict)
    spent: Mapping[str, float] = field(default_factory=dict)
    episodes: Mapping[Signature, frozenset[int]] = field(default_factory=dict)
    by_slice: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def latencies_ns(self, routes: Collection[str]) -> NDArray[np.int64]:
        """Of those routes together, in no order."""
        found = [
            self.latency_ns[name]
            for name in sorted(self.latency_ns.keys() & set(routes))
        ]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    @property
    def routes(self) -> frozenset[str]:
        """Routes with at least one request."""
        return frozenset(self.requests)

    def requests_of(self, routes: Collection[str]) -> int:
        """Requests of those routes together."""
        return sum(self.requests.get(name, 0) for name in routes)

    def error_rate(self, routes: Collection[str]) -> float | None:
        """Errors over requests of those routes together, `None` without a request."""
        requests = self.requests_of(routes)
        errors = sum(self.errors.get(name, 0) for name in routes)
        return errors / requests if requests else None


def needed(percent: int) -> int:
    """Requests that a quantile takes: 30 beyond it (60, 600, 3,000 for 50, 95, 99)."""
    return -(-_BEYOND * 100 // (100 - percent))


def quantile(values: NDArray[np.int64], percent: int) -> int:
    """The smallest value with at least `percent` of all values at or below it.

    The inverse of the empirical distribution function: definition 1 of Hyndman and
    Fan, Sample Quantiles in Statistical Packages, The American Statistician 50 (1996).
    """
    place = max(0, -(-percent * len(values) // 100) - 1)
    return int(np.partition(values, place)[place])


def latencies_ns(columns: ArmColumns) -> NDArray[np.int64]:
    """Done - due of each sample; without a complete answer at least the deadline."""
    samples = columns.samples
    latency = samples["done_ns"].astype(np.int64) - samples["due_ns"].astype(np.int64)
    failed = samples["cause"] != 0
    return np.where(failed, np.maximum(latency, columns.deadline_ns), latency)


def latencies_by_route(
    columns: ArmColumns, keep: NDArray[np.bool_]
) -> dict[str, NDArray[np.int64]]:
    """Latency in ns of the samples kept, by route; empty routes are left out.

    Answers over a connection that had to be opened anew are left out, since the pause
    between the arm's slices closed it. In a closed population so are shots that were
    never sent.
    """
    samples = columns.samples
    failed = samples["cause"] != 0
    latency = latencies_ns(columns)
    counted = keep & _countable(columns) & (failed | (samples["reconnected"] == 0))
    order = np.flatnonzero(counted)
    order = order[np.argsort(columns.route[order], kind="stable")]
    codes, starts = np.unique(columns.route[order], return_index=True)
    parts = np.split(latency[order], starts[1:])
    return {
        columns.routes[code]: part for code, part in zip(codes, parts, strict=False)
    }


def measured(columns: ArmColumns) -> ArmMeasures:
    """What the measured slices say; the warm-up (slice 0) is left out of everything."""
    samples = columns.samples
    keep = samples["slice"] != 0
    answered = keep & (samples["cause"] == 0)
    error = wrong(columns)
    counted = keep & _countable(columns)
    cpu_ns = columns.cpu_ns
    slope = growth(samples, columns.usage, after=columns.settled)
    return ArmMeasures(
        latency_ns=latencies_by_route(columns, keep),
        requests=_by_route(columns, counted),
        errors=_by_route(columns, counted & error),
        answered=_count(answered),
        correct=_count(answered & ~error),
        planned=columns.planned,
        denied=_count(answered & _denied(columns)),
        reconnected=_count(keep & (samples["reconnected"] != 0)),
        cpu_ns=None if cpu_ns is None else round(cpu_ns * columns.share),
        memory_bytes=_memory_level(columns),
        growth_bytes=None if slope is None else slope * columns.share,
        held=_held(columns),
        spent=_spent(columns),
        episodes=_episodes(columns, counted & error),
        by_slice=_by_slice(columns, counted, error),
    )


def _held(columns: ArmColumns) -> dict[str, float]:
    slopes = (
        (name, growth(columns.samples, columns.usage, name, after=columns.settled))
        for name in HELD
    )
    return {name: s * columns.share for name, s in slopes if s is not None}


def _spent(columns: ArmColumns) -> dict[str, float]:
    answered = int((columns.samples["cause"] == 0).sum())
    if not answered or not len(columns.usage["at_ns"]):
        return {}
    return {
        name: float(used[-1] - used[0]) / answered * columns.share
        for name in SPENT
        if (used := columns.usage[name]).min() >= 0
    }


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _countable(columns: ArmColumns) -> NDArray[np.bool_]:
    sent: NDArray[np.bool_] = columns.samples["cause"] != _NOT_SENT
    return sent | columns.open_loop


def wrong(columns: ArmColumns) -> NDArray[np.bool_]:
    """Which samples went wrong: no answer, 5xx, or 4xx where the recording had none."""
    status = columns.samples["status"]
    recorded = columns.recorded_status
    new = (status >= _CLIENT_ERROR) & (recorded > 0) & (recorded < _CLIENT_ERROR)
    found: NDArray[np.bool_] = (
        (columns.samples["cause"] != 0) | (status >= _SERVER_ERROR) | new
    )
    return found


def _denied(columns: ArmColumns) -> NDArray[np.bool_]:
    denied: NDArray[np.bool_] = np.isin(columns.samples["status"], _DENIED)
    return denied & (columns.recorded_status < _CLIENT_ERROR)


def _by_route(columns: ArmColumns, mask: NDArray[np.bool_]) -> dict[str, int]:
    counts = np.bincount(columns.route[mask], minlength=len(columns.routes))
    return {
        name: int(count)
        for name, count in zip(columns.routes, counts, strict=True)
        if count
    }


def _episodes(
    columns: ArmColumns, wrong: NDArray[np.bool_]
) -> dict[Signature, frozenset[int]]:
    samples = columns.samples
    wrong = wrong & ~np.isin(samples["cause"], _NEVER_THE_BUILDS)
    seen = np.unique(
        np.stack(
            [
                columns.route[wrong].astype(np.int64),
                *(samples[name][wrong] for name in ("status", "cause", "slice")),
            ]
        ),
        axis=1,
    )
    episodes: dict[Signature, frozenset[int]] = {}
    for route, status, cause, slice_ in seen.T.tolist():
        signature = Signature(columns.routes[route], status, CAUSES[cause])
        episodes[signature] = episodes.get(signature, frozenset()) | {slice_}
    return episodes


def _by_slice(
    columns: ArmColumns, counted: NDArray[np.bool_], error: NDArray[np.bool_]
) -> dict[str, tuple[tuple[int, int], ...]]:
    slices = columns.samples["slice"]
    shape = (len(columns.routes), int(slices.max(initial=0)) + 1)
    cell = columns.route.astype(np.int64) * shape[1] + slices
    requests, errors = (
        np.bincount(cell[mask], minlength=shape[0] * shape[1]).reshape(shape)[:, 1:]
        for mask in (counted, counted & error)
    )
    return {
        name: tuple(zip(asked.tolist(), wrong.tolist(), strict=True))
        for name, asked, wrong in zip(columns.routes, requests, errors, strict=True)
        if asked.any()
    }


def _memory_level(columns: ArmColumns) -> float | None:
    """Of readings at rest only where the slices were too short for any other."""
    at_ns, level = columns.usage["at_ns"], columns.usage["anonymous_bytes"]
    busy = under_load(columns.samples, at_ns)
    if busy.any():
        at_ns, level = at_ns[busy], level[busy]
    if not len(at_ns):
        return None
    last, first = int(at_ns.max()), int(at_ns.min())
    return float(np.median(level[at_ns >= last - (last - first) / 3]))
