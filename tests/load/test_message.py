"""The lines between engine and worker."""

from __future__ import annotations

import pytest

from harness.errors import EngineError
from harness.load.message import Beat, Go, Set, parse, the


def test_a_line_comes_back() -> None:
    """What is written as a line is read as the same message."""
    beat = Beat(users=3, sent=9, failed=1, lag_ns=700)

    assert beat == parse(beat.line())


@pytest.mark.parametrize(
    "line", [b"", b"nonsense", b"[]", b'{"Stop": {}}', b'{"Go": {"at": 1}}']
)
def test_nonsense(line: bytes) -> None:
    """A line that is no message is an engine error that shows it."""
    with pytest.raises(EngineError, match="a load worker said"):
        parse(line)


def test_another_message_than_is_due() -> None:
    """A message out of turn is an engine error that names both."""
    with pytest.raises(EngineError, match="Set instead of Go"):
        the(Go, Set())
