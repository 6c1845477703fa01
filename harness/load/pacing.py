"""When is which user's shot eligible: pure arithmetic, no clock inside.

The arm's clock runs only during the arm's slices, so that whatever the resting arm
would have been asked waits for its next slice. Latencies are the worker's monotonic
time; the clock here only places arm time on it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

__all__ = ["ArmClock", "Pacer"]


@dataclass(slots=True)
class ArmClock:
    """Arm time against monotonic time, both in nanoseconds.

    Arm time `t` of the running slice is `started_ns + (t - arm_ns)` on the monotonic
    clock. A shot that an earlier slice left over keeps its wait in arm time: the pause
    between the slices is not part of it.
    """

    started_ns: int = 0
    arm_ns: int = 0
    end_ns: int = 0

    def start(self, now_ns: int, length_ns: int) -> None:
        """Begin a slice of that length, where the previous one ended."""
        self.started_ns = now_ns
        self.arm_ns = self.end_ns
        self.end_ns += length_ns

    def arm_time(self, monotonic_ns: int) -> int:
        """Arm time of a moment; it stands still once the slice has ended."""
        return min(self.arm_ns + monotonic_ns - self.started_ns, self.end_ns)

    def monotonic_time(self, arm_ns: int) -> int:
        """The moment of an arm time, by the running slice."""
        return self.started_ns + arm_ns - self.arm_ns


@dataclass(slots=True)
class Pacer:
    """Waiting users by the grain of time in which they are woken, together.

    A user is woken at the end of the grain, so at most one grain late and never early;
    in one grain in the order of arrival.

    Attributes:
        grain_ns: length of a grain.
    """

    grain_ns: int
    _users: dict[int, list[object]] = field(default_factory=dict)
    _moments: list[int] = field(default_factory=list)

    def add(self, eligible_ns: int, user: object) -> bool:
        """Let a user wait for that arm time; true if nobody's grain is earlier."""
        moment_ns = eligible_ns - eligible_ns % -self.grain_ns
        if (users := self._users.get(moment_ns)) is not None:
            users.append(user)
            return False
        self._users[moment_ns] = [user]
        heapq.heappush(self._moments, moment_ns)
        return self._moments[0] == moment_ns

    def next_ns(self) -> int | None:
        """Arm time at which the first are woken, `None` if nobody waits."""
        return self._moments[0] if self._moments else None

    def due(self, arm_ns: int) -> list[object]:
        """Take out everybody whose grain has ended."""
        users: list[object] = []
        while self._moments and self._moments[0] <= arm_ns:
            users += self._users.pop(heapq.heappop(self._moments))
        return users
