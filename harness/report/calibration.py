"""A calibration as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.calibration import detects, false_alarms, worded
from harness.compare.figure import figure, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.calibration import Calibration, Injected, Sensitivity

__all__ = ["calibration_text"]


def calibration_text(calibration: Calibration) -> str:
    """What a machine can see: false alarms, noise, power and the changes made."""
    return "".join(f"{line}\n" for line in _lines(calibration))


def _lines(calibration: Calibration) -> Iterator[str]:
    yield f"{calibration.scenario} on {calibration.machine.words}, {calibration.day}"
    yield f"baseline {calibration.baseline}"
    yield (
        f"{false_alarms(calibration)}, {calibration.inconclusive} INCONCLUSIVE; "
        f"{calibration.invalid} more INVALID; {calibration.rounds} rounds"
    )
    if calibration.sensitivities:
        yield from ("", *_table(calibration.sensitivities))
        yield f"each against its share of 5% for {calibration.family} hypotheses"
        yield detects(calibration)
    for each in calibration.injected:
        yield _injected(each)


def _table(sensitivities: tuple[Sensitivity, ...]) -> Iterator[str]:
    powers = [power for power, _ in sensitivities[0].curve]
    found = [f"found {power:.0%}" for power in powers]
    rows = [["metric", "SD", "budget", *found]]
    rows += [
        [
            each.metric,
            _deviation(each),
            each.budget,
            *(worded(change, each) for _, change in each.curve),
        ]
        for each in sensitivities
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
    yield ""


def _deviation(of: Sensitivity) -> str:
    if not of.relative and of.unit != "ratio":
        return figure(of.deviation, of.unit)
    return f"{number(of.deviation * 100)}{'%' if of.relative else ' points'}"


def _injected(injected: Injected) -> str:
    named = f", by {', '.join(injected.metrics)}" if injected.metrics else ""
    return f"{injected.name}: {injected.failed} of {injected.trials} found{named}"
