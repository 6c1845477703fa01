"""The history: what is recorded is read back, whoever else writes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError, SeatrialError
from harness.model.history import Past, Trend
from harness.model.verdict import UNITS, Estimate, Label, Outcome
from harness.store import historyfile
from harness.store.history import read_standings, read_trend, record
from harness.store.historyfile import MIGRATIONS

VERSION_1 = """\
CREATE TABLE trial (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL, scenario TEXT NOT NULL,
    recorded_at TEXT NOT NULL, baseline TEXT NOT NULL, candidate TEXT NOT NULL,
    baseline_commit TEXT NOT NULL, candidate_commit TEXT NOT NULL,
    machine TEXT NOT NULL, outcome TEXT NOT NULL, fix TEXT NOT NULL,
    rounds INTEGER NOT NULL, requests INTEGER NOT NULL, directory TEXT NOT NULL,
    UNIQUE (id, directory)
);
CREATE TABLE estimate (
    trial INTEGER NOT NULL REFERENCES trial (key), metric TEXT NOT NULL,
    route TEXT NOT NULL, unit TEXT NOT NULL, relative INTEGER NOT NULL,
    baseline REAL, candidate REAL, change REAL, lower REAL, upper REAL,
    label TEXT NOT NULL, budget TEXT NOT NULL, PRIMARY KEY (trial, metric, route)
) WITHOUT ROWID;
CREATE INDEX trial_in_order ON trial (scenario, recorded_at, outcome);
INSERT INTO trial VALUES (1, '20261127-010000-shop', 'shop', '2026-11-27T01:05:00Z',
    'git:main', 'work tree', 'aaaa', '', 'AMD EPYC', 'PASS', '', 4, 7200, '/t/1');
INSERT INTO estimate VALUES (1, 'p95', 'service', 'ns', 1, 45e6, 46e6, 1.02, 1.0, 1.05,
    'within budget', '10% or 5ms');
