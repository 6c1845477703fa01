"""What a plan takes from live answers, in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.link import Extract
    from harness.model.plan import PlannedRequest

__all__ = ["in_words"]

_SHOWN: Final = 5


def in_words(requests: Sequence[PlannedRequest]) -> str:
    """How many distinct requests take values, and which answers give them.

    Empty where all is sent as recorded.
    """
    taking = sum(1 for each in requests if each.links.fills)
    if not taking:
        return ""
    givers = Counter(
        f"{each.route} ({_named(extract)})"
        for each in requests
        for extract in each.links.extracts
    )
    shown = [giver for giver, _ in givers.most_common(_SHOWN)]
    more = [f"{len(givers) - _SHOWN} more"] if len(givers) > _SHOWN else []
    return (
        f"{taking:,} of {len(requests):,} distinct requests take values of earlier "
        f"answers: {', '.join(shown + more)}"
    )


def _named(extract: Extract) -> str:
    return f"{extract.kind} {extract.name}".strip()
