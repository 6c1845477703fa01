"""Which code an arm runs: `git:…`, `image:…`, `dir:…`, a URL, or one of them bare."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from harness.environment import git
from harness.errors import InputError
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.model.scenario import Service

__all__ = ["Kind", "Reference", "authority", "default", "resolve"]

_URL_SCHEMES: Final = ("http://", "https://")


class Kind(StrEnum):
    """What a reference names; also the prefix that says so."""

    GIT = "git"
    IMAGE = "image"
    DIR = "dir"
    URL = "url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One build's code, found.

    Attributes:
        kind: what `value` is.
        value: full commit id, image name, absolute directory or URL.
        text: as it was given, or how it was chosen.
        commit: the commit whose content this is exactly; empty for a directory with
            changes, for images and for URLs. Equal commits are equal code.
        repository: root of the work tree that a commit was found in.
    """

    kind: Kind
    value: str
    text: str
    commit: str = ""
    repository: Path | None = None

    @property
    def exact(self) -> str:
        """The reference that can be read in one way only."""
        return self.value if self.kind is Kind.URL else f"{self.kind}:{self.value}"


def authority(text: str) -> str:
    """The name that a deployed build is asked by, of its URL; empty for others."""
    if not text.startswith(_URL_SCHEMES):
        return ""
    return urlsplit(text).netloc.rpartition("@")[2]


def _of_commit(value: str, text: str, cwd: Path) -> Reference:
    commit = git.commit_of(cwd, value)
    root = git.toplevel(cwd)
    return Reference(
        kind=Kind.GIT, value=commit, text=text, commit=commit, repository=root
    )


def _of_directory(value: str, text: str, cwd: Path) -> Reference:
    directory = (cwd / value).expanduser().resolve()
    if not directory.is_dir():
        raise InputError(f"{text}: {directory} is not a directory")
    return Reference(
        kind=Kind.DIR, value=str(directory), text=text, commit=_clean_head(directory)
    )


def _of_image(value: str, text: str, _: Path) -> Reference:
    if not value:
        raise InputError(f"{text!r} names no image", hint="as image:shop:1.4")
    return Reference(kind=Kind.IMAGE, value=value, text=text)


_PREFIXES: Final[Mapping[str, Callable[[str, str, Path], Reference]]] = {
    Kind.GIT: _of_commit,
    Kind.IMAGE: _of_image,
    Kind.DIR: _of_directory,
}


def _clean_head(directory: Path) -> str:
    """HEAD, where `directory` is the root of a work tree without changes."""
    if shutil.which("git") is None:
        return ""
    try:
        root = git.toplevel(directory).resolve()
        same = root == directory and git.is_clean(directory)
        return git.commit_of(directory, "HEAD") if same else ""
    except InputError:
        return ""


def _is_commit(text: str, cwd: Path) -> bool:
    if shutil.which("git") is None:
        return False
    try:
        return bool(git.commit_of(cwd, text))
    except InputError:
        return False


def resolve(text: str, *, cwd: Path, image_exists: Callable[[str], bool]) -> Reference:
    """The code that a reference names.

    A bare text is a URL, a directory (with a `.` or `/` in it), a commit or an image,
    whichever one of them exists.

    Args:
        text: as it was given.
        cwd: relative directories start here, and commits are looked for here.
        image_exists: whether the engine has an image of that name.

    Raises:
        InputError: nothing fits, or more than one reading does.
    """
    if text.startswith(_URL_SCHEMES):
        return Reference(kind=Kind.URL, value=text, text=text)
    prefix, colon, value = text.partition(":")
    if colon and prefix in _PREFIXES:
        return _PREFIXES[prefix](value, text, cwd)
    return _of_bare(text, cwd, image_exists)


def _of_bare(text: str, cwd: Path, image_exists: Callable[[str], bool]) -> Reference:
    looks_like_path = "." in text or "/" in text
    readings = {
        Kind.DIR: looks_like_path and (cwd / text).expanduser().is_dir(),
        Kind.GIT: _is_commit(text, cwd),
        Kind.IMAGE: bool(text) and image_exists(text),
    }
    fitting = [kind for kind, fits in readings.items() if fits]
    if len(fitting) == 1:
        return _PREFIXES[fitting[0]](text, text, cwd)
    prefixed = " or ".join(f"{kind}:{text}" for kind in fitting or _PREFIXES)
    if fitting:
        raise InputError(
            f"{text!r} can be read as {' and as '.join(fitting)}",
            hint=f"write {prefixed}",
        )
    raise InputError(
        f"{text!r} is no commit of the repository at {cwd}, no local image and no "
        "directory written with a `.` or `/`",
        hint=f"say which is meant: {prefixed}",
    )


def default(arm: Arm, service: Service, *, cwd: Path) -> Reference:
    """What an arm runs where nothing is said.

    The baseline is the scenario's own image or URL, otherwise the merge base of HEAD
    with the default branch. The candidate is the work tree.

    Raises:
        InputError: not in a git work tree, or there is no merge base; or a candidate is
            to be compared with the scenario's image or URL, but none is named.
    """
    if arm is Arm.CANDIDATE:
        return _changed(service, cwd)
    if service.url is not None:
        return Reference(kind=Kind.URL, value=service.url, text=service.url)
    if service.image is not None:
        return _of_image(service.image, f"image:{service.image}", cwd)
    commit, branch = git.merge_base(cwd)
    return _of_commit(commit, f"git:{commit[:10]} (merge base with {branch})", cwd)


def _changed(service: Service, cwd: Path) -> Reference:
    fixed = {"image": service.image, "url": service.url}
    for name, value in fixed.items():
        if value is not None:
            raise InputError(
                f"the scenario's {name} {value} is the baseline",
                hint="name the candidate with --candidate",
            )
    return _of_directory(str(git.toplevel(cwd)), "work tree", cwd)
