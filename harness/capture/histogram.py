"""Any number of positive numbers in little memory, each exact to half a percent."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Histogram"]

_STEP: Final = math.log(1.01)


class Histogram:
    """Counts by size, in buckets of 1 %, much as HDR Histogram has them."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, values: NDArray[Any]) -> None:
        """Count some; what is below 1 counts as 0."""
        sizes = np.log(np.maximum(values, 1).astype(float)) // _STEP + 1
        found, counts = np.unique(np.where(values < 1, 0, sizes), return_counts=True)
        self._counts.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))

    def quantile(self, share: float) -> int | None:
        """The smallest number that so many are not above; `None` without any."""
        rank, below = math.ceil(share * len(self)), 0
        for bucket in sorted(self._counts):
            below += self._counts[bucket]
            if below >= rank:
                return round(math.exp((bucket - 0.5) * _STEP)) if bucket else 0
        return None
