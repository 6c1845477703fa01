from pathlib import Path

import pytest

from harness.errors import ComparisonError
from harness.store.log import read_lines


def test_lines(tmp_path: Path) -> None:
    """Lines come without their ends; a long one is cut, and its rest left out."""
    path = tmp_path / "logs.txt"
    path.write_bytes(b"a\r\n\n" + b"x" * 40_000 + b"\nb")

    assert [b"a", b"", b"x" * (16 << 10), b"b"] == [*read_lines(path)]


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
