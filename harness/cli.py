"""The commands: arguments in, text out; the only print."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import InputError, SeatrialError
from harness.options import (
    EXIT_OF,
    PATH,
    address_of,
    build_arg_option,
    format_option,
    inconclusive_option,
    option,
    out_option,
    pairs_of,
    post_of,
    seconds_of,
    wait_option,
    with_capture,
    with_crew,
    with_recorder,
    workers_of,
)
from harness.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.environment import Reference
    from harness.model.calibration import Calibration
    from harness.model.result import Arm
    from harness.model.scenario import Scenario
    from harness.model.traffic import Recording
    from harness.model.verdict import Report
    from harness.trial import Terms

__all__ = ["seatrial"]


def _print(text: str) -> None:
    """To standard output; a reader that has gone has read enough."""
    progress.end_step()
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        _write_no_more()
    except (OSError, ValueError) as error:
        _write_no_more()
        raise SeatrialError(f"standard output: cannot be written: {error}") from error


def _write_no_more() -> None:
    """What is still in the buffer would be tried again at the end of the process."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(report: Report, form: str) -> None:
    from harness.report import REPORTERS  # noqa: PLC0415 - scipy and rich load slowly
    from harness.report.terminal import terminal  # noqa: PLC0415 - likewise

    if form == "terminal" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        width = shutil.get_terminal_size().columns
        _print(terminal(report, width=width, color=True))
    else:
        _print(REPORTERS[form](report))


@click.group(
    context_settings={
        "auto_envvar_prefix": "SEATRIAL",
        "help_option_names": ["-h", "--help"],
    }
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
@with_crew
@inconclusive_option
@build_arg_option
@wait_option
@option("--plan", is_flag=True, help="Only say how long it takes and what it can see.")
@format_option
def verify(
    scenario: Path,
    baseline: str | None,
    candidate: str | None,
    inconclusive_exit_code: int,
    plan: bool,
    form: str,
    **asked: Any,
) -> int:
    """Replay the scenario's traffic against two builds and judge the difference.

    REF is git:COMMIT, image:NAME, dir:PATH or a URL; bare, whichever it fits.
    """
    from harness.model.result import Arm  # noqa: PLC0415 - heavy
    from harness.trial import verify as run  # noqa: PLC0415 - heavy

    if plan:
        _print_forecast(scenario, asked["out"])
        return EXIT_OF["PASS"]
    given = {Arm.BASELINE: baseline, Arm.CANDIDATE: candidate}
    terms = _terms(scenario, given, **asked)
    calibration = _calibration(terms.parent, terms.scenario)
    directory, report = run(replace(terms, calibration=calibration))
    _show(report, form)
    progress.say(f"files: {directory}")
    codes = {**EXIT_OF, "INCONCLUSIVE": inconclusive_exit_code}
    return codes[report.verdict.outcome]


def _terms(
    path: Path,
    given: Mapping[Arm, str | None],
    *,
    out: Path,
    max_time: str | None,
    build_arg: tuple[str, ...],
    wait: bool,
    **crew: Any,
) -> Terms:
    """What the options of a command that runs trials ask for."""
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy
    from harness.trial import Terms  # noqa: PLC0415 - heavy

    max_time_s = seconds_of("--max-time", max_time) if max_time else None
    build_args = pairs_of(build_arg)
    scenario, here = read_scenario(path), path.absolute().parent
    return Terms(
        scenario=scenario,
        recording=_recording(scenario, here),
        references=_references(given, scenario, here),
        scenario_dir=here,
        parent=out,
        build_args=build_args,
        max_time_s=max_time_s,
        wait=wait,
        workers=workers_of(**crew),
        post=post_of(**crew),
        announce=progress.announce,
    )


def _calibration(out: Path, scenario: Scenario) -> Calibration | None:
    from harness.store.calibration import calibration_path, read_calibration  # noqa: PLC0415 - heavy

    return read_calibration(calibration_path(out, scenario.name))


def _recording(scenario: Scenario, here: Path) -> Recording | None:
    from harness.store.recording import open_recording  # noqa: PLC0415 - heavy

    return open_recording(here / scenario.recording) if scenario.recording else None


def _references(
    given: Mapping[Arm, str | None], scenario: Scenario, here: Path
) -> dict[Arm, Reference]:
    from harness.environment import default, image_exists, resolve  # noqa: PLC0415 - heavy

    return {
        arm: resolve(text, cwd=Path.cwd(), image_exists=image_exists)
        if text
        else default(arm, scenario.service, cwd=here)
        for arm, text in given.items()
    }


def _print_forecast(path: Path, out: Path) -> None:
    from harness.forecast import forecast  # noqa: PLC0415 - heavy
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy

    scenario = read_scenario(path)
    recording = _recording(scenario, path.absolute().parent)
    facts = forecast(scenario, recording, _calibration(out, scenario))
    width = max(len(name) for name, _ in facts)
    _print("".join(f"{name:{width}}  {value}\n" for name, value in facts))


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

    terms = _terms(scenario, {Arm.BASELINE: baseline}, **asked)
    calibration = run(
        replace(terms, references=dict.fromkeys(Arm, terms.references[Arm.BASELINE])),
        trials=trials,
        trials_of_change=trials_of_change,
    )
    _print(calibration_text(calibration))


@seatrial.command()
@option("--join", metavar="HOST:PORT", required=True, help="Where the trial listens.")
@option("--token", default="", help="What the trial shows, or was given.")
def worker(join: str, token: str) -> None:
    """Be one more machine for the load of a trial that was started with --machines.

    Waits up to 5 minutes for the trial, works for it and ends with it. Machines and
    trial speak in plain text: join over a network that is yours.
    """
    host, port = address_of("--join", join)
    command = [sys.executable, "-m", "harness.load.machine", host, str(port)]
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
    from harness.dossier import judged, judged_by  # noqa: PLC0415 - heavy
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy
    from harness.trial import write_reports  # noqa: PLC0415 - heavy

    if budgets is not None:
        others = read_scenario(budgets).budgets
        _show(judged_by(trial, others, str(budgets)), form)
        return EXIT_OF["PASS"]
    report = judged(trial)
    write_reports(trial, report)
    _show(report, form)
    codes = {**EXIT_OF, "INCONCLUSIVE": inconclusive_exit_code}
    return codes[report.verdict.outcome]


@seatrial.command()
@click.argument("trial", type=PATH)
@format_option
def report(trial: Path, form: str) -> None:
    """Show the verdict of a stored trial; exits with 0 whatever it is."""
    from harness.report.document import load  # noqa: PLC0415 - heavy

    path = trial / "verdict.json"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read: {error}",
            hint=f"seatrial judge {trial} makes it, if that is a trial's directory",
        ) from error
    _show(load(text, str(path)), form)


