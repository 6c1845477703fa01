"""The source tree that a reference names, as a directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.environment import git
from harness.environment.reference import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.environment.reference import Reference

__all__ = ["digest", "tree"]


@contextmanager
def tree(reference: Reference) -> Iterator[Path]:
    """The content of a commit, exported and removed afterwards, or a directory itself.

    Args:
        reference: a `git` or `dir` reference.
    """
    if reference.kind is Kind.DIR:
        yield Path(reference.value)
        return
    assert reference.repository is not None, "only commits and directories have trees"
    with tempfile.TemporaryDirectory(
        prefix="seatrial-tree-", ignore_cleanup_errors=True
    ) as exported:
        git.export(reference.repository, reference.value, Path(exported))
        yield Path(exported)


def digest(directory: Path) -> str:
    """SHA-256 over paths, modes and content, in hexadecimal.

    In a git work tree ignored files do not count, so that a commit and its clean
    checkout have the same digest.
    """
    total = hashlib.sha256()
    for name in _names(directory):
        path = directory / name
        if path.is_symlink():
            content, mode = os.fsencode(path.readlink()), "link"
        elif path.is_file():
            content = _file_digest(path)
            mode = "run" if os.access(path, os.X_OK) else "file"
        else:
            continue
        total.update(f"{mode} {len(content)} ".encode())
        total.update(os.fsencode(name) + b"\0" + content)
    return total.hexdigest()


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _names(directory: Path) -> list[str]:
    known = git.files(directory) if shutil.which("git") else None
    if known is not None:
        return known
    found = (path.relative_to(directory) for path in directory.rglob("*"))
    return sorted(str(path) for path in found)