PRAGMA application_id = 1588019617;
PRAGMA user_version = 1;
"""
"""A history as version 1 left it. Stays as it is, whatever comes after it."""


EDIT = "UPDATE trial SET outcome = 'MAYBE';"


def estimate(metric: str = "p95", route: str = "service", **given: Any) -> Estimate:
    every = Estimate(
        metric=metric,
        route=route,
        unit="ns",
        relative=True,
        baseline=45e6,
        candidate=46e6,
        change=1.02,
        lower=1.0,
        upper=1.05,
        label=Label.WITHIN,
        budget="10% or 5ms",
    )
    return replace(every, **given)


def past(number: int = 1, **given: Any) -> Past:
    every = Past(
        id=f"trial-{number}",
        scenario="shop",
        recorded_at=f"2026-11-27T01:{number // 60:02}:{number % 60:02}Z",
        baseline="git:main",
        candidate="work tree",
        baseline_commit="a" * 40,
        candidate_commit="",
        machine="AMD EPYC",
        outcome=Outcome.PASS,
        fix="",
        rounds=4,
        requests=7_200,
        directory=f"/trials/{number}",
        estimates=(estimate(),),
    )
    return replace(every, **given)


def trend(path: Path, scenario: str = "shop", **asked: Any) -> Trend:
    return read_trend(
        path, scenario, **{"metric": "p95", "route": "service", "last": 20, **asked}
    )


def made(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


numbers = st.floats(allow_nan=False, allow_infinity=False)
known = st.builds(
    Estimate,
    metric=st.text(),
    route=st.text(),
    unit=st.sampled_from(UNITS),
    relative=st.booleans(),
    baseline=st.none() | numbers,
    candidate=st.none() | numbers,
    change=numbers,
    lower=st.none() | numbers,
    upper=st.none() | numbers,
    label=st.sampled_from(Label),
    budget=st.text(),
)
pasts = st.builds(
    Past,
    id=st.text(),
    scenario=st.text(),
    recorded_at=st.datetimes().map(lambda at: f"{at.isoformat(timespec='seconds')}Z"),
    baseline=st.text(),
    candidate=st.text(),
    baseline_commit=st.text(),
    candidate_commit=st.text(),
    machine=st.text(),
    outcome=st.sampled_from(Outcome),
    fix=st.text(),
    rounds=st.integers(0, 99),
    requests=st.integers(0, 2**62),
    directory=st.text(),
    estimates=st.lists(
        known, min_size=1, max_size=4, unique_by=lambda each: (each.metric, each.route)
    ).map(tuple),
)


@given(st.lists(pasts, min_size=1, max_size=5, unique_by=lambda a: (a.id, a.directory)))
def test_what_is_recorded_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, given: list[Past]
) -> None:
    """Every trial with every figure, whatever its texts, and every count."""
    path = tmp_path_factory.mktemp("history") / "h.sqlite"
    record(path, given)

    for each in given:
        for one in each.estimates:
            read = trend(
                path, each.scenario, metric=one.metric, route=one.route, last=99
            )
            assert replace(each, estimates=(one,)) in read.points
    standings = read_standings(path)
    assert sorted({each.scenario for each in given}) == sorted(
        each.scenario for each in standings
    )
    assert len(given) == sum(each.trials for each in standings)


def test_order(tmp_path: Path) -> None:
    """The last trials, oldest first, by when they ended and then as recorded."""
    path = tmp_path / "h.sqlite"
    same = past(5).recorded_at
    record(path, [past(3), past(1), past(2, outcome=Outcome.FAIL)])
    record(path, [past(7, recorded_at=same, outcome=Outcome.INVALID)])
    record(path, [past(6, recorded_at=same, outcome=Outcome.FAIL)])

    (standing,) = read_standings(path)

    assert ["trial-3", "trial-7", "trial-6"] == [
        each.id for each in trend(path, last=3).points
    ]
    assert (Outcome.FAIL, same, 5) == (
        standing.outcome,
        standing.recorded_at,
        standing.trials,
    )
    assert {Outcome.PASS: 2, Outcome.FAIL: 2, Outcome.INVALID: 1} == standing.counts


def test_the_same_trial_is_remembered_once(tmp_path: Path) -> None:
    """A second recording changes nothing; the same name elsewhere is another trial."""
    path = tmp_path / "h.sqlite"
    for each in (past(), past(outcome=Outcome.FAIL), past(directory="/elsewhere")):
        record(path, [each])

    (standing,) = read_standings(path)

    assert {Outcome.PASS: 2} == standing.counts


def test_a_figure_that_a_trial_lacks(tmp_path: Path) -> None:
    """Trials without it keep their place in the trend; undefined is not zero."""
    path = tmp_path / "h.sqlite"
    nothing = estimate(
        baseline=None,
        candidate=None,
        change=None,
        lower=None,
        upper=None,
        undefined="x",
    )
    record(path, [past(1), past(2, estimates=()), past(3, estimates=(nothing,))])

    points = trend(path).points

    assert [1, 0, 1] == [len(each.estimates) for each in points]
    assert points[2].estimates[0].candidate is None
    assert points[2].estimates[0].undefined
    assert ((),) == tuple(
        each.estimates for each in trend(path, last=2).points if each.id == "trial-2"
    )


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"scenario": "shp"}, "SCENARIO: 'shp' is not there", "there is: cart, shop"),
        ({"metric": "p96"}, "--metric of shop: 'p96'", "there is: memory, p95"),
        ({"route": "GET /"}, "--route of p95 of shop: 'GET /'", "GET /a, service"),
    ],
)
def test_unknown(
    tmp_path: Path, asked: dict[str, str], message: str, hint: str
) -> None:
    """Whoever asks for what is not there is told what is."""
    path = tmp_path / "h.sqlite"
    figures = (estimate(), estimate(route="GET /a"), estimate("memory"))
    record(path, [past(estimates=figures), past(2, scenario="cart")])

    with pytest.raises(InputError) as refused:
        trend(path, **asked)

    assert message in refused.value.message
    assert hint in refused.value.hint


def test_many_hostile_names(tmp_path: Path) -> None:
    """What there is is text on a terminal, and not more of it than can be read."""
    path = tmp_path / "h.sqlite"
    routes = ("\x1b[31m", *(f"GET /{number:03}" for number in range(99)))
    record(path, [past(estimates=tuple(estimate(route=each) for each in routes))])

    with pytest.raises(InputError) as refused:
        trend(path, route="\x1b")

    assert str(refused.value).replace("\n", "").isprintable()
    assert "GET /038, 60 more" in refused.value.hint


def test_no_history(tmp_path: Path) -> None:
    """Reading makes no file."""
    with pytest.raises(InputError, match="there is no history"):
        read_standings(tmp_path / "h.sqlite")

    assert not [*tmp_path.iterdir()]


ELSEWHERE = """\
import resource, sys
from dataclasses import replace
from pathlib import Path
from harness.errors import SeatrialError
from harness.store.history import read_trend, record
seed, path, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
(one,) = read_trend(seed, "shop", metric="p95", route="service", last=1).points
"""
"""How another process begins that records trials like the one of a seed."""


def test_two_writers_at_once(tmp_path: Path) -> None:
    """Two processes that write 200 trials each, into a file that is new, lose none."""
    seed, path = tmp_path / "seed.sqlite", tmp_path / "out" / "h.sqlite"
    record(seed, [past()])
    code = (
        ELSEWHERE
        + "for n in range(200): record(path, [replace(one, id=name + str(n))])"
    )
    command = [sys.executable, "-c", code, str(seed), str(path)]

    writers = [subprocess.Popen([*command, name]) for name in "ab"]
    ended = [writer.wait() for writer in writers]

    points = trend(path, last=999).points
    with closing(sqlite3.connect(path)) as connection:
        assert ("wal",) == connection.execute("PRAGMA journal_mode").fetchone()
    assert [0, 0] == ended
    assert 400 == len({each.id for each in points}) == len(points)
    assert all(len(each.estimates) == 1 for each in points)


def test_half_a_trial_is_none(tmp_path: Path) -> None:
    """What fails on the way leaves nothing of the trials it came with."""
    path = tmp_path / "h.sqlite"
    record(path, [past(1)])

    with pytest.raises(SeatrialError):
        record(path, [past(2), past(3, estimates=(estimate(), estimate()))])

    assert ["trial-1"] == [each.id for each in trend(path).points]


def test_empty_file(tmp_path: Path) -> None:
    """Version 0, a file of no bytes, is brought up to date by whoever comes first."""
    (tmp_path / "read.sqlite").touch()
    (tmp_path / "written.sqlite").touch()

    record(tmp_path / "written.sqlite", [past()])

    assert () == read_standings(tmp_path / "read.sqlite")
    assert past() == trend(tmp_path / "written.sqlite").points[0]


def test_version_1(tmp_path: Path) -> None:
    """What version 1 wrote is read and added to."""
    path = made(tmp_path / "h.sqlite", VERSION_1)

    record(path, [past(9, scenario="shop", recorded_at="2026-11-28T01:00:00Z")])

    first, second = trend(path).points
    assert ("20261127-010000-shop", "trial-9") == (first.id, second.id)
    assert estimate(candidate=46e6) == first.estimates[0]


def test_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old file goes through what is missing, in order; if that fails, not at all."""
    path = made(tmp_path / "h.sqlite", VERSION_1)
    added = ("ALTER TABLE trial ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",)
    used = ("UPDATE trial SET note = 'migrated'",)

    monkeypatch.setattr(historyfile, "MIGRATIONS", (*MIGRATIONS, added, ("nonsense",)))
    with pytest.raises(SeatrialError):
        read_standings(path)
    monkeypatch.setattr(historyfile, "MIGRATIONS", MIGRATIONS)
    assert 1 == len(read_standings(path))
    monkeypatch.setattr(historyfile, "MIGRATIONS", (*MIGRATIONS, added, used))
    assert 1 == len(read_standings(path))
    with closing(sqlite3.connect(path)) as connection:
        assert [("migrated",)] == connection.execute(
            "SELECT note FROM trial"
        ).fetchall()
        assert (3,) == connection.execute("PRAGMA user_version").fetchone()


