"""The commands: arguments in, text out."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from harness.errors import InputError
from harness.intake import import_, init, inspect, record, schema
from harness.nights import history, nightly
from harness.options import (
    EXIT_OF,
    PATH,
    address_of,
    build_arg_option,
    calibration_of,
    format_option,
    inconclusive_option,
    no_color_option,
    option,
    out_option,
    pairs_of,
    quiet_option,
    recording_of,
    soak_option,
    soaked_of,
    terms_of,
    wait_option,
    with_crew,
)
from harness.output import put
from harness.progress import progress
from harness.upkeep import clean, comment, doctor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.model.verdict import Report

__all__ = ["seatrial"]


_STORED: Final[Mapping[str, str]] = {"agent": "agent.json", "html": "report.html"}
"""Formats that take more than the report: what the trial's directory holds of them."""


def _show_trial(directory: Path, report: Report, form: str) -> None:
    """A verdict just reached, or what was written of it; it holds if that fails."""
    from harness.reporting import spared  # noqa: PLC0415 - heavy

    with spared(f"--format {form}", progress.announce):
        if form in _STORED:
            _show_stored(directory, form)
        else:
            _show(report, form)


def _show_stored(directory: Path, form: str) -> None:
    from harness.report.document import check_version  # noqa: PLC0415 - scipy loads slowly
    from harness.store.trial import read_report  # noqa: PLC0415 - likewise

    path = directory / _STORED[form]
    text = read_report(path)
    if path.suffix == ".json":
        check_version(text, str(path))
    put(text)


def _show(report: Report, form: str) -> None:
    from harness.report import REPORTERS  # noqa: PLC0415 - scipy and rich load slowly
    from harness.report.terminal import terminal  # noqa: PLC0415 - likewise

    if form == "terminal" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        width = shutil.get_terminal_size().columns
        put(terminal(report, width=width, color=True))
    else:
        put(REPORTERS[form](report))


class _InOrder(click.Group):
    """Lists its commands in the order in which somebody comes to need them."""

    def list_commands(self, _: click.Context) -> list[str]:
        """From a first look to what is seldom asked for."""
        rest = sorted(self.commands.keys() - set(_ORDER))
        return [*(name for name in _ORDER if name in self.commands), *rest]


_ORDER: Final = (
    *("demo", "import", "record", "inspect", "init", "validate", "schema"),
    *("verify", "judge", "report", "compare", "calibrate"),
    *("nightly", "history", "comment", "doctor", "clean", "worker", "completion"),
)
_FIRST_STEPS: Final = """A first look: `seatrial demo`. Then, in your project:

\b
  seatrial import access.log -o checkout.parquet    recorded traffic, redacted
  seatrial init checkout.parquet -o checkout.yaml   a scenario to begin with
  seatrial doctor                                   what this machine can measure
  seatrial verify checkout.yaml                     merge base against the work tree

Every option can be set in the environment, too, by the variable that its help names.
Exit codes: 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 2 wrong input, 4 not measured, 130 and 143
interrupted.
"""


@click.group(
    cls=_InOrder,
    epilog=_FIRST_STEPS,
    context_settings={
        "auto_envvar_prefix": "SEATRIAL",
        "help_option_names": ["-h", "--help"],
    },
)
@click.version_option(package_name="seatrial")
def seatrial() -> None:
    """Replay recorded traffic against two builds; say whether the change may ship."""


