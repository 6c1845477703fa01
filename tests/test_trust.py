"""The study of trust: its rules and figures on made data, its course without trials."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from math import log
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from harness.compare.calibration import Circumstances
from harness.environment import Kind, Reference
from harness.errors import BuildError
from harness.model.calibration import Machine
from harness.model.result import Arm
from harness.model.verdict import Outcome, Report, Verdict
from harness.store.trial import Journal, new_trial_directory, write_journal
from harness.trial import Terms
from tests.bench.trust import course, study
from tests.bench.trust.course import Course
from tests.bench.trust.figures import Rate, rows
from tests.bench.trust.noise import Choice, Law, between, choices, law, recommended
from tests.bench.trust.rules import Pair, fixed_threshold, kayenta, shift, wilcoxon
from tests.bench.trust.stored import Played, keep, kept
from tests.bench.trust.table import document, markdown, text
from tests.made import plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def pair(baseline: Sequence[Any], candidate: Sequence[Any]) -> Pair:
    """A round, given the latencies of each slice."""
    return Pair(
        baseline=tuple(np.array(each, np.int64) for each in baseline),
        candidate=tuple(np.array(each, np.int64) for each in candidate),
    )


def played(**given: Any) -> Played:
    same = [[100] * 100] * 6
    every = Played(
        kind=study.SAME,
        trial="20261125-120000-shop",
        minutes=6.0,
        outcome=Outcome.PASS,
        named=(),
        pairs=(pair(same, same),) * 4,
        rounds=4,
        share=0.5,
        scenario=study.scenario(study.SAME),
    )
    return replace(every, **given)


def test_fixed_threshold() -> None:
    """It fails over 1.2 x the p95 of all rounds together, not at it."""
    before = [[100] * 94 + [1000] * 6]

    assert not fixed_threshold([pair(before, [[9] * 94 + [1200] * 6])])
    assert fixed_threshold([pair(before, [[9] * 94 + [1201] * 6])])
    assert not fixed_threshold([pair([*before, [1] * 900], [[9] * 994 + [1201] * 6])])


def test_wilcoxon() -> None:
    """It fails where many requests are a little slower, and not where faster."""
    before, after = list(range(1000)), list(range(50, 1050))

    assert wilcoxon([pair([before], [after])])
    assert not wilcoxon([pair([after], [before])])
    assert not wilcoxon([pair([before], [before])])


@pytest.mark.parametrize("seed", range(5))
def test_shift(seed: int) -> None:
    """The interval holds just the shifts that Mann and Whitney's test does not reject.

    The estimate is the median of all differences.
    """
    random = np.random.default_rng(seed)
    before, after = random.normal(0, 1, 20 + seed), random.normal(1, 2, 31)

    found = shift(after, before)

    def p_value(by: float) -> float:
        return float(mannwhitneyu(after - by, before, method="asymptotic").pvalue)

    differences = [a - b for a in after for b in before]
    assert pytest.approx(median(differences)) == found.estimate
    step = 1e-9
    assert p_value(found.lower + step) >= 0.02 > p_value(found.lower - step)
    assert p_value(found.upper - step) >= 0.02 > p_value(found.upper + step)


def test_kayenta() -> None:
    """It fails where the slices' p95 lie higher by a shift whose bound is near to it.

    However small the shift is; one that is above 0 but below a quarter of it passes.
    """
    before = [[1000 + each] * 20 for each in range(24)]
    little = [[1040 + each] * 20 for each in range(24)]
    unclear = [[1000 + each + each % 2 * 16] * 20 for each in range(24)]

    assert kayenta([pair(before, little)])
    found = shift(*(np.array([e[0] for e in arm]) for arm in (unclear, before)))
    assert 0 < found.lower < 0.25 * found.estimate, found
    assert not kayenta([pair(before, unclear)])
    assert not kayenta([pair(before, before)])
    assert not kayenta([pair(little, before)])


def test_kayenta_needs_a_higher_mean() -> None:
    """A shift upwards with one slice far below is not High."""
    before = [[1000 + each] * 20 for each in range(23)] + [[900_000] * 20]
    after = [[1040 + each] * 20 for each in range(24)]

    assert not kayenta([pair(before, after)])


def test_rotation() -> None:
    """However short, it is balanced, and no two trials share a place."""
    every = list(islice(study.plays(), 200))

    assert [study.SAME, study.NOISE] == [each.kind for each in every[:2]]
    for end in range(2, 200):
        counts = Counter(each.kind for each in every[:end])
        changed = [counts[kind] for kind in study.KINDS[1:]]
        assert max(changed) - min(changed) <= 1
        assert counts[study.SAME] >= 2 * sum(changed) - 1
    assert len(every) == len({each.place for each in every})


def test_switches() -> None:
    """A delay is the share of p95 that its name says; nothing is switched on in A/A."""
    assert {"SHOP_DELAY_MS": "1.35"} == study.switches("p95 +5%", 27.0)
    assert {"SHOP_DELAY_MS": "5.40"} == study.switches("p95 +20%", 27.0)
    assert {} == study.switches(study.SAME, 26.7)
    assert {} == study.switches(study.NOISE, 26.7)


@dataclass
class Pretended:
    """Runs trials that end at once, each as its number says."""

    ends: dict[int, BaseException | str] = field(default_factory=dict)
    ran: list[Terms] = field(default_factory=list)

    def __call__(self, terms: Terms) -> tuple[Path, Report]:
        self.ran.append(terms)
        end = self.ends.get(len(self.ran), "")
        if isinstance(end, BaseException):
            raise end
        directory = new_trial_directory(terms.parent, "20261125-120000-shop")
        write_journal(directory, journal(directory, terms, stopped=end))
        return directory, report()

    @property
    def places(self) -> list[str]:
        return [each.parent.name for each in self.ran]


def journal(directory: Path, terms: Terms, stopped: str) -> Journal:
    return Journal(
        id=directory.name,
        scenario=terms.scenario,
        recording_digest="",
        plan=plan(directory),
        baseline="a",
        candidate="a",
        stopped=stopped,
    )


def report() -> Report:
    return Report(
        scenario="shop",
        why="",
        baseline="a",
        candidate="a",
        rounds=4,
        void_rounds=(),
        requests=1,
        verdict=Verdict(outcome=Outcome.PASS, findings=()),
        estimates=(),
        environment=(),
        generator=(),
    )


def started(
    tmp_path: Path, runner: Pretended, *, hours: float = 10.0, trials: int = 8
) -> Course:
    """A start of the study with the first places of the rotation."""
    same = Reference(kind=Kind.DIR, value="/tree", text="tree")
    return Course(
        terms=Terms(
            scenario=study.scenario(study.SAME),
            recording=None,
            references=dict.fromkeys(Arm, same),
            scenario_dir=tmp_path,
            parent=tmp_path,
            build_args={},
            max_time_s=hours * 3600,
            announce=lambda _: None,
        ),
        run=runner,
        plays=lambda: islice(study.plays(), trials),
        p95_ms=lambda _: 20.0,
    )


def test_course_is_resumed(tmp_path: Path) -> None:
    """A second start goes on where the first ended, with the delays of the first."""
    runner = Pretended()

    started(tmp_path, runner, trials=5).play()
    again = started(tmp_path, runner, trials=12)
    again.p95_ms = lambda _: 40.0
    again.play()

    assert [each.place for each in islice(study.plays(), 12)] == runner.places
    delays = [each.candidate_env.get("SHOP_DELAY_MS") for each in runner.ran]
    assert ["1.00", "2.00", "4.00"] == [each for each in delays if each]
    assert 120 == runner.ran[1].scenario.rounds.slices


@pytest.mark.parametrize("hours", [0.0, 0.05])
def test_no_time(tmp_path: Path, hours: float) -> None:
    """No trial begins that its fewest rounds would already take beyond the hours."""
    runner = Pretended()

    started(tmp_path, runner, hours=hours).play()

    assert not runner.ran


def test_no_time_for_one_as_long_as_the_last(tmp_path: Path) -> None:
    """A kind of trial that took long is expected to take as long again."""
    runner = Pretended()
    started(tmp_path, runner, trials=3).play()
    keep(tmp_path / "a-a-001" / "20261125-120000-shop", 3700.0)

    started(tmp_path, runner, hours=1.0).play()

    assert ["a-a-001", "noise-001", "p95-5-001"] == runner.places


def test_trial_cut_short(tmp_path: Path) -> None:
    """A trial that did not come to its own end is the last, and is run again."""
    runner = Pretended(ends={2: "--max-time 1s left no room for round 3"})

    started(tmp_path, runner).play()
    started(tmp_path, runner, trials=3).play()

    assert ["a-a-001", "noise-001", "noise-001", "p95-5-001"] == runner.places


def test_interrupted(tmp_path: Path) -> None:
    """What was finished before an interrupt is kept."""
    runner = Pretended(ends={3: KeyboardInterrupt()})

    with pytest.raises(KeyboardInterrupt):
        started(tmp_path, runner).play()
    started(tmp_path, runner, trials=3).play()

    assert ["a-a-001", "noise-001", "p95-5-001", "p95-5-001"] == runner.places


def test_broken_trials(tmp_path: Path) -> None:
    """One that breaks is left for the next start; three in a row end this one."""
    broken = BuildError("no engine")
    runner = Pretended(ends={3: broken, 5: broken, 6: broken, 7: broken})

    with pytest.raises(BuildError):
        started(tmp_path, runner).play()

    assert 7 == len(runner.ran)
    assert kept(tmp_path / runner.places[2]) is None
    assert kept(tmp_path / runner.places[3]) is not None


def test_key(tmp_path: Path) -> None:
    """Another machine, another version or another shop starts the study anew."""
    machine = Machine(cpu="c", cores=2, memory_gib=8, architecture="x86_64")
    now = Circumstances(
        terms="t", machine=machine, versions={"seatrial": "1"}, day="2026-11-25"
    )
    (tmp_path / "shop.py").write_text("1")
    keys = [
        course.key(each, tmp_path)
        for each in (
            now,
            replace(now, terms="u"),
            replace(now, machine=replace(machine, cores=4)),
            replace(now, versions={"seatrial": "2"}),
        )
    ]
    later = course.key(replace(now, day="2026-11-26"), tmp_path)
    (tmp_path / "shop.py").write_text("2")
    keys.append(course.key(now, tmp_path))

    assert 5 == len({*keys})
    assert keys[0] == later


def test_rate() -> None:
    """Clopper and Pearson's bounds: none of 59 is at most 6 %; of none, anything."""
    rate = Rate.among(0, 59)

    assert 0.0 == rate.lower
    assert pytest.approx(1 - 0.025 ** (1 / 59)) == rate.upper
    assert (0.0, 1.0) == (Rate.among(0, 0).lower, Rate.among(0, 0).upper)


