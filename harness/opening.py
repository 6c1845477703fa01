"""What is known of a trial before its first round: how its journal begins."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from harness.load.selfcheck import HEADROOM
from harness.model.result import Arm
from harness.store.trial import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.environment import Build, Pinning
    from harness.load.selfcheck import Capacity
    from harness.model.plan import Plan
    from harness.model.scenario import Scenario
    from harness.model.traffic import Recording

__all__ = ["opened"]

_VERSIONS = ("seatrial", "locust", "gevent", "httptools", "docker", "scipy")


def opened(
    trial: str,
    scenario: Scenario,
    recording: Recording,
    *,
    plan: Plan,
    builds: Mapping[Arm, Build],
    pins: Pinning,
    check: Capacity,
) -> Journal:
    """The journal of a trial that is about to play its first round.

    Args:
        trial: its id.
        scenario: its terms.
        recording: the traffic.
        plan: what each arm will be sent.
        builds: by arm.
        pins: who got which cores.
        check: what the load generator can send.
    """
    return Journal(
        id=trial,
        scenario=scenario,
        recording_digest=recording.digest,
        plan=plan,
        baseline=builds[Arm.BASELINE].title,
        candidate=builds[Arm.CANDIDATE].title,
        environment=tuple(_facts(scenario, plan, builds, check)),
        notes=tuple(_notes(recording, builds, pins)),
        versions={name: version(name) for name in _VERSIONS},
    )


def _facts(
    scenario: Scenario, plan: Plan, builds: Mapping[Arm, Build], check: Capacity
) -> Iterator[str]:
    load, rounds = scenario.load, scenario.rounds
    if load.replay is not None:
        how = f"replay at {load.replay.speed:g} x speed, {load.replay.scale:g} x scale"
    else:
        how = f"{load.users} users with recorded think times"
    drivers = dict.fromkeys(build.order.driver for build in builds.values())
    yield f"driver {', '.join(drivers)}"
    sent = f"{plan.shots} requests by {plan.users} users an arm and round"
    yield f"{how}, {load.shape_name}; {sent}"
    yield (
        f"rounds of {rounds.slices} slices of {rounds.slice / 1e9:g} s an arm, "
        f"after {rounds.warmup / 1e9:g} s of warm-up"
    )
    yield (
        f"{check.workers} load {'workers' if check.workers > 1 else 'worker'} an arm, "
        f"able to send {HEADROOM:g} x the busiest second "
        f"({check.busiest_per_s:,.0f} req/s)"
    )
    yield f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _notes(
    recording: Recording, builds: Mapping[Arm, Build], pins: Pinning
) -> Iterator[str]:
    if pins.note:
        yield pins.note
    baseline, candidate = (builds[arm].reference.commit for arm in Arm)
    if builds[Arm.BASELINE].digest == builds[Arm.CANDIDATE].digest:
        yield "both arms are the same build"
    elif baseline and baseline == candidate:
        yield "both arms are the same commit"
    skipped = sum(each.count for each in recording.skipped)
    if skipped:
        reasons = ", ".join(f"{e.count:,} {e.reason}" for e in recording.skipped)
        yield f"not in the recording: {reasons}"
    for adapted in recording.adapted:
        yield f"{adapted.count:,} requests of {adapted.reason}"
