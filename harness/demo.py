"""The main job on the bundled shop: two trials, both with a known answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.environment import Kind, Reference, engine_answers
from harness.errors import BuildError
from harness.model.result import Arm
from harness.model.verdict import FixOutcome, Outcome
from harness.planning.scenariofile import read_scenario
from harness.store.recording import open_recording
from harness.trial import Terms, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model.progress import Announcement
    from harness.model.scenario import Scenario
    from harness.model.verdict import Report

__all__ = ["TRIALS", "Expectation", "builds_of", "run", "scenario_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A candidate of the shop and what its trial must say.

    Attributes:
        candidate: the name of its patch.
        claim: what its author says of it.
        outcome: the right verdict.
        fix: what must have become of the claim.
        metric: what a finding of that verdict must name, empty for anything.
    """

    candidate: str
    claim: str
    outcome: Outcome
    fix: FixOutcome
    metric: str = ""

    @property
    def words(self) -> str:
        """What is expected, in two words."""
        return f"{self.outcome} {self.fix}"

    def met_by(self, report: Report) -> bool:
        """Whether a report says the right thing for the right reason."""
        findings = report.verdict.findings
        named = {each.metric for each in findings if each.severity == "fail"}
        right_reason = not self.metric or self.metric in named
        fix = report.proof and report.proof.outcome
        said = report.verdict.outcome, fix
        return said == (self.outcome, self.fix) and right_reason


TRIALS: Final = (
    Expectation(
        candidate="true-fix",
        claim="a fix of the checkout's race that fixes it",
        outcome=Outcome.PASS,
        fix=FixOutcome.FIXED,
    ),
    Expectation(
        candidate="leak",
        claim="the same fix with a cache that never forgets",
        outcome=Outcome.FAIL,
        fix=FixOutcome.FIXED_BUT_REGRESSED,
        metric="memory",
    ),
)


def run(
    parent: Path,
    *,
    build_args: Mapping[str, str],
    wait: bool,
    announce: Callable[[Announcement], None],
    show: Callable[[Report], None],
) -> bool:
    """Run the demo's trials; true if every verdict came out right.

    Args:
        parent: where the trials' directories are made.
        build_args: for the images.
        wait: wait for another trial on this machine.
        announce: told what happens.
        show: given each report.

    Raises:
        SeatrialError: something could not be measured.
    """
    scenario = scenario_of(announce)
    right = []
    for trial in TRIALS:
        announce(f"\n== {trial.candidate}: {trial.claim}; expected {trial.words}")
        with builds_of(trial.candidate) as (shop, references):
            directory, report = verify(
                Terms(
                    scenario=scenario,
                    recording=open_recording(shop / "shop.parquet"),
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
        right.append(trial.met_by(report))
    announce("")
    for trial, good in zip(TRIALS, right, strict=True):
        said = "as expected" if good else f"NOT as expected ({trial.words})"
        announce(f"{trial.candidate}: {said}")
    return all(right)


def scenario_of(announce: Callable[[str], None]) -> Scenario:
    """The demo's scenario, on local processes where no engine answers."""
    scenario = read_scenario(_shop() / "demo.yaml")
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