def test_rows() -> None:
    """Each kind has its outcomes, its median time, and what the rules said of it."""
    slower = pair([[100] * 100] * 6, [[130] * 100] * 6)
    trials = [
        played(minutes=5.0),
        played(minutes=8.0, outcome=Outcome.INCONCLUSIVE),
        played(minutes=9.0, outcome=Outcome.INVALID, pairs=()),
        played(
            kind="p95 +20%", outcome=Outcome.FAIL, named=("p95",), pairs=(slower,) * 4
        ),
    ]

    same, _, _, delayed, *_ = rows(trials)

    assert (3, 8.0, 5.0) == (same.trials, same.minutes, same.minutes_to_pass)
    assert 1 == same.outcomes[Outcome.INVALID].count
    assert [(0, 2)] * 3 == [(each.count, each.of) for each in same.rules.values()]
    assert [1] * 3 == [each.count for each in delayed.rules.values()]
    assert pytest.approx(1.3) == delayed.change
    assert {"p95": 1} == delayed.named


def alternating(rounds: int) -> list[Pair]:
    """Every other second of the candidate is 21 % slower, and each round by e^luck."""
    base = [[100_000] * 100] * 16
    after = [[100_000] * 100, [121_000] * 100] * 8
    return [pair(base, after)] * rounds


