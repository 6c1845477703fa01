"""The load engine beside stock Locust: `python -m tests.bench.generator [--json FILE]`.

3,000 users with a think time of 2.5 to 3.5 s on one core, against a server on another
that answers at once and counts its connections; needs no Docker engine. Targets:
connections opened = users, every request answered, and less CPU a request than stock
Locust (FastHttpUser) needs. `python -m tests.bench.engine` measures the rest.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.bench import peers
from tests.bench.ours import play, population
from tests.bench.target import echo

USERS = 3000
THINK_S = (2.5, 3.5)
RAMP_S, SECONDS = 5, 20


def main() -> int:
    """Print figures beside targets; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    requests = int((RAMP_S + SECONDS) / THINK_S[0]) + 2
    shots = population(USERS, THINK_S, RAMP_S, requests)
    with echo() as target:
        ours = play(target, shots, warmup_s=RAMP_S, slice_s=SECONDS)
        terms = peers.Terms(
            users=USERS, think_s=THINK_S, ramp_s=RAMP_S, seconds=SECONDS, path="/n"
        )
        stock = peers.run("locust", target, terms)
    opened, cpu_us = ours.whole.accepted, ours.span.cpu_us
    unanswered = ours.whole.requests - ours.books.answered
    ratio = cpu_us / stock.span.cpu_us
    lag_ms = ours.health.lag_p99_ns / 1e6
    print(f"ours: {cpu_us:.0f} µs CPU a request, p99 of the lag {lag_ms:.2f} ms")
    print(
        f"stock: {stock.span.cpu_us:.0f} µs CPU a request, "
        f"{stock.accepted:,} connections for {stock.requests:,} requests"
    )
    missed = [opened != USERS, unanswered != 0, ratio >= 1]
    for miss, line in zip(
        missed,
        (
            f"connections opened: {opened:,} (target {USERS:,})",
            f"requests not answered: {unanswered} (target 0)",
            f"CPU a request, ours / stock: {ratio:.3f} (target < 1)",
        ),
        strict=True,
    ):
        print(f"{'MISSED' if miss else 'met':6}  {line}")
    if arguments.json:
        figures = {
            "ours": {
                "connections": opened,
                "unanswered": unanswered,
                "cpu_us_per_request": cpu_us,
                "lag_p99_ms": lag_ms,
            },
            "stock": {
                "connections": stock.accepted,
                "requests": stock.requests,
                "cpu_us_per_request": stock.span.cpu_us,
            },
        }
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())
