from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.capture.key import redaction_key
from harness.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_environment_comes_first(tmp_path: Path) -> None:
    """A key that is given is used, and no file is made."""
    environ = {"SEATRIAL_REDACTION_KEY": "k", "XDG_CONFIG_HOME": str(tmp_path)}
    assert redaction_key(environ) == b"k"
    assert [] == list(tmp_path.iterdir())


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """The first use makes a key file for its owner's eyes, later ones read it."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    key = redaction_key(environ)
    [path] = (tmp_path / "seatrial").iterdir()
    assert path.name == "redaction.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(key) == 64
    assert key == redaction_key(environ)


def test_an_empty_key_is_refused(tmp_path: Path) -> None:
    """Pseudonyms under an empty key could be guessed."""
    with pytest.raises(InputError, match="SEATRIAL_REDACTION_KEY"):
        redaction_key({"SEATRIAL_REDACTION_KEY": " "})
    (tmp_path / "seatrial").mkdir()
    (tmp_path / "seatrial/redaction.key").touch()
    with pytest.raises(InputError, match=r"redaction\.key: the redaction key is empty"):
        redaction_key({"XDG_CONFIG_HOME": str(tmp_path)})


def test_an_unusable_folder_is_named(tmp_path: Path) -> None:
    """Where no key can be kept the message says what to set instead."""
    (tmp_path / "seatrial").touch()
    with pytest.raises(InputError, match="cannot be kept here") as caught:
        redaction_key({"XDG_CONFIG_HOME": str(tmp_path)})
    assert "SEATRIAL_REDACTION_KEY" in caught.value.hint


def test_nobody_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that the system does not know is told what to set."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)

    with pytest.raises(InputError, match="cannot be kept here"):
        redaction_key({})
