"""What will be sent, by whom and when: the same on both arms and in every round."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING, Final

from harness.model.link import NO_LINKS, Links

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.traffic import Request

__all__ = ["LOCUSTFILE", "SHOT_FIELDS", "Plan", "PlannedRequest"]

SHOT_FIELDS: Final[Mapping[str, str]] = {
    "user": "u4",
    "due_ns": "i8",
    "think_ns": "i8",
    "fresh": "?",
    "request": "u4",
    "held_out": "?",
}
"""One shot, as numpy types; shots are ordered by user and time.

`user` is the virtual user, counted from 0. In an open loop `due_ns` is the planned
moment on the arm's clock and `think_ns` 0. In a closed population `think_ns` is the
pause after the user's previous answer, for its first shot after the arm's start, and
`due_ns` the moment at which the user leaves, after which the shot is not sent; -1: it
stays. `fresh` marks the start of a session, with an empty cookie jar. `request`
is the row of the planned request. `held_out` marks the shots of sessions that are
judged, but not shown to whoever writes the candidate.
"""


LOCUSTFILE: Final = "LOCUSTFILE"
"""The method of the one request of a plan that a locustfile takes the place of.

Its body is the file; each shot is a user, its `think_ns` the moment of its entrance.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """A distinct request of the plan; many shots may share it.

    Attributes:
        request: what is sent, as recorded; its Cookie header is empty and only keeps
            the place.
        route: what it is judged under.
        cookies: recorded cookies in order, each name with its pseudonym; the live
            value of the same name takes its place. `None`: the capture could not
            know, so the user's whole jar is sent.
        recorded_status: the recorded answer's status, 0 where there is none.
        links: what it takes from earlier answers of its session, and gives to later
            requests.
        measured: whether its samples count; a login's do not.
    """

    request: Request
    route: str
    cookies: tuple[tuple[str, str], ...] | None
    recorded_status: int
    links: Links = field(default=NO_LINKS, repr=False)
    measured: bool = field(default=True, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A handle on a stored plan.

    Attributes:
        shots_path: Parquet, a row a shot, ordered by user and seq; the row number is
            the shot's number.
        requests_path: Parquet, a row a planned request.
        digest: SHA-256 over the content of both; the same recording, scenario and
            seed give the same digest.
        shots: how many.
        users: how many virtual users.
        open_loop: whether shots carry due times (`replay`) or think times (`users`).
        warmup_ns: length of the warm-up on the arm's clock.
        slice_ns: length of a slice.
        slices: measured slices an arm and round.
        planned: shots that fall due in them, if every answer comes at once; 0 where a
            locustfile decides it.
        peak_users: the most virtual users on stage at once, likewise.
        planned_held_out: of `planned`, those that are held out.
    """

    shots_path: Path
    requests_path: Path
    digest: str
    shots: int
    users: int
    open_loop: bool
    warmup_ns: int
    slice_ns: int
    slices: int
    planned: int
    peak_users: int
    planned_held_out: int = 0

    def __post_init__(self) -> None:
        if min(self.slice_ns, self.slices) < 1 or min(self.warmup_ns, self.planned) < 0:
            raise ValueError("a plan has slices, and nothing of it is negative")

    @property
    def total_ns(self) -> int:
        """Length of a round on the arm's clock, warm-up included."""
        return self.warmup_ns + self.slices * self.slice_ns

    @property
    def rate_per_s(self) -> float:
        """Planned shots an arm and second of its slices."""
        return 1e9 * self.planned / (self.slices * self.slice_ns)
