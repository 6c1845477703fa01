"""What is known of a trial before its first round: how its journal begins."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from harness.compare.calibration import Circumstances, doubts
from harness.environment import kinship, this_machine
from harness.errors import InputError
from harness.load.selfcheck import HEADROOM
from harness.model.result import Arm
from harness.planning.account import in_words
from harness.store.calibration import terms_digest
from harness.store.plan import read_requests
from harness.store.trial import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.environment import Build, Pinning
    from harness.load.selfcheck import Capacity
    from harness.model.calibration import Calibration
    from harness.model.plan import Plan
    from harness.model.scenario import Load, Scenario
    from harness.model.traffic import Recording

__all__ = ["circumstances", "opened", "taken_up"]

_VERSIONS = ("seatrial", "locust", "gevent", "httptools", "docker", "scipy")


def opened(
    trial: str,
    scenario: Scenario,
    recording: Recording | None,
    *,
    plan: Plan,
    builds: Mapping[Arm, Build],
    pins: Pinning,
    workers: int,
    check: Capacity | None,
    calibration: Calibration | None = None,
    command: str = "",
) -> Journal:
    """The journal of a trial that is about to play its first round.

    Args:
        trial: its id.
        scenario: its terms.
        recording: the traffic; `None` where a locustfile is the load.
        plan: what each arm will be sent.
        builds: by arm.
        pins: who got which cores.
        workers: load workers an arm.
        check: what they can send; `None` where nobody knows what they will have to.
        calibration: of the scenario, if there is one.
        command: that asks for the same again, empty where there is none.
    """
    now = circumstances(scenario, recording)
    return Journal(
        id=trial,
        scenario=scenario,
        recording_digest=recording.digest if recording else "",
        plan=plan,
        baseline=builds[Arm.BASELINE].title,
        candidate=builds[Arm.CANDIDATE].title,
        environment=(
            *_facts(scenario, plan, builds),
            _crew(workers, check),
            f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        ),
        notes=(*_notes(builds, pins), *(_of_recording(recording) if recording else ())),
        machine=now.machine.words,
        finished=(),
        versions=dict(now.versions),
        calibration=calibration,
        doubt=doubts(calibration, now) if calibration else "",
        command=command,
        workers=workers,
    )


def taken_up(former: Journal, journal: Journal) -> Journal:
    """The journal of a trial that was stopped, to go on with.

    Args:
        former: as it was left.
        journal: as it would begin now.

    Raises:
        InputError: more rounds would be of something else.
    """
    if not former.command:
        raise InputError(
            f"--resume {former.id}: this trial was not begun by `seatrial verify`",
            hint="start again what began it, such as `seatrial calibrate`",
        )
    same = (
        ("scenario", _terms(former.scenario) == _terms(journal.scenario)),
        ("recording", former.recording_digest == journal.recording_digest),
        ("plan", former.plan.digest == journal.plan.digest),
        ("baseline", _digest(former.baseline) == _digest(journal.baseline)),
        ("candidate", _digest(former.candidate) == _digest(journal.candidate)),
        ("machine", former.machine == journal.machine),
        ("version of what measures", former.versions == journal.versions),
        ("number of load workers", former.workers in {0, journal.workers}),
    )
    for name, is_so in same:
        if not is_so:
            raise InputError(
                f"--resume {former.id}: this is another {name} than the trial's",
                hint="rounds of two kinds are no trial; start a new one",
            )
    return replace(former, stopped="")


def _terms(scenario: Scenario) -> Mapping[str, Any]:
    """Without the places of files whose content makes the plan."""
    return scenario.model_dump(
        exclude={"openapi": True, "load": {"locustfile": True, "shape": {"csv": True}}}
    )


def _digest(title: str) -> str:
    """The digest in a build's title; of a URL, which has none, all of it."""
    return title.rpartition("(")[2]


def circumstances(scenario: Scenario, recording: Recording | None) -> Circumstances:
    """Here, today: what a calibration of the scenario is made of, or asked for."""
    return Circumstances(
        terms=terms_digest(scenario, recording.digest if recording else ""),
        machine=this_machine(),
        versions={name: version(name) for name in _VERSIONS},
        day=time.strftime("%Y-%m-%d"),
    )


def _facts(
    scenario: Scenario, plan: Plan, builds: Mapping[Arm, Build]
) -> Iterator[str]:
    rounds = scenario.rounds
    drivers = dict.fromkeys(build.order.driver for build in builds.values())
    yield f"driver {', '.join(drivers)}"
    yield _load(scenario.load, plan)
    yield (
        f"rounds of {rounds.slices} slice{'s' * (rounds.slices != 1)} of "
        f"{rounds.slice / 1e9:g} s an arm, "
        f"after {rounds.warmup / 1e9:g} s of warm-up"
    )
    if live := in_words(read_requests(plan.requests_path)):
        yield live


def _load(load: Load, plan: Plan) -> str:
    if load.locustfile is not None:
        return f"{load.users} users of {load.locustfile.name}"
    sent = f"{plan.shots} requests by {plan.users} users an arm and round"
    if load.replay is None:
        return (
            f"{load.users} users with recorded think times, {load.shape_name}; {sent}"
        )
    rates = f"{load.replay.speed:g} x speed, {load.replay.scale:g} x scale"
    return f"replay at {rates}, {load.shape_name}; {sent}"


def _crew(workers: int, check: Capacity | None) -> str:
    crew = f"{workers} load {'workers' if workers > 1 else 'worker'} an arm"
    if check is None:
        return f"{crew}, not checked beforehand: what a locustfile sends is not known"
    return (
        f"{crew}, {check.reached_per_s:,.0f} req/s beforehand on a server that does "
        f"nothing, asked for {HEADROOM:g} x the {check.busiest_per_s:,.0f} of the "
        "busiest second"
    )


def _notes(builds: Mapping[Arm, Build], pins: Pinning) -> Iterator[str]:
    if pins.note:
        yield pins.note
    yield from kinship(builds[Arm.BASELINE], builds[Arm.CANDIDATE])


def _of_recording(recording: Recording) -> Iterator[str]:
    if recording.skipped:
        reasons = ", ".join(f"{e.count:,} {e.reason}" for e in recording.skipped)
        yield f"not in the recording: {reasons}"
    for adapted in recording.adapted:
        yield f"{adapted.count:,} requests of {adapted.reason}"
