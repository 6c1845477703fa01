"""The generator's own health, from what its workers report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.load.health import CrewHealth, local_ports
from harness.load.message import SliceReport, Totals
from harness.model.result import LAG_BOUNDS_NS, Books

if TYPE_CHECKING:
    import pytest

MS = 1_000_000


def report(**given: int | list[int]) -> SliceReport:
    known = {
        "cpu_ns": 30,
        "wall_ns": 100,
        "late_ns": [0],
        "collected_ns": 0,
        "descriptors": 9,
        "sent": 4,
        "failed": 0,
    }
    return SliceReport(**{**known, **given})  # type: ignore[arg-type] # fields of two kinds


TOTALS = Totals(
    sent=4,
    in_flight=0,
    connections=1,
    closed=0,
    unfilled=0,
    reconnects=0,
    open_files=20_000,
    routes=[],
)
BOOKS = Books(
    sent=4, answered=4, failed=0, in_flight=0, connections=1, closed=0, reconnects=0
)


def columns(lag_ns: list[int]) -> dict[str, np.ndarray]:
    eligible_ns = np.arange(len(lag_ns)) * MS
    return {
        "slice": np.ones(len(lag_ns), "u2"),
        "due_ns": eligible_ns,
        "eligible_ns": eligible_ns,
        "sent_ns": eligible_ns + np.array(lag_ns),
    }


def test_the_worst_worker_counts() -> None:
    """CPU and lateness are those of the worst worker, and each is shown."""
    crew = CrewHealth(["one", "two"])
    crew.note(
        [report(cpu_ns=80), report(late_ns=[3 * MS])], stolen_s=0.0, elapsed_s=0.1
    )
    crew.note([report(), report(descriptors=12)], stolen_s=0.0, elapsed_s=0.1)

    health = crew.of(columns([0]), [TOTALS, TOTALS], [BOOKS, BOOKS])

    assert (0.8, 3 * MS) == (health.cpu_ratio, health.timer_late_p95_ns)
    assert ["one", "two"] == [each.title for each in health.workers]
    assert [9, 12] == [each.descriptors for each in health.workers]


def test_lag_histogram() -> None:
    """Every measured shot is in the one bucket whose bound it does not exceed."""
    lags_ns = [0, LAG_BOUNDS_NS[0], LAG_BOUNDS_NS[0] + 1, LAG_BOUNDS_NS[-1] + 1]
    crew = CrewHealth(["one"])
    crew.note([report()], stolen_s=0.0, elapsed_s=0.1)

    counts = crew.of(columns(lags_ns), [TOTALS], [BOOKS]).lag_counts

    assert [2, 1, *[0] * 11, 1] == list(counts)


def test_waiting_is_not_lag() -> None:
    """A shot that waited for an answer, or belongs to the warm-up, is left out."""
    waited = columns([0, 0, 0])
    waited["eligible_ns"] = waited["due_ns"] + np.array([0, MS, 0])
    waited["sent_ns"] = waited["eligible_ns"] + np.array([5, 9 * MS, 7 * MS])
    waited["slice"][2] = 0
    crew = CrewHealth(["one"])
    crew.note([report()], stolen_s=0.0, elapsed_s=0.1)

    assert 5 == crew.of(waited, [TOTALS], [BOOKS]).lag_p99_ns


def test_steal_is_a_share_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stolen seconds count against all cores, for as long as it took to drain, too."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    crew = CrewHealth(["one"])
    crew.note([report(wall_ns=10 * MS)], stolen_s=0.5, elapsed_s=1.0)

    assert 0.25 == crew.of(columns([0]), [TOTALS], [BOOKS]).steal_ratio


def test_ports() -> None:
    """This machine can open some thousands of connections to one target."""
    assert 1_000 < local_ports() <= 65_536
