from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.figure import significant
from harness.errors import ComparisonError
from harness.model.verdict import SCHEMA_VERSION, Outcome
from harness.report.document import dump, load

if TYPE_CHECKING:
    from tests.report.conftest import Make

_numbers = st.floats(-1e15, 1e15).map(significant)


def test_a_report_reads_back_equal(make: Make) -> None:
    """Nothing is lost on the way through `verdict.json`."""
    report = make.leak()

    assert load(dump(report)) == report


@given(value=_numbers, text=st.text())
def test_any_value_and_text_read_back_equal(
    make: Make, value: float, text: str
) -> None:
    """Whatever a route or reference is called, and however large a figure is."""
    estimate = make.estimate(route=text, change=value, per_round=((value, value),))
    report = make.report(estimates=[estimate], why=text, baseline=text)

    assert load(dump(report)) == report


def test_floats_are_stored_at_six_digits(make: Make) -> None:
    """The file does not depend on the last bits of arithmetic."""
    document = json.loads(dump(make.report(generator=(("cpu_ratio", 1 / 3),))))

    assert document["generator"] == [["cpu_ratio", 0.333333]]
    assert document["schema_version"] == SCHEMA_VERSION


def test_a_newer_schema_is_refused(make: Make) -> None:
    """The message says what to install, and a hint follows."""
    document = json.loads(dump(make.report()))
    document["schema_version"] = SCHEMA_VERSION + 1

    with pytest.raises(
        ComparisonError, match="written by a newer Seatrial: it has schema 2"
    ):
        load(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": None}, "x.json: schema_version: not a version"),
        ({"schema_version": True}, "x.json: schema_version: not a version"),
        ({"rounds": "four"}, "x.json: rounds: Input should be a valid integer"),
        (
            {"verdict": {"outcome": "MAYBE", "findings": []}},
            "x.json: verdict.outcome: Input should be 'PASS', 'FAIL', 'INCONCLUSIVE'",
        ),
        (
            {"verdict": {"outcome": "FAIL", "findings": []}},
            "x.json: verdict: FAIL without a finding",
        ),
        ({"generator": [["cpu", "high"]]}, "x.json: generator.0.1: "),
    ],
)
def test_a_hand_edited_file_names_the_field(
    make: Make, change: dict[str, Any], message: str
) -> None:
    """One clear message with the place, whatever was changed."""
    document = {**json.loads(dump(make.report())), **change}

    with pytest.raises(ComparisonError) as caught:
        load(json.dumps(document), "x.json")

    assert caught.value.message.startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema_version": NaN}', "null"])
def test_what_is_no_document_is_refused(text: str) -> None:
    """A truncated file or another kind of file is no report."""
    with pytest.raises(ComparisonError, match=r"^verdict\.json: "):
        load(text)


def test_a_missing_field_is_named(make: Make) -> None:
    """Nothing missing is filled in."""
    document = json.loads(dump(make.report(Outcome.FAIL, [make.finding()])))
    del document["estimates"]

    with pytest.raises(ComparisonError, match="estimates: Field required"):
        load(json.dumps(document))
