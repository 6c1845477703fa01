"""How fast an access log is imported, and in how much memory.

`python -m tests.bench.importer [--lines 1000000] [--json FILE]` repeats the real Apache
log, each repetition later than the one before, imports it in a process of its own, and
exits 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG: Final = (
    Path(__file__).resolve().parents[2]
    / "../shared/data/elastic_apache_combined_10k.log"
)
PEAK_MB: Final = 300
GROWTH_RATIO: Final = 1.3
_DATE: Final = re.compile(rb"\[(\d\d/\w{3}/\d{4})")
_IMPORT: Final = """
import json, pathlib, resource, sys, time
from harness.capture import import_capture
start = time.perf_counter()
source, destination = map(pathlib.Path, sys.argv[1:])
recording = import_capture([source], destination, key=b"bench")
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mb": peak, "kept": recording.exchanges}))
"""


def _later(log: bytes, days: int) -> bytes:
    def moved(found: re.Match[bytes]) -> bytes:
        day = datetime.strptime(found[1].decode(), "%d/%b/%Y")  # noqa: DTZ007 - a date
        return f"[{day + timedelta(days=days):%d/%b/%Y}".encode()

    return _DATE.sub(moved, log)


def _repeated(path: Path, lines: int) -> None:
    log = LOG.read_bytes()
    each = log.count(b"\n")
    with path.open("wb") as file:
        for number in range(-(-lines // each)):
            part = _later(log, days=4 * number)
            rest = min(each, lines - number * each)
            file.write(b"".join(part.splitlines(keepends=True)[:rest]))


def measured(lines: int) -> Mapping[str, float]:
    """Lines a second and peak memory of one import in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "access.log")
        _repeated(source, lines)
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT, source, Path(folder, "rec.parquet")],
            check=True,
            stdout=subprocess.PIPE,
        )
    figures: dict[str, float] = json.loads(done.stdout)
    return {**figures, "lines": lines, "lines_per_s": lines / figures["seconds"]}


def main() -> int:
    """Print the figures beside their targets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    small, large = measured(options.lines // 10), measured(options.lines)
    growth = large["peak_mb"] / small["peak_mb"]
    print(f"{large['lines']:,} lines: {large['lines_per_s']:,.0f} lines/s")
    print(f"peak memory  {large['peak_mb']:.0f} MB (target <= {PEAK_MB} MB)")
    print(f"growth       {growth:.2f} x of a tenth (target <= {GROWTH_RATIO})")
    if options.json:
        figures = {"small": small, "large": large, "growth": growth}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if large["peak_mb"] > PEAK_MB or growth > GROWTH_RATIO else 0


if __name__ == "__main__":
    sys.exit(main())
