"""A history as it is shown: true figures, and nothing but text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.history import Past, Standing, Trend
from harness.model.verdict import Estimate, Label, Outcome
from harness.report.history import (
    sparkline,
    standings_json,
    standings_text,
    trend_json,
    trend_text,
)
from tests.report.conftest import HOSTILE

ESTIMATE = Estimate(
    metric="p95",
    route="service",
    unit="ns",
    relative=True,
    baseline=45e6,
    candidate=46e6,
    change=1.04,
    lower=1.01,
    upper=1.07,
    label=Label.WITHIN,
    budget="10% or 5ms",
)
PAST = Past(
    id="20261127-010203-shop",
    scenario="shop",
    recorded_at="2026-11-27T01:02:03Z",
    baseline="git:main",
    candidate="work tree",
    baseline_commit="a" * 40,
    candidate_commit="3f2a91c0ab" + "0" * 30,
    machine="AMD EPYC",
    outcome=Outcome.PASS,
    fix="",
    rounds=4,
    requests=7_200,
    directory="/trials/20261127-010203-shop",
    estimates=(ESTIMATE,),
)


def trend(*points: Past, **given: Any) -> Trend:
    every = Trend(scenario="shop", metric="p95", route="service", points=points)
    return replace(every, **given)


def measured(candidate: float | None) -> Past:
    return replace(PAST, estimates=(replace(ESTIMATE, candidate=candidate),))


def test_standings() -> None:
    """One line a scenario: how it stands, and how often it came out how."""
    shop = Standing(
        scenario="shop",
        outcome=Outcome.FAIL,
        recorded_at="2026-11-27T01:02:03Z",
        counts={Outcome.PASS: 28, Outcome.FAIL: 2},
    )
    cart = replace(shop, scenario="the cart", counts={Outcome.FAIL: 1})

    assert standings_text([shop, cart]) == (
        "scenario  last verdict  last date         trials  PASS  FAIL  INCONCLUSIVE"
        "  INVALID\n"
        "shop      FAIL          2026-11-27 01:02  30      28    2     0           "
        "  0\n"
        "the cart  FAIL          2026-11-27 01:02  1       0     1     0           "
        "  0\n"
    )
    assert "scenario" in standings_text([])
    assert {"PASS": 28, "FAIL": 2, "INCONCLUSIVE": 0, "INVALID": 0} == json.loads(
        standings_json([shop])
    )["scenarios"][0]["counts"]


def test_trend() -> None:
    """A row a trial: when, which code, and the figure with its interval."""
    lacking = replace(PAST, candidate_commit="", outcome=Outcome.INVALID, estimates=())
    worse = replace(ESTIMATE, candidate=54e6, change=1.2, lower=1.17, upper=1.23)

    text = trend_text(trend(PAST, lacking, replace(PAST, estimates=(worse,))))

    assert text == (
        "shop: p95 of service, UTC\n"
        "date              candidate build  verdict  baseline  candidate  change "
        " 90% interval\n"
        "2026-11-27 01:02  3f2a91c0ab       PASS     45.0 ms   46.0 ms    +4.0%  "
        " +1.0% to +7.0%\n"
        "2026-11-27 01:02  work tree        INVALID  -         -          -      "
        " -\n"
        "2026-11-27 01:02  3f2a91c0ab       PASS     45.0 ms   54.0 ms    +20.0% "
        " +17.0% to +23.0%\n"
        "candidate  ▁ █  46.0 ms to 54.0 ms\n"
    )


def test_trend_document() -> None:
    """Every trial with all that is remembered of it; one that lacks the figure too."""
    document = json.loads(trend_json(trend(PAST, replace(PAST, estimates=()))))

    first, second = document["trials"]
    assert (1, "shop", "p95", "service") == tuple(
        document[name] for name in ("schema_version", "scenario", "metric", "route")
    )
    assert "3f2a91c0ab" + "0" * 30 == first["candidate_commit"]
    assert (46e6, 1.01, "within budget") == tuple(
        first["figure"][name] for name in ("candidate", "lower", "label")
    )
    assert second["figure"] is None


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([None], " "),
        ([5.0], "▄"),
        ([5.0, 5.0], "▄▄"),
        ([0.0, 7.0, 3.0, 4.0], "▁█▄▅"),
        ([1.0, None, 2.0], "▁ █"),
        ([-1.7e308, 0.0, 1.7e308], "▁▅█"),
        ([0.0, 5e-324], "▄▄"),
    ],
)
def test_sparkline(values: list[float | None], drawn: str) -> None:
    """A block a value between the least and the most; blanks keep their place."""
    assert drawn == sparkline(values)


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_sparkline_of_anything(values: list[float | None]) -> None:
    """As many characters as values, and a larger value is never lower."""
    drawn = sparkline(values)

    assert len(values) == len(drawn)
    pairs = [
        (value, each)
        for value, each in zip(values, drawn, strict=True)
        if value is not None
    ]
    blocks = [each for _, each in sorted(pairs)]
    assert sorted(blocks) == blocks


def test_nothing_to_draw() -> None:
    """Without a value, or over two units, there are only the rows."""
    other = replace(
        PAST, estimates=(replace(ESTIMATE, unit="bytes", candidate=2048.0),)
    )

    assert "candidate  " not in trend_text(trend(measured(None))).splitlines()[-1]
    assert "2.00 KiB" in trend_text(trend(PAST, other)).splitlines()[-1]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names(hostile: str) -> None:
    """Whatever a commit, a route or a scenario is called, it is one line of text."""
    point = replace(PAST, candidate_commit="", candidate=hostile, scenario=hostile)
    every = trend(point, scenario=hostile, metric=hostile, route=hostile)
    standing = Standing(
        scenario=hostile,
        outcome=Outcome.PASS,
        recorded_at=hostile,
        counts={Outcome.PASS: 1},
    )

    for text, lines in ((trend_text(every), 4), (standings_text([standing]), 2)):
        assert lines == len(text.splitlines())
        assert text.replace("\n", "").isprintable()
    assert trend_json(every).isascii()
    assert hostile == json.loads(trend_json(every))["route"]
