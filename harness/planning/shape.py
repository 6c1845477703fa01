"""The shape of a load as a curve: sessions a nanosecond, or users on stage."""

from __future__ import annotations

from itertools import accumulate
from math import isqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.model.shape import Shape
from harness.planning.countfile import read_counts
from harness.planning.curve import Curve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.scenario import Replay, Rounds
    from harness.model.shape import Spike, Step
    from harness.store.timeline import Timeline

__all__ = ["period_ns", "session_curve", "user_curve"]

_RISE_NS: Final = 1_000_000_000
_MINUTE_NS: Final = 60_000_000_000
_LEAST_PERIOD_NS: Final = 1_000_000_000
_MOST_PARTS: Final = 60


def period_ns(timeline: Timeline) -> int:
    """After how much recorded time a recording starts over.

    One mean gap after its last request, but not before 1 s.
    """
    start_ns = timeline.start_ns
    mean_gap_ns = int(start_ns[-1]) // max(1, len(start_ns) - 1)
    return max(int(start_ns[-1]) + mean_gap_ns, _LEAST_PERIOD_NS)


def session_curve(
    shape: Shape | str, replay: Replay, rounds: Rounds, timeline: Timeline
) -> Curve:
    """Sessions that start in a nanosecond of the arm's clock.

    Level 1 is sessions / period x speed x scale. A CSV's minute takes 60 s / speed and
    starts count x scale / (requests a session) sessions.
    """
    sessions = int(timeline.session.max()) + 1
    counts = _counts(shape)
    if counts:
        minute_ns = _MINUTE_NS / replay.speed
        curve = Curve.through(counts, len(counts) * minute_ns)
        mean_requests = len(timeline.session) / sessions
        rate = replay.scale / mean_requests / minute_ns
    else:
        curve = _levels(shape, rounds)
        rate = sessions / period_ns(timeline) * replay.speed * replay.scale
    return curve.times(rate).between(rounds.warmup, _total_ns(rounds))


def user_curve(
    shape: Shape | str, users: int, rounds: Rounds, timeline: Timeline
) -> Curve:
    """Users on stage at a moment of the arm's clock, from 0 on; the ramp is apart.

    What was recorded or counted is laid over the measured part, its peak being 1. Of a
    recording, the traffic in at most 60 equal parts is looked at, and in fewer where
    they would hold few requests.
    """
    counts = _recorded(timeline) if shape == "recorded" else _counts(shape)
    if counts:
        relative = np.array(counts) / max(counts)
        curve = Curve.through(relative.tolist(), rounds.slices * rounds.slice)
    else:
        curve = _levels(shape, rounds)
    return curve.times(users).between(rounds.warmup, _total_ns(rounds))


def _total_ns(rounds: Rounds) -> int:
    return rounds.warmup + rounds.slices * rounds.slice


def _counts(shape: Shape | str) -> Sequence[float]:
    if isinstance(shape, Shape) and shape.csv is not None:
        return read_counts(shape.csv, shape.start, shape.minutes)
    return ()


def _recorded(timeline: Timeline) -> Sequence[float]:
    parts = min(_MOST_PARTS, isqrt(len(timeline.start_ns)))
    counts, _ = np.histogram(timeline.start_ns, parts)
    return [float(count) for count in counts]


def _levels(shape: Shape | str, rounds: Rounds) -> Curve:
    if not isinstance(shape, Shape):
        return Curve.of([(0, 1)])
    if shape.ramp is not None:
        end_ns = rounds.slices * rounds.slice
        return Curve.of([(0, shape.ramp.start), (end_ns, shape.ramp.to)])
    if shape.spike is not None:
        return Curve.of(_spike(shape.spike))
    return Curve.of(_steps(shape.steps or ()))


def _spike(spike: Spike) -> Iterator[tuple[int, float]]:
    lengths = (spike.at, spike.rise, spike.length, spike.rise)
    levels = (1, spike.factor, spike.factor, 1)
    return zip(accumulate(lengths), levels, strict=True)


def _steps(steps: Sequence[Step]) -> Iterator[tuple[int, float]]:
    yield 0, steps[0].level
    ends_ns = accumulate(step.length for step in steps)
    for end_ns, step in zip(ends_ns, steps, strict=True):
        yield end_ns - step.length + min(_RISE_NS, step.length), step.level
        yield end_ns, step.level