@seatrial.command()
@click.argument("scenario", type=PATH)
@option("--baseline", metavar="REF", help="Default: merge base, default branch.")
@option("--candidate", metavar="REF", help="Default: the work tree.")
@out_option
@option("--max-time", metavar="TIME", help="Start no round that would end after it.")
@soak_option
@with_crew
@inconclusive_option
@build_arg_option
@wait_option
@option("--plan", is_flag=True, help="Only say how long it takes and what it can see.")
@option("--resume", metavar="DIR", type=PATH, help="Go on with a trial that stopped.")
@format_option
def verify(
    scenario: Path,
    baseline: str | None,
    candidate: str | None,
    inconclusive_exit_code: int,
    plan: bool,
    resume: Path | None,
    form: str,
    **asked: Any,
) -> int:
    """Replay the scenario's traffic against two builds and judge the difference.

    REF is git:COMMIT, image:NAME, dir:PATH or a URL; bare, whichever it fits.
    """
    from harness.model.result import Arm  # noqa: PLC0415 - heavy
    from harness.trial import verify as run  # noqa: PLC0415 - heavy

    if plan:
        _print_forecast(scenario, asked["out"], asked["soak"])
        return EXIT_OF["PASS"]
    given = {Arm.BASELINE: baseline, Arm.CANDIDATE: candidate}
    terms = terms_of(scenario, given, **asked)
    calibration = calibration_of(terms.parent, terms.scenario)
    announce = progress.outline if form == "agent" else progress.announce
    terms = replace(terms, calibration=calibration, resume=resume, announce=announce)
    directory, report = run(terms)
    _show_trial(directory, report, form)
    progress.announce(f"files: {directory}")
    codes = {**EXIT_OF, "INCONCLUSIVE": inconclusive_exit_code}
    return codes[report.verdict.outcome]


def _print_forecast(path: Path, out: Path, soak: str | None) -> None:
    from harness.forecast import forecast  # noqa: PLC0415 - heavy
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy

    scenario = soaked_of(read_scenario(path), soak)
    recording = recording_of(scenario, path.absolute().parent)
    facts = forecast(scenario, recording, calibration_of(out, scenario))
    width = max(len(name) for name, _ in facts)
    put("".join(f"{name:{width}}  {value}\n" for name, value in facts))


@seatrial.command()
@click.argument("scenario", type=PATH)
@option("--trials", type=click.IntRange(1, 999), default=5, show_default=True)
@option(
    "--trials-of-change",
    type=click.IntRange(0, 99),
    default=1,
    show_default=True,
    help="Trials of each of the scenario's `calibrate.changes`.",
)
@option("--baseline", metavar="REF", help="Default: merge base, default branch.")
@out_option
@option("--max-time", metavar="TIME", help="Start no trial that would end after it.")
@with_crew
@build_arg_option
@wait_option
def calibrate(
    scenario: Path,
    trials: int,
    trials_of_change: int,
    baseline: str | None,
    **asked: Any,
) -> None:
    """Measure what this machine can see: the baseline against itself, and changed.

    Writes calibration-NAME.json, which every later verdict there is shown with.
    Started again, it runs only the trials that are missing.
    """
    from harness.calibration import calibrate as run  # noqa: PLC0415 - heavy
    from harness.model.result import Arm  # noqa: PLC0415 - heavy
    from harness.report.calibration import calibration_text  # noqa: PLC0415 - heavy

    terms = terms_of(scenario, {Arm.BASELINE: baseline}, **asked)
    calibration = run(
        replace(terms, references=dict.fromkeys(Arm, terms.references[Arm.BASELINE])),
        trials=trials,
        trials_of_change=trials_of_change,
    )
    put(calibration_text(calibration))


@seatrial.command()
@option("--join", metavar="HOST:PORT", required=True, help="Where the trial listens.")
@option("--token", default="", help="What the trial shows, or was given.")
def worker(join: str, token: str) -> None:
    """Be one more machine for the load of a trial that was started with --machines.

    Waits up to 5 minutes for the trial, works for it and ends with it. Machines and
    trial speak in plain text: join over a network that is yours.
    """
    host, port = address_of("--join", join)
    command = [sys.executable, "-P", "-m", "harness.load.machine", host, str(port)]
    os.execve(sys.executable, command, {**os.environ, "SEATRIAL_TOKEN": token})  # noqa: S606 - the load has processes of its own


@seatrial.command()
@click.argument("trial", type=PATH)
@option(
    "--budgets",
    metavar="SCENARIO",
    type=PATH,
    help="What if its budgets had been these? Writes nothing and exits with 0.",
)
@inconclusive_option
@format_option
def judge(
    trial: Path, budgets: Path | None, inconclusive_exit_code: int, form: str
) -> int:
    """Judge a stored trial again, from its files alone, and write its reports."""
    from harness.dossier import judged_by, read_dossier  # noqa: PLC0415 - heavy
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy
    from harness.reporting import write_reports  # noqa: PLC0415 - heavy

    if budgets is not None:
        if form in _STORED:
            raise InputError(f"--budgets: what if is not for --format {form}")
        others = read_scenario(budgets).budgets
        _show(judged_by(trial, others, str(budgets)), form)
        return EXIT_OF["PASS"]
    written = write_reports(trial, *read_dossier(trial), progress.announce)
    report = written.report
    if _STORED.get(form) not in written.missing:
        _show_trial(trial, report, form)
    codes = {**EXIT_OF, "INCONCLUSIVE": inconclusive_exit_code}
    return codes[report.verdict.outcome]


