from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.environment.reference import Kind, Reference, default, resolve
from harness.errors import InputError
from harness.model.result import Arm
from harness.model.scenario import Service

if TYPE_CHECKING:
    from pathlib import Path

    from tests.environment.conftest import Repository

_SERVICE = Service.model_validate({"build": {}})


def _no_image(_: str) -> bool:
    return False


def _any_image(_: str) -> bool:
    return True


def test_urls_are_urls(tmp_path: Path) -> None:
    """A URL is taken as it is, whatever else there may be."""
    reference = resolve("https://a.example", cwd=tmp_path, image_exists=_any_image)

    assert reference == Reference(
        kind=Kind.URL, value="https://a.example", text="https://a.example"
    )


def test_a_prefix_decides(repository: Repository) -> None:
    """With a prefix nothing is guessed, and colons after it belong to the value."""
    commit = repository.commit("v1.0", "x")
    found = {
        text: resolve(text, cwd=repository.root, image_exists=_any_image)
        for text in ("git:main", "image:shop:1.4", "dir:.")
    }

    assert found["git:main"].kind is Kind.GIT
    assert found["git:main"].value == found["git:main"].commit == commit
    assert found["image:shop:1.4"].value == "shop:1.4"
    assert found["dir:."].value == str(repository.root.resolve())


@pytest.mark.parametrize("revision", ["main", "HEAD", "tag-1"])
def test_bare_commits(repository: Repository, revision: str) -> None:
    """A bare branch, tag or HEAD is the commit it points at."""
    commit = repository.commit("a", "x")
    repository.git("tag", "-a", "-m", "one", "tag-1")
    found = resolve(revision, cwd=repository.root, image_exists=_no_image)

    assert (found.kind, found.commit) == (Kind.GIT, commit)


def test_bare_abbreviations_from_a_subdirectory(repository: Repository) -> None:
    """An abbreviated id is found from anywhere in the work tree."""
    commit = repository.commit("deep/er/file", "x")
    below = repository.root / "deep" / "er"
    found = resolve(commit[:9], cwd=below, image_exists=_no_image)

    assert found.commit == commit
    assert found.repository == repository.root


def test_bare_directories_need_a_dot_or_a_slash(repository: Repository) -> None:
    """`./app` is a directory; `app` alone is not taken for one."""
    repository.commit("app/file", "x")
    found = resolve("./app", cwd=repository.root, image_exists=_no_image)

    assert (found.kind, found.value) == (Kind.DIR, str(repository.root / "app"))
    with pytest.raises(InputError, match="'app' is no commit") as caught:
        resolve("app", cwd=repository.root, image_exists=_no_image)
    assert "dir:app" in caught.value.hint


def test_bare_images(tmp_path: Path) -> None:
    """Outside of a repository a bare name can still be an image."""
    found = resolve("shop:1.4", cwd=tmp_path, image_exists=_any_image)

    assert (found.kind, found.value) == (Kind.IMAGE, "shop:1.4")


def test_two_readings_are_refused(repository: Repository) -> None:
    """A text that fits twice names both readings and the prefixes to write."""
    repository.commit("v1.0/file", "x")
    repository.git("tag", "v1.0")

    with pytest.raises(InputError, match=r"'v1.0' can be read as dir and as git") as no:
        resolve("v1.0", cwd=repository.root, image_exists=_no_image)
    assert no.value.hint == "write dir:v1.0 or git:v1.0"
    with pytest.raises(InputError, match="as git and as image"):
        resolve("main", cwd=repository.root, image_exists=_any_image)


@pytest.mark.parametrize(
    "text", ["git:", "git:-h", "git:nosuch", "dir:nosuch", "image:"]
)
def test_explicit_references_that_do_not_exist(
    repository: Repository, text: str
) -> None:
    """What a prefix names must be there; options to git are no revisions."""
    repository.commit("a", "x")

    with pytest.raises(InputError):
        resolve(text, cwd=repository.root, image_exists=_any_image)


def test_a_clean_work_tree_is_its_commit(repository: Repository) -> None:
    """A directory has a commit as long as it holds nothing else."""
    commit = repository.commit("a", "x")
    clean = resolve("dir:.", cwd=repository.root, image_exists=_no_image)
    (repository.root / "new").touch()
    changed = resolve("dir:.", cwd=repository.root, image_exists=_no_image)

    assert (clean.commit, changed.commit) == (commit, "")


def test_defaults_are_the_change_of_a_branch(repository: Repository) -> None:
    """Baseline: where HEAD left the default branch. Candidate: the work tree."""
    fork = repository.commit("a", "x")
    repository.git("checkout", "-q", "-b", "fix")
    repository.commit("sub/b", "y")
    repository.git("checkout", "-q", "main")
    repository.commit("c", "z")
    repository.git("checkout", "-q", "fix")
    below = repository.root / "sub"
    baseline = default(Arm.BASELINE, _SERVICE, cwd=below)
    candidate = default(Arm.CANDIDATE, _SERVICE, cwd=below)

    assert baseline.commit == fork
    assert baseline.text == f"git:{fork[:10]} (merge base with main)"
    assert (candidate.kind, candidate.value) == (Kind.DIR, str(repository.root))


@pytest.mark.parametrize(
    ("service", "kind"),
    [({"image": "shop:1"}, Kind.IMAGE), ({"url": "http://a"}, Kind.URL)],
)
def test_the_scenario_may_name_the_baseline(
    tmp_path: Path, service: dict[str, str], kind: Kind
) -> None:
    """A scenario's image or URL is the baseline, and never both arms."""
    terms = Service.model_validate(service)

    assert default(Arm.BASELINE, terms, cwd=tmp_path).kind is kind
    with pytest.raises(InputError, match=f"the scenario's {kind} .* is the base") as no:
        default(Arm.CANDIDATE, terms, cwd=tmp_path)
    assert "--candidate" in no.value.hint


def test_a_shallow_clone_is_told_what_to_fetch(
    repository: Repository, tmp_path: Path
) -> None:
    """Without the merge base the message says `fetch-depth: 0`."""
    repository.commit("a", "x")
    repository.git("checkout", "-q", "-b", "fix")
    repository.commit("b", "y")
    repository.git("checkout", "-q", "main")
    shallow = tmp_path / "shallow"
    source = f"file://{repository.root}"
    repository.git("clone", "-q", "--depth=1", "-b", "fix", source, str(shallow))

    with pytest.raises(InputError, match="no merge base") as caught:
        default(Arm.BASELINE, _SERVICE, cwd=shallow)
    assert "fetch-depth: 0" in caught.value.hint


def test_outside_of_a_repository(tmp_path: Path) -> None:
    """Without a repository the defaults ask for both builds by name."""
    with pytest.raises(InputError, match="not in a git work tree") as caught:
        default(Arm.CANDIDATE, _SERVICE, cwd=tmp_path)
    assert "--baseline" in caught.value.hint


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing git is said to be missing where it is needed, and only there."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert resolve("a:1", cwd=tmp_path, image_exists=_any_image).kind is Kind.IMAGE
    assert resolve("./", cwd=tmp_path, image_exists=_no_image).kind is Kind.DIR
    with pytest.raises(InputError, match="git is not installed"):
        resolve("git:main", cwd=tmp_path, image_exists=_no_image)
