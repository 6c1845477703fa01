"""The commands of traffic: captures become recordings, recordings scenarios."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from harness.errors import InputError
from harness.options import (
    EXIT_OF,
    PATH,
    address_of,
    format_option_of,
    option,
    with_all,
)
from harness.output import put
from harness.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.model.traffic import Recording

__all__ = ["import_", "init", "inspect", "record", "schema"]

_IMPORT_HELP: Final = """Make a redacted recording of captures, merged by time.

SOURCES are files, packed by gzip or zstd or not, directories, patterns, or `-`.

Addresses, e-mails, phone and card numbers, users, cookies, credentials, tokens and API
keys become pseudonyms of the same form, keyed by SEATRIAL_REDACTION_KEY or a key file
that is made on first use.

A format is recognised by its content, or named with --format:

\b
  accesslog    Apache and nginx: common, combined, with or without virtual host
  gor          GoReplay, with or without answers
  har          HTTP Archive 1.1 and 1.2 of browsers, proxies, mitmproxy
  alb          AWS Application Load Balancer, and Classic
  cloudfront   CloudFront standard log; hits were served by the edge, and are left out
  iis          IIS, W3C extended
  envoy        Envoy and Istio, default text
  envoy-json   Envoy and Istio, JSON
  traefik      Traefik, JSON
  caddy        Caddy, JSON
  nginx-json   nginx, JSON, with or without escape=json
  jsonl        our own open form: one JSON object a request

Any other log of nginx, Apache or Envoy is read by its format string:

\b
  --log-format '$remote_addr [$time_local] "$request" $status $request_time'

An object of jsonl has `time` (of the START: ISO 8601, or seconds since 1970), `method`,
and `target` (path and query) or `url`; and where they are known `headers` (object, or
pairs), `body` or `body_base64`, `client`, `session`, `protocol`, `status`,
`duration_ms`, `size`, and `response` with `headers` and `body` or `body_base64`.
"""


class _Lines(click.types.StringParamType):
    """Texts of which a variable of the environment has one a line."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line.strip() for line in rv.splitlines() if line.strip()]


_ONE_A_LINE: Final = _Lines()
_output_option = option(
    "--output",
    "-o",
    required=True,
    type=PATH,
    help="The recording to write, such as rec.parquet.",
)
_redact_option = option(
    "--redact", type=PATH, metavar="RULES", help="YAML: add, allow, drop."
)
_capture = (
    _output_option,
    click.option(
        "--format",
        "form",
        metavar="NAME",
        envvar="SEATRIAL_CAPTURE_FORMAT",
        show_envvar=True,
        help="One of the above.",
    ),
    option(
        "--log-format",
        metavar="STRING",
        help="As the server's configuration has it: nginx, Apache or Envoy.",
    ),
    option(
        "--host",
        help="The host to keep, with its port or with any; default: of a HAR the most"
        " frequent, else all.",
    ),
    _redact_option,
)
_selection = (
    option(
        "--route",
        "routes",
        metavar="GLOB",
        multiple=True,
        type=_ONE_A_LINE,
        help="Keep only such as 'GET /api/*' or '/orders/{id}'; may be repeated.",
    ),
    option(
        "--not-route",
        "without",
        metavar="GLOB",
        multiple=True,
        type=_ONE_A_LINE,
        help="Leave out such as '/static/*'; may be repeated.",
    ),
    option("--method", "methods", multiple=True, help="Keep only this one, or these."),
    option(
        "--status",
        "statuses",
        metavar="STATUS",
        multiple=True,
        help="Keep only what was answered so: 200, 2xx, 500-599; may be repeated.",
    ),
    option("--since", metavar="TIME", help="Keep starts from 2026-01-31T12:00:00Z on."),
    option("--until", metavar="TIME", help="Keep starts before that."),
    option(
        "--no-robots",
        is_flag=True,
        help="Leave out bots and health checks, by their user agents.",
    ),
    option("--sample", metavar="SHARE", help="Keep whole sessions, 10% of them."),
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
    _output_option,
    _redact_option,
)


def _with_capture(command: Callable[..., Any]) -> Callable[..., Any]:
    """What to read of a capture, what to keep, and where the recording goes."""
    return with_all((*_capture, *_selection), command)


def _with_recorder(command: Callable[..., Any]) -> Callable[..., Any]:
    """Between whom to stand, and where the recording goes."""
    return with_all(_recorder, command)


@click.command("import", help=_IMPORT_HELP)
@click.argument("sources", nargs=-1, required=True, type=PATH)
@_with_capture
def import_(
    sources: tuple[Path, ...],
    output: Path,
    form: str | None,
    log_format: str | None,
    host: str | None,
    redact: Path | None,
    sample: str | None,
    **wanted: Any,
) -> None:
    """Make a redacted recording of captures."""
    from harness.capture import import_capture  # noqa: PLC0415 - heavy
    from harness.capture.key import redaction_key  # noqa: PLC0415 - heavy
    from harness.capture.rulefile import read_rules  # noqa: PLC0415 - heavy
    from harness.capture.selection import selection_of  # noqa: PLC0415 - heavy

    recording = import_capture(
        sources,
        output,
        format=form,
        log_format=log_format,
        key=redaction_key(),
        host=host,
        rules=read_rules(redact),
        selection=selection_of(**wanted),
        share=_share_of(sample),
    )
    _inspect(recording)


