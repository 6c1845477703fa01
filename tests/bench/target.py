"""What the benches send to: a server that answers at once and counts what it serves."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter, sleep, time
from typing import TYPE_CHECKING

import docker
import numpy as np
import psutil
from docker.types import Ulimit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from docker.models.containers import Container
    from numpy.typing import NDArray

_COUNTS = re.compile(rb"requests\s+(\d+) +\d+ +(\d+)")
_TRIPS = 500
_LOG_FLUSH_S = 2


def cores() -> list[int]:
    """The cores that this process may use: the first serves, the last sends."""
    return sorted(os.sched_getaffinity(0))


@dataclass(slots=True)
class Target:
    """A server on loopback.

    Attributes:
        port: of plain HTTP.
        process: the server.
        tls_port: of TLS, 0 for none.
        certificate: what a client must trust, PEM.
        container: where the server runs, `None` for a plain process.
    """

    port: int
    process: psutil.Process
    tls_port: int = 0
    certificate: bytes = b""
    container: Container | None = None
    _polls: int = 0

    def counts(self) -> tuple[int, int]:
        """Connections accepted and requests served since the start, but for polls."""
        body = self._get("/status")
        found = _COUNTS.search(body)
        assert found is not None, body
        self._polls += 1
        return int(found[1]) - self._polls, int(found[2]) - self._polls

    def cpu_s(self) -> float:
        """CPU time of the server so far."""
        return cpu_s([self.process, *self.process.children(recursive=True)])

    def trip_ms(self) -> NDArray[np.float64]:
        """Round trips over one connection while nothing else is sent."""
        trips = []
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        accepted, served = self.counts()
        for _ in range(_TRIPS):
            start_s = perf_counter()
            connection.request("GET", "/n")
            connection.getresponse().read()
            trips.append(1e3 * (perf_counter() - start_s))
        connection.close()
        assert self.counts() == (accepted + 1, served + _TRIPS)
        return np.array(trips)

    def served_ms(self, since: float, until: float) -> NDArray[np.float64]:
        """The server's own times of requests to `/timed` that ended between moments."""
        assert self.container is not None
        sleep(_LOG_FLUSH_S)
        log = _content(self.container, "/var/log/nginx/timed.log")
        ended, taken = np.array(log.split(), float).reshape(-1, 2).T
        inside: NDArray[np.float64] = taken[(since <= ended) & (ended <= until)] * 1e3
        return inside

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"Connection": "close"})
        body = connection.getresponse().read()
        connection.close()
        return body


def cpu_s(processes: list[psutil.Process]) -> float:
    """CPU time of processes so far; one that has ended counts as nothing."""
    total_s = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total_s += times.user + times.system
    return total_s


@contextmanager
def nginx() -> Iterator[Target]:
    """One nginx worker in a container on the first core."""
    client = docker.from_env()
    pairs = os.environ.get("SEATRIAL_BUILD_ARG", "").split()
    image, _ = client.images.build(
        path=str(Path(__file__).with_name("nginx")),
        tag="seatrial-bench-nginx",
        buildargs=dict(pair.split("=", 1) for pair in pairs),
        forcerm=True,
    )
    container = client.containers.run(
        image,
        detach=True,
        cpuset_cpus=str(cores()[0]),
        labels={"seatrial.bench": str(os.getpid())},
        ports={f"{port}/tcp": ("127.0.0.1", 0) for port in (80, 443)},
        ulimits=[Ulimit(name="nofile", soft=20000, hard=20000)],
    )
    try:
        container.reload()
        published = [_published(container, port) for port in (80, 443)]
        certificate = _content(container, "/etc/nginx/cert.pem")
        process = psutil.Process(container.attrs["State"]["Pid"])
        yield _ready(
            Target(published[0], process, published[1], certificate, container)
        )
    finally:
        container.remove(force=True)
        client.close()


def _content(container: Container, path: str) -> bytes:
    content = container.exec_run(["cat", path]).output
    assert isinstance(content, bytes)
    return content


def _published(container: Container, port: int) -> int:
    addresses = container.ports[f"{port}/tcp"]
    assert addresses
    return int(addresses[0]["HostPort"])


@contextmanager
def echo() -> Iterator[Target]:
    """A process on the first core, where no Docker engine is needed."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.echo"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        os.sched_setaffinity(server.pid, cores()[:1])
        port = int(server.stdout.readline())
        yield _ready(Target(port, psutil.Process(server.pid)))
    finally:
        server.terminate()
        server.wait(timeout=30)


def _ready(target: Target) -> Target:
    until_s = monotonic() + 30
    while True:
        try:
            target._get("/status")
        except (OSError, http.client.HTTPException):
            if monotonic() > until_s:
                raise
            sleep(0.1)
        else:
            target._polls += 1
            return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Counters at a moment, of the server and of whoever sends to it.

    Attributes:
        at_s: on the monotonic clock.
        wall_s: since the epoch.
        accepted: connections.
        requests: served.
        server_s: CPU time of the server.
        sender_s: CPU time of the senders.
        sender_bytes: their resident memory.
        stolen_s: CPU time that the hypervisor took, of all cores.
    """

    at_s: float
    wall_s: float
    accepted: int
    requests: int
    server_s: float
    sender_s: float
    sender_bytes: int
    stolen_s: float

    @classmethod
    def take(cls, target: Target, senders: list[psutil.Process]) -> Self:
        """Read all counters now."""
        every = [p for each in senders for p in (each, *each.children(recursive=True))]
        accepted, requests = target.counts()
        return cls(
            at_s=monotonic(),
            wall_s=time(),
            accepted=accepted,
            requests=requests,
            server_s=target.cpu_s(),
            sender_s=cpu_s(every),
            sender_bytes=sum(each.memory_info().rss for each in every),
            stolen_s=psutil.cpu_times().steal,
        )


@dataclass(frozen=True, slots=True)
class Span:
    """What happened between two readings."""

    first: Reading
    last: Reading

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.last.at_s - self.first.at_s

    @property
    def requests(self) -> int:
        """Served in it."""
        return self.last.requests - self.first.requests

    @property
    def accepted(self) -> int:
        """Connections accepted in it."""
        return self.last.accepted - self.first.accepted

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def sender_cores(self) -> float:
        """Cores that the senders kept busy."""
        return (self.last.sender_s - self.first.sender_s) / self.seconds

    @property
    def server_cores(self) -> float:
        """Cores that the server kept busy."""
        return (self.last.server_s - self.first.server_s) / self.seconds

    @property
    def cpu_us(self) -> float:
        """The senders' CPU time a request, in microseconds."""
        return 1e6 * (self.last.sender_s - self.first.sender_s) / self.requests

    @property
    def steal_ratio(self) -> float:
        """Stolen CPU time over all cores."""
        stolen_s = self.last.stolen_s - self.first.stolen_s
        return stolen_s / (self.seconds * (os.cpu_count() or 1))
