"""The study's figures as text, as Markdown and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from harness.model.verdict import Outcome
from tests.bench.trust.figures import noise, rows
from tests.bench.trust.noise import BUDGET, CHANGE, LENGTHS, MINUTES
from tests.bench.trust.rules import RULES
from tests.bench.trust.study import SAME, p95_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.trust.figures import Noise, Row
    from tests.bench.trust.noise import Choice, Law
    from tests.bench.trust.stored import Played

__all__ = ["document", "markdown", "text"]

_OUTCOMES: Final = (Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.INVALID)
_COLUMNS: Final = (
    *("tried", "trials", "p95 moved", *_OUTCOMES, "minutes"),
    *(f"FAIL by {name}" for name in RULES),
)


def _cells(row: Row) -> list[str]:
    return [
        row.kind,
        str(row.trials),
        "-" if row.change is None else f"{100 * (row.change - 1):+.1f}%",
        *(str(row.outcomes[each]) for each in _OUTCOMES),
        "-" if row.minutes is None else f"{row.minutes:.1f}",
        *map(str, row.rules.values()),
    ]


def text(played: Sequence[Played], about: Sequence[str]) -> str:
    """What a terminal shows.

    Args:
        played: every trial that is kept.
        about: date, machine and command, a line each.
    """
    parts = [about, *(_aligned(each) for each in _tables(played)), _sentences(played)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def markdown(played: Sequence[Played], about: Sequence[str]) -> str:
    """The same as a fragment of a README."""
    tables = ["\n".join(_piped(each)) for each in _tables(played)]
    points = "\n".join(f"- {each}" for each in _sentences(played))
    return "\n\n".join([" · ".join(about), *tables, points]) + "\n"


def document(played: Sequence[Played], about: Sequence[str]) -> dict[str, Any]:
    """Every figure, and every trial that it comes from."""
    found = noise(played)
    return {
        "about": list(about),
        "rows": [asdict(each) for each in rows(played)],
        "noise": found and asdict(found),
        "trials": [
            {
                "kind": each.kind,
                "trial": each.trial,
                "outcome": each.outcome,
                "named": each.named,
                "minutes": each.minutes,
                "rounds": each.rounds,
                "sound": len(each.pairs),
                "rules": {
                    name: rule(each.pairs) for name, rule in RULES.items() if each.pairs
                },
            }
            for each in played
        ],
    }


def _tables(played: Sequence[Played]) -> Iterator[list[list[str]]]:
    yield [list(_COLUMNS), *map(_cells, rows(played))]
    found = noise(played)
    if found is not None:
        yield [_LENGTHS, *map(_law, found.laws)]
        if found.choice is not None:
            asis = found.choice.choices[0]
            yield [
                list(_CHOICES),
                *(_choice(each, asis) for each in found.choice.choices),
            ]


_LENGTHS: Final = ["SD of a pair", *(f"{each} s" for each in LENGTHS)]
_CHOICES: Final = (
    *("slices", "min/round", "SD of a round", "precision/min"),
    f"FAIL in {MINUTES:g} min",
)


def _law(found: Law) -> list[str]:
    cells = (found.deviation.get(each) for each in LENGTHS)
    return [
        f"p{found.percent}",
        *("-" if each is None else f"{100 * each:.2f}%" for each in cells),
    ]


def _choice(each: Choice, asis: Choice) -> list[str]:
    return [
        f"{each.slices} x {each.seconds} s",
        f"{each.minutes:.2f}",
        f"{100 * each.deviation:.2f}%",
        f"{each.precision / asis.precision:.2f}",
        f"{100 * each.power:.0f}% in {each.rounds} rounds",
    ]


def _sentences(played: Sequence[Played]) -> list[str]:
    return [*_of_trials(played), *_of_noise(noise(played))]


def _of_trials(played: Sequence[Played]) -> Iterator[str]:
    same, *changed = rows(played)
    pairs = [pair for each in played if each.kind == SAME for pair in each.pairs]
    if pairs:
        p95 = p95_ms(pairs)
        yield f"p95 of A/A: {p95:.1f} ms{_allowed(played, p95)}"
    if same.minutes_to_pass is not None:
        yield f"A/A: {same.minutes_to_pass:.1f} minutes to a PASS, median"
    for row in (same, *changed):
        if row.named:
            named = ", ".join(f"{name} {count}" for name, count in row.named.items())
            yield f"{row.kind}: FAIL named {named}"
    yield "bounds are Clopper and Pearson's, 95 %; the three rules read latency alone"


def _allowed(played: Sequence[Played], p95: float) -> str:
    allowance = played[0].scenario.budgets.latency.p95
    if allowance is None:
        return ""
    allowed = max(allowance.relative, allowance.absolute / 1e6 / p95)
    return f", of which the default budget allows {100 * allowed:+.0f}%"


def _of_noise(found: Noise | None) -> Iterator[str]:
    if found is None or found.choice is None:
        return
    choice = found.choice
    change, budget = f"{CHANGE:+.0%} on p{choice.percent}", f"a budget of {BUDGET:.0%}"
    kept = ", as they are" if choice.best == choice.choices[0] else ""
    yield f"luck of a start: SD {100 * choice.between:.2f}% on p{choice.percent}"
    yield f"FAIL in {MINUTES:g} min: the chance of it at {change}, with {budget}"
    yield f"recommended: {choice.best.slices} slices of {choice.best.seconds} s{kept}"


def _aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _piped(table: Sequence[Sequence[str]]) -> Iterator[str]:
    head, *body = table
    for cells in (head, ["---"] * len(head), *body):
        yield f"| {' | '.join(cells)} |"
