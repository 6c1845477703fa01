"""`report.html` in a real browser, with scripts disabled but where one looks at it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from harness.report.html import html
from tests.report.conftest import HOSTILE, Make, hostile, rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from harness.model.verdict import Report

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
FLAME = '<svg role="img" aria-label="stacks" width="300" height="40"></svg>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; skipped where there is none, or failed if it is required."""
    path = shutil.which("chromium")
    if path is None:
        complaint = "Chromium is not installed: apt install chromium"
        if os.environ.get("SEATRIAL_REQUIRE_CHROMIUM") == "1":
            pytest.fail(complaint, pytrace=False)
        pytest.skip(complaint)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


class Opened:
    """Opens a report, without scripts, and keeps all that the browser complains of."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self.complaints: list[str] = []
        self.asked: list[str] = []

    def __call__(self, report: Report, *, routes: int = 3, **context: object) -> Page:
        path = self._folder / "report.html"
        flames = {"baseline": FLAME}
        commands = {"run it again": "seatrial verify a.yaml"}
        path.write_text(
            html(report, rounds(routes), flames=flames, commands=commands),
            encoding="utf-8",
        )
        given = {"viewport": DESK, "java_script_enabled": False, **context}
        page = self._browser.new_context(**given).new_page()  # type: ignore[arg-type]
        page.on("console", lambda told: self.complaints.append(told.text))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.goto(path.as_uri())
        return page


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """For one test; what it opened is closed."""
    yield Opened(browser, tmp_path)
    for context in browser.contexts:
        context.close()


def kept(page: Page, name: str) -> None:
    """A picture of the page for whoever reads the CI's results."""
    if folder := os.environ.get("SEATRIAL_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_it_fits_the_screen(
    make: Make, opened: Opened, viewport: dict[str, int], scheme: str
) -> None:
    """Nothing sticks out of the page, and the verdict is seen without scrolling."""
    page = opened(make.leak(), viewport=viewport, color_scheme=scheme)

    kept(page, f"{viewport['width']}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    box = page.locator("h1 strong").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 200
    assert page.locator(".first").is_visible()
    assert opened.complaints == []
    assert len(opened.asked) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", ["GET /cart", HOSTILE[0]], ids=["plain", "hostile"])
def test_everybody_can_read_it(
    make: Make, opened: Opened, text: str, scheme: str
) -> None:
    """WCAG 2.2 AA as far as axe can tell: contrast, names, order, keyboard."""
    report = hostile(make, text)
    page = opened(
        report, color_scheme=scheme, java_script_enabled=True, bypass_csp=True
    )
    for each in page.locator("details > summary").all():
        each.click()

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})

    assert found.response["violations"] == [], found.generate_report()


def test_the_dark_is_dark(make: Make, opened: Opened) -> None:
    """Paper and ink change places with what the reader prefers, in charts too."""
    seen = {
        scheme: opened(make.leak(), color_scheme=scheme).evaluate(
            """() => [
                getComputedStyle(document.body).backgroundColor,
                getComputedStyle(document.querySelector("figure svg text")).fill,
            ]"""
        )
        for scheme in ("light", "dark")
    }

    assert seen["light"] == ["rgb(255, 255, 255)", "rgb(29, 35, 41)"]
    assert seen["dark"] == ["rgb(20, 24, 28)", "rgb(227, 231, 235)"]


def test_by_keyboard(make: Make, opened: Opened) -> None:
    """Tab reaches all that scrolls or opens, visibly; Enter opens it."""
    page = opened(hostile(make, "GET /cart"))
    everything = """[...document.querySelectorAll("[tabindex], summary")]
        .filter(each => each.checkVisibility())"""
    stops = page.evaluate(f"{everything}.length")

    reached = set()
    for _ in range(stops):
        page.keyboard.press("Tab")
        focused = "document.activeElement"
        reached.add(page.evaluate(f"{everything}.indexOf({focused})"))
        outline = page.evaluate(f"getComputedStyle({focused}).outlineStyle")
        assert outline == "solid"
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")

    assert reached == set(range(stops))
    assert page.locator("details").first.get_attribute("open") is not None


def test_on_paper(make: Make, opened: Opened) -> None:
    """Printed, every chart and the whole of each table is on the page."""
    page = opened(make.crowd(50), routes=50, viewport={"width": 718, "height": 1000})

    page.emulate_media(media="print")

    cut = page.evaluate(
        """() => [...document.querySelectorAll(".wide, svg")]
            .filter(each => getComputedStyle(each).overflowX === "auto"
                || each.getBoundingClientRect().width > innerWidth).length"""
    )
    assert cut == 0
    assert page.pdf()[:5] == b"%PDF-"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text(make: Make, opened: Opened, text: str) -> None:
    """What somebody else wrote runs nothing, fetches nothing and breaks no layout."""
    page = opened(
        hostile(make, text), java_script_enabled=True, bypass_csp=True, viewport=PHONE
    )

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.locator("main > section").count() == 8
    assert opened.complaints == []
    assert len(opened.asked) == 1


def test_fifty_routes(make: Make, opened: Opened) -> None:
    """As many charts as there are routes are drawn, and can be seen."""
    page = opened(make.crowd(50), routes=50)

    charts = page.locator("section[aria-labelledby=latency] svg")
    assert charts.count() == 51
    assert all(each.is_visible() for each in charts.all())
