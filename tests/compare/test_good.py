from __future__ import annotations

import json
from typing import Any, Final
from zlib import crc32

import numpy as np
import pytest

from harness.compare.good import EMPTY, UNLIKE, GoodAnswers
from harness.compare.strata import Answers
from harness.model.link import Content

ORDER: Final = {"number": 7, "items": [], "total_cents": 5}
"""What the baseline answers to all but the last shot."""


def body(said: Any) -> bytes:
    return said if isinstance(said, bytes) else json.dumps(said).encode()


def answers(*told: tuple[int, Any]) -> Answers:
    """Status and body of each shot."""
    return Answers(
        status=np.array([status for status, _ in told], "u2"),
        digest=np.array([crc32(body(said)) for _, said in told], "u4"),
        measured=np.ones(len(told), bool),
    )


def remark(
    *good: tuple[int, Any], failed: int, instead: tuple[int, Any], stored: bool = True
) -> str:
    """What is said of an answer instead of a failure, beside good ones."""
    baseline, candidate = [*good, (failed, b"no")], [*good, instead]
    before, after = answers(*baseline), answers(*candidate)

    def contents(shot: int) -> tuple[Content, Content] | None:
        both = (Content((), body(each[shot][1])) for each in (baseline, candidate))
        old, new = both
        return (old, new) if stored else None

    size = len(baseline)
    found = GoodAnswers(before, np.zeros(size, int), np.arange(size), contents)
    return found.remark(size - 1, after)


@pytest.mark.parametrize(
    ("instead", "expected"),
    [
        ((201, ORDER), ""),
        ((200, ORDER), ""),
        ((201, {**ORDER, "discount": 1}), ""),
        ((201, {"number": 7, "items": []}), ""),
        ((201, {"number": 7, "error": "x"}), UNLIKE),
        ((200, {"error": "x"}), UNLIKE),
        ((201, {"error": "x"}), UNLIKE),
        ((201, [ORDER]), UNLIKE),
        ((201, b"<h1>Sorry</h1>"), UNLIKE),
        ((200, {}), EMPTY + UNLIKE),
        ((302, b""), EMPTY + UNLIKE),
        ((302, b"see /error"), UNLIKE),
        ((404, {"error": "x"}), UNLIKE),
    ],
)
@pytest.mark.parametrize("failed", [500, 404])
def test_instead_of_a_failure(
    failed: int, instead: tuple[int, Any], expected: str
) -> None:
    """A good answer has the status and the members of those of its route."""
    good = [(201, ORDER), (201, {**ORDER, "note": "x"})]

    assert expected == remark(*good, failed=failed, instead=instead)


@pytest.mark.parametrize(
    ("good", "instead", "expected"),
    [
        ([], (302, b"x"), ""),
        ([], (200, {"error": "x"}), ""),
        ([], (200, b""), EMPTY),
        ([(500, b"x")], (302, b"x"), ""),
        ([(204, b"")], (204, b""), ""),
        ([(302, b"")], (302, b""), EMPTY),
        ([(200, b"<p>1")], (200, b"<p>2"), ""),
        ([(200, b"<p>1")], (200, {"error": "x"}), UNLIKE),
        ([(200, {"a": 1}), (200, {"b": 1})], (200, {"c": 1}), ""),
    ],
)
def test_what_is_good(
    good: list[tuple[int, Any]], instead: tuple[int, Any], expected: str
) -> None:
    """The baseline says what is; where it says nothing of it, anything may be."""
    assert expected == remark(*good, failed=500, instead=instead)


def test_what_was_no_failure() -> None:
    """Only what takes the place of a failure must look good."""
    assert "" == remark((201, ORDER), failed=200, instead=(404, {"error": "x"}))


@pytest.mark.parametrize(("status", "expected"), [(201, ""), (302, UNLIKE)])
def test_what_is_not_stored(status: int, expected: str) -> None:
    """Where no body is stored, the status alone tells."""
    instead = status, {"error": "x"}

    assert expected == remark((201, ORDER), failed=500, instead=instead, stored=False)