def test_law() -> None:
    """The deviation is of pairs about their round's mean, by the seconds in a pair."""
    found = law(alternating(2), 95)

    assert pytest.approx(log(1.21) / 2 * (32 / 30) ** 0.5) == found.deviation[1]
    assert pytest.approx(0.0) == found.deviation[2]
    assert {1: 30, 2: 14, 4: 6, 8: 2} == found.freedom


def test_thin_pairs_are_left_out() -> None:
    """A p99 takes 400 requests: four beyond it, here four seconds."""
    assert {4, 8} == set(law(alternating(2), 99).deviation)


def test_between_and_choices() -> None:
    """The luck of a start is what rounds vary more than their seconds explain."""
    lucky = [
        pair([[100_000] * 100] * 6, [[luck] * 100] * 6) for luck in (105_000, 95_238)
    ]
    same = [played(pairs=tuple(lucky * 2), minutes=5.0)]
    within = Law(percent=95, deviation={4: 0.06}, freedom={4: 10})
    found = law(alternating(2), 95)

    expected = (log(1.05) ** 2 - 0.06**2 / 6) ** 0.5
    assert pytest.approx(expected, rel=1e-3) == between(same, within)
    asis, *others = choices(same, found)
    assert (4, 6, 1.25, 8) == (asis.seconds, asis.slices, asis.minutes, asis.rounds)
    assert pytest.approx(log(1.05), rel=1e-3) == asis.deviation
    longer = next(each for each in others if (each.seconds, each.slices) == (4, 12))
    assert pytest.approx(2.05) == longer.minutes
    assert longer.precision < asis.precision
    assert longer.power < asis.power


