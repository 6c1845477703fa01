"""Questions to the git command line. It reads; the work tree is never touched."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from harness.errors import InputError, SeatrialError

__all__ = [
    "commit_of",
    "export",
    "files",
    "ignored",
    "is_clean",
    "merge_base",
    "toplevel",
]

_DEFAULT_BRANCHES: Final = (
    "origin/HEAD",
    "origin/main",
    "origin/master",
    "main",
    "master",
)
_SHALLOW: Final = (
    "this clone is shallow: fetch the whole history, in GitHub Actions with "
    "`fetch-depth: 0` at actions/checkout, elsewhere with `git fetch --unshallow`"
)
_HOOK_VARIABLES: Final = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE")


def _environment() -> dict[str, str]:
    """Without what git sets for its hooks, which would win over `-C`."""
    inherited = {k: v for k, v in os.environ.items() if k not in _HOOK_VARIABLES}
    return {**inherited, "LC_ALL": "C"}


def _run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", "-C", str(directory), *arguments],
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="surrogateescape",
            env=_environment(),
        )
    except FileNotFoundError as exc:
        raise InputError(
            "git is not installed", hint="install git, or give dir:… or image:…"
        ) from exc


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def toplevel(directory: Path) -> Path:
    """The root of the work tree that `directory` lies in.

    Raises:
        InputError: it lies in none, or git is not installed.
    """
    done = _run(directory, "rev-parse", "--show-toplevel")
    if done.returncode:
        raise InputError(
            f"{directory} is not in a git work tree ({_last_line(done.stderr)})",
            hint="name both builds: --baseline and --candidate, as dir:… or image:…",
        )
    return Path(done.stdout.removesuffix("\n"))


def _is_shallow(directory: Path) -> bool:
    answer = _run(directory, "rev-parse", "--is-shallow-repository").stdout
    return answer.strip() == "true"


def commit_of(directory: Path, revision: str) -> str:
    """The full id of the commit that a revision names.

    Raises:
        InputError: there is no such commit, or more than one.
    """
    root = toplevel(directory)
    verify = ("rev-parse", "--verify", f"{revision}^{{commit}}")
    done = _run(root, *verify) if revision and revision[0] != "-" else None
    if done is None or done.returncode:
        reason = _last_line(done.stderr) if done else "not a revision"
        raise InputError(
            f"git knows no single commit {revision!r} in {root} ({reason})",
            hint=_SHALLOW if _is_shallow(root) else "see `git log --all --oneline`",
        )
    return done.stdout.strip()


def is_clean(root: Path) -> bool:
    """Whether the work tree holds exactly what HEAD holds."""
    done = _run(root, "status", "--porcelain")
    return done.returncode == 0 and not done.stdout.strip()


def merge_base(directory: Path) -> tuple[str, str]:
    """Where HEAD left the default branch: the commit's id and the branch.

    Raises:
        InputError: no default branch or no common commit can be found.
    """
    root = toplevel(directory)
    head = commit_of(root, "HEAD")
    for branch in _DEFAULT_BRANCHES:
        done = _run(root, "merge-base", head, branch)
        if done.returncode == 0:
            return done.stdout.strip(), branch
    raise InputError(
        f"no merge base of HEAD with any of {', '.join(_DEFAULT_BRANCHES)} in {root}",
        hint=_SHALLOW if _is_shallow(root) else "name it with --baseline git:REF",
    )


def files(directory: Path) -> list[str] | None:
    """Paths under `directory` that git tracks or would add; `None` outside git."""
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    done = _run(directory, *listing)
    if done.returncode:
        return None
    return sorted({path for path in done.stdout.split("\0") if path})


def ignored(directory: Path) -> list[str]:
    """Paths under `directory` that git ignores, whole folders as one; none outside."""
    listing = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard")
    done = _run(directory, *listing, "--directory")
    return sorted(path for path in done.stdout.split("\0") if path)


def export(repository: Path, commit: str, directory: Path) -> None:
    """Write the content of a commit into an empty directory.

    Raises:
        SeatrialError: it cannot be written, as when the disk is full.
    """
    with tempfile.TemporaryDirectory(prefix="seatrial-") as scratch:
        archive = Path(scratch) / "tree.tar"
        packed = _run(repository, "archive", f"--output={archive}", commit)
        _expect(packed, f"git archive {commit}")
        unpacked = subprocess.run(
            ["tar", "-x", "-f", str(archive), "-C", str(directory)],
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        _expect(unpacked, f"unpacking the content of {commit}")


def _expect(done: subprocess.CompletedProcess[str], what: str) -> None:
    if done.returncode:
        raise SeatrialError(
            f"{what} failed: {_last_line(done.stderr)}",
            hint=f"is there room in {tempfile.gettempdir()}?",
        )
