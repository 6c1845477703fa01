"""How fast an access log is imported, beside GoAccess and apachelogs on the same core.

`python -m tests.bench.importer [--lines 5000000] [--gor 1000 --har 100] [--json FILE]`
repeats the real Apache log, each repetition later than the one before. Each program
runs in a process of its own, all on one core, and is judged by its CPU seconds, user
and system, which other load on the machine disturbs least. Needs `apt-get install
goaccess` and `pip install apachelogs`; what is not there counts as missed. `--gor` and
`--har` add the memory that captures of so many MB take. Exits 1 where a target is
missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import count, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REAL: Final = Path(__file__).resolve().parents[2] / "../shared/data"
LOG: Final = REAL / "elastic_apache_combined_10k.log"
GOR: Final = REAL / "datadog_ecommerce_requests_0.gor"
HAR: Final = REAL / "har/PerfCascade__chrome_github.com_home.har"
PEAK_MB: Final = 400
LOG_LINES: Final = 10_000
PEER_LINES: Final = 200_000
MEGABYTE: Final = 1_000_000
_DATE: Final = re.compile(rb"(?<=\[)(\d\d/\w{3}/\d{4})")
_GOR_TIME: Final = re.compile(rb"^(1 [0-9a-f]+ )([0-9]+)", re.MULTILINE)
_IMPORT: Final = """
import pathlib, sys
from harness.capture import import_capture
source, destination = map(pathlib.Path, sys.argv[1:])
import_capture([source], destination, key=b"bench")
"""
_APACHELOGS: Final = """
import sys
from apachelogs import COMBINED, LogParser
with open(sys.argv[1], encoding="latin-1") as log:
    for entry in LogParser(COMBINED).parse_lines(log, ignore_invalid=True):
        pass
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took."""

    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its target; `bound` says which side of it is wanted."""

    name: str
    value: float
    bound: str
    target: float
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        if self.bound == ">=":
            return self.value >= self.target
        return self.value <= self.target