def _newer(path: Path) -> None:
    made(path, VERSION_1 + "PRAGMA user_version = 99;")


def _foreign(path: Path) -> None:
    made(path, "CREATE TABLE trial (id);")


def _cut(path: Path) -> None:
    record(path, [past(number) for number in range(300)])
    os.truncate(path, path.stat().st_size // 2)


def _edited(path: Path) -> None:
    made(path, VERSION_1 + EDIT)


@pytest.mark.parametrize(
    ("damage", "message", "remedy"),
    [
        (_newer, "has schema 99, this one reads up to 1", "update Seatrial"),
        (_foreign, "is a database of something else", "--history"),
        (_cut, "is no history, or a broken one", "move it away"),
        (_edited, "'MAYBE' is not a valid Outcome", "move it away"),
        (lambda path: path.write_text("no" * 999), "is no history", "move it away"),
        (Path.mkdir, "cannot be opened", "it must be a file"),
    ],
)
def test_unreadable(tmp_path: Path, damage: Any, message: str, remedy: str) -> None:
    """What cannot be read is one error that names the file and the remedy."""
    path = tmp_path / "h.sqlite"
    damage(path)

    with pytest.raises(SeatrialError) as refused:
        read_standings(path)

    assert 4 == refused.value.exit_code
    assert refused.value.message.startswith(f"{path}: ")
    assert message in refused.value.message
    assert remedy in refused.value.hint


@pytest.mark.parametrize(
    "damage",
    [_newer, _foreign, lambda path: path.write_text("no" * 999), Path.mkdir],
)
def test_what_is_no_history_is_not_written(tmp_path: Path, damage: Any) -> None:
    """A file of something else, or of a newer Seatrial, stays as it is."""
    path = tmp_path / "h.sqlite"
    damage(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(SeatrialError, match=r"h\.sqlite: "):
        record(path, [past()])

    assert before == (path.read_bytes() if path.is_file() else b"")


def test_locked(tmp_path: Path) -> None:
    """A writer that does not let go is waited for, and then named."""
    path = tmp_path / "h.sqlite"
    record(path, [past(1)])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SeatrialError, match="is locked by another process"):
            record(path, [past(2)], timeout_s=0.01)
        assert ["trial-1"] == [each.id for each in trend(path).points]


@pytest.mark.parametrize("place", ["/proc/h.sqlite", "/dev/null/h.sqlite"])
def test_folder_that_cannot_be_written(place: str) -> None:
    """Where no file can be made, that is said of the file."""
    with pytest.raises(SeatrialError, match=rf"^{place}: cannot be (opened|written)"):
        record(Path(place), [past()])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path: Path) -> None:
    """A history that is sealed can be read but not written."""
    path = tmp_path / "out" / "h.sqlite"
    record(path, [past()])
    path.parent.chmod(0o500)

    assert [past()] == [*trend(path).points]
    with pytest.raises(SeatrialError, match="cannot be"):
        record(path, [past(2)])
    path.parent.chmod(0o700)


def test_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be put beside it, a history is read without locks."""
    path = tmp_path / "h.sqlite"
    record(path, [past()])
    monkeypatch.setattr(os, "access", lambda *_: False)

    assert [past()] == [*trend(path).points]
    assert [path] == [*tmp_path.iterdir()]


def test_full_disk(tmp_path: Path) -> None:
    """A disk without room is one error, and what was there before is whole."""
    path = tmp_path / "h.sqlite"
    record(path, [past(0)])
    code = (
        f"{ELSEWHERE}resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "try: record(path, (replace(one, id=str(n)) for n in range(9_999)))\n"
        "except SeatrialError as error: print(error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(path), ""],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith(f"{path}: cannot be "), done.stderr
    assert "--history" in done.stdout
    assert ["trial-0"] == [each.id for each in trend(path, last=9).points]


def test_paths_of_any_bytes(tmp_path: Path) -> None:
    """A path is no URI, and a name that is no UTF-8 is kept as far as it is."""
    path = tmp_path / "a?b=1#c%20\udcff" / "h.sqlite"
    record(path, [past(directory="/\udcff", candidate="\udcff")])

    (point,) = trend(path).points

    assert ("/?", "?") == (point.directory, point.candidate)
