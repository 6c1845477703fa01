"""The process of the command: signals in, exit code out; the only `sys.exit`.

Exit codes: 0 pass, 1 fail or secrets left, 2 wrong input or usage, 3 inconclusive,
4 not measured, 130 and 143 interrupted. Nothing else ends in 1.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING

import click

from harness.cli import seatrial
from harness.errors import SeatrialError
from harness.progress import progress

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["main"]

_USAGE, _CRASH, _INTERRUPTED, _TERMINATED = 2, 4, 130, 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM came; click hands it on as the cause of an Abort."""


def main() -> None:
    """Run the command line and exit with its code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    sys.exit(_exit_code(sys.argv[1:]))


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Unwind once; a second signal must not cut the tidying short."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _exit_code(arguments: list[str]) -> int:
    try:
        code = seatrial.main(arguments, prog_name="seatrial", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort) as error:
        terminated = isinstance(error.__cause__ or error, _Terminated)
        code = _TERMINATED if terminated else _INTERRUPTED
        return _say("interrupted; finished rounds are kept", code)
    except click.ClickException as error:
        return _say(f"error: {error.format_message()}", _USAGE)
    except SeatrialError as error:
        return _say(f"error: {error}", error.exit_code)
    except Exception:  # noqa: BLE001 - the one place: a crash must not end in 1
        return _say(f"internal error; please report {_crash_file()}", _CRASH)
    return code if isinstance(code, int) else 0


def _say(text: str, code: int) -> int:
    progress.say(text)
    return code


def _crash_file() -> str:
    """Where the traceback was put; where no file can be had, the traceback itself."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="seatrial-crash-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            traceback.print_exc(file=file)
    except OSError:
        return traceback.format_exc()
    return file.name


if __name__ == "__main__":
    main()
