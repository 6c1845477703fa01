"""A scenario to begin with, made of what a recording holds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from harness.compare.figure import figure, number
from harness.model.scenario import Rounds
from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.capture.inspection import Inspection

__all__ = ["outline"]

_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST: Final = 100
_ROUTES: Final = 3
_FASTEST: Final = 1_000_000
_ENOUGH: Final = 500
"""Requests an arm and round, below which a replay is sped up."""


def outline(inspection: Inspection, recording: str, name: str) -> str:
    """The scenario as YAML, with comments on what to decide.

    Args:
        inspection: of the recording.
        recording: its path as the scenario file has it.
        name: of the scenario; what a name cannot hold is replaced.
    """
    return "\n".join(_lines(inspection, recording, name)) + "\n"


def _lines(inspection: Inspection, recording: str, name: str) -> Iterator[str]:
    of = inspection.recording
    yield "# What is tried, with which traffic, and what it may cost."
    yield "# Check it: seatrial validate FILE; how long it takes: verify FILE --plan"
    yield f"name: {_quoted(_NAME.sub('-', name).strip('-._')[:_LONGEST] or 'scenario')}"
    rate = f"{number(inspection.mean_rate)}/s, {inspection.peak_rate:,}/s at most"
    yield f"# {of.exchanges:,} requests in {of.sessions:,} sessions; {rate}"
    yield f"recording: {_quoted(recording)}"
    yield "service:"
    yield "  build: {context: .}       # or image: NAME, command: [...], url: http://..."
    yield "  port: 8000"
    yield "  ready: /                  # answers below 400 once the service is up"
    yield "load:"
    speed = _speed(inspection)
    why = "as recorded" if speed == 1 else "for enough requests in a round"
    replay = f"replay: {{speed: {speed}}}"
    yield f"  {replay:<25} # {why}; more: scale: 3"
    yield "  # users: 50               # instead: so many at once, thinking as recorded"
    yield "budgets:                    # passes within either part"
    yield "  latency: {p95: 10% or 5ms, p99: 20% or 25ms}"
    yield "  errors: 0.1%              # points over the baseline"
    yield "  # by_route:"
    for route in inspection.routes[:_ROUTES]:
        share = figure(route.requests / of.exchanges, "ratio")
        slow = "" if route.p95_ns is None else f", p95 {figure(route.p95_ns, 'ns')}"
        key = _quoted(printable(route.name))
        yield f"  #   {key}: {{p95: 20% or 10ms}}   # {share}{slow}"
    yield "# session:                  # where recorded credentials are no longer valid"
    yield "#   login:"
    yield "#     post: /login"
    yield '#     json: {user: "user{user}", password: secret}'
    yield "#     then: {json: $.token, as: bearer}"


def _speed(inspection: Inspection) -> int:
    """As recorded, unless a round would have too few requests to be judged."""
    rounds = Rounds()
    measured_s = rounds.slices * rounds.slice / 1e9
    speed = round(_ENOUGH / (inspection.mean_rate * measured_s))
    return min(max(1, speed), _FASTEST)


def _quoted(text: str) -> str:
    """As YAML and JSON both write a text, which may look like a number or a date."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
