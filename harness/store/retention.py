"""Which stored trials may go."""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import InputError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Stored", "expendable", "remove", "stored"]

_JOURNAL: Final = "trial.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A trial's directory.

    Attributes:
        path: where it is.
        scenario: whose trial it is.
        at_s: when its journal was last written, in seconds since 1970.
        size: bytes of its files.
    """

    path: Path
    scenario: str
    at_s: float
    size: int


def stored(parent: Path) -> Iterator[Stored]:
    """The trials in a directory, in order of name; whatever else is there is not ours.

    Raises:
        InputError: there is no such directory.
    """
    if not parent.is_dir():
        raise InputError(f"{parent}: there is no such directory of trials")
    for path in sorted(parent.iterdir()):
        if not path.is_symlink() and (trial := _trial(path)):
            yield trial


def _trial(path: Path) -> Stored | None:
    """The trial that is there; `None` where none is, or it has just gone."""
    journal = path / _JOURNAL
    try:
        at_s = journal.stat().st_mtime
        scenario = str(json.loads(journal.read_bytes())["scenario"]["name"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Stored(path=path, scenario=scenario, at_s=at_s, size=_size(path))


def _size(directory: Path) -> int:
    """Bytes of its files; those that go meanwhile, as in a running trial, have none."""
    size = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                size += Path(parent, name).lstat().st_size
    return size


def expendable(
    trials: Iterable[Stored], *, keep: int, before_s: float
) -> Iterator[Stored]:
    """Trials that are not among the latest of their scenario, and old enough.

    Args:
        trials: of all scenarios.
        keep: how many of each scenario stay whatever their age.
        before_s: seconds since 1970; what is younger stays.
    """
    by_scenario = defaultdict[str, list[Stored]](list)
    for each in trials:
        by_scenario[each.scenario].append(each)
    for of_one in by_scenario.values():
        of_one.sort(key=lambda each: each.at_s)
        for each in of_one[: max(0, len(of_one) - keep)]:
            if each.at_s < before_s:
                yield each


def remove(trial: Stored) -> None:
    """Remove a trial's directory.

    Raises:
        SeatrialError: it cannot be removed.
    """
    try:
        shutil.rmtree(trial.path)
    except OSError as error:
        raise SeatrialError(
            f"{trial.path}: cannot be removed: {error.strerror or error}",
            hint="is any of it another user's?",
        ) from error
