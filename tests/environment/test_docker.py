from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.environment.docker import _volumes
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.environment.build import Order


def test_volumes_start_at_the_scenario(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """Relative host paths get the scenario's directory before them, modes stay."""
    (tmp_path / "seed").mkdir()

    assert _volumes(order(tmp_path, volumes=["./seed:/a:ro", f"{tmp_path}:/b"])) == [
        f"{tmp_path}/seed:/a:ro",
        f"{tmp_path}:/b",
    ]


@pytest.mark.parametrize("volume", ["./missing:/a", "seed"])
def test_volumes_that_would_be_made_up(
    tmp_path: Path, volume: str, order: Callable[..., Order]
) -> None:
    """A missing source, which the engine would create, and a lone name are refused."""
    (tmp_path / "seed").mkdir()

    with pytest.raises(InputError, match=f"volume {volume!r}"):
        _volumes(order(tmp_path, volumes=[volume]))
