from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.environment.build import Build, kinship
from harness.environment.reference import Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.environment.build import Order


def test_a_url_needs_no_other_driver(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """An arm given as a URL is reached, whatever the scenario would build."""
    assert order(tmp_path, Kind.URL, "http://a", build={}).driver == "url"
    assert order(tmp_path, build={}).driver == "docker"


def test_titles_tell_what_and_which(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """A title has the reference as given and twelve digits of the digest."""
    of_image = order(tmp_path, Kind.IMAGE, "shop:1")
    build = Build(order=of_image, digest="sha256:0123456789abcdef")

    assert build.title == "image:shop:1 (0123456789ab)"
    assert of_image.title == "candidate image:shop:1"


def test_what_git_ignores_is_told(tmp_path: Path, order: Callable[..., Order]) -> None:
    """A work tree's image may hold what a commit's cannot: the first few are named."""
    names = tuple(f"{n}.db" for n in range(7))
    commit = Build(order=order(tmp_path), digest="sha256:1")
    tree = replace(commit, digest="sha256:2", strays=names)

    (sentence,) = kinship(commit, tree)

    assert "0.db, 1.db, 2.db, 3.db, 4.db and 2 more" in sentence
    assert [] == [*kinship(replace(commit, strays=names), tree)]


def test_other_bases_are_told(tmp_path: Path, order: Callable[..., Order]) -> None:
    """A base that moved between two builds is named; a tree has none, and is not."""
    one = Build(order=order(tmp_path), digest="sha256:1", base="sha256:a")
    candidates = {
        base: replace(one, digest="sha256:2", base=base)
        for base in ("sha256:a", "sha256:b", "")
    }

    told = {base: [*kinship(one, each)] for base, each in candidates.items()}

    assert told["sha256:a"] == told[""] == []
    (sentence,) = told["sha256:b"]
    assert "differ from their lowest layer on" in sentence
    assert [*kinship(one, one)] == ["both arms are the same build"]


def test_what_both_write_to_is_told(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """A volume that is not read-only carries what one arm did to the other."""
    shared = order(tmp_path, volumes=["./a:/a:ro", "./b:/b"])
    baseline = Build(order=shared, digest="sha256:1")

    (sentence,) = kinship(baseline, replace(baseline, digest="sha256:2"))

    assert "in every round: ./b:/b;" in sentence
