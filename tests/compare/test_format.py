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
        ("lamp", "word"),
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


def test_words() -> None:
    """White space between words and tags says nothing."""
    assert words("<p>\n  An oak\tlamp</p>") == words("<p>An oak lamp</p>\n")


def test_a_word_without_end() -> None:
    """A long word is looked at once, not once from each of its letters."""
    text = "a-" * 200_000

    assert text == masked(text)
