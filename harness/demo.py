"""The main job on the bundled shop: trials with a known answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.environment import Kind, Reference, engine_answers
from harness.errors import BuildError
from harness.expectation import given
from harness.model.result import Arm
from harness.model.verdict import Outcome
from harness.planning.scenariofile import read_scenario
from harness.store.recording import open_recording
from harness.trial import Terms, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from harness.expectation import Expectation, Programme
    from harness.model.progress import Announcement
    from harness.model.scenario import Scenario
    from harness.model.verdict import Report

    Played = tuple[Expectation, Report]

__all__ = ["builds_of", "exit_code", "run", "scenario_of", "summary", "table"]

_WORST_FIRST: Final = (
    (Outcome.PASS, 1),
    (Outcome.FAIL, 1),
    (Outcome.INVALID, 4),
    (Outcome.INCONCLUSIVE, 3),
)
"""The exit code where a trial came out so, otherwise than expected, and none before."""


def run(
    programme: Programme,
    parent: Path,
    *,
    build_args: Mapping[str, str],
    wait: bool,
    announce: Callable[[Announcement], None],
    show: Callable[[Report], None],
) -> Iterator[Played]:
    """Run a programme's trials: each as it ends, with what was expected of it.

    Args:
        programme: what is tried, and under which terms.
        parent: where the trials' directories are made.
        build_args: for the images.
        wait: wait for another trial on this machine.
        announce: told what happens.
        show: given each report.

    Raises:
        SeatrialError: something could not be measured.
    """
    scenario = scenario_of(announce, programme.scenario)
    for trial in programme.trials:
        announce(f"\n== {trial.candidate}: {trial.claim}; expected {trial.words}")
        with builds_of(trial.candidate) as (shop, references):
            directory, report = verify(
                Terms(
                    scenario=scenario,
                    recording=open_recording(shop / (scenario.recording or "")),
                    references=references,
                    scenario_dir=shop,
                    parent=parent,
                    build_args=build_args,
                    wait=wait,
                    announce=announce,
                )
            )
        show(report)
        announce(f"files: {directory}")
        yield trial, report


def summary(played: Iterable[Played]) -> Iterator[str]:
    """A line a trial: whether it said what was expected."""
    for trial, report in played:
        good = trial.met_by(report)
        said = "as expected" if good else f"NOT as expected ({trial.words})"
        yield f"{trial.candidate}: {said}"


def exit_code(played: Iterable[Played]) -> int:
    """Of the worst trial that did not say what was expected; 0 where all did."""
    missed = {
        report.verdict.outcome for trial, report in played if not trial.met_by(report)
    }
    return next((code for outcome, code in _WORST_FIRST if outcome in missed), 0)


def table(played: Iterable[Played]) -> str:
    """Expected against given, a row a trial."""
    rows = [
        (
            trial.candidate,
            trial.words,
            given(report),
            "as expected" if trial.met_by(report) else "NOT as expected",
        )
        for trial, report in played
    ]
    lines = [("candidate", "expected", "given", ""), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines
    )


def scenario_of(announce: Callable[[str], None], name: str = "demo.yaml") -> Scenario:
    """A scenario beside the shop, on local processes where no engine answers."""
    scenario = read_scenario(_shop() / name)
    complaint = engine_answers()
    if not complaint:
        return scenario
    announce(f"{complaint}; running the builds as local processes")
    service = scenario.service.model_copy(update={"driver": "process"})
    return scenario.model_copy(update={"service": service})


@contextmanager
def builds_of(candidate: str) -> Iterator[tuple[Path, dict[Arm, Reference]]]:
    """The bundled shop, and it against itself with a candidate's patch.

    Args:
        candidate: the name of a patch; empty for the shop as it is.

    Raises:
        BuildError: git is missing or the patch does not apply.
    """
    shop = _shop()
    with tempfile.TemporaryDirectory(prefix="seatrial-demo-") as scratch:
        trees = {
            Arm.BASELINE: _patched(shop, "", Path(scratch, "shop")),
            Arm.CANDIDATE: _patched(
                shop, candidate, Path(scratch, candidate or "same")
            ),
        }
        yield (
            shop,
            {
                arm: Reference(kind=Kind.DIR, value=str(tree), text=tree.name)
                for arm, tree in trees.items()
            },
        )


def _shop() -> Path:
    """The bundled shop: in the installed package, or in the source tree."""
    package = Path(__file__).parent
    bundled = package / "shop"
    return bundled if bundled.is_dir() else package.parent / "compose" / "shop"


def _patched(shop: Path, candidate: str, tree: Path) -> Path:
    shutil.copytree(shop, tree, ignore=shutil.ignore_patterns("__pycache__"))
    if not candidate:
        return tree
    patch = shop / "candidates" / f"{candidate}.patch"
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    try:
        subprocess.run(
            ["git", "apply", str(patch)],
            cwd=tree,
            env=alone,
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise BuildError("git is missing", hint="install git") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(f"{patch} does not apply", log=(error.stderr,)) from error
    return tree
