import pytest

from harness.compare.logline import cleaned, severity, signature


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"level":"error","msg":"x"}', "error"),
        ('{"severity":"CRITICAL","msg":"x"}', "error"),
        ('{"level":30,"msg":"x failed"}', "info"),
        ('{"level":50,"msg":"x"}', "error"),
        ('{"msg":"ERROR in a text","level":"info"}', "info"),
        ("ts=1 level=warn msg=x", "warning"),
        ("2026-11-27 10:00:00,123 ERROR in app: x", "error"),
        ("[Fri Nov 27 10:00:00 2026] [error] [pid 7] x", "error"),
        ("[2026-11-27 10:00:00 +0000] [7] [INFO] Booting worker", "info"),
        ("E1127 10:00:00.123456 7 a.go:12] x", "error"),
        ("W1127 10:00:00.123456 7 a.go:12] x", "warning"),
        ("<11>Nov 27 10:00:00 host app: x", "error"),
        ("<12>x", "warning"),
        ("<14>x", "info"),
        ("ERROR:root:x", "error"),
        ("warning: x", "warning"),
        ("10:00:00.123 [main] SEVERE c.s.Cart - x", "error"),
        ("GET /errors/1 200", ""),
        ("an error that is told in prose", ""),
        ("", ""),
    ],
)
def test_severity(line: str, expected: str) -> None:
    """A line is as severe as it says itself, in the ways that loggers say it."""
    assert expected == severity(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-11-27 10:00:00,123 ERROR order 17 of 10.0.0.1", "ERROR order # of #"),
        ("[Fri Nov 27 10:00:00 2026] [error] pid 7", "[error] pid #"),
        ("object at 0x7f00aa12 lost", "object at # lost"),
        ("id 5f4dcc3b5aa765d61d8327deb882cf99", "id #"),
    ],
)
def test_signature(line: str, expected: str) -> None:
    """Times, numbers, ids and addresses are not what a line is known by."""
    assert expected == signature(line)


def test_cleaned() -> None:
    """Colours go; what is no text and no UTF-8 is replaced."""
    assert "ERROR \ufffdx\ufffd\ufffd" == cleaned(
        b"\x1b[31mERROR\x1b[0m \xffx\x00\x07\r\n"
    )
