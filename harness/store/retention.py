"""Which stored trials may go."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.errors import InputError
from harness.store.disk import writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

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
        journal = path / _JOURNAL
        if path.is_symlink() or not journal.is_file():
            continue
        if scenario := _scenario(journal):
            yield Stored(
                path=path,
                scenario=scenario,
                at_s=journal.stat().st_mtime,
                size=sum(each.lstat().st_size for each in path.rglob("*")),
            )


def _scenario(journal: Path) -> str:
    """The scenario's name; empty where the journal does not say."""
    try:
        document = json.loads(journal.read_bytes())
        return str(document["scenario"]["name"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


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
    with writing(trial.path):
        shutil.rmtree(trial.path)
