"""A service under load by its laws: log-normal service times, errors, lucky starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, pi, sqrt
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.special import ndtri

from harness.compare.evidence import REPLACEMENTS
from harness.compare.measure import ArmMeasures, Signature
from harness.model.result import Arm
from tests.bench.judge.effect import Effect, Errors
from tests.bench.judge.evidence import Terms, round_of
from tests.bench.judge.machine import SLICES, Machine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from harness.compare.evidence import RoundEvidence

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

Value = TypeVar("Value")

MEDIAN_NS = 100e6
SLOW_NS, DEADLINE_NS = 5_000_000_000, 10_000_000_000
SIGMA = 0.5
"""SD of the log of a service time."""

_MEMORY_BYTES, _MEMORY_DEVIATION = 400 * 2**20, 0.02
_CPU_NS, _CPU_DEVIATION = 2_000_000, 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A trial of a service.

    Attributes:
        terms: fixed before the trial.
        routes: how many, all alike.
        requests: of each, an arm and round: a multiple of `SLICES`.
        machine: what it does to both arms.
        errors: of the baseline.
        candidate_errors: of the candidate, the baseline's unless given.
        unsent: the share of each arm's planned requests that are never sent.
        effect: how else the candidate differs.
    """

    terms: Terms = field(default_factory=Terms)
    routes: int = 6
    requests: int = 702
    machine: Machine = field(default_factory=Machine)
    errors: Errors = field(default_factory=Errors)
    candidate_errors: Errors | None = None
    unsent: tuple[float, float] = (0.0, 0.0)
    effect: Effect = field(default_factory=Effect)

    @property
    def sampling(self) -> float:
        """SD of `d_r` of the service's p95 that its requests bring along."""
        share, count = 0.95, self.routes * self.requests
        density = exp(-(ndtri(share) ** 2) / 2) / sqrt(2 * pi)
        return SIGMA * sqrt(2 * share * (1 - share) / count) / density

    @property
    def names(self) -> tuple[str, ...]:
        """Of the routes."""
        return tuple(f"GET /{place}" for place in range(self.routes))

    def rounds(self, random: np.random.Generator) -> Iterator[RoundEvidence]:
        """As many as a trial may take, drawn as they are asked for."""
        count = self.terms.looks.last + REPLACEMENTS + 1
        machine, effect = self.machine, self.effect
        slowness = machine.luck(random, count, self.routes, self.sampling)
        slowness = slowness + machine.moods(random, count)
        slowness = np.broadcast_to(slowness, (count, 2, self.routes, SLICES)).copy()
        stalls = effect.stalls(random, count)
        slowness[:, 1] += effect.slowness(random, stalls, self.routes)
        wrong = self._wrong(random, count)
        spent = self._spent(random, count)
        planned = self.routes * self.requests
        sent = planned - random.binomial(planned, self.unsent, (count, 2))
        for place in range(count):
            latencies_ns, unanswered = self._latencies(random, slowness[place])
            baseline, candidate = map(
                self._arm,
                latencies_ns,
                wrong[place],
                unanswered,
                spent[place],
                sent[place].tolist(),
            )
            late = _LATE[effect.stall_voids] if stalls[place] else ()
            yield round_of(place + 1, baseline, candidate, late)

    def _wrong(self, random: np.random.Generator, count: int) -> Counts:
        """Answers 500, by round, arm, route and slice."""
        shape = (count, self.routes, SLICES)
        wrong = np.zeros((count, 2, *shape[1:]), np.int64)
        of_candidate = self.candidate_errors or self.errors
        for arm, errors in enumerate((self.errors, of_candidate)):
            if errors != Errors():
                rates = np.broadcast_to(errors.rates(random, count), shape)
                wrong[:, arm] = random.binomial(self.requests // SLICES, rates)
        return wrong

    def _spent(self, random: np.random.Generator, count: int) -> Floats:
        """Memory and CPU a request, by round and arm."""
        deviation = np.array([_MEMORY_DEVIATION, _CPU_DEVIATION]) / sqrt(2)
        spent = np.exp(deviation * random.standard_normal((count, 2, 2)))
        spent *= (_MEMORY_BYTES, _CPU_NS)
        spent[:, 1] *= (self.effect.memory, self.effect.cpu)
        return spent

    def _latencies(
        self, random: np.random.Generator, slowness: Floats
    ) -> tuple[Counts, Counts]:
        """Of both arms, by route, slice and request; and how many had no answer."""
        shape = (*slowness.shape, self.requests // SLICES)
        logs = random.standard_normal(shape, dtype=np.float32)
        logs *= SIGMA
        logs += slowness[..., None]
        latencies_ns = (MEDIAN_NS * np.exp(logs)).astype(np.int64)
        effect, places = self.effect, np.arange(shape[-1])
        unanswered = np.zeros(slowness.shape, np.int64)
        if effect.slow:
            slow = random.binomial(shape[-1], effect.slow, slowness[1].shape)
            latencies_ns[1][places < slow[..., None]] = SLOW_NS
        if effect.timeouts:
            unanswered[1] = random.binomial(
                shape[-1], effect.timeouts, slowness[1].shape
            )
            latencies_ns[1][places < unanswered[1][..., None]] = DEADLINE_NS
        return latencies_ns, unanswered

    def _arm(
        self,
        latencies_ns: Counts,
        wrong: Counts,
        unanswered: Counts,
        spent: Floats,
        sent: int,
    ) -> ArmMeasures:
        answered = sent - int(unanswered.sum())
        of_route = (wrong + unanswered).sum(axis=1)
        return ArmMeasures(
            latency_ns=self._by_route(latencies_ns.reshape(self.routes, -1)),
            requests=self._by_route([self.requests] * self.routes),
            errors=self._by_route(of_route.tolist()),
            answered=answered,
            correct=answered - int(wrong.sum()),
            planned=self.routes * self.requests,
            denied=0,
            reconnected=0,
            cpu_ns=int(spent[1] * answered),
            memory_bytes=float(spent[0]),
            episodes={
                Signature(name, status, cause): frozenset((found + 1).tolist())
                for status, cause, counts in (
                    (500, "", wrong),
                    (0, "timeout", unanswered),
                )
                if counts.any()
                for name, row in self._by_route(counts).items()
                if len(found := np.flatnonzero(row))
            },
            by_slice=self._by_slice(wrong + unanswered),
        )

    def _by_route(self, values: Iterable[Value]) -> dict[str, Value]:
        return dict(zip(self.names, values, strict=True))

    def _by_slice(self, wrong: Counts) -> dict[str, tuple[tuple[int, int], ...]]:
        asked = self.requests // SLICES
        counts = wrong.tolist()
        return self._by_route(tuple((asked, count) for count in row) for row in counts)


_LATE: Mapping[str, Collection[Arm]] = {
    "": (),
    "candidate": (Arm.CANDIDATE,),
    "both": tuple(Arm),
}
