"""Do the demo's budgets fit this machine? `python -m tests.bench.demo [--json FILE]`.

Plays the shop's baseline against itself under the demo's terms for N rounds (24), and
against the leak for the demo's own number. Then draws trials of the demo's length from
the recorded A/A rounds, with replacement, and judges each. Targets: >= 99 % PASS, and
the leak's memory >= 3 times what its budget allows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.compare.boundary import Looks
from harness.compare.evidence import RoundEvidence, TrialEvidence
from harness.compare.judge import is_over, judge
from harness.demo import builds_of, scenario_of
from harness.dossier import Dossier
from harness.model.verdict import Outcome, Report
from harness.progress import progress
from harness.store.recording import open_recording
from harness.store.trial import read_journal, read_rounds
from harness.trial import Terms, verify

if TYPE_CHECKING:
    from harness.model.scenario import Scenario

DRAWS = 1000
MIB = 1 << 20


def played(scenario: Scenario, candidate: str, parent: Path) -> tuple[Path, Report]:
    """A trial of the shop against a candidate, an empty name for itself."""
    arguments = os.environ.get("SEATRIAL_BUILD_ARG", "").split()
    with builds_of(candidate) as (shop, references):
        return verify(
            Terms(
                scenario=scenario,
                recording=open_recording(shop / "shop.parquet"),
                references=references,
                scenario_dir=shop,
                parent=parent,
                build_args=dict(each.split("=", 1) for each in arguments),
                announce=progress.announce,
            )
        )


def passing(directory: Path, looks: Looks) -> float:
    """Share of PASS among trials drawn from the stored rounds."""
    journal = read_journal(directory)
    dossier = Dossier(journal)
    for each in read_rounds(directory):
        dossier.add(each)
    sound = [each for each in dossier.rounds if not each.round.void]
    random = np.random.default_rng(1)
    passed = 0
    for _ in range(DRAWS):
        drawn = [sound[each] for each in random.integers(len(sound), size=looks.last)]
        trial = TrialEvidence(
            scenario=journal.scenario.name,
            why="",
            baseline="",
            candidate="",
            budgets=journal.scenario.budgets,
            looks=looks,
            rounds=tuple(map(_renumbered, drawn, count(1))),
            limits=dossier.limits,
        )
        prefixes = (
            replace(trial, rounds=trial.rounds[:rounds])
            for rounds in range(looks.first, looks.last + 1)
        )
        ended = next(each for each in prefixes if is_over(each))
        passed += judge(ended).verdict.outcome is Outcome.PASS
    return passed / DRAWS


def _renumbered(evidence: RoundEvidence, index: int) -> RoundEvidence:
    return replace(evidence, round=replace(evidence.round, index=index))


def spreads(report: Report) -> dict[str, float]:
    """Of each metric of the service: the rounds' standard deviation."""
    figures = {}
    for each in report.estimates:
        if each.per_round and (each.relative or each.unit == "ratio"):
            pairs = np.array(each.per_round)
            change = pairs[:, 1] - pairs[:, 0]
            if each.relative:
                change = np.diff(np.log(pairs), axis=1)[:, 0]
            figures[f"{each.metric} {each.route}"] = float(np.std(change, ddof=1))
    return figures


def main() -> int:
    """Print figures beside targets; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    scenario = scenario_of(progress.announce)
    longer = scenario.rounds.model_copy(
        update=dict.fromkeys(("min", "max"), arguments.rounds)
    )
    with tempfile.TemporaryDirectory() as name:
        directory, report = played(
            scenario.model_copy(update={"rounds": longer, "fix": None}),
            "",
            Path(name),
        )
        share = passing(directory, Looks(scenario.rounds.min, scenario.rounds.max))
        _, leaking = played(scenario, "leak", Path(name))
    (memory,) = (each for each in leaking.estimates if each.metric == "memory")
    assert memory.baseline is not None
    assert memory.candidate is not None
    level = scenario.budgets.memory.level
    allowed = max(level.relative * memory.baseline, level.absolute)
    excess = (memory.candidate - memory.baseline) / allowed
    figures: dict[str, Any] = {
        "rounds": report.rounds,
        "spread": spreads(report),
        "passing": share,
        "leak_over_budget": excess,
    }
    for metric, spread in figures["spread"].items():
        print(f"        SD of {metric}: {100 * spread:.2f} % (or points)")
    rows = [
        (f"PASS of {DRAWS} trials drawn from {report.rounds} A/A rounds", share, 0.99),
        ("leak's memory over what the budget allows", excess, 3.0),
    ]
    for text, value, target in rows:
        word = "met" if value >= target else "MISSED"
        print(f"{word:6}  {text}: {value:.3f} (target >= {target:g})")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(value < target for _, value, target in rows))


if __name__ == "__main__":
    sys.exit(main())
