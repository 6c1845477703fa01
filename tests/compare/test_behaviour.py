import json
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.behaviour import Comparison, Place, Shots, compared
from harness.compare.strata import (
    Answers,
    answers_by_shot,
    chosen,
    passed_over,
    strata,
)
from harness.model.link import Content

ROUTES = ("GET /a", "GET /b")


def shots(size: int, **given: Any) -> Shots:
    """Every second one of each route, each a session of its own."""
    told = {
        "route": np.arange(size) % 2,
        "routes": ROUTES,
        "session": np.arange(size),
        "held_out": np.zeros(size, bool),
        "title": lambda shot: f"GET /{shot}",
    }
    return Shots(**{**told, **given})


def answers(status: list[int], digest: list[int] | None = None) -> Answers:
    return Answers(
        status=np.array(status, "u2"),
        digest=np.array(digest or [9] * len(status), "u4"),
        measured=np.ones(len(status), bool),
    )


def counts(comparison: Comparison) -> dict[Place, int]:
    return {place: changed.answers for place, changed in comparison.items()}


def nothing(_shot: int) -> None:
    return None


def bodies(old: Any, new: Any) -> Any:
    """What both said to any shot."""
    both = tuple(Content((), json.dumps(each).encode()) for each in (old, new))
    return lambda _shot: both


def test_answers_by_shot() -> None:
    """A row a shot, whatever the order of the samples; failed ones say nothing."""
    samples = {
        "shot": np.array([3, 1, 0]),
        "slice": np.array([1, 0, 2]),
        "cause": np.array([0, 0, 1]),
        "status": np.array([200, 404, 0]),
        "digest": np.array([7, 8, 0]),
    }

    found = answers_by_shot(samples, 4)

    assert [0, 404, 0, 200] == found.status.tolist()
    assert [0, 8, 0, 7] == found.digest.tolist()
    assert [False, False, False, True] == found.measured.tolist()


def test_status() -> None:
    """A change of status is counted by route, with its share of what both answered."""
    before, after = answers([403, 200, 403, 200, 0]), answers([200, 200, 403, 200, 200])

    everything, _ = compared(before, after, shots(5), nothing)

    place = Place("GET /a", "status", "403 → 200")
    assert {place: 1} == counts(everything)
    assert (0.5, ("GET /0",)) == (everything[place].share, everything[place].examples)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]\n", b"null"])
def test_says_nothing(body: bytes) -> None:
    """A status that turns good while the body says nothing is a kind of its own."""
    everything, _ = compared(
        answers([500]), answers([200], [crc32(body)]), shots(1), nothing
    )

    assert [("GET /a", "status", "500 → 200, empty")] == [*counts(everything)]


def test_consequences() -> None:
    """What follows in a session that got another status is not compared."""
    before, after = answers([500, 200, 200, 200]), answers([201, 200, 404, 404])
    session = np.array([0, 0, 0, 1])

    everything, _ = compared(before, after, shots(4, session=session), nothing)

    assert {
        ("GET /a", "status", "500 → 201"): 1,
        ("GET /b", "status", "200 → 404"): 1,
    } == counts(everything)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([200, 403], [201, 200], ["200 → 201", "403 → 200"]),
        ([200, 200], [302, 404], ["200 → 302", "200 → 404"]),
        ([200, 403], [500, 200], ["200 → 500", "403 → 200"]),
        ([200, 403], [0, 200], ["403 → 200"]),
        ([500, 401], [200, 200], ["500 → 200"]),
        ([404, 403], [200, 200], ["404 → 200"]),
        ([200, 200], [500, 404], ["200 → 500"]),
    ],
)
def test_what_is_a_consequence(
    before: list[int], after: list[int], expected: list[str]
) -> None:
    """A session that goes on as well goes on; a door stays a door.

    But where the baseline had failed, what it denies later is a consequence of that.
    """
    everything, _ = compared(
        answers(before),
        answers(after),
        shots(2, session=np.zeros(2, int)),
        nothing,
    )

    assert expected == [each.kind for each in sorted(everything)]


def test_what_is_passed_over() -> None:
    """How much is not compared is known, and is nothing where all goes on alike."""
    before, after = answers([200, 200, 200, 200]), answers([500, 404, 404, 200])
    session = np.array([0, 0, 0, 1])

    assert passed_over(before, after, session) == 0.5
    assert passed_over(before, before, session) == 0.0
    assert passed_over(answers([0]), answers([0]), np.zeros(1, int)) == 0.0


def test_nothing_is_a_good_answer() -> None:
    """Where the baseline mostly says nothing if all is well, so may the candidate."""
    silent = crc32(b"")
    before = answers([204, 204, 500], [silent, silent, 9])
    after = answers([204, 204, 204], [silent] * 3)

    everything, _ = compared(before, after, shots(3, route=np.zeros(3, int)), nothing)

    assert [("GET /a", "status", "500 → 204")] == [*counts(everything)]


