from __future__ import annotations

import pytest

from harness.capture.tally import MALFORMED, OTHER_HOST, UNUSABLE, Tally
from harness.errors import RecordingError
from harness.model.traffic import Skipped


def test_all_are_counted_and_five_are_shown() -> None:
    """The count is exact, the samples are the first places."""
    tally = Tally()
    for number in range(7):
        tally.skip(UNUSABLE, f"a.log:{number}", "why")
    samples = tuple(f"a.log:{number}: why" for number in range(5))
    expected = Skipped(reason=UNUSABLE, count=7, samples=samples)
    assert (expected,) == tally.skipped()


def test_garbage_alone_does_not_spoil_a_capture() -> None:
    """Only malformed entries count against the 5 %."""
    tally = Tally()
    for number in range(50):
        tally.skip(UNUSABLE, f"a.log:{number}", "")
    tally.check("a.log", kept=1)
    for number in range(3):
        tally.skip(MALFORMED, f"a.log:{number}", "")
    with pytest.raises(RecordingError, match="3 of 54 entries are malformed"):
        tally.check("a.log", kept=1)


def test_nothing_usable_says_why() -> None:
    """A capture without an exchange lists what was left out."""
    tally = Tally()
    with pytest.raises(RecordingError, match="the capture is empty") as caught:
        tally.check("a.log", kept=0)
    assert "record traffic" in caught.value.hint
    tally.skip(UNUSABLE, "a.log:1", "")
    with pytest.raises(RecordingError, match="1 unusable"):
        tally.check("a.log", kept=0)


def test_other_hosts_are_named() -> None:
    """Where only other hosts were seen, the hint lists the five most frequent."""
    tally = Tally()
    for count, host in enumerate("abcdef", start=1):
        for _ in range(count):
            tally.skip(OTHER_HOST, "a.log:1", host)
    with pytest.raises(RecordingError) as caught:
        tally.check("a.log", kept=0)
    assert caught.value.hint.endswith("--host: f, e, d, c, b")


def test_a_capture_without_hosts_is_told_so() -> None:
    """Asking for a host is the mistake where the log names none."""
    tally = Tally()
    tally.skip(OTHER_HOST, "a.log:1", "")
    with pytest.raises(RecordingError) as caught:
        tally.check("a.log", kept=0)
    assert "leave --host out" in caught.value.hint
