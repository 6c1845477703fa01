"""The load engine beside its targets and its peers: `python -m tests.bench.engine`.

All in one run on one nginx container on the first core; whoever sends is alone on the
last. Peers: stock Locust (FastHttpUser), k6 and wrk. Needs a Docker engine, and takes
about a quarter of an hour. Exits 1 where a target is missed or a figure is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.bench.cases import CASES, Extent, Row, as_json
from tests.bench.target import cores, nginx

if TYPE_CHECKING:
    from collections.abc import Sequence


def measured(names: Sequence[str], extent: Extent) -> list[Row]:
    """All rows of those cases; each is told as soon as it is known."""
    rows: list[Row] = []
    with nginx() as target:
        for name in names:
            for row in CASES[name](target, extent):
                value = f"{_number(row.value)} {row.unit}"
                print(f"{row.case}: {row.figure}: {value}", file=sys.stderr, flush=True)
                rows.append(row)
    return rows


def printed(rows: Sequence[Row]) -> Table:
    """Figures beside targets."""
    table = Table("case", "figure", "measured", "target", "", "note", box=None)
    for row in rows:
        bounds = [f">= {_number(row.least)}" if row.least is not None else ""]
        bounds += [f"<= {_number(row.most)}" if row.most is not None else ""]
        value = f"{_number(row.value)} {row.unit}"
        target = " ".join(filter(None, bounds))
        table.add_row(row.case, row.figure, value, target, row.verdict, row.note)
    return table


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return (
        f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
    )


def main() -> int:
    """Print figures beside targets; 1 where one is missed or missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--users", type=int, default=10_000, help="default: 10000")
    parser.add_argument(
        "--minutes",
        type=int,
        default=2,
        help="how long the users are kept up; default: 2; 10 proves the memory flat",
    )
    parser.add_argument("--repeats", type=int, default=3, help="of each ceiling; 3")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(cores()) < 2:
        sys.exit("one core for the server and one for the generator are needed")
    extent = Extent(
        users=options.users, minutes=options.minutes, repeats=options.repeats
    )
    load = os.getloadavg()[0]
    rows = measured(options.only, extent)
    Console(width=None if sys.stdout.isatty() else 200).print(printed(rows))
    print(f"{len(cores())} cores; load average before: {load:.2f}")
    if options.json:
        figures = {"load": load, "rows": [as_json(row) for row in rows]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(row.verdict in {"MISSED", "MISSING"} for row in rows))


if __name__ == "__main__":
    sys.exit(main())
