"""A CSV of requests per minute."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.planning.countfile import read_counts

HEAD = "period,count\n"
GOOD = f"{HEAD}1998-04-30 21:30:00,2\n1998-04-30 21:31:00,11\n1998-04-30 21:32:00,5\n"
REAL = Path(__file__).parents[3] / "shared/data/worldcup98_requests_per_minute.csv"


def test_window(tmp_path: Path) -> None:
    """All minutes, or those from a moment on, or so many of them."""
    path = tmp_path / "c.csv"
    path.write_text(GOOD)

    assert (2, 11, 5) == read_counts(path, None, None)
    assert (11, 5) == read_counts(path, datetime(1998, 4, 30, 21, 31), None)  # noqa: DTZ001 - as the CSV has it
    assert (2, 11) == read_counts(path, None, 2)


@pytest.mark.parametrize(
    ("text", "minutes", "message"),
    [
        ("", None, ":1: there is no column period and no count"),
        (HEAD, None, ":2: holds no minute"),
        (f"{HEAD}soon,1\n", None, ":2: 'soon' is no moment"),
        (f"{HEAD}1998-04-30 21:30,many\n", None, ":2: 'many' is no count"),
        (f"{HEAD}1998-04-30 21:30,-1\n", None, ":2: '-1' is no count"),
        (f"{HEAD}1998-04-30 21:30\n", None, ":2: a column is missing"),
        (GOOD.replace("21:31", "21:41"), None, "does not follow"),
        (GOOD, 4, "there is no 1998-04-30 21:30:00 for 4 minutes"),
        (f"{HEAD}1998-04-30 21:30,0\n", None, ":2: every count is 0"),
    ],
)
def test_bad_files(
    tmp_path: Path, text: str, minutes: int | None, message: str
) -> None:
    """What is wrong is said with file and line."""
    path = tmp_path / "c.csv"
    path.write_text(text)

    with pytest.raises(InputError) as error:
        read_counts(path, None, minutes)

    assert f"{path}" in error.value.message
    assert message in error.value.message


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InputError, match="there is no such file"):
        read_counts(tmp_path / "c.csv", None, None)


@pytest.mark.skipif(not REAL.exists(), reason="the shared data is not here")
def test_a_world_cup() -> None:
    """An hour of the final's day is read from 125,300 real minutes."""
    counts = read_counts(REAL, datetime(1998, 7, 12, 19), 60)  # noqa: DTZ001 - as the CSV has it

    assert 60 == len(counts)
    assert max(counts) > 10_000
