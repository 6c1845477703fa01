"""What a recording holds, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from harness.compare.figure import figure
from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.capture.inspection import Inspection, RouteShare
    from harness.model.traffic import Recording, Skipped

__all__ = ["account", "as_json", "as_text", "facts"]

_SCHEMA: Final = 2
_HEIGHTS: Final = " ▁▂▃▄▅▆▇█"
_SHOWN_ROUTES: Final = 20
_SHOWN_SOURCES: Final = 5
"""Of a recording's files; `--format json` has them all."""


def as_json(inspection: Inspection) -> str:
    """The figures as one versioned document."""
    content = asdict(inspection)
    content["recording"]["path"] = str(inspection.recording.path)
    return json.dumps({"schema": _SCHEMA, **content}, indent=2) + "\n"


def as_text(inspection: Inspection) -> str:
    """The figures as a page of text."""
    recording = inspection.recording
    lines = [f"{name:<12} {value}" for name, value in facts(inspection)]
    lines += ["", f"{'requests':>10} {'share':>7} {'p50':>8} {'p95':>8}  route"]
    routes = inspection.routes[:_SHOWN_ROUTES]
    lines += [_route(route, recording.exchanges) for route in routes]
    more = len(inspection.routes) - len(routes) + inspection.more_routes
    if more:
        lines.append(f"{'':>10}  … {more:,} more")
    for heading, samples in account(recording):
        lines += ["", heading, *(f"  {sample}" for sample in samples)]
    return "\n".join(lines) + "\n"


def account(recording: Recording) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is not there, or not as it was, and why, each with some places."""
    for heading, samples in _account(recording):
        yield printable(heading), tuple(map(printable, samples))


def _account(recording: Recording) -> Iterator[tuple[str, tuple[str, ...]]]:
    for filtered in recording.filtered:
        yield f"filtered: {filtered.count:,} {filtered.reason}", ()
    of_all = ", of all that was read" if recording.filtered else ""
    for adapted in recording.adapted:
        yield f"adapted{of_all}: {adapted.count:,} {adapted.reason}", ()
    if recording.redacted:
        yield f"redacted: {_kinds(recording.redacted)}", ()
    for skipped in recording.skipped:
        yield f"left out: {skipped.count:,} {skipped.reason}", skipped.samples


def _route(route: RouteShare, exchanges: int) -> str:
    p50, p95 = (figure(ns, "ns") for ns in (route.median_ns, route.p95_ns))
    share = figure(route.requests / exchanges, "ratio")
    name = printable(route.name)
    return f"{route.requests:>10,} {share:>7} {p50:>8} {p95:>8}  {name}"


def facts(inspection: Inspection) -> Iterator[tuple[str, str]]:
    """Each figure with its name."""
    return ((name, printable(value)) for name, value in _facts(inspection))


def _facts(inspection: Inspection) -> Iterator[tuple[str, str]]:
    recording = inspection.recording
    yield "recording", f"{recording.path} (sha256 {recording.digest[:12]})"
    for source in recording.sources[:_SHOWN_SOURCES]:
        digest = f"sha256 {source.digest[:12]}"
        yield "made of", f"{source.name} ({source.size:,} bytes, {digest})"
    if more := recording.sources[_SHOWN_SOURCES:]:
        size = sum(source.size for source in more)
        yield "", f"… {len(more):,} more ({size:,} bytes)"
    yield "format", recording.source_format
    yield "read", _read(recording)
    yield "exchanges", f"{recording.exchanges:,} in {recording.sessions:,} sessions"
    most = f"{inspection.session_max:,} most"
    yield "session", f"{inspection.session_median:g} requests median, {most}"
    yield "span", _since(recording)
    peak = f"{inspection.peak_rate:,}/s in the busiest second"
    yield "rate", f"{inspection.mean_rate:,.3g}/s mean, {peak}"
    yield "over time", _bars(inspection.over_time)
    if inspection.gaps:
        gap = inspection.gaps[0]
        after = f"{gap.start_ns / 1e9:,.1f} s after the first start"
        yield "longest gap", f"{figure(gap.length_ns, 'ns')}, {after}"
    p95 = f"{inspection.think_p95_ns / 1e9:,.3g} s p95"
    yield "think time", f"{inspection.think_median_ns / 1e9:,.3g} s median, {p95}"
    yield "clock", f"{recording.clock_ns / 1e9:g} s; inside it times are synthetic"
    yield "methods", _counted(inspection.methods)
    yield "statuses", _counted(inspection.statuses)
    if inspection.answer_median_bytes is not None:
        sizes = (inspection.answer_median_bytes, inspection.answer_p95_bytes)
        median, p95 = (figure(size, "bytes") for size in sizes)
        yield "answers", f"{median} median, {p95} p95"
    if inspection.robots:
        yield "robots", f"{_counted(inspection.robots)}; import --no-robots"


def _since(recording: Recording) -> str:
    since = f" from {recording.started_at}" if recording.started_at else ""
    return f"{recording.span_ns / 1e9:,.1f} s{since}"


def _bars(counts: tuple[int, ...]) -> str:
    """A bar each, of eight heights; nothing for nothing."""
    most = max(counts)
    return "".join(_HEIGHTS[-(-8 * count // most)] for count in counts)


def _read(recording: Recording) -> str:
    parts = [
        (recording.exchanges, "kept"),
        (sum(each.count for each in recording.filtered), "filtered"),
        (sum(each.count for each in recording.skipped), "left out"),
    ]
    total = sum(count for count, _ in parts)
    return f"{total:,}: " + ", ".join(f"{count:,} {what}" for count, what in parts)


def _kinds(redacted: tuple[Skipped, ...]) -> str:
    return ", ".join(f"{each.reason} {each.count:,}" for each in redacted)


def _counted(counts: tuple[tuple[Any, int], ...]) -> str:
    return ", ".join(f"{value or 'unknown'} {count:,}" for value, count in counts)
