from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harness.environment.image import tag_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.environment.build import Order

_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
"""A path component, as in the distribution specification."""


def test_the_tag_names_scenario_and_arm(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """Each scenario has one image an arm."""
    assert tag_of(order(tmp_path)) == "seatrial/checkout-peak-candidate"


@given(first=st.sampled_from("aZ9"), rest=st.text("aZ9._-"))
def test_every_scenario_name_gives_a_tag(
    first: str, rest: str, order: Callable[..., Order]
) -> None:
    """Whatever a scenario may be called, the engine accepts its tag."""
    tag = tag_of(replace(order(Path()), name=first + rest))

    assert all(_REPOSITORY.fullmatch(part) for part in tag.split("/"))
