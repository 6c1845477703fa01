"""The key under which pseudonyms are made."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEY_VARIABLE", "redaction_key"]

KEY_VARIABLE: Final = "SEATRIAL_REDACTION_KEY"
"""Holds the key itself: share it where several machines must agree on pseudonyms."""

_KEY_BYTES: Final = 32


def redaction_key(environ: Mapping[str, str] = os.environ) -> bytes:
    """The key from the environment, or this user's key file, made on first use.

    The file is `$XDG_CONFIG_HOME/seatrial/redaction.key` (by default under
    `~/.config`), readable by its owner alone. Whoever has it can test a guess against
    a pseudonym.

    Raises:
        InputError: the key is empty, or its file can be neither read nor made.
    """
    given = environ.get(KEY_VARIABLE)
    if given is not None:
        return _checked(given.encode(), KEY_VARIABLE)
    home = environ.get("XDG_CONFIG_HOME") or Path("~", ".config")
    path = Path(home, "seatrial", "redaction.key")
    try:
        path = path.expanduser()
        return _checked(_kept(path), str(path))
    except (OSError, RuntimeError) as exc:
        raise InputError(
            f"{path}: the redaction key cannot be kept here:"
            f" {getattr(exc, 'strerror', exc)}",
            hint=f"set {KEY_VARIABLE}, or XDG_CONFIG_HOME to a folder you may write",
        ) from exc


def _kept(path: Path) -> bytes:
    """The file's key, made whole before it gets its name: two imports may race."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes().strip()


def _checked(key: bytes, place: str) -> bytes:
    if not key.strip():
        raise InputError(
            f"{place}: the redaction key is empty",
            hint="give it at least 16 random characters, or remove it",
        )
    return key
