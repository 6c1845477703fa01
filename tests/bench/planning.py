"""What a plan of many users takes: `python -m tests.bench.planning [--json FILE]`.

Plans 10,000 users for ten minutes from a recording of 100,000 exchanges, without and
with answers. Target: 10 CPU seconds each. Exits 1 where it is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.model.scenario import Scenario
from harness.model.traffic import Exchange, Request, Response
from harness.planning.planner import make_plan
from harness.store.recording import Provenance, table_of, write_recording

if TYPE_CHECKING:
    from harness.model.traffic import Recording

MOST_S: Final = 10.0
EXCHANGES: Final = 100_000
GROUP: Final = 16_384
FIRST_ORDER: Final = 1_000_000
VISIT: Final = (
    *(("GET", "/"), ("POST", "/login"), ("GET", "/products?page=2")),
    *(("GET", "/products/17"), ("POST", "/cart"), ("GET", "/cart")),
    *(("POST", "/checkout"), ("GET", "/orders/{order}")),
    *(("GET", "/orders"), ("GET", "/products/9")),
)
SCENARIO: Final = Scenario.model_validate(
    {
        "name": "large",
        "recording": "rec.parquet",
        "service": {"command": ["none"]},
        "load": {"users": 10_000},
        "rounds": {"slice": "95s", "slices": 6, "warmup": "30s", "ramp": "10s"},
    }
)


def write_recorded(path: Path, *, answers: bool) -> Recording:
    """Visits of ten requests to a shop, each with a cookie and an order of its own."""

    def exchange(row: int) -> Exchange:
        visit, step = divmod(row, len(VISIT))
        method, target = VISIT[step]
        answer = json.dumps({"number": visit + FIRST_ORDER, "items": ["thing"] * 20})
        return Exchange(
            start_ns=visit * 6_000_000 + step * 3_000_000_000,
            client=f"c{visit}",
            session=f"s{visit}",
            request=Request(
                method=method,
                target=target.format(order=visit + FIRST_ORDER),
                headers=(
                    *(("host", "shop.test"), ("user-agent", "Mozilla/5.0")),
                    *(("accept", "*/*"), ("cookie", f"sid={visit:032x}")),
                ),
                body=b'{"product": 5}' if method == "POST" else b"",
            ),
            response=Response(
                status=200,
                duration_ns=5_000_000,
                headers=(("content-type", "application/json"),),
                body=answer.encode() if answers else None,
            ),
        )

    ordered = sorted(map(exchange, range(EXCHANGES)), key=lambda each: each.start_ns)
    groups = (ordered[at : at + GROUP] for at in range(0, EXCHANGES, GROUP))
    provenance = Provenance(
        source_format="har",
        started_at="",
        sessions=EXCHANGES // len(VISIT),
        clock_ns=1,
        cookies_recorded=True,
    )
    return write_recording(map(table_of, groups), path, lambda: provenance)


def planned(directory: Path, *, answers: bool) -> tuple[float, int]:
    """The CPU seconds of a plan, and its shots."""
    recording = write_recorded(directory / "rec.parquet", answers=answers)
    began_s = time.process_time()
    plan = make_plan(SCENARIO, recording, directory)
    return time.process_time() - began_s, plan.shots


def main() -> int:
    """Print the figures beside their target; 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    taken_s = {}
    with tempfile.TemporaryDirectory() as name:
        for answers in (False, True):
            kind = "with answers" if answers else "without answers"
            taken_s[kind], shots = planned(Path(name), answers=answers)
            word = "met" if taken_s[kind] <= MOST_S else "MISSED"
            print(
                f"{word:6}  {shots:,} shots, {kind}: {taken_s[kind]:.1f} s of CPU"
                f" (target <= {MOST_S:g} s)"
            )
    if arguments.json:
        arguments.json.write_text(json.dumps({"cpu_s": taken_s}) + "\n")
    return int(max(taken_s.values()) > MOST_S)


if __name__ == "__main__":
    sys.exit(main())
