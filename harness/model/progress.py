"""How a trial under way stands: what a live view shows."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Announcement", "Complaint", "Pulse", "Standing", "Step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How a slice under way stands, all workers of its arm together.

    Attributes:
        elapsed_s: since its start.
        users: on stage.
        sent: requests in it so far.
        failed: of them, without a complete answer or answered by a 5xx.
        lag_ns: the worst of the last half second, of shots that waited for no answer.
    """

    elapsed_s: float
    users: int
    sent: int
    failed: int
    lag_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One arm's part of a round, as it goes on.

    Attributes:
        title: such as `round 2: slice 3/6, candidate`.
        pulse: the latest; `None` before the first.
        planned_per_s: requests a second, if every answer comes at once.
        left_s: how long the rest of the trial will probably take.
        over: whether this part has ended.
    """

    title: str
    pulse: Pulse | None
    planned_per_s: float
    left_s: float
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the builds compare so far, of all traffic, held out or not.

    Attributes:
        line: in words.
    """

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What went wrong without ending the trial; who wants quiet is told it, too.

    Attributes:
        line: in words.
    """

    line: str


Announcement = str | Step | Standing | Complaint
"""What a trial tells whoever watches."""