def choice(seconds: int, slices: int, precision: float, power: float) -> Choice:
    return Choice(
        seconds=seconds,
        slices=slices,
        minutes=1.0,
        deviation=0.05,
        precision=precision,
        rounds=8,
        power=power,
    )


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([choice(8, 6, 1.04, 0.91)], (4, 6)),
        ([choice(8, 6, 1.20, 0.91)], (8, 6)),
        ([choice(8, 6, 1.20, 0.80)], (4, 6)),
        ([choice(8, 6, 0.90, 0.95)], (8, 6)),
        ([choice(1, 24, 9.00, 1.00)], (4, 6)),
    ],
)
def test_recommended(others: list[Choice], expected: tuple[int, int]) -> None:
    """The most power decides, then precision; what is there stays if it is as good."""
    best = recommended([choice(4, 6, 1.0, 0.9), *others])

    assert expected == (best.seconds, best.slices)


def test_tables() -> None:
    """Text, Markdown and JSON hold the same; each row has a cell for each column."""
    cut = pair(*([[100_000 + 100 * n] * 100 for n in range(16)] for _ in range(2)))
    same = [[27_000_000] * 100] * 6
    trials = [
        played(pairs=(pair(same, same),) * 4),
        played(kind=study.NOISE, pairs=(cut, cut)),
    ]

    fragment = markdown(trials, ["today"])
    figures = json.loads(json.dumps(document(trials, ["today"])))

    tables = [each for each in fragment.split("\n\n") if each.startswith("|")]
    for table in tables:
        assert 1 == len({line.count("|") for line in table.splitlines()})
    assert [8, 5] == [table.count("\n") + 1 for table in tables[:2]]
    assert "| A/A | 1 | +0.0% | 0 (0-98%) | 1 (3-100%) |" in fragment
    assert "p95 of A/A: 27.0 ms, of which the default budget allows +19%" in fragment
    assert "- recommended: " in fragment
    assert "A/A: 6.0 minutes to a PASS" in text(trials, ["today"])
    assert [*study.KINDS] == [each["kind"] for each in figures["rows"]]
    assert [study.SAME, study.NOISE] == [each["kind"] for each in figures["trials"]]