@seatrial.command()
@click.argument("scenarios", nargs=-1, required=True, type=PATH)
def validate(scenarios: tuple[Path, ...]) -> None:
    """Check scenario files and the recordings they name; no engine is needed."""
    from harness.errors import ScenarioError  # noqa: PLC0415 - with the others
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy

    complaints = []
    for path in scenarios:
        try:
            _recording(read_scenario(path), path.absolute().parent)
        except InputError as error:
            complaints.append(error.text)
        else:
            _print(f"{path}: valid\n")
    if complaints:
        raise ScenarioError("\n".join(complaints))


@seatrial.command()
@out_option
@build_arg_option
@wait_option
def demo(out: Path, build_arg: tuple[str, ...], wait: bool) -> int:
    """Run the main job on the bundled shop: a true fix, and one that leaks memory.

    Exits with 0 only if both verdicts come out right.
    """
    from harness.demo import run  # noqa: PLC0415 - heavy

    right = run(
        out,
        build_args=pairs_of(build_arg),
        wait=wait,
        announce=progress.announce,
        show=lambda report: _show(report, "terminal"),
    )
    return 0 if right else 1


@seatrial.command("import")
@click.argument("sources", nargs=-1, required=True, type=PATH)
@with_capture
def import_(
    sources: tuple[Path, ...], output: Path, form: str | None, host: str | None
) -> None:
    """Make a redacted recording of access logs, GoReplay or HAR files.

    SOURCES are files, packed by gzip or zstd or not, directories, patterns, or `-`.

    Client addresses, users, cookies, credentials and tokens become pseudonyms, keyed
    by SEATRIAL_REDACTION_KEY or a key file that is made on first use.
    """
    from harness.capture import import_capture  # noqa: PLC0415 - heavy
    from harness.capture.key import redaction_key  # noqa: PLC0415 - heavy

    _inspect(
        import_capture(sources, output, format=form, key=redaction_key(), host=host)
    )


@seatrial.command()
@with_recorder
def record(listen: str, service: str, output: Path) -> None:
    """Record what passes to a service, with bodies and answers, until Ctrl-C.

    Needs mitmdump: pip install 'seatrial[record]', or pipx install mitmproxy. The
    recording is redacted as those of `import` are.
    """
    from harness.capture.key import redaction_key  # noqa: PLC0415 - heavy
    from harness.capture.live import record as run  # noqa: PLC0415 - heavy

    address, key = address_of("--listen", listen), redaction_key()
    _inspect(run(address, service, output, key=key, announce=progress.say))


def _inspect(recording: Recording, form: str = "terminal") -> None:
    from harness.capture.inspection import inspection  # noqa: PLC0415 - heavy
    from harness.report.inspection import as_json, as_text  # noqa: PLC0415 - heavy

    write = {"terminal": as_text, "json": as_json}[form]
    _print(write(inspection(recording)))


@seatrial.command()
@click.argument("recording", type=PATH)
@click.option(
    "--format",
    "form",
    envvar="SEATRIAL_INSPECT_FORMAT",
    show_envvar=True,
    type=click.Choice(["terminal", "json"]),
    default="terminal",
    help="How to show it.",
)
def inspect(recording: Path, form: str) -> None:
    """Show what a recording holds, and what was left out and why."""
    from harness.store.recording import open_recording  # noqa: PLC0415 - heavy

    _inspect(open_recording(recording), form)
