"""How long a cold start takes: `python -m tests.bench.start`.

Targets: `seatrial --help` 300 ms, `seatrial validate` 700 ms, medians of 9. Exits 1
where one is missed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

STARTS: Final = 9
SCENARIO: Final = Path(__file__).parents[2] / "scenarios" / "shop.yaml"
TARGETS: Final = (
    (("--help",), 0.3),
    (("verify", "--help"), 0.3),
    (("validate", str(SCENARIO)), 0.7),
)


def started_s(arguments: tuple[str, ...]) -> float:
    """Median wall time from the start of the process to its end."""
    command = [sys.executable, "-m", "harness", *arguments]
    walls_s = []
    for _ in range(STARTS):
        before = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        walls_s.append(time.perf_counter() - before)
    return statistics.median(walls_s)


def main() -> int:
    """Print figures beside targets; 1 where one is missed."""
    missed = 0
    for arguments, most_s in TARGETS:
        wall_s = started_s(arguments)
        missed += wall_s > most_s
        word = "MISSED" if wall_s > most_s else "met"
        name = " ".join(("seatrial", *(Path(each).name for each in arguments)))
        print(f"{word:6}  {name}: {wall_s * 1e3:.0f} ms (target <= {most_s * 1e3:.0f})")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
