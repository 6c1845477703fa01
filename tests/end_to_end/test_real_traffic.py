"""Real recordings against two containers, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.conftest import Seatrial

pytestmark = pytest.mark.docker

DATA = Path(__file__).resolve().parents[2] / "../shared/data"

SCENARIO = """\
name: real
recording: real.parquet
service:
  build: {{context: .}}
  port: 8000
load:
  replay: {replay}
rounds: {{min: 3, slice: 1s, slices: 3, warmup: 1s, ramp: 0s}}
budgets:   # with room for rounds of 3 s on a shared machine
  latency: {{p95: 10% or 15ms, p99: 20% or 25ms}}
  routes: {{p95: 20% or 15ms}}
  errors: 1%
  cpu: 50%
"""


def source(name: str) -> str:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout")
    return str(path)


class Judgement:
    """What a trial of two builds said."""

    def __init__(self, seatrial: Seatrial, candidate: str) -> None:
        arms = ("--baseline", "dir:before", "--candidate", f"dir:{candidate}")
        arguments = ("s.yaml", *arms, "--wait", "--format", "json")
        self.code, out, err = seatrial.verify(*arguments)
        assert out, err
        self.report: dict[str, Any] = json.loads(out)
        self.outcome: str = self.report["verdict"]["outcome"]

    @property
    def failing(self) -> set[str]:
        findings = self.report["verdict"]["findings"]
        return {each["metric"] for each in findings if each["severity"] == "fail"}


@pytest.mark.parametrize(
    ("capture", "replay", "imported"),
    [
        pytest.param(
            "elastic_apache_combined_10k.log",
            "{speed: 20000}",
            ("9,999 in", "left out: 1 malformed"),
            id="access log",
        ),
        pytest.param(
            "har/harviewer__softwareishard.com.har",
            "{scale: 40}",
            ("36 in", "left out: 4 other host"),
            id="HAR",
        ),
    ],
)
def test_real_traffic(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    capture: str,
    replay: str,
    imported: tuple[str, str],
) -> None:
    """A real capture passes equal builds and fails one that is 30 ms slower."""
    code, said, err = seatrial("import", source(capture), "-o", "real.parquet")
    assert (0, "") == (code, err)
    assert all(each in said for each in imported)
    (seatrial.directory / "s.yaml").write_text(SCENARIO.format(replay=replay))
    answering("before", 0.002)
    answering("same", 0.002)
    answering("slower", 0.032)

    same, slower = Judgement(seatrial, "same"), Judgement(seatrial, "slower")

    assert (0, "PASS") == (same.code, same.outcome), same.report["verdict"]
    assert (1, "FAIL") == (slower.code, slower.outcome), slower.report["verdict"]
    assert {"p50", "p95"} & slower.failing
