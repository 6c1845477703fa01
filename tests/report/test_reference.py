from __future__ import annotations

import re
from pathlib import Path

from harness.planning.scenariofile import read_scenario
from harness.planning.schema import json_schema
from harness.report.reference import reference

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
LIBRARY = {path.name: read_scenario(path) for path in sorted(SCENARIOS.glob("*.yaml"))}
TEXT = reference(json_schema(), LIBRARY)


def test_file() -> None:
    """The reference in scenarios/ is the one that the models make today."""
    assert (SCENARIOS / "README.md").read_text() == TEXT, (
        "write it again: seatrial schema --markdown scenarios/*.yaml"
        " > scenarios/README.md"
    )


def test_library() -> None:
    """There are ten scenarios and more, each with an incident and a name of its own."""
    assert len(LIBRARY) >= 10
    for file, scenario in LIBRARY.items():
        assert file == f"{scenario.name}.yaml"
        assert len(scenario.why) > 300, file
        assert f"| [{file}]({file}) | {scenario.why[:20]}" in TEXT


def test_every_key_has_a_meaning() -> None:
    """Each key of each section has a type and a meaning that is a sentence."""
    rows = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| `")]

    assert len(rows) > 100
    for key, kind, _, meaning in rows:
        assert kind.strip(), key
        assert re.search(r"[.]\S* \|$", meaning), (key, meaning)
        assert "Likewise" not in meaning, key


def test_links() -> None:
    """Each link leads to a heading or a file that is there."""
    headings = re.findall(r"^#+ `(.+)`$", TEXT, re.MULTILINE)
    anchors = {f"#{each.replace('.', '')}" for each in headings}

    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert target in anchors or (SCENARIOS / target).is_file(), target


def test_types_and_defaults() -> None:
    """A key's row says what it takes and what it is without it."""
    for row in (
        "| `name` | text | required |",
        "| `port` | whole number, at least 1, at most 65,535 | `8000` |",
        "| `deadline` | duration, as `10s` | `10s` |",
        "| `cpus` | number, more than 0 | `1` |",
        "| `latency` | [`budgets.latency`](#budgetslatency)"
        " | `{p95: 10% or 5ms, p99: 20% or 25ms}` |",
        "| `then` | `cookies` or [`session.login.then`](#sessionloginthen) |",
        "| `body` | `true` |",
    ):
        assert row in TEXT
