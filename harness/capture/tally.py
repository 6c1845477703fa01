"""What an import left out, and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from harness.errors import RecordingError
from harness.model.traffic import Skipped

__all__ = [
    "EDGE",
    "GRPC",
    "MALFORMED",
    "OTHER_HOST",
    "TRUNCATED",
    "UNUSABLE",
    "WEBSOCKET",
    "LeftOut",
    "Tally",
]

MALFORMED: Final = "malformed"
"""Outside the format's grammar."""

UNUSABLE: Final = "unusable"
"""Well recorded, but not a request that can be sent."""

TRUNCATED: Final = "truncated"
"""Cut short when it was captured."""

OTHER_HOST: Final = "other host"
"""For a host that is not the recorded service."""

WEBSOCKET: Final = "websocket"
"""Not an exchange of HTTP."""

GRPC: Final = "gRPC"
"""Needs HTTP/2 from end to end."""

EDGE: Final = "served by the edge"
"""A cache, proxy or load balancer answered; the service was not asked."""

_SAMPLES: Final = 5
_HOSTS: Final = 5
_MALFORMED_RATIO: Final = 0.05


class LeftOut(ValueError):  # noqa: N818 - an outcome of most captures, not an error
    """An entry that becomes no exchange.

    Args:
        reason: one of the above.
        why: what is wrong, never what redaction would hide.
    """

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason = reason
        self.why = why


class Tally:
    """Counts of what was left out or adapted, by reason, with a few places each."""

    __slots__ = ("_adapted", "_counts", "_filtered", "_hosts", "_samples")

    def __init__(self) -> None:
        self._adapted: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._filtered: Counter[str] = Counter()
        self._hosts: Counter[str] = Counter()
        self._samples: defaultdict[str, list[str]] = defaultdict(list)

    def skip(self, reason: str, place: str, why: str) -> None:
        """Count an entry.

        Args:
            reason: one of a few.
            place: where it is.
            why: what is wrong, never what redaction would hide; the other host's name,
                where the capture tells.
        """
        self._counts[reason] += 1
        if reason == OTHER_HOST:
            self._hosts[why] += 1
        if self._counts[reason] <= _SAMPLES:
            self._samples[reason].append(f"{place}: {why}" if why else place)

    def adapt(self, how: str, count: int = 1) -> None:
        """Count exchanges that are kept but will be replayed otherwise."""
        if count:
            self._adapted[how] += count

    def filter(self, reason: str, count: int) -> None:
        """Count exchanges that could be replayed, but are not wanted."""
        if count:
            self._filtered[reason] += count

    def filtered(self) -> tuple[Skipped, ...]:
        """The counts so far, the most frequent reason first."""
        return tuple(
            Skipped(reason=reason, count=count)
            for reason, count in self._filtered.most_common()
        )

    def adapted(self) -> tuple[Skipped, ...]:
        """The counts so far, the most frequent first."""
        return tuple(
            Skipped(reason=how, count=count)
            for how, count in self._adapted.most_common()
        )

    def skipped(self) -> tuple[Skipped, ...]:
        """The counts so far, the most frequent reason first."""
        return tuple(
            Skipped(reason=reason, count=count, samples=tuple(self._samples[reason]))
            for reason, count in self._counts.most_common()
        )

    def check(self, name: str, kept: int) -> None:
        """Refuse a capture that gave nothing, or too little to be trusted.

        Args:
            name: the capture, for the message.
            kept: usable exchanges.

        Raises:
            RecordingError: nothing was kept, or over 5 % of the entries are malformed.
        """
        total = kept + self._filtered.total() + self._counts.total()
        malformed = self._counts[MALFORMED]
        if malformed > _MALFORMED_RATIO * total:
            places = "".join(f"\n  {sample}" for sample in self._samples[MALFORMED])
            raise RecordingError(
                f"{name}: {malformed:,} of {total:,} entries are malformed{places}",
                hint="check that the capture is complete and of one known format",
            )
        if not kept:
            raise RecordingError(
                f"{name}: no usable exchange ({self._reasons()})",
                hint=self._remedy(),
            )

    def _remedy(self) -> str:
        if self._filtered:
            return "ask for less of the filters"
        seen = [host for host, _ in self._hosts.most_common(_HOSTS) if host]
        if seen:
            return f"name a host of the capture with --host: {', '.join(seen)}"
        if self._hosts:
            return "leave --host out: the capture names no host"
        return "record traffic of the service, or name its host with --host"

    def _reasons(self) -> str:
        counts = (self._counts + self._filtered).items()
        reasons = [f"{count:,} {reason}" for reason, count in counts]
        return ", ".join(reasons) or "the capture is empty"
