from __future__ import annotations

from typing import TYPE_CHECKING

from harness.environment.build import Build
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