def used_by(command: Sequence[str | Path]) -> Usage:
    """Run a command to its end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def imported(source: Path) -> tuple[Usage, int]:
    """What the import of a capture takes, and the size of its recording."""
    destination = source.with_suffix(".parquet")
    usage = used_by([sys.executable, "-c", _IMPORT, source, destination])
    return usage, destination.stat().st_size


def write_log(path: Path, lines: int) -> None:
    """The real log, again and again, each time four days later."""
    with path.open("wb") as file:
        for number in range(lines // LOG_LINES):
            file.write(b"".join(_later_log(days=4 * number)))
        last = b"".join(_later_log(days=4 * (lines // LOG_LINES)))
        file.write(b"".join(last.splitlines(keepends=True)[: lines % LOG_LINES]))


def _later_log(days: int) -> Iterator[bytes]:
    pieces = _pieces()
    dates = {date: _later(date.decode(), days) for date in pieces[1::2]}
    for between, date in zip_longest(pieces[::2], pieces[1::2], fillvalue=b""):
        yield between
        yield dates.get(date, b"")


def _later(date: str, days: int) -> bytes:
    day = datetime.strptime(date, "%d/%b/%Y")  # noqa: DTZ007 - a date
    return f"{day + timedelta(days=days):%d/%b/%Y}".encode()


@cache
def _pieces() -> list[bytes]:
    """The real log: what is no date, a date, and so on in turn."""
    return _DATE.split(LOG.read_bytes())


def write_gor(path: Path, size_bytes: int) -> None:
    """The real capture, again and again, each time ten minutes later."""
    capture = GOR.read_bytes()
    with path.open("wb") as file:
        for number in range(-(-size_bytes // len(capture))):
            later = partial(_later_record, number * 600_000_000_000)
            file.write(_GOR_TIME.sub(later, capture))


def _later_record(later_ns: int, found: re.Match[bytes]) -> bytes:
    return found[1] + str(int(found[2]) + later_ns).encode()


def write_har(path: Path, size_bytes: int) -> None:
    """The entries of a real archive, each time a minute later."""
    entries = json.loads(HAR.read_bytes())["log"]["entries"]
    first = [datetime.fromisoformat(entry["startedDateTime"]) for entry in entries]
    with path.open("w", encoding="utf-8") as file:
        file.write('{"log": {"version": "1.2", "entries": [')
        for minutes in count():
            for entry, start in zip(entries, first, strict=True):
                later = start + timedelta(minutes=minutes)
                entry["startedDateTime"] = later.isoformat()
            file.write(", " if minutes else "")
            file.write(", ".join(map(json.dumps, entries)))
            if file.tell() >= size_bytes:
                break
        file.write("]}}")


def log_figures(folder: Path, lines: int) -> Iterator[Figure]:
    """Speed beside the peers, memory and size."""
    log, part, tenth = (folder / name for name in ("log", "part", "tenth"))
    write_log(log, lines)
    write_log(part, min(lines, PEER_LINES))
    write_log(tenth, lines // 10)
    whole, size = imported(log)
    small, _ = imported(tenth)
    rate = lines / whole.cpu_s
    yield Figure("lines a second", rate, ">=", 0, f"{lines:,} lines")
    yield from _beside("GoAccess", rate, goaccess(log), lines, 1)
    peer_lines = min(lines, PEER_LINES)
    yield from _beside("apachelogs", rate, apachelogs(part), peer_lines, 10)
    yield Figure("peak memory, MB", whole.peak_mb, "<=", PEAK_MB)
    growth = whole.peak_mb / small.peak_mb
    yield Figure("peak memory of ten times the lines", growth, "<=", 1.3)
    ratio = log.stat().st_size / size
    yield Figure("size of the log, in recordings", ratio, ">=", 8)


def goaccess(log: Path) -> Usage | None:
    """What its report takes; `None` where it is not installed."""
    if shutil.which("goaccess") is None:
        return None
    options = ("--log-format=COMBINED", "--no-progress", "--output=json")
    return used_by(["goaccess", log, *options])


def apachelogs(log: Path) -> Usage | None:
    """What it takes to parse the log; `None` where it is not installed."""
    probe = [sys.executable, "-c", "import apachelogs"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        return None
    return used_by([sys.executable, "-c", _APACHELOGS, log])


def _beside(
    peer: str, rate: float, usage: Usage | None, lines: int, target: float
) -> Iterator[Figure]:
    if usage is None:
        yield Figure(f"times {peer}", 0, ">=", target, "not installed")
    else:
        theirs = lines / usage.cpu_s
        note = f"{theirs:,.0f} lines a second"
        yield Figure(f"times {peer}", rate / theirs, ">=", target, note)


def capture_figures(folder: Path, kind: str, size_mb: int) -> Iterator[Figure]:
    """Whether a capture streams: what half of it takes, all of it takes."""
    path = folder / f"capture.{kind}"
    write = {"gor": write_gor, "har": write_har}[kind]
    peaks_mb = []
    for megabytes in (size_mb // 2, size_mb):
        write(path, megabytes * MEGABYTE)
        usage, _ = imported(path)
        peaks_mb.append(usage.peak_mb)
    half_mb, peak_mb = peaks_mb
    note = f"{half_mb:.0f} and {peak_mb:.0f} MB, {usage.cpu_s:.0f} s"
    name = f"peak memory of a .{kind}, to that of half"
    yield Figure(name, peak_mb / half_mb, "<=", 1.15, note)


def main() -> int:
    """Print the figures beside their targets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--gor", type=int, metavar="MB", default=0)
    parser.add_argument("--har", type=int, metavar="MB", default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures += log_figures(folder, options.lines)
        for kind, size_mb in (("gor", options.gor), ("har", options.har)):
            if size_mb:
                figures += capture_figures(folder, kind, size_mb)
    for figure in figures:
        aim = f"target {figure.bound} {figure.target:g}" if figure.target else ""
        missed = "" if figure.met else "  MISSED"
        print(f"{figure.name:36} {figure.value:12,.2f}  {aim:16} {figure.note}{missed}")
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in figures]) + "\n")
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
