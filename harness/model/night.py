"""A night: one trial of each scenario, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["End", "Turn"]


class End(StrEnum):
    """How a scenario's turn ended: in a verdict, or why in none."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"
    NOT_MEASURED = "not measured"
    WRONG_INPUT = "wrong input"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One scenario of a night.

    Attributes:
        file: of the scenario.
        scenario: its name, empty where the file was not read or could not be.
        end: how it ended.
        reason: the first sentence of why.
        directory: of the trial's files, empty without a verdict.
    """

    file: str
    scenario: str = ""
    end: End
    reason: str
    directory: str = ""
