"""What is measured of the load engine, figure by figure beside its target."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.model.scenario import Replay
from harness.planning.planner import open_shots
from harness.store.timeline import Timeline
from tests.bench import peers
from tests.bench.ours import SECOND, Played, play, population
from tests.bench.target import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tests.bench.target import Span, Target

THINK_S = (4.0, 6.0)
RAMP_S, SETTLE_S, MINUTE_S = 20, 5, 60
CEILING_CONNECTIONS, CEILING_S, CEILING_MOST = 100, 8, 100_000
RECORDED_RATE, SESSION_REQUESTS, FIDELITY_S = 2_500, 10, 30
TLS_USERS, TLS_S = 2_000, 10
KIB, MB = 1024, 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure.

    Attributes:
        case: what was played.
        figure: what was read.
        value: `None` where it could not be measured.
        unit: of the value.
        most: the target, at most.
        least: the target, at least.
        note: what a reader must know.
    """

    case: str
    figure: str
    value: float | None
    unit: str = ""
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, `MISSING`, or nothing where no target is set."""
        if self.value is None:
            return "MISSING"
        if self.most is None and self.least is None:
            return ""
        over = self.most is not None and self.value > self.most
        under = self.least is not None and self.value < self.least
        return "MISSED" if over or under else "met"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes:
        users: of the large population.
        minutes: that it is kept up.
        repeats: of each ceiling.
    """

    users: int
    minutes: int
    repeats: int


def users(target: Target, extent: Extent) -> Iterator[Row]:
    """The large population: lag, latency, CPU and memory; stock Locust's and k6's."""
    count = extent.users
    case = f"{count:,} users"
    trip_ms = target.trip_ms()
    base = play(target, population(1, THINK_S, 0, 2), warmup_s=1, slice_s=1)
    ours = _populated(target, count, extent.minutes)
    yield from _truthful(case, target, ours, trip_ms)
    yield from _books(case, ours, count)
    yield from _memory(case, base, ours, count)
    span = ours.span
    yield Row(case=case, figure="req/s", value=span.rate)
    yield Row(
        case=case,
        figure="core used",
        value=100 * span.sender_cores,
        unit="%",
        most=45,
        note=f"nginx: {100 * span.server_cores:.0f} % of its own",
    )
    yield Row(case=case, figure="CPU a request", value=span.cpu_us, unit="µs")
    for name, cpu, memory in (("k6", 1 / 2, 1 / 4), ("locust", 1 / 5, None)):
        if remedy := peers.missing(name):
            yield Row(case=case, figure=name, value=None, note=remedy)
            continue
        peer = peers.run(
            name,
            target,
            peers.Terms(
                users=count,
                think_s=THINK_S,
                ramp_s=RAMP_S,
                seconds=MINUTE_S,
                path="/timed",
            ),
        )
        yield from _beside(case, peer, ours, cpu, memory)


def _populated(
    target: Target, count: int, minutes: int = 1, *, path: str = "/timed"
) -> Played:
    length_s = RAMP_S + SETTLE_S + MINUTE_S * minutes
    return play(
        target,
        population(count, THINK_S, RAMP_S, int(length_s / THINK_S[0]) + 2),
        path=path,
        warmup_s=RAMP_S + SETTLE_S,
        slice_s=MINUTE_S,
        slices=minutes,
    )


def _truthful(
    case: str, target: Target, ours: Played, trip_ms: NDArray[np.float64]
) -> Iterator[Row]:
    steal = f"{100 * ours.span.steal_ratio:.2f} % of the CPU stolen"
    for share, most in ((50, None), (95, 2.0), (99, 5.0), (100, None)):
        lag = float(np.percentile(ours.lag_ms(1), share))
        yield Row(
            case=case, figure=f"lag p{share}", value=lag, unit="ms", most=most,
            note=steal,
        )  # fmt: skip
    span = ours.span
    served_ms = target.served_ms(span.first.wall_s, span.last.wall_s)
    served, trip = (float(np.percentile(each, 95)) for each in (served_ms, trip_ms))
    sending, latency = (
        float(np.percentile(ours.latency_ms(1, since), 95))
        for since in ("sent_ns", "due_ns")
    )
    yield Row(case=case, figure="latency p95 from sending", value=sending, unit="ms")
    yield Row(case=case, figure="latency p95 from due", value=latency, unit="ms")
    yield Row(
        case=case,
        figure="the latter over nginx's and the network's",
        value=latency - served - trip,
        unit="ms",
        most=1.0,
        note=f"nginx's {served:.0f} ms (in whole ms), an idle round trip {trip:.2f} ms",
    )


