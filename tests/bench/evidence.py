"""What evidence costs: `python -m tests.bench.evidence [--json FILE]`.

Keeping answers: CPU of the load worker by the request, at 2,000 requests a second with
answers of 4 KiB, with and without it in turn, server and worker on different cores.
Sampling: CPU of looking at a process with 50 threads and 2,000 open sockets, four times
a second. Comparing: 100,000 pairs of JSON answers of 4 KiB. Exits 1 where a target is
missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.compare.difference import differences
from harness.environment.usage import processes
from harness.load.crew import hire_here
from harness.load.engine import generating
from harness.model.link import Content
from harness.model.plan import PlannedRequest
from harness.model.traffic import Request
from harness.store.plan import write_plan
from tests.bench.target import cores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.load.crew import Hand
    from harness.load.message import Assignment
    from harness.model.plan import Plan

SECOND = 1_000_000_000
RATE = 2_000
USERS = 200
SLICE_S = 5
SLICES = 4
TURNS = 5
PAIRS = 100_000
TRIED = 5_000

SERVER = """\
import asyncio, sys
BODY = sys.stdin.buffer.read()
HEAD = (b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
        b"Server: bench\\r\\nCache-Control: no-store\\r\\nVary: Accept\\r\\n"
        b"Content-Length: %d\\r\\n\\r\\n")
ANSWER = HEAD % len(BODY) + BODY

class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(ANSWER * data.count(b"\\r\\n\\r\\n"))

async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the bench."""

    name: str
    value: float
    unit: str
    most: float

    @property
    def met(self) -> bool:
        return self.value <= self.most


def document(chance: random.Random) -> bytes:
    """A page of products, about 4 KiB, of which one field differs each time."""
    products = [
        {
            "id": number,
            "name": f"amber oak lamp {number}",
            "price_cents": number * 105,
            "rating": 4.5,
            "delivery_days": 3,
            "summary": "Made in small batches by a workshop that keeps to its trade",
        }
        for number in range(24)
    ]
    page = {"page": 1, "request": chance.getrandbits(64), "products": products}
    return json.dumps(page).encode()


def plan_of(directory: Path) -> Plan:
    """Users that send in turn, at an even rate."""
    count = RATE * (SLICE_S * SLICES + 1)
    due_ns = np.arange(count) * (SECOND // RATE)
    order = np.lexsort((due_ns, np.arange(count) % USERS))
    user = (np.arange(count) % USERS)[order]
    request = Request(method="GET", target="/n", headers=(("accept", "*/*"),))
    return write_plan(
        directory,
        {
            "user": user,
            "due_ns": due_ns[order],
            "think_ns": np.zeros(count),
            "fresh": np.diff(user, prepend=-1) != 0,
            "request": np.zeros(count),
        },
        [
            PlannedRequest(
                request=request, route="GET /n", cookies=(), recorded_status=200
            )
        ],
        open_loop=True,
        warmup_ns=SECOND,
        slice_ns=SLICE_S * SECOND,
        slices=SLICES,
        planned=count,
        peak_users=USERS,
    )


def hire_forgetful(order: Assignment, title: str, log: Path) -> Hand:
    """A worker that keeps no answers."""
    return hire_here(replace(order, answers=""), title, log)


def cpu_ns(port: int, *, keeps: bool) -> float:
    """CPU time of the worker by the request, in ns, in the quietest of the slices.

    What else the machine does only adds to it.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with generating(
            plan_of(directory),
            arm="bench",
            host="127.0.0.1",
            port=port,
            tls=False,
            deadline_ns=10 * SECOND,
            cores=cores()[-1:],
            directory=directory,
            hires=[hire_here if keeps else hire_forgetful],
        ) as generator:
            generator.wait_ready()
            spent = []
            process = generator.hands[0].process
            assert process is not None
            for number in range(SLICES + 1):
                before_ns = _cpu_ns(process.pid)
                generator.play(number)
                spent.append(_cpu_ns(process.pid) - before_ns)
            books, _ = generator.finish(directory / "samples.parquet")
            assert books.answered >= RATE * SLICE_S * SLICES
    return min(spent[1:]) / (RATE * SLICE_S)


def _cpu_ns(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) * 1e7


def keeping() -> Iterator[Figure]:
    """How much more CPU a request takes where its answer is kept."""
    body = document(random.Random(1))
    command = ["taskset", "-c", str(cores()[0]), sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(body)
        server.stdin.close()
        port = int(server.stdout.readline())
        try:
            ratios = []
            for _ in range(TURNS):
                without, kept = (cpu_ns(port, keeps=k) for k in (False, True))
                print(f"{without / 1e3:.1f} → {kept / 1e3:.1f} µs a request")
                ratios.append(kept / without)
        finally:
            server.kill()
    more = 100 * (statistics.median(ratios) - 1)
    yield Figure("keeping answers of 4 KiB, CPU by the request", more, "% more", 15)


def sampling() -> Iterator[Figure]:
    """What looking at a busy process takes."""
    end = threading.Event()
    threads = [threading.Thread(target=end.wait) for _ in range(50)]
    for thread in threads:
        thread.start()
    sockets = [socket.socket() for _ in range(2_000)]
    look = processes(os.getpid())
    look()
    spent_s = time.thread_time()
    for _ in range(100):
        look()
    spent_s = (time.thread_time() - spent_s) / 100
    end.set()
    for each in sockets:
        each.close()
    yield Figure("sampling 4 times a second, of one core", 400 * spent_s, "%", 1)


def comparing() -> Iterator[Figure]:
    """How long it takes to compare pairs that differ in a field."""
    chance = random.Random(2)
    head = (("content-type", "application/json"), ("server", "bench"))
    pairs = [
        tuple(Content(head, document(chance)) for _ in range(2)) for _ in range(TRIED)
    ]
    started_s = time.process_time()
    for before, after in pairs:
        assert differences(before, after)
    spent_s = (time.process_time() - started_s) * PAIRS / TRIED
    yield Figure(f"comparing {PAIRS:,} JSON pairs, by {TRIED:,}", spent_s, "s", 30)


def main() -> int:
    """Print figures beside targets; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    options = parser.parse_args()
    if len(cores()) < 2:
        sys.exit("one core for the server and one for the generator are needed")
    figures = [each for part in (keeping, sampling, comparing) for each in part()]
    for each in figures:
        word = "met" if each.met else "MISSED"
        print(f"{word:6}  {each.name}: {each.value:.3g} {each.unit} (<= {each.most:g})")
    if options.json:
        rows = {each.name: each.value for each in figures}
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return int(not all(each.met for each in figures))


if __name__ == "__main__":
    sys.exit(main())
