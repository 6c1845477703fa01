"""Can this machine send the plan at all? Asked before the first round.

The plan's own requests are sent to a server that does nothing, by as many users as the
plan has on stage, at `HEADROOM` times the rate of its busiest second.
"""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.errors import EngineError, InputError
from harness.load.engine import generating
from harness.load.health import local_ports
from harness.store.plan import moments_ns, read_requests, read_shots, write_plan
from harness.store.sample import read_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.load.crew import Hire
    from harness.model.plan import Plan

__all__ = [
    "HEADROOM",
    "OWN_FILES",
    "Capacity",
    "busiest_per_s",
    "capacity",
    "refuse_too_many_users",
    "refuse_too_much_load",
]

HEADROOM: Final = 1.5
"""How many times the busiest second of the plan the generator must reach."""

_SECOND_NS: Final = 1_000_000_000
_CHECK_NS: Final = 1 * _SECOND_NS
_USERS_PER_S: Final = 5_000
_DEADLINE_NS: Final = 3 * _SECOND_NS
_ENOUGH: Final = 0.95
_TRIES: Final = 2
OWN_FILES: Final = 100
"""Open files of a load worker besides its connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the generator reached against a server that does nothing.

    Attributes:
        busiest_per_s: requests that the plan sends in its busiest second.
        reached_per_s: requests a second, of `HEADROOM` times that.
        workers: that reached it.
    """

    busiest_per_s: float
    reached_per_s: float
    workers: int

    @property
    def suffices(self) -> bool:
        """Whether the generator has its headroom."""
        return self.reached_per_s >= _ENOUGH * HEADROOM * self.busiest_per_s

    @property
    def workers_needed(self) -> int:
        """How many workers it would take, each with a core of its own."""
        wanted_per_s = HEADROOM * self.busiest_per_s
        least = math.ceil(wanted_per_s / self.reached_per_s * self.workers)
        return max(least, self.workers + 1)


def busiest_per_s(plan: Plan) -> float:
    """Requests in the plan's busiest second, if every answer comes at once."""
    return float(np.bincount(moments_ns(plan) // _SECOND_NS).max())


def refuse_too_many_users(plan: Plan, workers: int, machines: int = 0) -> None:
    """Refuse a plan whose users there are no descriptors or ports for.

    Args:
        plan: of the trial; a build that answers slowly may have more users at once.
        workers: an arm, on all machines together.
        machines: other than this one, taken to be like it.

    Raises:
        InputError: with the numbers.
    """
    _, open_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    at_hand = open_files - OWN_FILES
    if at_hand <= 0:
        raise InputError(
            f"a process may open {open_files} files here, too few for load",
            hint="raise `ulimit -Hn`",
        )
    if math.ceil(plan.peak_users / workers) > at_hand:
        raise InputError(
            f"the plan has {plan.peak_users:,} users at once, {workers} load "
            f"{'workers' if workers > 1 else 'worker'} an arm may open "
            f"{at_hand:,} connections each",
            hint=f"--workers {math.ceil(plan.peak_users / at_hand)}, or fewer users",
        )
    if math.ceil(plan.peak_users / max(1, machines)) > local_ports():
        raise InputError(
            f"the plan has {plan.peak_users:,} users at once, this machine has "
            f"{local_ports():,} ports to one target",
            hint="widen net.ipv4.ip_local_port_range, or join more machines",
        )


def refuse_too_much_load(capacity: Capacity) -> None:
    """Refuse a plan that the generator cannot send in time.

    Raises:
        InputError: with the rates and the number of workers it would take.
    """
    if not capacity.suffices:
        raise InputError(
            f"the load generator reaches {capacity.reached_per_s:,.0f} req/s with "
            f"{capacity.workers} workers against a server that does nothing; the "
            f"plan's busiest second has {capacity.busiest_per_s:,.0f}, and "
            f"{HEADROOM:g} times that is needed for times that can be trusted",
            hint=f"--workers {capacity.workers_needed} where there is a core for each, "
            "or less load",
        )


def capacity(
    plan: Plan,
    *,
    host: str,
    hires: Sequence[Hire],
    cores: Sequence[int],
    server_cores: Sequence[int],
    directory: Path,
) -> Capacity:
    """What the generator reaches; the better of two tries, if the first falls short.

    Args:
        plan: of the trial.
        host: address to serve on.
        hires: where each worker comes from.
        cores: of the generator.
        server_cores: of the server that does nothing.
        directory: for the check's files; must not exist.

    Raises:
        EngineError: the check itself failed.
    """
    best = 0.0
    busiest = busiest_per_s(plan)
    with _null_server(host, server_cores) as port:
        for number in range(_TRIES):
            here = directory.with_name(f"{directory.name}-{number}")
            here.mkdir()
            check = _check_plan(plan, busiest, here)
            with generating(
                check,
                arm="self-check",
                host=host,
                port=port,
                tls=False,
                deadline_ns=_DEADLINE_NS,
                cores=cores,
                directory=here,
                hires=hires,
            ) as generator:
                generator.wait_ready()
                generator.play(0)
                generator.play(1)
                generator.finish(here / "samples.parquet")
            best = max(best, _reached_per_s(here / "samples.parquet"))
            found = Capacity(
                busiest_per_s=busiest, reached_per_s=best, workers=len(hires)
            )
            if found.suffices:
                break
    return found


def _check_plan(plan: Plan, busiest: float, directory: Path) -> Plan:
    """Everybody on stage in the warm-up, then the busiest second and a half in one."""
    shots = read_shots(plan.shots_path)
    users = plan.peak_users
    count = math.ceil(HEADROOM * busiest * _CHECK_NS / _SECOND_NS)
    ramp_ns = users * _SECOND_NS // _USERS_PER_S
    warmup_ns = ramp_ns + _CHECK_NS // 10
    user = np.concatenate([np.arange(users), np.arange(count) % users])
    due_ns = np.concatenate(
        [
            np.linspace(0, ramp_ns, users, endpoint=False),
            warmup_ns + np.linspace(0, _CHECK_NS, count, endpoint=False),
        ]
    ).astype("i8")
    order = np.lexsort((due_ns, user))
    drawn = np.arange(users + count) * len(shots["request"]) // (users + count)
    return write_plan(
        directory,
        {
            "user": user[order],
            "due_ns": due_ns[order],
            "think_ns": np.zeros(users + count),
            "fresh": np.diff(user[order], prepend=-1) != 0,
            "request": shots["request"][drawn],
        },
        read_requests(plan.requests_path),
        open_loop=True,
        warmup_ns=warmup_ns,
        slice_ns=_CHECK_NS,
        slices=1,
        planned=count,
        peak_users=users,
    )


def _reached_per_s(samples: Path) -> float:
    columns = read_columns(samples)
    done = (columns["slice"] > 0) & (columns["cause"] == 0)
    if not done.any():
        raise EngineError("the self-check's server answered nothing")
    wall_ns = columns["done_ns"][done].max() - columns["due_ns"][done].min()
    return float(done.sum() / max(wall_ns, _CHECK_NS) * _SECOND_NS)


@contextmanager
def _null_server(host: str, cores: Sequence[int]) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "harness.load.null", host],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            if cores:
                os.sched_setaffinity(process.pid, cores)
            port = process.stdout.readline().strip()
            if not port.isdigit():
                raise EngineError(f"the self-check's server did not start on {host}")
            yield int(port)
        finally:
            process.kill()
