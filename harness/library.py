"""A trial from Python: what `seatrial verify` does, for whoever calls it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model.result import Arm
from harness.options import calibration_of, terms_of
from harness.report.terminal import terminal
from harness.report.wording import reasons
from harness.trial import verify as run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.progress import Announcement
    from harness.model.verdict import Outcome, Report

__all__ = ["Trial", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial that has been judged.

    Attributes:
        directory: where it is stored, with `report.html` and all that it was made of.
        report: the verdict with every estimate and finding.
    """

    directory: Path
    report: Report

    @property
    def outcome(self) -> Outcome:
        """PASS, FAIL, INCONCLUSIVE or INVALID; equal to its word."""
        return self.report.verdict.outcome

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, the first sentence most of all."""
        return reasons(self.report)

    @property
    def text(self) -> str:
        """The report as a terminal shows it."""
        return terminal(self.report)


def verify(
    scenario: str | Path,
    *,
    baseline: str | None = None,
    candidate: str | None = None,
    out: str | Path = "trials",
    max_time: str | None = None,
    build_args: Mapping[str, str] | None = None,
    wait: bool = False,
    announce: Callable[[Announcement], None] = lambda _: None,
) -> Trial:
    """Replay a scenario's traffic against two builds and judge the difference.

    Args:
        scenario: its file.
        baseline: `git:COMMIT`, `image:NAME`, `dir:PATH` or a URL; by default the merge
            base with the default branch.
        candidate: likewise; by default the work tree.
        out: where the trial's directory is made.
        max_time: such as `20m`; no round starts that would end after it.
        build_args: for the images; win over the scenario's.
        wait: wait for another trial on this machine instead of being refused.
        announce: told what happens, as it happens.

    Raises:
        InputError: the scenario, its recording or a reference is wrong.
        SeatrialError: nothing could be measured; nothing is left running.
    """
    terms = terms_of(
        Path(scenario),
        {Arm.BASELINE: baseline, Arm.CANDIDATE: candidate},
        out=Path(out),
        max_time=max_time,
        build_arg=tuple(
            f"{name}={value}" for name, value in (build_args or {}).items()
        ),
        wait=wait,
        workers=None,
        machines=0,
        listen="127.0.0.1:0",
        token="",
    )
    calibration = calibration_of(terms.parent, terms.scenario)
    terms = replace(terms, calibration=calibration, announce=announce)
    directory, report = run(terms)
    return Trial(directory=directory, report=report)
