"""Is every candidate found out? `python -m tests.bench.gallery [--only NAME…]`.

Tries the shop's candidates as `seatrial demo --all` does, in one run, and says of each
what was expected and what was given; `--json FILE` keeps that with the findings.
Target: all as expected.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.demo import run, table
from harness.errors import SeatrialError
from harness.expectation import GALLERY, given
from harness.progress import progress
from harness.report import REPORTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.expectation import Expectation
    from harness.model.verdict import Report

TRIES = 2
"""Other machines on this host can spoil a trial, once."""


def played(candidates: list[str], parent: Path) -> Iterator[tuple[Expectation, Report]]:
    """The trials of some candidates, each tried again where it cannot be measured."""
    arguments = os.environ.get("SEATRIAL_BUILD_ARG", "").split()
    for each in candidates:
        for attempt in range(1, TRIES + 1):
            try:
                yield from run(
                    GALLERY.only(each),
                    parent,
                    build_args=dict(one.split("=", 1) for one in arguments),
                    wait=True,
                    announce=progress.announce,
                    show=lambda report: print(REPORTERS["terminal"](report)),
                )
            except SeatrialError as error:
                progress.announce(f"{each}, attempt {attempt}: {error}")
            else:
                break


def figures(trial: Expectation, report: Report) -> dict[str, object]:
    """One trial of the file."""
    return {
        "candidate": trial.candidate,
        "expected": trial.words,
        "given": given(report),
        "met": trial.met_by(report),
        "findings": [
            f"{each.severity} {each.metric} {each.route}: {each.message}"
            for each in report.verdict.findings
        ],
    }


def main() -> int:
    """Print expected beside given; 1 where one is missed."""
    names = [each.candidate for each in GALLERY.trials]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--out", type=Path, help="keeps the trials' directories")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = list(played(arguments.only, arguments.out or Path(scratch)))
    met = sum(trial.met_by(report) for trial, report in found)
    word = "met" if met == len(arguments.only) else "MISSED"
    print(table(found))
    print(f"{word:6}  as expected: {met} of {len(arguments.only)} (target: all)")
    if arguments.json:
        arguments.json.write_text(
            json.dumps([figures(*each) for each in found], indent=2) + "\n"
        )
    return int(met != len(arguments.only))


if __name__ == "__main__":
    sys.exit(main())
