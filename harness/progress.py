"""What happens while a command works, on standard error."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from harness.model.progress import Complaint, Standing, Step

if TYPE_CHECKING:
    from harness.model.progress import Announcement

__all__ = ["Progress", "progress"]


class Progress:
    """What happens, on standard error; on a terminal a step replaces the one before.

    Attributes:
        quiet: whether only errors and results are told.
    """

    def __init__(self) -> None:
        self._step = False
        self.quiet = False

    def announce(self, told: Announcement) -> None:
        """Tell a line that stays, or a step of a round, which lasts as long as it."""
        if isinstance(told, Complaint):
            self.say(told.line)
        elif self.quiet:
            return
        elif isinstance(told, str):
            self.say(told)
        elif isinstance(told, Standing):
            self.say(told.line)
        elif sys.stderr.isatty():
            self._replace(told)
        elif told.over:
            self.say(_line_of(told))

    def outline(self, told: Announcement) -> None:
        """Tell the same without figures: they would be of held-out traffic, too."""
        if isinstance(told, Step):
            self.announce(replace(told, pulse=None))
        elif not isinstance(told, Standing):
            self.announce(told)

    def _replace(self, step: Step) -> None:
        self.end_step()
        width = shutil.get_terminal_size().columns - 1
        _echo(_line_of(step)[:width], nl=False)
        self._step = True

    def say(self, line: str) -> None:
        """Tell what is not to be replaced."""
        self.end_step()
        _echo(line)

    def end_step(self) -> None:
        """Take a step away that something else will follow."""
        if self._step:
            _echo("\r\x1b[K", nl=False)
        self._step = False


def _echo(text: str, *, nl: bool = True) -> None:
    """Whoever listened may be gone; the work goes on."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True, nl=nl)


def _line_of(step: Step) -> str:
    from harness.report.step import step_line  # noqa: PLC0415 - scipy loads slowly

    return step_line(step)


progress = Progress()
"""Of this process."""
