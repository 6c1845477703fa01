"""Does the shop differ from itself? `python -m tests.bench.alike [--trials 10]`.

Trials of two equal builds, in turn under the scenarios of `seatrial demo` and of the
gallery, without their claim. Target: no finding of behaviour, and every one a PASS.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from harness.demo import builds_of, scenario_of
from harness.expectation import DEMO, GALLERY
from harness.model.verdict import Outcome
from harness.progress import progress
from harness.store.recording import open_recording
from harness.trial import Terms, verify

if TYPE_CHECKING:
    from harness.model.verdict import Report


def played(name: str, parent: Path) -> Report:
    """A trial of the shop against itself."""
    arguments = os.environ.get("SEATRIAL_BUILD_ARG", "").split()
    scenario = scenario_of(progress.announce, name).model_copy(update={"fix": None})
    with builds_of("") as (shop, references):
        _, report = verify(
            Terms(
                scenario=scenario,
                recording=open_recording(shop / (scenario.recording or "")),
                references=references,
                scenario_dir=shop,
                parent=parent,
                build_args=dict(one.split("=", 1) for one in arguments),
                wait=True,
                announce=progress.announce,
            )
        )
    return report


def main() -> int:
    """Print a line a trial; 1 where one is not a PASS or finds behaviour."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--out", type=Path, help="keeps the trials' directories")
    arguments = parser.parse_args()
    alike = passed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name in islice(cycle((DEMO.scenario, GALLERY.scenario)), arguments.trials):
            report = played(name, arguments.out or Path(scratch))
            found = [
                f"{each.severity} {each.metric}: {each.message}"
                for each in report.verdict.findings
                if each.severity in {"fail", "inconclusive"}
                or each.metric == "behaviour"
            ]
            alike += not any("behaviour" in each for each in found)
            passed += report.verdict.outcome is Outcome.PASS
            print(
                "\n  ".join([f"{name}: {report.verdict.outcome}", *found]), flush=True
            )
    for what, count in (("without a finding of behaviour", alike), ("PASS", passed)):
        word = "met" if count == arguments.trials else "MISSED"
        print(f"{word:6}  {what}: {count} of {arguments.trials} (target: all)")
    return int(min(alike, passed) != arguments.trials)


if __name__ == "__main__":
    sys.exit(main())