def _books(case: str, ours: Played, count: int) -> Iterator[Row]:
    books, served = ours.books, ours.whole.requests
    lost = books.sent - books.answered - books.failed - books.in_flight
    for figure, value, wanted in (
        ("connections opened", ours.whole.accepted, count),
        ("sent, not accounted for", lost, 0),
        ("failed or in flight", books.failed + books.in_flight, 0),
        ("served, not sent", served - books.sent, 0),
    ):
        yield Row(case=case, figure=figure, value=value, least=wanted, most=wanted)


def _memory(case: str, base: Played, ours: Played, count: int) -> Iterator[Row]:
    whole = ours.readings[-1].sender_bytes
    alone = base.readings[-1].sender_bytes
    yield Row(
        case=case, figure="memory", value=whole / MB, unit="MB",
        most=500 * count / 10_000, note="RSS",
    )  # fmt: skip
    yield Row(
        case=case,
        figure="memory a user",
        value=(whole - alone) / count / KIB,
        unit="KiB",
        most=40,
        note=f"RSS over the {alone / MB:.0f} MB of a worker with one user",
    )
    first, *_, last = (each.sender_bytes for each in ours.readings[1:])
    minutes = len(ours.readings) - 2
    yield Row(
        case=case,
        figure="memory, growth",
        value=100 * (last / first - 1),
        unit="%",
        most=2,
        note=f"RSS over {minutes} min with all users; --minutes 10 for the whole proof",
    )


def _beside(
    case: str, peer: peers.Ran, ours: Played, cpu: float, memory: float | None
) -> Iterator[Row]:
    name, span = peer.name, peer.span
    said = "" if peer.p95_ms is None else f"its p95: {peer.p95_ms:,.0f} ms; "
    yield Row(
        case=case, figure=f"CPU a request, {name}", value=span.cpu_us, unit="µs",
        note=f"{span.rate:,.0f} req/s at {100 * span.sender_cores:.0f} % of the core; "
        f"{said}{peer.accepted:,} connections for {peer.requests:,} requests",
    )  # fmt: skip
    yield Row(
        case=case, figure=f"CPU a request, ours / {name}",
        value=ours.span.cpu_us / span.cpu_us, most=cpu,
    )  # fmt: skip
    theirs = span.last.sender_bytes
    yield Row(case=case, figure=f"memory, {name}", value=theirs / MB, unit="MB")
    yield Row(
        case=case, figure=f"memory, ours / {name}",
        value=ours.readings[-1].sender_bytes / theirs, most=memory,
    )  # fmt: skip


def tls(target: Target, _extent: Extent) -> Iterator[Row]:
    """What TLS adds a user: memory, and CPU with the handshake."""
    case = f"{TLS_USERS:,} users, TLS"
    requests = int((TLS_S + SETTLE_S) / THINK_S[0]) + 2
    shots = population(TLS_USERS, THINK_S, TLS_S, requests)

    def played(*, tls: bool) -> Played:
        return play(target, shots, warmup_s=TLS_S, slice_s=SETTLE_S, tls=tls)

    plain = played(tls=False)
    with _trusting(target.certificate):
        secret = played(tls=True)
    failed = secret.books.failed
    yield Row(case=case, figure="failed", value=failed, most=0)
    more_bytes = secret.readings[-1].sender_bytes - plain.readings[-1].sender_bytes
    cpu_s = [
        each.whole.last.sender_s - each.whole.first.sender_s for each in (plain, secret)
    ]
    each = secret.books.sent / TLS_USERS
    yield Row(
        case=case, figure="memory a user, more", unit="KiB", most=40,
        value=more_bytes / TLS_USERS / KIB, note="RSS",
    )  # fmt: skip
    yield Row(
        case=case, figure="CPU a user, more", unit="ms", most=3,
        value=1e3 * (cpu_s[1] - cpu_s[0]) / TLS_USERS,
        note=f"a handshake (RSA 2048) and {each:.1f} requests",
    )  # fmt: skip


