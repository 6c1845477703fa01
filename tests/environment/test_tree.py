from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from harness.environment.reference import resolve
from harness.environment.tree import digest, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.environment.conftest import Repository


def _no_image(_: str) -> bool:
    return False


def test_a_commit_and_its_clean_checkout_are_the_same_code(
    repository: Repository,
) -> None:
    """Both have one digest; the export is gone afterwards, the directory is not."""
    repository.commit(".gitignore", "*.log")
    repository.commit("app.py", "x")
    (repository.root / "run.log").touch()
    of_commit = resolve("HEAD", cwd=repository.root, image_exists=_no_image)
    of_directory = resolve("dir:.", cwd=repository.root, image_exists=_no_image)
    with tree(of_commit) as exported, tree(of_directory) as itself:
        assert digest(exported) == digest(itself)

    assert not exported.exists()
    assert itself == repository.root


def _changed(directory: Path, change: str) -> None:
    path = directory / "a"
    if change == "content":
        path.write_text("y")
    elif change == "mode":
        path.chmod(0o755)
    elif change == "name":
        path.rename(directory / "b")
    else:
        path.unlink()
        path.symlink_to("x")


def test_every_change_shows(tmp_path: Path) -> None:
    """Content, execute bit, name and kind of a file all change the digest."""
    digests = set()
    for change in ("none", "content", "mode", "name", "link"):
        directory = tmp_path / change
        directory.mkdir()
        (directory / "a").write_text("x")
        if change != "none":
            _changed(directory, change)
        digests.add(digest(directory))

    assert len(digests) == 5


def test_the_place_does_not_show(tmp_path: Path) -> None:
    """A copy elsewhere has the same digest, directories and all."""
    (tmp_path / "one" / "deep").mkdir(parents=True)
    (tmp_path / "one" / "deep" / "file").write_text("x")
    shutil.copytree(tmp_path / "one", tmp_path / "two")

    assert digest(tmp_path / "one") == digest(tmp_path / "two")
