from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.model.traffic import Skipped
from harness.report.inspection import as_text
from tests.report.test_outline import FOUND


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    """Nothing of a recording that came from elsewhere steers the terminal."""
    hostile = "\x1b]0;x\x07\x9b31m"
    counted = (Skipped(reason=hostile, count=1, samples=(hostile,)),)
    recording = replace(
        FOUND.recording,
        path=Path(hostile),
        source_format=hostile,
        started_at=hostile,
        skipped=counted,
        filtered=counted,
        adapted=counted,
        redacted=counted,
    )

    said = as_text(replace(FOUND, recording=recording, methods=((hostile, 1),)))

    assert 8 <= said.count("0;x")
    assert not {"\x1b", "\x07", "\x9b"} & set(said)
