"""The commands around trials: is the machine fit, what may go, who is told."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from harness.errors import InputError, SeatrialError
from harness.options import (
    EXIT_OF,
    PATH,
    format_option_of,
    option,
    out_option,
    seconds_of,
    wait_option,
)
from harness.output import put
from harness.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.doctor import Check

__all__ = ["clean", "comment", "doctor"]


@click.command()
@out_option
@format_option_of("SEATRIAL_DOCTOR_FORMAT")
def doctor(out: Path, form: str) -> int:
    """Check this machine: engine, cores, clock, limits, disk, and what it can see.

    Exits with 4 where no trial could be run at all.
    """
    from harness.doctor import checks  # noqa: PLC0415 - heavy

    found = tuple(checks(out))
    if form == "json":
        document = {"schema_version": 1, "checks": [asdict(each) for each in found]}
        put(json.dumps(document, indent=2) + "\n")
    else:
        put("".join(map(_line, found)))
    fit = all(each.state != "missing" for each in found)
    return EXIT_OF["PASS" if fit else "INVALID"]


def _line(check: Check) -> str:
    remedy = f"\n{'':17}→ {check.remedy}" if check.remedy else ""
    return f"{check.state:8} {check.name:7} {check.message}{remedy}\n"


@click.command()
@out_option
@option(
    "--keep",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="So many of each scenario stay, whatever their age.",
)
@option(
    "--older-than",
    metavar="TIME",
    default="0s",
    show_default=True,
    help="Younger ones stay, too, such as 30min.",
)
@option("--dry-run", is_flag=True, help="Only say what would go.")
@wait_option
def clean(*, out: Path, keep: int, older_than: str, dry_run: bool, wait: bool) -> int:
    """Remove old trials but the latest of each scenario, and what dead ones left.

    What in the directory is no trial, and calibrations, stay. What cannot be removed is
    named, and the rest goes.
    """
    from harness.environment import machine_lock, remove_leftovers  # noqa: PLC0415 - heavy
    from harness.store.retention import expendable, remove, stored  # noqa: PLC0415 - likewise

    before_s = time.time() - seconds_of("--older-than", older_than)
    codes, freed = {EXIT_OF["PASS"]}, 0
    with nullcontext() if dry_run else machine_lock("seatrial clean", wait=wait):
        for each in expendable(stored(out), keep=keep, before_s=before_s):
            with _told(codes):
                if not dry_run:
                    remove(each)
                freed += each.size
                put(f"{each.path}\n")
        for line in () if dry_run else remove_leftovers(""):
            progress.say(line)
    progress.say(f"{freed / 2**20:,.1f} MiB {'would be' if dry_run else 'are'} free")
    return max(codes)


@contextmanager
def _told(codes: set[int]) -> Iterator[None]:
    """What fails is told, its exit code is kept, and the next one has its turn."""
    try:
        yield
    except SeatrialError as error:
        progress.say(f"error: {error}")
        codes.add(error.exit_code)


@click.command()
@click.argument("trials", nargs=-1, required=True, type=PATH)
def comment(trials: tuple[Path, ...]) -> int:
    """Put a trial's summary on the pull request that this job of GitHub runs for.

    One comment a scenario, edited in place by the next run; outside of a pull request
    nothing happens. One that fails is named, and the next is made. Takes GITHUB_TOKEN,
    and what GitHub Actions sets besides.
    """
    from harness.github import post, pull_of  # noqa: PLC0415 - heavy

    pull = pull_of(os.environ)
    if pull is None:
        progress.say("no pull request here: nothing to comment on")
    codes = {EXIT_OF["PASS"]}
    for trial in trials:
        with _told(codes):
            summary = _summary(trial)
            if pull is not None:
                put(f"{post(pull, *summary, progress.say)}\n")
    return max(codes)


def _summary(trial: Path) -> tuple[str, str]:
    """The text of a trial's comment, and the marker that ends it."""
    from harness.report.markdown import MARKER  # noqa: PLC0415 - heavy
    from harness.store.trial import read_report  # noqa: PLC0415 - likewise

    text = read_report(trial / "summary.md")
    _, _, marker = text.rstrip().rpartition("\n")
    if not marker.startswith(MARKER):
        raise InputError(
            f"{trial / 'summary.md'}: it is not whole",
            hint=f"seatrial judge {trial} writes it anew",
        )
    return text, marker
