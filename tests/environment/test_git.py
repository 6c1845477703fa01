from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.environment import git
from harness.errors import InputError, SeatrialError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.environment.conftest import Repository


def test_export_writes_the_commit_alone(repository: Repository, tmp_path: Path) -> None:
    """An export has the commit's files, and the work tree stays as it was."""
    first = repository.commit("app/run.sh", "one")
    repository.commit("app/run.sh", "two")
    (repository.root / "untracked").touch()
    before = repository.git("status", "--porcelain")
    directory = tmp_path / "exported"
    directory.mkdir()
    git.export(repository.root, first, directory)

    assert [path.name for path in directory.rglob("*") if path.is_file()] == ["run.sh"]
    assert (directory / "app" / "run.sh").read_text() == "one"
    assert repository.git("status", "--porcelain") == before


def test_export_that_cannot_be_written(repository: Repository, tmp_path: Path) -> None:
    """A failed export is one message, with git's or tar's own words."""
    commit = repository.commit("a", "x")

    with pytest.raises(SeatrialError, match="unpacking the content"):
        git.export(repository.root, commit, tmp_path / "missing")


def test_origin_wins_over_local_branches(
    repository: Repository, tmp_path: Path
) -> None:
    """The default branch is the remote's where there is one."""
    first = repository.commit("a", "x")
    clone = tmp_path / "clone"
    repository.git("clone", "-q", str(repository.root), str(clone))
    repository.git("-C", str(clone), "commit", "-q", "--allow-empty", "-m", "local")

    assert git.merge_base(clone) == (first, "origin/HEAD")


def test_a_repository_without_commits(repository: Repository) -> None:
    """Before the first commit there is no HEAD to start from."""
    with pytest.raises(InputError, match="no single commit 'HEAD'"):
        git.merge_base(repository.root)


def test_hooks_do_not_redirect(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a git hook the repository is still found by its directory."""
    commit = repository.commit("a", "x")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))

    assert git.commit_of(repository.root, "HEAD") == commit


def test_files_leave_out_what_is_ignored(repository: Repository) -> None:
    """Tracked and new files count, ignored ones do not; outside git none is known."""
    repository.commit(".gitignore", "*.log")
    for name in ("new", "old.log"):
        (repository.root / name).touch()

    assert git.files(repository.root) == [".gitignore", "new"]
    assert git.files(repository.root.parent) is None
