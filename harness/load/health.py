"""How the generator itself did: what every result carries of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.model.result import LAG_BOUNDS_NS, GeneratorHealth, WorkerHealth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.load.message import SliceReport, Totals
    from harness.model.result import Books

__all__ = ["CrewHealth", "local_ports"]

_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_DEFAULT_PORTS = 28_232


def local_ports() -> int:
    """How many connections this machine can open to one address and port."""
    try:
        first, last = map(int, _PORT_RANGE.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return _DEFAULT_PORTS
    return last - first + 1


@dataclass(slots=True)
class _Worker:
    title: str
    late_ns: list[int] = field(default_factory=list)
    cpu_ratio: float = 0.0
    collected_ns: int = 0
    descriptors: int = 0

    def note(self, report: SliceReport) -> None:
        self.late_ns += report.late_ns
        self.cpu_ratio = max(self.cpu_ratio, report.cpu_ns / report.wall_ns)
        self.collected_ns = max(self.collected_ns, report.collected_ns)
        self.descriptors = max(self.descriptors, report.descriptors)

    def health(self, totals: Totals, books: Books) -> WorkerHealth:
        return WorkerHealth(
            title=self.title,
            cpu_ratio=self.cpu_ratio,
            timer_late_p95_ns=_quantile(self.late_ns, 0.95),
            collected_ns=self.collected_ns,
            descriptors=self.descriptors,
            open_files=totals.open_files,
            books=books,
        )


class CrewHealth:
    """Collected slice by slice, for the workers of one arm.

    Args:
        titles: of the workers.
    """

    def __init__(self, titles: Sequence[str]) -> None:
        self._workers = [_Worker(title) for title in titles]
        self._stolen_s = self._elapsed_s = 0.0

    def note(
        self, reports: Sequence[SliceReport], *, stolen_s: float, elapsed_s: float
    ) -> None:
        """Take in a measured slice.

        Args:
            reports: of the workers, in their order.
            stolen_s: CPU time that the hypervisor took, all cores together.
            elapsed_s: while so much time went by.
        """
        for worker, report in zip(self._workers, reports, strict=True):
            worker.note(report)
        self._stolen_s += stolen_s
        self._elapsed_s += elapsed_s

    def of(
        self,
        columns: dict[str, NDArray[Any]],
        totals: Sequence[Totals],
        books: Sequence[Books],
    ) -> GeneratorHealth:
        """All of it, at the end of a round.

        Args:
            columns: the samples, with the slice in which each was sent.
            totals: of the workers, in their order.
            books: likewise.
        """
        lag_ns = _lag_ns(columns)
        workers = tuple(
            worker.health(its_totals, its_books)
            for worker, its_totals, its_books in zip(
                self._workers, totals, books, strict=True
            )
        )
        core_s = self._elapsed_s * (os.cpu_count() or 1)
        return GeneratorHealth(
            cpu_ratio=max(each.cpu_ratio for each in workers),
            timer_late_p95_ns=max(each.timer_late_p95_ns for each in workers),
            lag_p50_ns=_quantile(lag_ns, 0.50),
            lag_p95_ns=_quantile(lag_ns, 0.95),
            lag_p99_ns=_quantile(lag_ns, 0.99),
            lag_counts=_counts(lag_ns),
            steal_ratio=self._stolen_s / core_s if core_s else 0.0,
            ports=local_ports(),
            workers=workers,
        )


def _lag_ns(columns: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Of measured shots that did not wait for an answer: a lag there is ours."""
    measured = columns["slice"] > 0
    free = measured & (columns["due_ns"] == columns["eligible_ns"])
    lag_ns: NDArray[np.int64] = (columns["sent_ns"] - columns["eligible_ns"])[free]
    return lag_ns


def _counts(lag_ns: NDArray[np.int64]) -> tuple[int, ...]:
    places = np.searchsorted(LAG_BOUNDS_NS, lag_ns, side="left")
    return tuple(np.bincount(places, minlength=len(LAG_BOUNDS_NS) + 1).tolist())


def _quantile(values: Sequence[int] | NDArray[Any], q: float) -> int:
    if not len(values):
        return 0
    return int(np.quantile(values, q, method="inverted_cdf"))
