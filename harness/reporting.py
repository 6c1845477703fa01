"""What a trial leaves for its readers: the files of its directory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from harness.compare.stack import folded
from harness.errors import SeatrialError
from harness.model.progress import Complaint
from harness.model.result import Arm
from harness.profiling import FOLDER
from harness.report import REPORTERS
from harness.report.agent import AGENT_FILE, agent
from harness.report.flame import flame_graph
from harness.report.html import html
from harness.store.disk import read_text, write_text, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.dossier import Dossier
    from harness.model.progress import Announcement
    from harness.model.verdict import Report
    from harness.store.trial import Journal

__all__ = ["FILES", "PAGE", "Written", "spared", "write_reports"]

FILES: Final = {"verdict.json": "json", "summary.md": "markdown", "junit.xml": "junit"}
"""What stands in every trial's directory, and the reporter that writes it.

Beside them `agent.json` and `report.html`, which take more than the report.
"""
PAGE: Final = "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A verdict, and what of its reports there is.

    Attributes:
        report: what was found.
        missing: names of the files that could not be made or written.
    """

    report: Report
    missing: frozenset[str]


def write_reports(
    directory: Path,
    journal: Journal,
    dossier: Dossier,
    announce: Callable[[Announcement], None],
) -> Written:
    """Judge a trial and write the files that stand in every trial's directory.

    One that cannot be made or written is named, and costs neither the others nor the
    verdict; what an earlier judgement left in its place goes all the same.

    Args:
        directory: the trial's.
        journal: as it now stands.
        dossier: of all its rounds.
        announce: told which files are missing, and why.
    """
    report, shown = dossier.reports(journal)
    fix = report.proof.outcome if report.proof else None
    texts: dict[str, Callable[[], str]] = {
        **{name: partial(REPORTERS[each], report) for name, each in FILES.items()},
        AGENT_FILE: partial(agent, shown, outcome=report.verdict.outcome, fix=fix),
        PAGE: partial(_page, directory, journal, dossier, report),
    }
    missing = set(texts)
    for name, text in texts.items():
        with spared(name, announce):
            with writing(directory / name):
                (directory / name).unlink(missing_ok=True)
            write_text(directory / name, text())
            missing.remove(name)
    return Written(report=report, missing=frozenset(missing))


def _page(directory: Path, journal: Journal, dossier: Dossier, report: Report) -> str:
    flames = {
        str(arm): flame_graph(folded(read_text(path).splitlines()), str(arm))
        for arm in Arm
        if (path := directory / FOLDER / f"{arm}.folded").exists()
    }
    commands = {
        "run it again": journal.command,
        "judge it again, here": "seatrial judge .",
    }
    return html(
        report,
        dossier.rounds,
        flames=flames,
        commands={name: command for name, command in commands.items() if command},
    )


@contextmanager
def spared(name: str, announce: Callable[[Announcement], None]) -> Iterator[None]:
    """Whatever goes wrong inside with that report is said, and ends nothing else."""
    try:
        yield
    except SeatrialError as error:
        announce(Complaint(line=str(error)))
    except Exception as error:  # noqa: BLE001 - no report is worth a verdict
        line = f"{name} cannot be made: {type(error).__name__}: {error}"
        announce(Complaint(line=line))
