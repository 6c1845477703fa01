"""What a recording holds, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.capture.inspection import Inspection
    from harness.model.traffic import Skipped

__all__ = ["as_json", "as_text"]

_SCHEMA: Final = 1
_SHOWN_ROUTES: Final = 20


def as_json(inspection: Inspection) -> str:
    """The figures as one versioned document."""
    content = asdict(inspection)
    content["recording"]["path"] = str(inspection.recording.path)
    return json.dumps({"schema": _SCHEMA, **content}, indent=2) + "\n"


def as_text(inspection: Inspection) -> str:
    """The figures as a page of text."""
    lines = [f"{name:<12} {value}" for name, value in _facts(inspection)]
    lines += ["", f"{'requests':>10}  route"]
    routes = inspection.routes[:_SHOWN_ROUTES]
    lines += [f"{count:>10,}  {printable(route)}" for route, count in routes]
    more = len(inspection.routes) - len(routes) + inspection.more_routes
    if more:
        lines.append(f"{'':>10}  … {more:,} more")
    for adapted in inspection.recording.adapted:
        lines += ["", f"adapted: {adapted.count:,} {adapted.reason}"]
    if redacted := inspection.recording.redacted:
        lines += ["", f"redacted: {_kinds(redacted)}"]
    for skipped in inspection.recording.skipped:
        lines += ["", f"left out: {skipped.count:,} {skipped.reason}"]
        lines += [f"  {printable(sample)}" for sample in skipped.samples]
    return "\n".join(lines) + "\n"


def _facts(inspection: Inspection) -> Iterator[tuple[str, str]]:
    recording = inspection.recording
    yield "recording", f"{recording.path} (sha256 {recording.digest[:12]})"
    yield "format", recording.source_format
    yield "exchanges", f"{recording.exchanges:,} in {recording.sessions:,} sessions"
    most = f"{inspection.session_max:,} most"
    yield "session", f"{inspection.session_median:g} requests median, {most}"
    yield "span", f"{recording.span_ns / 1e9:,.1f} s"
    peak = f"{inspection.peak_rate:,}/s in the busiest second"
    yield "rate", f"{inspection.mean_rate:,.3g}/s mean, {peak}"
    p95 = f"{inspection.think_p95_ns / 1e9:,.3g} s p95"
    yield "think time", f"{inspection.think_median_ns / 1e9:,.3g} s median, {p95}"
    yield "clock", f"{recording.clock_ns / 1e9:g} s; inside it times are synthetic"
    yield "methods", _counted(inspection.methods)
    yield "statuses", _counted(inspection.statuses)


def _kinds(redacted: tuple[Skipped, ...]) -> str:
    return ", ".join(f"{each.reason} {each.count:,}" for each in redacted)


def _counted(counts: tuple[tuple[Any, int], ...]) -> str:
    return ", ".join(f"{value or 'unknown'} {count:,}" for value, count in counts)
