from base64 import urlsafe_b64encode
from random import Random

import pytest

from harness.compare.format import format_of, masked, words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "empty"),
        ("0a9b1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d", "UUID"),
        ("2026-11-27", "date"),
        ("2026-11-27T10:00:00.123+01:00", "date"),
        ("-12.50", "number"),
        ("jo@shop.test", "e-mail"),
        ("https://shop.test/a?b=c", "URL"),
        ("/orders/17", "URL"),
        ("5f4dcc3b5aa765d61d8327deb882cf99", "token"),
        ("DwDxcFpmWy_I_GOyMdoBPZiV-bHkOmGt", "token"),
        ("lamp", "word"),
        ("state-of-the-art-of-lamps", "word"),
        ("getElementsByTagName", "word"),
        ("an oak lamp", "text"),
        (3, "positive"),
        (-0.5, "negative"),
        (0, "zero"),
        (None, ""),
        (True, ""),
    ],
)
def test_formats(value: object, expected: str) -> None:
    """A value that differs by chance keeps the format that it has here."""
    assert expected == format_of(value)


def test_masked() -> None:
    """Numbers, times, tokens and UUIDs go, and whatever else is said stays."""
    uuid = "0a9b1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d"
    text = f"order 17 at 10:00:05 by 5f4dcc3b5aa765d61d83 ({uuid})"

    assert "order # at # by # (#)" == masked(text)


def test_tokens_without_a_digit() -> None:
    """Hardly one is taken for a word, though one of 230 has no digit."""
    random = Random(1)
    tokens = [urlsafe_b64encode(random.randbytes(24)).decode() for _ in range(20_000)]

    assert sum("token" != format_of(each) for each in tokens) < 20
    assert sum("#" != masked(each) for each in tokens) < 20


@pytest.mark.parametrize("text", ["x@" + "." * 900 + " ", "x@" + "a." * 450 + " "])
def test_what_is_nearly_an_address(text: str) -> None:
    """It is text, and to know that takes no longer than to read it."""
    assert "text" == format_of(text)
    assert "text" == format_of(text * 1_000)


def test_words() -> None:
    """White space between words and tags says nothing."""
    assert words("<p>\n  An oak\tlamp</p>") == words("<p>An oak lamp</p>\n")


def test_a_word_without_end() -> None:
    """A long word is looked at once, not once from each of its letters."""
    text = "a-" * 200_000

    assert text == masked(text)
