"""How what a build holds grows with the requests that it has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["growth", "under_load"]

_FEWEST: Final = 10
_A_THOUSAND: Final = 1_000


def growth(
    samples: Mapping[str, NDArray[Any]],
    usage: Mapping[str, NDArray[Any]],
    held: str = "anonymous_bytes",
    *,
    after: float = 0.0,
) -> float | None:
    """How much more of something there is after 1,000 requests, in the measured slices.

    The slope of least squares through all readings that were taken while the arm was
    under load. `None` where there are fewer than 10 of them.

    Args:
        samples: a column for each of `SAMPLE_FIELDS`.
        usage: a column for each of `USAGE_FIELDS`, by the same clock.
        held: the column that grows; a reading below 0 is none.
        after: the share of the arm's requests before which nothing is looked at, for
            what settles first, such as a cache that fills.
    """
    done_ns = np.sort(samples["done_ns"][_answered(samples)])
    read = under_load(samples, usage["at_ns"]) & (usage[held] >= 0)
    answered = np.searchsorted(done_ns, usage["at_ns"][read], side="right")
    amount = usage[held][read].astype(float)
    late = answered >= after * len(done_ns)
    answered, amount = answered[late], amount[late]
    if len(answered) < _FEWEST or answered[0] == answered[-1]:
        return None
    apart, more = answered - answered.mean(), amount - amount.mean()
    return float(_A_THOUSAND * (apart @ more) / (apart @ apart))


def under_load(
    samples: Mapping[str, NDArray[Any]], at_ns: NDArray[Any]
) -> NDArray[np.bool_]:
    """Which moments are between a measured slice's first request and last answer."""
    kept = _answered(samples)
    slices, sent_ns, done_ns = (
        samples[name][kept] for name in ("slice", "sent_ns", "done_ns")
    )
    inside = np.zeros(len(at_ns), bool)
    for each in np.unique(slices):
        of = slices == each
        inside |= (sent_ns[of].min() <= at_ns) & (at_ns <= done_ns[of].max())
    return inside


def _answered(samples: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    answered: NDArray[np.bool_] = (samples["slice"] != 0) & (samples["cause"] == 0)
    return answered
