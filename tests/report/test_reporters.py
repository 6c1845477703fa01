from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report import REPORTERS

if TYPE_CHECKING:
    from tests.report.conftest import Make


def test_every_format_renders_every_report(make: Make) -> None:
    """Each reporter takes the same report and ends its text with one newline."""
    texts = {name: render(make.leak()) for name, render in REPORTERS.items()}

    assert list(texts) == ["terminal", "json", "markdown", "junit"]
    assert all(text.endswith("\n") and text.strip() for text in texts.values())
