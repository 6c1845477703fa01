"""The slowest requests of an arm's round, and what its log says of that time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from harness.compare.logline import cleaned
from harness.model.result import Arm
from harness.model.verdict import SlowRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.compare.evidence import RoundEvidence
    from harness.compare.measure import ArmColumns

__all__ = ["Nearby", "Slow", "slowest", "slowest_of_all"]

_OF_A_ROUND: Final = 3
_OF_AN_ARM: Final = 5
_LINES: Final = 5
_LETTERS: Final = 300


class Slow(NamedTuple):
    """A slow request, and from when to when it was under way.

    Attributes:
        request: it.
        sent_ns: on the engine's monotonic clock.
        done_ns: likewise.
    """

    request: SlowRequest
    sent_ns: int
    done_ns: int


def slowest(columns: ArmColumns, arm: Arm, round_: int) -> tuple[Slow, ...]:
    """The slowest requests of the measured slices, the slowest first."""
    samples = columns.samples
    sent = np.flatnonzero((samples["slice"] != 0) & (samples["sent_ns"] > 0))
    latency_ns = samples["done_ns"][sent] - samples["due_ns"][sent]
    first_ns = samples["sent_ns"][sent].min(initial=np.iinfo(np.int64).max)
    order = np.argsort(-latency_ns, kind="stable")[:_OF_A_ROUND]
    return tuple(
        Slow(
            request=SlowRequest(
                arm=str(arm),
                round=round_,
                slice=int(samples["slice"][at]),
                shot=int(samples["shot"][at]),
                route=columns.routes[columns.route[at]],
                latency_ns=int(took_ns),
                status=int(samples["status"][at]),
                at_s=round(int(samples["sent_ns"][at] - first_ns) / 1e9, 3),
            ),
            sent_ns=int(samples["sent_ns"][at]),
            done_ns=int(samples["done_ns"][at]),
        )
        for at, took_ns in zip(sent[order], latency_ns[order], strict=True)
    )


class Nearby:
    """The last lines that a build wrote while each of some requests was under way.

    Args:
        slow: the requests.
        ahead_ns: by how much the clock of the log is ahead of the engine's.
    """

    def __init__(self, slow: Sequence[Slow], ahead_ns: int) -> None:
        self._slow = slow
        self._ahead_ns = ahead_ns
        self._said: list[list[bytes]] = [[] for _ in slow]

    def noting(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
        """Hand on the lines of a log, each of which comes with its time, 0 for none."""
        for at_ns, line in lines:
            if at_ns:
                self._note(at_ns - self._ahead_ns, line)
            yield line

    def _note(self, at_ns: int, line: bytes) -> None:
        for place, each in enumerate(self._slow):
            if each.sent_ns <= at_ns <= each.done_ns:
                self._said[place] = [*self._said[place], line][-_LINES:]

    @property
    def requests(self) -> tuple[SlowRequest, ...]:
        """The requests with what was noted so far."""
        return tuple(
            replace(each.request, log=tuple(cleaned(line)[:_LETTERS] for line in said))
            for each, said in zip(self._slow, self._said, strict=True)
        )


def slowest_of_all(rounds: Sequence[RoundEvidence]) -> tuple[SlowRequest, ...]:
    """The slowest of each arm, over these rounds."""
    every = [slow for each in rounds for slow in each.slowest]
    every.sort(key=lambda slow: (slow.arm, -slow.latency_ns, slow.round, slow.shot))
    of_arms = [[slow for slow in every if slow.arm == arm] for arm in Arm]
    return tuple(slow for arm in of_arms for slow in arm[:_OF_AN_ARM])
