from __future__ import annotations

import pytest

from harness.capture.host import host_of, is_meant


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("S.Test", "s.test"),
        ("s.test:8080", "s.test:8080"),
        ("https://me:secret@s.test/path", "s.test"),
        ("//[::1]:80", "[::1]:80"),
    ],
)
def test_a_host_may_be_given_as_a_url(given: str, host: str) -> None:
    """Its name and port count."""
    assert host == host_of(given)


@pytest.mark.parametrize(
    ("wanted", "named", "meant"),
    [
        ("s", "s", True),
        ("s", "s:8080", True),
        ("s", "t", False),
        ("s", "s.s", False),
        ("s", "", False),
        ("s:8080", "s:8080", True),
        ("s:8080", "s", False),
        ("s:8080", "s:80", False),
        ("s:443", "s", True),
        ("s:80", "s:80", True),
        ("[::1]", "[::1]:80", True),
        ("[::1]:80", "[::1]", True),
    ],
)
def test_what_is_meant(wanted: str, named: str, meant: bool) -> None:
    """A port counts where it is asked for, unless it goes without saying."""
    assert meant is is_meant(wanted, named)
