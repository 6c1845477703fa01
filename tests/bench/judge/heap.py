"""Memory under load: collected heaps, caches that fill, leaks, and what reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from harness.compare.measure import ArmColumns, measured
from harness.model.result import SAMPLE_FIELDS, USAGE_FIELDS
from tests.bench.judge.evidence import Terms, round_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from numpy.typing import NDArray

    from harness.compare.evidence import RoundEvidence
    from harness.compare.measure import ArmMeasures

    Floats = NDArray[np.float64]

MB = 1e6
_SECOND_NS = 1_000_000_000
_LIVE_BYTES = 200 * MB
_DEVIATION = 0.02
_UNEVEN = 0.3
_READ_EVERY_S = 1.0
_MEDIAN_S, _SIGMA = 0.1, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """Anonymous memory of an arm by its time under load.

    The design tells what its own collected heap let it see: 0.31 MB/s in rounds of 60 s
    an arm, and one pair of a soak beyond its budget in 11 to 15 %. The first asks for a
    heap a little smaller than this, the second for a larger: here 0.33 MB/s and 10 %.

    Attributes:
        garbage_mb: what piles up until it is collected, on average: a sawtooth.
        collected_s: how often that is, on average.
        cache_mb: what a cache holds when it is full.
        cache_s: after how long it is filled to 63 %.
        leak_mb_per_s: what is never given back.
    """

    garbage_mb: float = 36.0
    collected_s: float = 15.0
    cache_mb: float = 0.0
    cache_s: float = 60.0
    leak_mb_per_s: float = 0.0

    def level_bytes(self, random: np.random.Generator, loaded_s: Floats) -> Floats:
        """At those times under load."""
        live = _LIVE_BYTES * random.lognormal(sigma=_DEVIATION)
        cache = self.cache_mb * MB * -np.expm1(-loaded_s / self.cache_s)
        leak = self.leak_mb_per_s * MB * loaded_s
        level: Floats = live + cache + leak + self._garbage_bytes(random, loaded_s)
        return level

    def _garbage_bytes(self, random: np.random.Generator, loaded_s: Floats) -> Floats:
        """Collected after more or less, down to more or less."""
        count = 2 * int(loaded_s[-1] / self.collected_s) + 10
        uneven = random.uniform(1 - _UNEVEN, 1 + _UNEVEN, count)
        starts_s = self.collected_s * (np.cumsum(uneven) - uneven[0] * random.random())
        starts_s = np.append(-self.collected_s, starts_s)
        last = np.searchsorted(starts_s, loaded_s, side="right") - 1
        left = random.uniform(0, _UNEVEN, count + 1)[last]
        grown = (loaded_s - starts_s[last]) / self.collected_s
        garbage: Floats = self.garbage_mb * MB * (left + grown)
        return garbage


@dataclass(frozen=True, slots=True, kw_only=True)
class Heaps:
    """A trial of a service whose memory is read, all else alike.

    Attributes:
        terms: fixed before the trial.
        rate_per_s: requests an arm.
        warmup_s: before the first slice.
        slice_s: of each slice.
        slices: an arm and round.
        baseline: its heap.
        candidate: its heap.
        deviation: SD of `d_r` that the starts bring along.
    """

    terms: Terms
    rate_per_s: int = 40
    warmup_s: int = 10
    slice_s: int = 4
    slices: int = 6
    baseline: Heap = field(default_factory=Heap)
    candidate: Heap = field(default_factory=Heap)
    deviation: float = 0.03

    def rounds(self, random: np.random.Generator) -> Iterator[RoundEvidence]:
        """As many as are asked for."""
        index = 0
        while index := index + 1:
            yield round_of(
                index,
                self._arm(random, self.baseline, 0),
                self._arm(random, self.candidate, 1),
            )

    def _arm(self, random: np.random.Generator, heap: Heap, turn: int) -> ArmMeasures:
        samples = self._samples(random, turn)
        return measured(
            ArmColumns(
                samples=samples,
                route=np.zeros(len(samples["slice"]), int),
                routes=("GET /",),
                recorded_status=np.full(len(samples["slice"]), 200),
                usage=self._usage(random, heap, turn),
                cpu_ns=len(samples["slice"]) * 1_000_000,
                deadline_ns=10 * _SECOND_NS,
                planned=len(samples["slice"]),
                open_loop=True,
                settled=0.5 if self.terms.soak else 0.0,
            )
        )

    def _begins_s(self, turn: int) -> Floats:
        """Of each slice of an arm, by the clock on the wall."""
        places = 2 * np.arange(self.slices) + turn
        return np.asarray(2.0 * self.warmup_s + self.slice_s * places, np.float64)

    def _samples(
        self, random: np.random.Generator, turn: int
    ) -> Mapping[str, NDArray[Any]]:
        """Evenly due, answered after log-normal times."""
        each = self.rate_per_s * self.slice_s
        due_s = np.add.outer(self._begins_s(turn), np.arange(each) / self.rate_per_s)
        luck = self.deviation / sqrt(2) * random.standard_normal()
        took_s = random.lognormal(log(_MEDIAN_S) + luck, _SIGMA, due_s.size)
        samples = {
            name: np.zeros(due_s.size, dtype=kind)
            for name, kind in SAMPLE_FIELDS.items()
        }
        samples["slice"][:] = np.repeat(np.arange(self.slices) + 1, each)
        samples["status"][:] = 200
        for name in ("due_ns", "eligible_ns", "sent_ns"):
            samples[name][:] = due_s.ravel() * _SECOND_NS
        samples["done_ns"][:] = (due_s.ravel() + took_s) * _SECOND_NS
        return samples

    def _usage(
        self, random: np.random.Generator, heap: Heap, turn: int
    ) -> Mapping[str, NDArray[Any]]:
        """Read all the time, also while the other arm is under load."""
        begins_s = self._begins_s(turn)
        end_s = self._begins_s(1)[-1] + self.slice_s
        at_s = np.arange(random.random() * _READ_EVERY_S, end_s, _READ_EVERY_S)
        starts_s = np.array([turn * self.warmup_s, *begins_s])
        spans_s = np.array([self.warmup_s] + [self.slice_s] * self.slices)
        loaded_s = np.clip(at_s[:, None] - starts_s, 0, spans_s).sum(axis=1)
        level = heap.level_bytes(random, loaded_s).astype(np.int64)
        usage = {
            name: np.zeros(len(at_s), dtype=kind) for name, kind in USAGE_FIELDS.items()
        }
        usage["at_ns"][:] = at_s * _SECOND_NS
        usage["anonymous_bytes"][:] = usage["working_set_bytes"][:] = level
        return usage
