from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from harness.capture.inspection import Inspection, RouteShare
from harness.model.traffic import Recording
from harness.planning.scenariofile import read_scenario
from harness.report.outline import outline

FOUND = Inspection(
    recording=Recording(
        path=Path("rec.parquet"),
        digest="0" * 64,
        source_format="har",
        exchanges=10,
        sessions=2,
        span_ns=10**9,
        clock_ns=1,
        cookies_recorded=True,
    ),
    routes=(
        RouteShare(name="GET /orders/{id}", requests=9, median_ns=10**6, p95_ns=10**7),
        RouteShare(
            name='GET /"odd\x07\u00e9": #', requests=1, median_ns=None, p95_ns=None
        ),
    ),
    more_routes=0,
    methods=(("GET", 10),),
    statuses=((200, 10),),
    robots=(),
    session_median=5.0,
    session_max=6,
    mean_rate=10.0,
    peak_rate=10,
    over_time=(10,),
    gaps=(),
    think_median_ns=0,
    think_p95_ns=0,
    answer_median_bytes=None,
    answer_p95_bytes=None,
)


@pytest.mark.parametrize(
    "name",
    ["checkout", "my shop: ärger", "-", "x" * 300, "404", "2026-01-31", "no", "1e3"],
)
def test_it_is_a_scenario(tmp_path: Path, name: str) -> None:
    """Whatever its name and routes are, it is valid, with or without its comments."""
    path = tmp_path / "s.yaml"
    text = outline(FOUND, "recordings/a: #b\U0001f600.parquet", name)
    path.write_text(text)

    scenario = read_scenario(path)

    assert Path("recordings/a: #b\U0001f600.parquet") == scenario.recording
    assert scenario.load.replay is not None
    by_route = text.replace("  # by_route:", "  by_route:").replace('  #   "', '    "')
    path.write_text(by_route)
    assert {"GET /orders/{id}"} < read_scenario(path).budgets.by_route.keys()


@pytest.mark.parametrize(
    ("rate", "speed"), [(100.0, 1), (10.0, 2), (0.01, 2083), (1e-9, 1_000_000)]
)
def test_a_round_has_enough_requests(rate: float, speed: int) -> None:
    """Sparse traffic is sped up, other traffic is as recorded."""
    assert f"replay: {{speed: {speed}}}" in outline(
        replace(FOUND, mean_rate=rate), "r", "s"
    )


@pytest.mark.parametrize("name", ["a\u00a0b", "\x7f", "\x85", "\ud800", "\U0001f600"])
def test_any_path_can_be_written(name: str) -> None:
    """The scenario can be written as UTF-8, and YAML can read all but half a pair."""
    text = outline(FOUND, name, "s").encode().decode()

    if name != "\ud800":
        assert name == yaml.safe_load(text)["recording"]
