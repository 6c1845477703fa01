"""Standard output: the only print."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from harness.errors import SeatrialError
from harness.progress import progress

__all__ = ["put"]


def put(text: str) -> None:
    """To standard output; a reader that has gone has read enough.

    What its encoding does not have is replaced.
    """
    progress.end_step()
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)
    except BrokenPipeError:
        _write_no_more()
    except (OSError, ValueError) as error:
        _write_no_more()
        raise SeatrialError(f"standard output: cannot be written: {error}") from error


def _write_no_more() -> None:
    """What is still in the buffer would be tried again at the end of the process."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