@contextmanager
def _trusting(certificate: bytes) -> Iterator[None]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate)
        file.flush()
        os.environ["SSL_CERT_FILE"] = file.name
        try:
            yield
        finally:
            del os.environ["SSL_CERT_FILE"]


def ceiling(target: Target, extent: Extent) -> Iterator[Row]:
    """As fast as it goes over 100 connections, in turn with the others."""
    case = f"ceiling, {CEILING_CONNECTIONS} connections"
    least = {"locust": 3.0, "k6": 2.0, "wrk": 0.35}
    terms = peers.Terms(
        users=CEILING_CONNECTIONS, think_s=None, ramp_s=1, seconds=CEILING_S, path="/n"
    )
    spans: dict[str, list[Span]] = {name: [] for name in ("ours", *least)}
    for _ in range(extent.repeats):
        spans["ours"].append(_flat_out(target).span)
        for name in least:
            if not peers.missing(name):
                spans[name].append(peers.run(name, target, terms).span)
    for name, each in spans.items():
        if each:
            yield _rates(case, name, each)
    for name, wanted in least.items():
        ratios = [
            ours.rate / theirs.rate
            for ours, theirs in zip(spans["ours"], spans[name], strict=False)
        ]
        yield Row(
            case=case,
            figure=f"req/s, ours / {name}",
            value=statistics.median(ratios) if ratios else None,
            least=wanted,
            note=peers.missing(name) or ("aim at 0.5" if name == "wrk" else ""),
        )


def _rates(case: str, name: str, spans: Sequence[Span]) -> Row:
    rates = [each.rate for each in spans]
    cpu_us = statistics.median(each.cpu_us for each in spans)
    server = statistics.median(each.server_cores for each in spans)
    return Row(
        case=case,
        figure=f"req/s, {name}",
        value=statistics.median(rates),
        note=f"{min(rates):,.0f} to {max(rates):,.0f} in {len(rates)} runs; "
        f"{cpu_us:.1f} µs CPU a request; nginx: {100 * server:.0f} % of its core",
    )


def _flat_out(target: Target, workers: int = 1) -> Played:
    most = CEILING_MOST * workers * (CEILING_S + 1) // CEILING_CONNECTIONS
    shots = population(CEILING_CONNECTIONS, (0, 0), 0, most)
    played = play(target, shots, warmup_s=1, slice_s=CEILING_S, workers=workers)
    assert played.books.failed == 0
    assert (played.samples["shot"] % most).max() < most - 1, "a user ran out of shots"
    return played


def workers(target: Target, extent: Extent) -> Iterator[Row]:
    """Twice the workers, each with the same share of a core."""
    case = "1 → 2 workers"
    ratios, notes = [], []
    for _ in range(extent.repeats):
        with _spinning():
            one = _flat_out(target).span
        two = _flat_out(target, workers=2).span
        ratios.append(two.rate / one.rate)
        notes = [
            f"{each.rate:,.0f} ({each.sender_cores:.2f} cores)" for each in (one, two)
        ]
    yield Row(
        case=case,
        figure="req/s, two / one",
        value=statistics.median(ratios),
        least=1.8,
        note="one shares the last core with a process that only spins, two share it "
        f"with each other, as nginx needs the other; last run: {' and '.join(notes)}",
    )


