"""What happens while a command works, on standard error."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.model.progress import Announcement, Step

__all__ = ["Progress", "progress"]


class Progress:
    """What happens, on standard error; on a terminal a step replaces the one before."""

    def __init__(self) -> None:
        self._step = False

    def announce(self, told: Announcement) -> None:
        """Tell a line that stays, or a step of a round, which lasts as long as it."""
        if isinstance(told, str):
            self.say(told)
        elif sys.stderr.isatty():
            self._replace(told)
        elif told.over:
            self.say(_line_of(told))

    def outline(self, told: Announcement) -> None:
        """Tell the same without figures: they would be of held-out traffic, too."""
        self.announce(told if isinstance(told, str) else replace(told, pulse=None))

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
