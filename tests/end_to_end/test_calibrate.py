"""What a machine can see, found out, kept and told, through the command line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.end_to_end.conftest import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.end_to_end.conftest import Seatrial

SCENARIO = """\
name: small
recording: small.parquet
service: {command: [python, serve.py], ready: /}
load: {users: 20}
rounds: {min: 2, max: 2, slice: 500ms, slices: 2, warmup: 300ms, ramp: 0s}
budgets:
  errors: 5%
  goodput: 80%
  memory: {level: 900% or 256MiB}
  cpu: 9000%
  latency: {p50: 900% or 1s}
  routes: {}
calibrate: {changes: {"forgets logins": {env: {FORGETS: "1"}}}}
"""
CHECK = 'b"sid=live" not in head'
SWITCHED = f'({CHECK} or "FORGETS" in os.environ)'


def trials_in(directory: Path) -> set[Path]:
    return {path.parent for path in directory.rglob("trial.json")}


def test_calibrated(
    seatrial: Seatrial, answering: Callable[[str, float], Path]
) -> None:
    """A change is found, nothing is run twice, and later commands tell of it."""
    record(seatrial.directory)
    (seatrial.directory / "s.yaml").write_text(SCENARIO)
    service = answering("one", 0.002) / "serve.py"
    service.write_text(service.read_text().replace(CHECK, SWITCHED))
    start = ("calibrate", "s.yaml", "--trials", "1", "--baseline", "dir:one", "--wait")
    trials = seatrial.directory / "trials"

    code, shown, err = seatrial(*start)

    assert code == 0, err
    assert "0 of 1 A/A trials failed (<= 95" in shown
    assert "forgets logins: 1 of 1 found, by errors" in shown
    stored = json.loads((trials / "calibration-small.json").read_text())
    assert ["forgets logins"] == [each["name"] for each in stored["injected"]]
    ran = trials_in(trials)
    assert {"same-01"} < {path.parent.name for path in ran}
    assert 2 == len(ran)

    code, again, err = seatrial(*start)

    assert (0, shown) == (code, again), err
    assert "round 1" not in err
    assert ran == trials_in(trials)

    arms = ("--baseline", "dir:one", "--candidate", "dir:one", "--wait")
    code, out, err = seatrial.verify("s.yaml", *arms, "--format", "json")
    _, plan, _ = seatrial("verify", "s.yaml", "--plan")

    told = json.loads(out)["calibration"]
    assert code == 0, err
    assert re.match(r"0 of 1 A/A trials failed .*; detects .* on p50", told)
    assert f"calibration  {told}\n" in plan
