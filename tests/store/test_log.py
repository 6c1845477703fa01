from pathlib import Path

import pytest

from harness.errors import ComparisonError
from harness.store.log import read_lines


def test_lines(tmp_path: Path) -> None:
    """Lines come without their ends; a long one is cut, and its rest left out."""
    path = tmp_path / "logs.txt"
    path.write_bytes(b"a\r\n\n" + b"x" * 40_000 + b"\nb")

    assert [(0, b"a"), (0, b""), (0, b"x" * (16 << 10)), (0, b"b")] == [
        *read_lines(path)
    ]


def test_time_stamps(tmp_path: Path) -> None:
    """The engine's stamps become times; a line without one has none."""
    path = tmp_path / "logs.txt"
    path.write_bytes(
        b"2026-11-27T14:38:10.96912Z Traceback\n"
        b"2026-11-27T14:38:11Z   File\n"
        b"2026-11-27 14:38:12 no stamp\n"
    )
    second = 1_795_790_290 * 10**9

    assert [
        (second + 969_120_000, b"Traceback"),
        (second + 10**9, b"  File"),
        (0, b"2026-11-27 14:38:12 no stamp"),
    ] == [*read_lines(path)]


def test_bound(tmp_path: Path) -> None:
    """Beyond 64 MiB nothing is read."""
    path = tmp_path / "logs.txt"
    line = b"x" * 1023 + b"\n"
    path.write_bytes(line * (70 << 10))

    assert 64 << 10 == sum(1 for _ in read_lines(path))


def test_missing(tmp_path: Path) -> None:
    """A log that is gone is named."""
    with pytest.raises(ComparisonError, match=r"logs\.txt: is missing"):
        next(read_lines(tmp_path / "logs.txt"))
