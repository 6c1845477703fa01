"""A CSV of requests per minute: what a monitoring system remembers of traffic."""

from __future__ import annotations

import csv
import math
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from harness.errors import InputError
from harness.model.quantity import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["read_counts"]

_MINUTE: Final = timedelta(minutes=1)
_COLUMNS: Final = ("period", "count")
_HEAD: Final = "the first line names the columns, as period,count"


class _Minute(NamedTuple):
    line: int
    period: datetime
    requests: float


def read_counts(
    path: Path, start: datetime | None, minutes: int | None
) -> tuple[float, ...]:
    """The counts of consecutive minutes.

    Args:
        path: the CSV, with columns `period` (the minute's beginning, ISO 8601) and
            `count` (its requests); others are ignored.
        start: no minute before it; `None`: from the first. Without a time zone it
            means the CSV's.
        minutes: how many; `None`: all from there.

    Raises:
        InputError: no such file, no such minutes, one that is missing or no number, or
            nothing but zeros.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(path, csv.reader(file)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        missing = isinstance(error, FileNotFoundError)
        what = "there is no such file" if missing else f"cannot be read: {error}"
        hint = "the path of a CSV starts at the scenario file's directory"
        raise InputError(f"{path}: {what}", hint=hint) from error
    if not rows:
        raise InputError(f"{path}:2: holds no minute", hint="a row a minute is wanted")
    chosen = _window(path, rows, start, minutes)
    _refuse_gaps(path, chosen)
    counts = tuple(row.requests for row in chosen)
    if not any(counts):
        place = f"{path}:{chosen[0].line}"
        raise InputError(f"{place}: every count is 0", hint="choose other minutes")
    return counts


def _rows(path: Path, lines: Iterator[list[str]]) -> Iterator[_Minute]:
    head = [name.strip() for name in next(lines, [])]
    if not set(_COLUMNS) <= set(head):
        missing = " and no ".join(name for name in _COLUMNS if name not in head)
        raise InputError(f"{path}:1: there is no column {missing}", hint=_HEAD)
    period, count = (head.index(name) for name in _COLUMNS)
    for number, fields in enumerate(lines, 2):
        if not fields:
            continue
        place = f"{path}:{number}"
        if len(fields) <= max(period, count):
            raise InputError(f"{place}: a column is missing", hint=_HEAD)
        moment = _moment(place, fields[period])
        yield _Minute(number, moment, _count(place, fields[count]))


def _moment(place: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        said = cut(repr(text))
        hint = "write the period as 1998-06-30 20:00:00"
        raise InputError(f"{place}: {said} is no moment", hint=hint) from error


def _count(place: str, text: str) -> float:
    try:
        count = float(text)
    except ValueError:
        count = math.nan
    if not 0 <= count < math.inf:
        said = cut(repr(text))
        hint = "a number of requests is wanted, 0 or more"
        raise InputError(f"{place}: {said} is no count", hint=hint)
    return count


def _window(
    path: Path, rows: Sequence[_Minute], start: datetime | None, minutes: int | None
) -> Sequence[_Minute]:
    first, last = rows[0].period, rows[-1].period
    begin = start or first
    if begin.tzinfo is None:
        begin = begin.replace(tzinfo=first.tzinfo)
    try:
        chosen = [row for row in rows if begin <= row.period]
    except TypeError as error:
        hint = "give every moment a time zone, or none"
        raise InputError(f"{path}: time zones here and there", hint=hint) from error
    wanted = len(chosen) if minutes is None else minutes
    if begin < first or not 0 < wanted <= len(chosen):
        many = "" if minutes is None else f" for {minutes} minutes"
        raise InputError(
            f"{path}:{rows[-1].line}: there is no {begin}{many}",
            hint=f"it has {first} to {last}: change `from` or `minutes`",
        )
    return chosen[:wanted]


def _refuse_gaps(path: Path, rows: Sequence[_Minute]) -> None:
    for before, row in pairwise(rows):
        if row.period - before.period != _MINUTE:
            raise InputError(
                f"{path}:{row.line}: {row.period} does not follow {before.period} "
                "by a minute",
                hint="give each minute its row, with 0 where nothing was asked",
            )
