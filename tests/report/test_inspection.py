from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.model.traffic import Skipped, SourceFile
from harness.report.inspection import as_json, as_text
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


def test_a_hundred_files_are_no_page() -> None:
    """The first files are named, the others counted; the document names every one."""
    sources = tuple(
        SourceFile(name=f"{n}.har", size=10, digest="d") for n in range(105)
    )
    found = replace(FOUND, recording=replace(FOUND.recording, sources=sources))

    said = as_text(found)

    assert 5 == said.count(".har (")
    assert "… 100 more (1,000 bytes)" in said
    assert all(f'"{each.name}"' in as_json(found) for each in sources)
