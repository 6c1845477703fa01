"""The commands of every night: the trials of all scenarios, and what is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from harness.errors import InputError
from harness.options import (
    PATH,
    build_arg_option,
    calibration_of,
    format_option_of,
    option,
    out_option,
    pairs_of,
    post_of,
    seconds_of,
    terms_of,
    wait_option,
    with_crew,
    workers_of,
)
from harness.output import put
from harness.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.trial import Terms

__all__ = ["history", "nightly"]

_history_option = option(
    "--history",
    "file",
    type=PATH,
    metavar="FILE",
    help="Where verdicts are remembered.  [default: history.sqlite in --out]",
)


_NIGHTLY_HELP: Final = """Run the trial of each scenario, one after the other.

SCENARIOS are files, or directories, of which the *.yaml are run in order of name. A
trial that fails or cannot be measured does not keep the next one from being run. REF is
as with `seatrial verify`. Verdicts and figures are remembered: `seatrial history`.

The exit code is the first of these that fits any scenario:

\b
  1  FAIL
  4  not measured, or INVALID
  2  wrong input, such as a scenario file that cannot be read
  3  INCONCLUSIVE, or not run because --max-time was used up
  0  every verdict is PASS
  130 and 143 if interrupted; what was finished is remembered and shown
"""


@click.command(help=_NIGHTLY_HELP)
@click.argument("scenarios", nargs=-1, required=True, type=PATH)
@option("--baseline", metavar="REF", help="Default: merge base, default branch.")
@option("--candidate", metavar="REF", help="Default: the work tree.")
@out_option
@_history_option
@option(
    "--max-time",
    metavar="TIME",
    help="Of all trials together; each gets what is left.",
)
@with_crew
@build_arg_option
@wait_option
@format_option_of("SEATRIAL_NIGHTLY_FORMAT")
def nightly(
    scenarios: tuple[Path, ...],
    baseline: str | None,
    candidate: str | None,
    out: Path,
    file: Path | None,
    max_time: str | None,
    build_arg: tuple[str, ...],
    wait: bool,
    form: str,
    **crew: Any,
) -> int:
    """See `_NIGHTLY_HELP`."""
    from harness.model.result import Arm  # noqa: PLC0415 - with the others
    from harness.nightly import Night, exit_code, scenario_files  # noqa: PLC0415 - heavy
    from harness.report.night import night_json, night_text  # noqa: PLC0415 - heavy
    from harness.reporting import spared  # noqa: PLC0415 - heavy

    given = {Arm.BASELINE: baseline, Arm.CANDIDATE: candidate}
    asked = {"out": out, "build_arg": build_arg, "wait": wait, **crew}
    _refuse_usage(build_arg, crew)

    def terms(scenario: Path) -> Terms:
        made = terms_of(scenario, given, max_time=None, **asked)
        commits = {reference.commit for reference in made.references.values()}
        if not (baseline or candidate) and len(commits) == 1 and "" not in commits:
            raise InputError(
                "baseline and candidate are the same commit",
                hint="on the default branch, name the last release: --baseline git:TAG",
            )
        return replace(made, calibration=calibration_of(out, made.scenario))

    night = Night(
        scenario_files(scenarios),
        terms,
        max_time_s=seconds_of("--max-time", max_time) if max_time else None,
        history=_history_of(file, out),
        announce=progress.announce,
    )
    text = {"terminal": night_text, "json": night_json}[form]
    try:
        night.play()
    finally:
        with spared("the summary", progress.announce):
            put(text(night.turns))
    return exit_code(night.turns)


def _refuse_usage(build_arg: tuple[str, ...], crew: Mapping[str, Any]) -> None:
    """What would be wrong for every scenario is refused before the first."""
    pairs_of(build_arg)
    workers_of(**crew)
    post_of(**crew)


def _history_of(file: Path | None, out: Path) -> Path:
    from harness.store.history import HISTORY_FILE  # noqa: PLC0415 - heavy

    return out / HISTORY_FILE if file is None else file


@click.command()
@click.argument("scenario", required=False)
@click.option("--metric", default="p95", show_default=True, show_envvar=True)
@click.option("--route", default="service", show_default=True, show_envvar=True)
@click.option(
    "--last",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    show_envvar=True,
    help="At most so many trials.",
)
@_history_option
@out_option
@format_option_of("SEATRIAL_HISTORY_FORMAT")
def history(
    scenario: str | None,
    metric: str,
    route: str,
    last: int,
    file: Path | None,
    out: Path,
    form: str,
) -> None:
    """Show what `seatrial nightly` remembers: how each scenario stands.

    With the name of a SCENARIO, one of its figures over the last trials.
    """
    from harness.report import history as said  # noqa: PLC0415 - heavy
    from harness.store.history import read_standings, read_trend  # noqa: PLC0415 - heavy

    path = _history_of(file, out)
    if scenario is None:
        standings = read_standings(path)
        shown = {"terminal": said.standings_text, "json": said.standings_json}
        put(shown[form](standings))
        return
    trend = read_trend(path, scenario, metric=metric, route=route, last=last)
    put({"terminal": said.trend_text, "json": said.trend_json}[form](trend))
