"""What the commands share: their options, and what is made of them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from harness.errors import InputError
from harness.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.environment import Reference
    from harness.load.fleet import Post
    from harness.model.calibration import Calibration
    from harness.model.result import Arm
    from harness.model.scenario import Scenario
    from harness.model.traffic import Recording
    from harness.trial import Terms

__all__ = [
    "EXIT_OF",
    "PATH",
    "address_of",
    "build_arg_option",
    "calibration_of",
    "format_option",
    "format_option_of",
    "inconclusive_option",
    "no_color_option",
    "option",
    "out_option",
    "pairs_of",
    "post_of",
    "quiet_option",
    "recording_of",
    "references_of",
    "seconds_of",
    "soak_option",
    "soaked_of",
    "terms_of",
    "wait_option",
    "with_all",
    "with_crew",
    "workers_of",
]

EXIT_OF: Final[Mapping[str, int]] = {
    "PASS": 0,
    "FAIL": 1,
    "INCONCLUSIVE": 3,
    "INVALID": 4,
}
"""By the verdict's first word."""

PATH: Final = click.Path(path_type=Path)
_MOST_PORT: Final = 65_535


def option(name: str, *names: str, **settings: Any) -> Callable[[Any], Any]:
    """An option that can also be given as `SEATRIAL_NAME` in the environment."""
    variable = "SEATRIAL_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, *names, envvar=variable, show_envvar=True, **settings)


format_option = option(
    "--format",
    "form",
    type=click.Choice(["terminal", "json", "markdown", "junit", "html", "agent"]),
    default="terminal",
    show_default=True,
    help="How to show it; agent: for whoever writes the fix, without what is held out.",
)


def format_option_of(variable: str) -> Callable[[Any], Any]:
    """For other formats, hence with a variable of its own in the environment."""
    return click.option(
        "--format",
        "form",
        envvar=variable,
        show_envvar=True,
        type=click.Choice(["terminal", "json"]),
        default="terminal",
        show_default=True,
        help="How to show it.",
    )


out_option = option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("trials"),
    show_default=True,
    help="Directory in which each trial gets its own. Made anew, git ignores it; where "
    "it is inside of an image's build context, list it in .dockerignore.",
)
wait_option = option(
    "--wait", is_flag=True, help="Wait for another trial on this machine."
)
soak_option = option(
    "--soak",
    metavar="TIME",
    help="Look for leaks alone, as `rounds: {soak: TIME}` does.",
)
build_arg_option = option(
    "--build-arg",
    multiple=True,
    metavar="NAME=VALUE",
    help="Build argument for the images; wins over the scenario's.",
)
_crew = (
    option(
        "--workers",
        type=click.IntRange(0, 64),
        help="Load worker processes an arm here.  [default: 1; 0 with --machines]",
    ),
    option(
        "--machines",
        type=click.IntRange(0, 64),
        default=0,
        help="Wait for so many machines that join with `seatrial worker`.",
    ),
    option(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:5557",
        show_default=True,
        help="Where they join, and where they reach the builds.",
    ),
    option("--token", default="", help="Without it nobody joins.  [default: drawn]"),
)


