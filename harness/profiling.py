"""Why a build got slower: one more slice of each arm, under a sampling profiler.

It follows the verdict, which nothing of it touches.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.compare.stack import folded, grown
from harness.environment.profiler import PER_S, complaint, sampled
from harness.errors import SeatrialError
from harness.model.profile import Profile
from harness.model.result import Arm
from harness.model.verdict import Outcome
from harness.report.flame import flame_graph
from harness.rounds import load, up
from harness.store.disk import write_text

if TYPE_CHECKING:
    from harness.compare.stack import Stacks
    from harness.model.verdict import Report
    from harness.rounds import Pair

__all__ = ["FOLDER", "asks_why", "profiled"]

_SLOWER: Final = frozenset({"p50", "p95", "p99", "cpu", "memory", "growth", "goodput"})
FOLDER: Final = "profile"


def asks_why(report: Report) -> bool:
    """Whether a profile may explain a report: a failure by time or memory."""
    findings = report.verdict.findings
    failing = {each.metric for each in findings if each.severity == "fail"}
    return report.verdict.outcome is Outcome.FAIL and bool(failing & _SLOWER)


def profiled(pair: Pair) -> Profile:
    """Play the warm-up and one slice of each arm anew, the slice being sampled.

    The stacks and a flame graph of each arm are stored in the trial's directory, below
    `profile`. Whatever goes wrong is told, and never raised.
    """
    if missing := complaint():
        return Profile(missing=missing)
    pair.announce("one more slice of each arm under a profiler, off the verdict")
    folder = pair.directory / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        stacks = {arm: _stacks(pair, arm, folder) for arm in Arm}
    except SeatrialError as error:
        return Profile(missing=error.message)
    except OSError as error:
        return Profile(missing=f"{folder.name}: {error.strerror}")
    return Profile(frames=grown(stacks[Arm.BASELINE], stacks[Arm.CANDIDATE], PER_S))


def _stacks(pair: Pair, arm: Arm, folder: Path) -> Stacks:
    path = folder / f"{arm}.folded"
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        target = up(stack, pair, arm, scratch)
        if not target.pid:
            raise SeatrialError("the service's process cannot be seen from here")
        generator = stack.enter_context(load(pair, arm, target, scratch))
        generator.wait_ready()
        generator.play(0)
        with sampled(target.pid, pair.plan.slice_ns / 1e9, path) as faults:
            generator.play(1)
        if faults:
            raise SeatrialError(faults[0])
    stacks = folded(path.read_text(errors="replace").splitlines())
    write_text(folder / f"{arm}.svg", flame_graph(stacks, str(arm)))
    return stacks
