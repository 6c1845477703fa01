"""What a trial leaves for its readers: the files of its directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.model.result import Arm
from harness.profiling import FOLDER
from harness.report import REPORTERS
from harness.report.agent import AGENT_FILE, agent
from harness.report.html import html
from harness.store.disk import read_text, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from harness.dossier import Dossier
    from harness.model.verdict import Report
    from harness.store.trial import Journal

__all__ = ["FILES", "PAGE", "write_reports"]

FILES: Final = {"verdict.json": "json", "summary.md": "markdown", "junit.xml": "junit"}
"""What stands in every trial's directory, and the reporter that writes it.

Beside them `agent.json` and `report.html`, which take more than the report.
"""
PAGE: Final = "report.html"


def write_reports(directory: Path, journal: Journal, dossier: Dossier) -> Report:
    """Judge a trial and write the files that stand in every trial's directory.

    Args:
        directory: the trial's.
        journal: as it now stands.
        dossier: of all its rounds.
    """
    report, shown = dossier.reports(journal)
    for name, reporter in FILES.items():
        write_text(directory / name, REPORTERS[reporter](report))
    told = agent(
        shown,
        outcome=report.verdict.outcome,
        fix=report.proof.outcome if report.proof else None,
    )
    write_text(directory / AGENT_FILE, told)
    flames = {
        str(arm): read_text(path)
        for arm in Arm
        if (path := directory / FOLDER / f"{arm}.svg").exists()
    }
    page = html(report, dossier.rounds, flames=flames, name=directory.name)
    write_text(directory / PAGE, page)
    return report