def with_crew(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who sends the load: the options of a command that runs a trial."""
    return with_all(_crew, command)


def with_all(
    options: Sequence[Callable[[Any], Any]], command: Callable[..., Any]
) -> Callable[..., Any]:
    """The command with all of the options, in this order."""
    for each in reversed(options):
        command = each(command)
    return command


inconclusive_option = option(
    "--inconclusive-exit-code",
    type=click.IntRange(0, 255),
    default=EXIT_OF["INCONCLUSIVE"],
    show_default=True,
    help="Exit code of an INCONCLUSIVE verdict.",
)


def _be_quiet(_context: click.Context, _: click.Parameter, is_so: bool) -> None:
    progress.quiet = progress.quiet or is_so


def _be_plain(_context: click.Context, _: click.Parameter, is_so: bool) -> None:
    if is_so:
        os.environ["NO_COLOR"] = "1"


quiet_option = option(
    "--quiet",
    "-q",
    is_flag=True,
    expose_value=False,
    callback=_be_quiet,
    help="Say nothing of what goes on; errors and results are said.",
)
no_color_option = option(
    "--no-color",
    is_flag=True,
    expose_value=False,
    callback=_be_plain,
    help="No colours, as with NO_COLOR in the environment.",
)


def workers_of(*, workers: int | None, machines: int, **_: str) -> int:
    """Load workers an arm on this machine: one, or none where others join."""
    if workers is None:
        return int(not machines)
    if workers + machines == 0:
        raise InputError("--workers 0: nobody would send")
    return workers


def post_of(*, machines: int, listen: str, token: str, **_: int | None) -> Post:
    """Where other machines join."""
    from harness.load.fleet import Post  # noqa: PLC0415 - with the others

    host, port = address_of("--listen", listen)
    if not host.strip("0.:*[]"):
        raise InputError(f"--listen {listen}: name one address of this machine")
    return Post(host=host, port=port, token=token, machines=machines)


def address_of(name: str, text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`."""
    host, _, port = text.rpartition(":")
    known = host and port.isascii() and port.isdigit()
    if not known or int(port) > _MOST_PORT:
        raise InputError(f"{name} {text}: write it as HOST:PORT")
    return host, int(port)


def seconds_of(name: str, text: str) -> float:
    """Seconds of a duration such as `20m`."""
    from harness.model.quantity import duration_ns  # noqa: PLC0415 - with the others

    try:
        return duration_ns(text) / 1e9
    except ValueError as error:
        raise InputError(f"{name}: {error}") from error


def soaked_of(scenario: Scenario, length: str | None) -> Scenario:
    """The scenario as `--soak` asks for it, if it does."""
    from pydantic import ValidationError  # noqa: PLC0415 - heavy

    if length is None:
        return scenario
    try:
        return scenario.soaked(length)
    except ValidationError as error:
        complaint = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"--soak {length}: {complaint}") from error


def pairs_of(arguments: tuple[str, ...]) -> dict[str, str]:
    """The build arguments, each given as `NAME=VALUE`."""
    for argument in arguments:
        if "=" not in argument:
            raise InputError(f"--build-arg {argument}: write it as NAME=VALUE")
    return {
        name: value for name, _, value in (each.partition("=") for each in arguments)
    }


def terms_of(
    path: Path,
    given: Mapping[Arm, str | None],
    *,
    out: Path,
    max_time: str | None,
    soak: str | None = None,
    build_arg: tuple[str, ...],
    wait: bool,
    **crew: Any,
) -> Terms:
    """What the options of a command that runs trials ask for."""
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy
    from harness.trial import Terms  # noqa: PLC0415 - heavy

    max_time_s = seconds_of("--max-time", max_time) if max_time else None
    build_args = pairs_of(build_arg)
    scenario, here = soaked_of(read_scenario(path), soak), path.absolute().parent
    recording = recording_of(scenario, here)
    references = references_of(given, scenario, here)
    again = ["seatrial", "verify", str(path)]
    for arm, reference in references.items():
        again += [f"--{arm}", reference.exact]
    again += _given(soak, build_args, crew)
    return Terms(
        scenario=scenario,
        recording=recording,
        references=references,
        scenario_dir=here,
        parent=out,
        build_args=build_args,
        max_time_s=max_time_s,
        wait=wait,
        workers=workers_of(**crew),
        post=post_of(**crew),
        command=shlex.join(again),
        announce=progress.announce,
    )


def _given(
    soak: str | None, build_args: Mapping[str, str], crew: Mapping[str, Any]
) -> list[str]:
    """What else makes the trial what it is; a build argument may be a secret."""
    given = ["--soak", soak] if soak else []
    if "SEATRIAL_BUILD_ARG" not in os.environ:
        for name in build_args:
            given += ["--build-arg", f"{name}=…"]
    for name in ("workers", "machines"):
        if crew.get(name):
            given += [f"--{name}", str(crew[name])]
    if crew.get("machines"):
        given += ["--listen", crew["listen"]]
    return given


def calibration_of(out: Path, scenario: Scenario) -> Calibration | None:
    """What is known beforehand of what trials there can see."""
    from harness.store.calibration import calibration_path, read_calibration  # noqa: PLC0415 - heavy

    return read_calibration(calibration_path(out, scenario.name))


def recording_of(scenario: Scenario, here: Path) -> Recording | None:
    """The traffic; `None` where a locustfile is the load."""
    from harness.store.recording import open_recording  # noqa: PLC0415 - heavy

    return open_recording(here / scenario.recording) if scenario.recording else None


def references_of(
    given: Mapping[Arm, str | None], scenario: Scenario, here: Path
) -> dict[Arm, Reference]:
    """Which code each arm is, as given or by default."""
    from harness.environment import default, image_exists, resolve  # noqa: PLC0415 - heavy

    return {
        arm: resolve(text, cwd=Path.cwd(), image_exists=image_exists)
        if text
        else default(arm, scenario.service, cwd=here)
        for arm, text in given.items()
    }
