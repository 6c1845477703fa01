from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from harness.capture.live import record
from harness.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def test_without_mitmdump_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is started, and nothing written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(InputError, match="mitmdump has to be installed") as caught:
        record(
            ("127.0.0.1", 9000),
            "http://127.0.0.1:8000",
            tmp_path / "rec.parquet",
            key=b"k",
            announce=print,
        )
    assert "seatrial[record]" in caught.value.hint
    assert [] == list(tmp_path.iterdir())
