"""The error rates of the judge on a model: `python -m tests.bench.judge`.

Trials are drawn by the laws of a seeded model, played until the judge calls them over,
and judged. Each share is printed with its Monte-Carlo standard error beside its target.
With `--json FILE` the figures are kept there, cell by cell, and cells that are there
already, of the same code, model and number of trials, are not drawn again. Exits 1
where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.judge.cell import BLOCK, Cell, Tally, Target, tally
from tests.bench.judge.cells import CELLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def drawn(cell: Cell, trials: int, spread: Callable[..., Iterable[Tally]]) -> Tally:
    """All trials of a cell; the same, however many processes there are."""
    blocks = range(-(-trials // BLOCK))
    sizes = [min(BLOCK, trials - BLOCK * block) for block in blocks]
    return reduce(add, spread(partial(tally, cell), blocks, sizes))


def known(path: Path | None) -> dict[str, Tally]:
    """What an earlier run kept."""
    if path is None or not path.exists():
        return {}
    stored = json.loads(path.read_text())
    return {name: Tally(**each) for name, each in stored.items()}


def told(cell: Cell, found: Tally) -> Iterator[str]:
    """A line a figure."""
    for target in cell.targets:
        share, error = found.share(target), found.error(target)
        yield (
            f"{verdict(target, share):6}  {cell.name}: {' or '.join(target.counted)}"
            f" {100 * share:.2f} ± {100 * error:.2f} %{bounds_of(target)}"
        )
    yield (
        f"        {found.trials:,} trials of {found.rounds / found.trials:.1f} rounds,"
        f" SD of d_r of the service's p95 {100 * found.deviation:.1f} %"
    )


def verdict(target: Target, share: float) -> str:
    """`met`, `MISSED`, or nothing where nothing is asked."""
    if target.most is None and target.least is None:
        return ""
    over = target.most is not None and share > target.most
    under = target.least is not None and share < target.least
    return "MISSED" if over or under else "met"


def bounds_of(target: Target) -> str:
    """The target in words."""
    bounds = [f"<= {100 * target.most:g} %"] if target.most is not None else []
    bounds += [f">= {100 * target.least:g} %"] if target.least is not None else []
    return f" (target {' and '.join(bounds)})" if bounds else ""


def measured(names: Sequence[str], options: Any) -> Iterator[tuple[Cell, Tally]]:
    """The cells of those names, one by one, each kept as soon as it is there."""
    kept = known(options.json)
    with ProcessPoolExecutor(options.processes) as executor:
        spread = executor.map if options.processes > 1 else map
        for cell in map(CELLS.__getitem__, names):
            asked, started = (cell.digest, options.replications), time.monotonic()
            earlier = kept.get(cell.name)
            if earlier is None or (earlier.digest, earlier.trials) != asked:
                kept[cell.name] = drawn(cell, options.replications, spread)
                spent = time.monotonic() - started
                print(f"{cell.name}: {spent:.0f} s", file=sys.stderr, flush=True)
            if options.json:
                document = {name: asdict(each) for name, each in kept.items()}
                options.json.write_text(json.dumps(document, indent=2) + "\n")
            yield cell, kept[cell.name]


def main() -> int:
    """Print figures beside targets; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", nargs="+", default=[""], help="cells whose names begin so"
    )
    parser.add_argument("--replications", type=int, default=4000, help="default: 4000")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, help="keep the figures there")
    options = parser.parse_args()
    names = [name for name in CELLS if name.startswith(tuple(options.only))]
    if not names:
        parser.error(f"no cell begins so; there are {', '.join(CELLS)}")
    missed = 0
    for cell, found in measured(names, options):
        print(*told(cell, found), sep="\n", flush=True)
        missed += any(
            verdict(each, found.share(each)) == "MISSED" for each in cell.targets
        )
    print(f"{missed} of {len(names)} cells miss a target" if missed else "all met")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
