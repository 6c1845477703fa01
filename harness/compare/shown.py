"""The part of an arm's round that a fixing agent may know of.

Whatever is made of these columns cannot tell of a held-out request: its samples are not
there. Memory, CPU time and how the build ended are the whole build's, which no request
can be taken out of.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.compare.log import LogEvidence, Logged
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from harness.compare.measure import ArmColumns
    from harness.model.result import Round

__all__ = ["shown", "shown_logs", "shown_round"]


def shown(
    columns: ArmColumns, held_out: NDArray[np.bool_], planned_held_out: int
) -> ArmColumns:
    """The columns without the held-out samples.

    Args:
        columns: of an arm's round.
        held_out: for each sample, whether it is.
        planned_held_out: of the planned shots, how many are.
    """
    kept = ~held_out
    planned = columns.planned - planned_held_out
    return replace(
        columns,
        samples={name: column[kept] for name, column in columns.samples.items()},
        route=columns.route[kept],
        recorded_status=columns.recorded_status[kept],
        planned=planned,
        share=planned / columns.planned if columns.planned else 1.0,
    )


def shown_round(round_: Round) -> Round:
    """The round without what its books count of held-out requests, too."""
    arms = {
        arm: replace(result, books=replace(result.books, unfilled=0))
        for arm, result in ((arm, round_.arm(arm)) for arm in Arm)
    }
    return replace(round_, baseline=arms[Arm.BASELINE], candidate=arms[Arm.CANDIDATE])


def shown_logs(logs: Mapping[Arm, LogEvidence]) -> dict[Arm, LogEvidence]:
    """Kinds and counts alone: an entry may tell of the request that it is about."""
    return {
        arm: replace(
            log,
            kinds={kind: Logged(each.entries, "") for kind, each in log.kinds.items()},
        )
        for arm, log in logs.items()
    }
