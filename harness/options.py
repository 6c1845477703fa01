"""What the commands share: their options, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.load.fleet import Post

__all__ = [
    "EXIT_OF",
    "PATH",
    "address_of",
    "build_arg_option",
    "format_option",
    "inconclusive_option",
    "option",
    "out_option",
    "pairs_of",
    "post_of",
    "seconds_of",
    "wait_option",
    "with_capture",
    "with_crew",
    "with_recorder",
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
    type=click.Choice(["terminal", "json", "markdown", "junit"]),
    default="terminal",
    show_default=True,
    help="How to show it.",
)
out_option = option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("trials"),
    show_default=True,
    help="Directory in which each trial gets its own.",
)
output_option = option(
    "--output",
    "-o",
    required=True,
    type=PATH,
    help="The recording to write, such as rec.parquet.",
)
wait_option = option(
    "--wait", is_flag=True, help="Wait for another trial on this machine."
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
    return _with(_crew, command)


def _with(
    options: Sequence[Callable[[Any], Any]], command: Callable[..., Any]
) -> Callable[..., Any]:
    for each in reversed(options):
        command = each(command)
    return command


_capture = (
    output_option,
    click.option(
        "--format",
        "form",
        envvar="SEATRIAL_CAPTURE_FORMAT",
        show_envvar=True,
        help="accesslog, gor or har; recognised where it is left out.",
    ),
    option("--host", help="The host to keep of a HAR; default: the most frequent."),
)
_recorder = (
    option(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:9000",
        show_default=True,
        help="Where clients connect.",
    ),
    option("--to", "service", metavar="URL", required=True, help="The service behind."),
    output_option,
)


def with_capture(command: Callable[..., Any]) -> Callable[..., Any]:
    """What to read of a capture, and where the recording goes."""
    return _with(_capture, command)


def with_recorder(command: Callable[..., Any]) -> Callable[..., Any]:
    """Between whom to stand, and where the recording goes."""
    return _with(_recorder, command)


inconclusive_option = option(
    "--inconclusive-exit-code",
    type=click.IntRange(0, 255),
    default=EXIT_OF["INCONCLUSIVE"],
    show_default=True,
    help="Exit code of an INCONCLUSIVE verdict.",
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


def pairs_of(arguments: tuple[str, ...]) -> dict[str, str]:
    """The build arguments, each given as `NAME=VALUE`."""
    for argument in arguments:
        if "=" not in argument:
            raise InputError(f"--build-arg {argument}: write it as NAME=VALUE")
    return {
        name: value for name, _, value in (each.partition("=") for each in arguments)
    }
