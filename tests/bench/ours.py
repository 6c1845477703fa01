"""The load engine of this project under the benches' plans."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from harness.load.crew import hire_here
from harness.load.engine import generating
from harness.model.plan import PlannedRequest
from harness.model.traffic import Request
from harness.store.plan import write_plan
from harness.store.sample import read_columns
from tests.bench.target import Reading, Span, cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.model.result import Books, GeneratorHealth
    from tests.bench.target import Target

Shots = dict[str, "NDArray[Any]"]
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A plan, played.

    Attributes:
        readings: when the workers are ready, after the warm-up, and after each slice.
        samples: the columns that were stored.
        books: the workers' accounts.
        health: the generator's.
    """

    readings: list[Reading]
    samples: Shots
    books: Books
    health: GeneratorHealth

    @property
    def span(self) -> Span:
        """All measured slices."""
        return Span(self.readings[1], self.readings[-1])

    @property
    def whole(self) -> Span:
        """Warm-up and slices."""
        return Span(self.readings[0], self.readings[-1])

    def lag_ms(self, number: int) -> NDArray[np.float64]:
        """Lateness of each request of a slice that did not wait for an answer."""
        each = self.samples
        free = (each["slice"] == number) & (each["due_ns"] == each["eligible_ns"])
        lag: NDArray[np.float64] = (each["sent_ns"] - each["eligible_ns"])[free] / 1e6
        return lag

    def latency_ms(self, number: int, since: str) -> NDArray[np.float64]:
        """From `due_ns` or `sent_ns` of a slice's requests to the end of the answer."""
        each = self.samples
        inside = each["slice"] == number
        taken: NDArray[np.float64] = (each["done_ns"] - each[since])[inside] / 1e6
        return taken


def population(
    users: int, think_s: tuple[float, float], ramp_s: float, requests: int
) -> Shots:
    """A closed population, each user with that many requests at most."""
    random = np.random.default_rng(1)
    think_ns = random.uniform(*think_s, (users, requests)) * SECOND
    think_ns[:, 0] = np.linspace(0, ramp_s * SECOND, users, endpoint=False)
    fresh = np.zeros((users, requests), bool)
    fresh[:, 0] = True
    return {
        "user": np.repeat(np.arange(users), requests),
        "due_ns": np.full(users * requests, -1),
        "think_ns": think_ns.ravel(),
        "fresh": fresh.ravel(),
    }


def play(
    target: Target,
    shots: Shots,
    *,
    path: str = "/n",
    warmup_s: float,
    slice_s: float,
    slices: int = 1,
    open_loop: bool = False,
    tls: bool = False,
    workers: int = 1,
) -> Played:
    """Send every shot's one request to a target, from the last core."""
    get = Request(method="GET", target=path, headers=(("accept", "*/*"),))
    planned = PlannedRequest(
        request=get, route=f"GET {path}", cookies=(), recorded_status=200
    )
    count = len(shots["user"])
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        plan = write_plan(
            directory,
            {**shots, "request": np.zeros(count)},
            [planned],
            open_loop=open_loop,
            warmup_ns=int(warmup_s * SECOND),
            slice_ns=int(slice_s * SECOND),
            slices=slices,
            planned=count,
            peak_users=len(np.unique(shots["user"])),
        )
        others = set(psutil.Process().children())
        with generating(
            plan,
            arm="bench",
            host="127.0.0.1",
            port=target.tls_port if tls else target.port,
            tls=tls,
            deadline_ns=10 * SECOND,
            cores=cores()[-1:],
            directory=directory,
            hires=[hire_here] * workers,
        ) as generator:
            generator.wait_ready()
            senders = list(set(psutil.Process().children()) - others)
            readings = [Reading.take(target, senders)]
            for number in range(slices + 1):
                generator.play(number)
                readings.append(Reading.take(target, senders))
            books, health = generator.finish(directory / "samples.parquet")
        samples = read_columns(directory / "samples.parquet")
    return Played(readings=readings, samples=samples, books=books, health=health)
