from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from harness.model.traffic import Skipped
from harness.report.page import as_page
from tests.report.test_outline import FOUND


class Texts(HTMLParser):
    """The texts of a page, and whatever it would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag in {"script", "link", "img"} or names & {"src", "href", "onload"}:
            self.loads.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_a_page_needs_nothing_else() -> None:
    """All figures are in it, what was captured only as text, and it loads nothing."""
    odd = "<script>alert(1)</script>"
    skipped = (Skipped(reason="malformed", count=3, samples=(f"a.log:1: {odd}",)),)
    routes = (replace(FOUND.routes[0], name=f"GET /{odd}"),)
    recording = replace(FOUND.recording, skipped=skipped)
    page = Texts()

    page.feed(as_page(replace(FOUND, recording=recording, routes=routes)))

    assert [] == page.loads
    assert f"GET /{odd}" in page.texts
    assert f"a.log:1: {odd}" in page.texts
    assert "left out: 3 malformed" in page.texts
    assert "10.0 ms" in "".join(page.texts)