@seatrial.command()
@click.argument("trial", type=PATH)
@format_option
def report(trial: Path, form: str) -> None:
    """Show the verdict of a stored trial; exits with 0 whatever it is."""
    from harness.report.document import load  # noqa: PLC0415 - heavy
    from harness.store.trial import read_report  # noqa: PLC0415 - likewise

    if form in _STORED:
        _show_stored(trial, form)
        return
    path = trial / "verdict.json"
    _show(load(read_report(path), str(path)), form)


@seatrial.command()
@click.argument("first", type=PATH)
@click.argument("second", type=PATH)
def compare(first: Path, second: Path) -> None:
    """Put two stored trials beside each other: verdicts, reasons, every figure.

    A figure is marked where the 90 % intervals of the two changes do not touch. It is
    no verdict: exits with 0.
    """
    from harness.report.beside import beside_text  # noqa: PLC0415 - heavy
    from harness.report.document import load  # noqa: PLC0415 - heavy
    from harness.store.trial import read_report  # noqa: PLC0415 - likewise

    one, other = (
        load(read_report(path), str(path))
        for path in (each / "verdict.json" for each in (first, second))
    )
    put(beside_text(one, other, [each.absolute().name for each in (first, second)]))


@seatrial.command()
@click.argument("scenarios", nargs=-1, required=True, type=PATH)
def validate(scenarios: tuple[Path, ...]) -> None:
    """Check scenario files and the recordings they name; no engine is needed."""
    from harness.errors import ScenarioError  # noqa: PLC0415 - with the others
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy

    complaints = []
    for path in scenarios:
        try:
            recording_of(read_scenario(path), path.absolute().parent)
        except InputError as error:
            complaints.append(str(error))
        else:
            put(f"{path}: valid\n")
    if complaints:
        raise ScenarioError("\n".join(complaints))


@seatrial.command()
@option("--all", "every", is_flag=True, help="Its whole gallery: 16 trials, 45 min.")
@out_option
@build_arg_option
@wait_option
def demo(every: bool, out: Path, build_arg: tuple[str, ...], wait: bool) -> int:
    """Run the main job on the bundled shop: a true fix, and one that leaks memory.

    With --all, on a gallery of fixes that a reviewer could wave through, each with a
    flaw of its own. Exits with 0 only if every verdict comes out right: 1 where one is
    wrong, 4 where one is INVALID, 3 where one is INCONCLUSIVE.
    """
    from harness.demo import exit_code, run, summary, table  # noqa: PLC0415 - heavy
    from harness.expectation import DEMO, GALLERY  # noqa: PLC0415 - likewise

    played = list(
        run(
            GALLERY if every else DEMO,
            out,
            build_args=pairs_of(build_arg),
            wait=wait,
            announce=progress.announce,
            show=lambda report: _show(report, "terminal"),
        )
    )
    if every:
        put(table(played))
    else:
        for line in ("", *summary(played)):
            progress.say(line)
    return exit_code(played)


@seatrial.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete our commands and options.

    As in ~/.bashrc: eval "$(seatrial completion bash)"
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - seldom

    of_shell = get_completion_class(shell)
    assert of_shell is not None, "click has one for each of them"
    put(of_shell(seatrial, {}, "seatrial", "_SEATRIAL_COMPLETE").source() + "\n")


_OF_FILES = (import_, record, inspect, init, schema)
_OF_NIGHTS = (nightly, history, doctor, clean, comment)
for command in (*_OF_FILES, *_OF_NIGHTS):
    seatrial.add_command(command)
for command in seatrial.commands.values():
    quiet_option(command)
    no_color_option(command)
