"""Every error that Seatrial raises. An error means that the measurement failed.

A regression is never an exception: it is a finding in a verdict.

    SeatrialError             exit 4   not measured; says nothing about the candidate
    ├─ InputError             exit 2   wrong input or usage
    │  ├─ RecordingError               a capture or recording that cannot be used
    │  └─ ScenarioError                a scenario file, with its line and column
    ├─ BuildError                      image, Dockerfile, readiness; has the last lines
    │  └─ CandidateError               built, but not up, although the baseline was
    ├─ EngineError                     the load engine broke its contract
    │  └─ WorkerLostError              a load worker is gone; its round is void
    └─ ComparisonError                 the stored arms cannot be compared
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BuildError",
    "CandidateError",
    "ComparisonError",
    "EngineError",
    "InputError",
    "RecordingError",
    "ScenarioError",
    "SeatrialError",
    "WorkerLostError",
]


class SeatrialError(Exception):
    """The measurement failed.

    Args:
        message: what is wrong, naming the place.
        hint: what to do about it, or nothing.
    """

    exit_code: ClassVar[int] = 4
    log: tuple[str, ...] = ()

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message, the log's lines and the hint, as a person is told them."""
        lines = [self.message, *(f"  | {line}" for line in self.log)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class InputError(SeatrialError):
    """The user's input or usage is wrong."""

    exit_code: ClassVar[int] = 2


class RecordingError(InputError):
    """A capture or a recording cannot be used."""


class ScenarioError(InputError):
    """A scenario file is wrong; the message starts with `file:line:column:`."""


class BuildError(SeatrialError):
    """A build could not be made, started or reached.

    Args:
        message: what failed, naming the build.
        hint: what to do about it.
        log: the last lines that the build or the service wrote.
    """

    def __init__(
        self, message: str, *, hint: str = "", log: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.log = log


class CandidateError(BuildError):
    """The candidate was built but did not come up although the baseline did.

    Twice in a trial that is a finding about the candidate.
    """


class EngineError(SeatrialError):
    """The load engine broke its contract."""


class WorkerLostError(EngineError):
    """A load worker is gone: killed, stopped, or cut off. Its round is void."""


class ComparisonError(SeatrialError):
    """The stored arms cannot be compared."""