@contextmanager
def _spinning() -> Iterator[None]:
    core = str(cores()[-1])
    command = ["taskset", "-c", core, sys.executable, "-c", "while True: pass"]
    spinner = subprocess.Popen(command)
    try:
        yield
    finally:
        spinner.kill()
        spinner.wait()


def fidelity(target: Target, _extent: Extent) -> Iterator[Row]:
    """A recording of 2,500 requests a second, and one of 250 played ten times."""
    for scale in (1, 10):
        case = f"recording x {scale}"
        timeline = _recorded(RECORDED_RATE // scale)
        total_ns = (FIDELITY_S + SETTLE_S) * SECOND
        shots = open_shots(timeline, Replay(scale=scale), total_ns, seed=1)
        played = play(
            target, shots, warmup_s=SETTLE_S, slice_s=FIDELITY_S, open_loop=True
        )
        sent = played.samples
        if scale == 1:
            yield from _on_schedule(case, sent)
        yield from _in_order(case, timeline, shots, sent)
        lag = float(np.percentile(played.lag_ms(1), 99))
        yield Row(
            case=case, figure="lag p99", value=lag, unit="ms",
            note=f"{100 * played.span.sender_cores:.0f} % of the core, "
            f"{100 * played.span.steal_ratio:.2f} % of the CPU stolen",
        )  # fmt: skip


def _recorded(rate: int) -> Timeline:
    """Evenly spaced requests of sessions that overlap, each of ten requests."""
    count = rate * (FIDELITY_S + SETTLE_S)
    at_once = rate * 2
    number = np.arange(count)
    generation = number // (at_once * SESSION_REQUESTS)
    return Timeline(
        start_ns=number * (SECOND // rate),
        duration_ns=np.zeros(count, "i8"),
        session=generation * at_once + number % at_once,
        names=(),
    )


def _on_schedule(case: str, sent: Mapping[str, NDArray[Any]]) -> Iterator[Row]:
    measured = sent["slice"] == 1
    due_ns, sent_ns = (np.sort(sent[name][measured]) for name in ("due_ns", "sent_ns"))
    second = (sent_ns - due_ns[0]) // SECOND
    each = np.bincount(second, minlength=FIDELITY_S)[:FIDELITY_S]
    rate = len(sent_ns) / ((sent_ns[-1] - sent_ns[0]) / SECOND)
    yield Row(
        case=case, figure="req/s sent", value=rate,
        least=RECORDED_RATE * 0.995, most=RECORDED_RATE * 1.005,
        note=f"in a second {each.min():,} to {each.max():,}",
    )  # fmt: skip
    worst = int(np.abs(each - RECORDED_RATE).max())
    yield Row(
        case=case, figure="worst second, requests off", value=worst,
        most=RECORDED_RATE * 0.005,
    )  # fmt: skip
    unsent = int((sent["sent_ns"] == 0).sum())
    yield Row(case=case, figure="requests not sent", value=unsent, most=0)


def _in_order(
    case: str,
    timeline: Timeline,
    shots: Mapping[str, NDArray[Any]],
    sent: Mapping[str, NDArray[Any]],
) -> Iterator[Row]:
    by_time = np.argsort(sent["sent_ns"], kind="stable")
    shot = sent["shot"][by_time]
    order = np.argsort(shots["user"][shot], kind="stable")
    user, row = shots["user"][shot][order], shots["row"][shot][order]
    together = np.diff(user) == 0
    session = timeline.session[row]
    swapped = together & ((np.diff(row) <= 0) | (np.diff(session) != 0))
    yield Row(
        case=case, figure="requests out of their session's order",
        value=int(swapped.sum()), most=0,
        note=f"{len(np.unique(user)):,} sessions, {len(shot):,} requests",
    )  # fmt: skip


CASES: dict[str, Callable[[Target, Extent], Iterator[Row]]] = {
    "fidelity": fidelity,
    "tls": tls,
    "ceiling": ceiling,
    "workers": workers,
    "users": users,
}


def as_json(row: Row) -> dict[str, Any]:
    """A row with its verdict."""
    return {**asdict(row), "verdict": row.verdict}
