from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import TypeAdapter

from harness.errors import ComparisonError
from harness.store.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the document holds."""

    name: str
    share: float = 0.0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("nobody is without a name")


DOCUMENT = Document(
    content=TypeAdapter(Content), version=3, key="edition", remedy="write it anew"
)


def test_round_trip() -> None:
    """What was written reads back, of this version and of older ones."""
    content = Content(name="x", share=0.5)
    text = DOCUMENT.text(content)

    assert '"edition": 3' in text
    assert content == DOCUMENT.read(text, "f")
    assert content == DOCUMENT.read(text.replace("3", "1"), "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f: broken: Expecting value"),
        ("{", "f: broken: Expecting property name"),
        ('{"edition": NaN}', "f: broken: NaN is not a number of JSON"),
        ('{"edition": 1, "share": -Infinity}', "f: broken: -Infinity is not a number"),
        ("[" * 100_000, "f: broken: maximum recursion depth"),
        ("null", "f: edition: not a version"),
        ("[3]", "f: edition: not a version"),
        ("{}", "f: edition: not a version"),
        ('{"edition": true}', "f: edition: not a version"),
        ('{"edition": "3"}', "f: edition: not a version"),
        ('{"edition": 0}', "f: edition: not a version"),
        ('{"edition": 3}', "f: name: Field required"),
        ('{"edition": 3, "name": 4}', "f: name: Input should be a valid string"),
        ('{"edition": 3, "name": ""}', "f: the document: nobody is without a name"),
    ],
)
def test_broken(text: str, message: str) -> None:
    """One message that names the file and the field, and what to do about it."""
    with pytest.raises(ComparisonError) as caught:
        DOCUMENT.read(text, "f")

    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message
    assert "write it anew" == caught.value.hint


def test_newer() -> None:
    """A version that does not exist yet is refused, whatever it holds."""
    with pytest.raises(ComparisonError) as caught:
        DOCUMENT.read('{"edition": 4}', "f")

    assert caught.value.message == (
        "f: written by a newer Seatrial: it has schema 4, this one reads up to 3"
    )
    assert "update Seatrial" in caught.value.hint