def test_what_was_not_kept() -> None:
    """A route that differs and of which nothing is stored is not passed over."""
    before, after = answers([200] * 4), answers([200] * 4, [1, 2, 9, 2])

    def stored(shot: int) -> tuple[Content, Content] | None:
        return None if shot % 2 else (Content((), b"1"), Content((), b"2"))

    everything, _ = compared(before, after, shots(4), stored)

    assert (1.0, 2) == (
        everything[Place("GET /b", "body", "not kept")].share,
        everything[Place("GET /a", "body", "numbers")].answers,
    )


def test_places_without_end() -> None:
    """Names that nobody can count take no memory without bound."""
    random = np.random.default_rng(1)
    before, after = answers([200] * 500), answers([200] * 500, [1] * 500)

    def drawn(_shot: int) -> tuple[Content, Content]:
        names = ("".join(random.choice([*"abcdefgh"], 9)) for _ in range(50))
        return Content((), b"{}"), Content(
            (), json.dumps(dict.fromkeys(names)).encode()
        )

    everything, _ = compared(before, after, shots(500), drawn)

    assert len(everything) <= 2_002
    assert {"further places"} == {
        place.place for place in everything if not place.place.startswith("$")
    }


def test_bodies() -> None:
    """Where digests differ, what both said is compared; the share is of all answers."""
    before, after = answers([200] * 8), answers([200] * 8, [9, 9, 1, 9, 9, 9, 9, 9])

    everything, _ = compared(before, after, shots(8), bodies({"a": 1}, {"a": 2}))

    place = Place("GET /a", "$.a", "value")
    assert 4 == everything[place].answers
    assert ("GET /2: 1 → 2", "GET /0: 1 → 2") == everything[place].examples


def test_own_values() -> None:
    """What later requests take from an answer may differ, but not in its type."""
    before, after = answers([200]), answers([200], [1])
    own = frozenset({("GET /a", "$.id")})

    value, _ = compared(before, after, shots(1, own=own), bodies({"id": 1}, {"id": 2}))
    kind, _ = compared(before, after, shots(1, own=own), bodies({"id": 1}, {"id": "2"}))

    assert {} == counts(value)
    assert [("GET /a", "$.id", "type integer → string")] == [*counts(kind)]


def test_held_out() -> None:
    """What is held out counts, and is not in the part that may be shown."""
    before, after = answers([200, 200]), answers([404, 404])
    held_out = np.array([True, False])

    everything, part = compared(before, after, shots(2, held_out=held_out), nothing)

    assert 2 == len(everything)
    assert [("GET /b", "status", "200 → 404")] == [*counts(part)]
    assert 1.0 == next(iter(part.values())).share


def test_not_stored() -> None:
    """Answers that are not stored are stood for by those of their route that are."""
    before, after = answers([200] * 8), answers([200] * 8, [1] * 8)
    said = bodies({"a": 1}, {"a": 2})

    everything, _ = compared(
        before, after, shots(8), lambda shot: said(shot) if shot in {0, 2} else None
    )

    place = Place("GET /a", "$.a", "value")
    assert (2, 1.0) == (everything[place].answers, everything[place].share)


@given(
    status=st.lists(st.sampled_from([0, 200, 404]), min_size=1, max_size=60),
    seed=st.integers(0, 9),
)
def test_chosen(status: list[int], seed: int) -> None:
    """Each shot that can be compared is chosen once, those that differ first."""
    random = np.random.default_rng(seed)
    size = len(status)
    before = answers(status)
    after = answers(status, random.integers(8, 10, size).tolist())

    parts = strata(before, after, np.arange(size))
    found = chosen(parts, np.arange(size) % 2).tolist()

    assert sorted(found) == [shot for shot in range(size) if status[shot]]
    differ = [before.digest[shot] != after.digest[shot] for shot in found]
    assert sorted(differ, reverse=True) == differ


def test_chosen_evenly() -> None:
    """A route with few shots is not crowded out by one with many."""
    size = 20_000
    route = np.r_[np.zeros(size - 5, int), np.ones(5, int)]
    before, after = answers([200] * size), answers([200] * size, [1] * size)

    found = chosen(strata(before, after, np.arange(size)), route)

    assert 4_000 == len(found)
    assert 5 == route[found].sum()


@pytest.mark.parametrize(
    ("cut", "expected"), [(True, {("GET /a", "body", "bytes"): 1}), (False, {})]
)
def test_beyond_what_is_stored(
    expected: dict[tuple[str, str, str], int], *, cut: bool
) -> None:
    """Bodies that differ where nothing of them is stored are told from equal ones.

    Those that are stored whole differed in how they were packed.
    """
    before, after = answers([200, 200]), answers([200, 200], [1, 9])
    start = Content((), b"{}", cut=cut)

    everything, _ = compared(before, after, shots(2), lambda _: (start, start))

    assert expected == counts(everything)