@click.command()
@_with_recorder
def record(listen: str, service: str, output: Path, redact: Path | None) -> None:
    """Record what passes to a service, with bodies and answers, until Ctrl-C.

    Needs mitmdump: pip install 'seatrial[record]', or pipx install mitmproxy. The
    recording is redacted as those of `import` are.
    """
    from harness.capture.key import redaction_key  # noqa: PLC0415 - heavy
    from harness.capture.live import record as run  # noqa: PLC0415 - heavy
    from harness.capture.rulefile import read_rules  # noqa: PLC0415 - heavy

    recording = run(
        address_of("--listen", listen),
        service,
        output,
        key=redaction_key(),
        rules=read_rules(redact),
        announce=progress.say,
    )
    _inspect(recording)


def _inspect(
    recording: Recording,
    form: str = "terminal",
    *,
    openapi: Path | None = None,
    page: Path | None = None,
) -> None:
    from harness.capture.inspection import inspection  # noqa: PLC0415 - heavy
    from harness.planning.openapi import documented_paths  # noqa: PLC0415 - heavy
    from harness.report.inspection import as_json, as_text  # noqa: PLC0415 - heavy
    from harness.report.page import as_page  # noqa: PLC0415 - heavy
    from harness.store.disk import write_text  # noqa: PLC0415 - heavy

    if page is not None and os.path.realpath(page) == os.path.realpath(recording.path):
        raise InputError(
            f"--html {page}: is the recording itself", hint="name another file"
        )
    found = inspection(recording, documented_paths(openapi))
    if page is not None:
        write_text(page, as_page(found))
    write = {"terminal": as_text, "json": as_json}[form]
    put(write(found))


@click.command()
@click.argument("recording", type=PATH)
@option(
    "--output",
    "-o",
    required=True,
    type=PATH,
    help="The scenario to write, such as checkout.yaml; never replaced.",
)
def init(recording: Path, output: Path) -> None:
    """Write a scenario to begin with, made of what a recording holds.

    Beside it scenario.schema.json, by which editors check and complete it.
    """
    from harness.capture.inspection import inspection  # noqa: PLC0415 - heavy
    from harness.planning.schema import SCHEMA_FILE, schema_text  # noqa: PLC0415 - heavy
    from harness.report.outline import outline  # noqa: PLC0415 - heavy
    from harness.store.disk import write_text  # noqa: PLC0415 - heavy
    from harness.store.recording import open_recording  # noqa: PLC0415 - heavy

    if output.exists():
        raise InputError(
            f"{output}: is there already", hint="name another file, or remove it"
        )
    found = inspection(open_recording(recording))
    beside = recording.parent.resolve() / recording.name
    place = os.path.relpath(beside, output.parent.resolve())
    head = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
    write_text(output, head + outline(found, place, output.stem))
    if not (schema := output.with_name(SCHEMA_FILE)).exists():
        write_text(schema, schema_text())
    put(f"{output}: a scenario; next: seatrial validate {output}\n")


@click.command()
@click.argument("scenarios", nargs=-1, type=PATH)
@option("--markdown", is_flag=True, help="For people, after a table of the SCENARIOS.")
def schema(scenarios: tuple[Path, ...], markdown: bool) -> None:
    """Print the JSON Schema of scenario files, for editors that check and complete.

    Their first line names where it is kept: # yaml-language-server: $schema=FILE
    """
    from harness.planning.scenariofile import read_scenario  # noqa: PLC0415 - heavy
    from harness.planning.schema import json_schema, schema_text  # noqa: PLC0415 - heavy
    from harness.report.reference import reference  # noqa: PLC0415 - heavy

    if scenarios and not markdown:
        raise InputError("SCENARIOS: only --markdown shows any")
    library = {path.name: read_scenario(path) for path in scenarios}
    put(reference(json_schema(), library) if markdown else schema_text())


@click.command()
@click.argument("recording", type=PATH)
@format_option_of("SEATRIAL_INSPECT_FORMAT")
@option(
    "--openapi",
    type=PATH,
    metavar="FILE",
    help="An OpenAPI document that names the routes, as a scenario's does.",
)
@option("--html", "page", type=PATH, metavar="FILE", help="Draw it there as a page.")
@option("--secrets", is_flag=True, help="Only what is left to redact; exits with 1.")
def inspect(
    recording: Path, form: str, openapi: Path | None, page: Path | None, secrets: bool
) -> int:
    """Show what a recording holds, and what was left out and why."""
    from harness.store.recording import open_recording  # noqa: PLC0415 - heavy

    if secrets and (openapi or page):
        raise InputError("--secrets: neither --html nor --openapi goes with it")
    opened = open_recording(recording)
    if not secrets:
        _inspect(opened, form, openapi=openapi, page=page)
        return EXIT_OF["PASS"]
    from harness.capture.leftover import leftovers  # noqa: PLC0415 - heavy
    from harness.report import leftover  # noqa: PLC0415 - heavy

    left = leftovers(opened)
    tell = {"terminal": leftover.as_text, "json": leftover.as_json}[form]
    put(tell(opened, left))
    return EXIT_OF["FAIL" if left else "PASS"]


def _share_of(text: str | None) -> float:
    """The share of the sessions that `--sample` asks for; all by default."""
    from harness.model.quantity import percent  # noqa: PLC0415 - with the others

    if text is None:
        return 1.0
    try:
        share = percent(text)
    except ValueError as error:
        raise InputError(f"--sample: {error}") from error
    if not 0 < share <= 1:
        raise InputError(f"--sample {text}: more than 0% and at most 100%")
    return share
