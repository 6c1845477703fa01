"""The metrics that a service exposes, in the text format of Prometheus, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/; OpenMetrics 1.0 is read as
well, without its exemplars and units.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MOST", "Series", "exposed"]

MOST: Final = 20_000
"""Series of a page that are read."""

_TYPE: Final = re.compile(r"#\s*TYPE\s+(\S+)\s+(\w+)\s*")
_SAMPLE: Final = re.compile(
    r'([A-Za-z_:][\w:]*)(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?\s+(\S+)(?:\s.*)?', re.ASCII
)
_ENDINGS: Final = re.compile(r"_(?:total|sum|count|bucket|created)$")
_COUNTED: Final = frozenset({"counter", "histogram", "summary"})


class Series(NamedTuple):
    """One series at one moment.

    Attributes:
        counts: whether it only rises, so that its increase tells something.
        value: a finite number.
    """

    counts: bool
    value: float


def exposed(page: str) -> Mapping[str, Series]:
    """The series of a page by name and labels; the first `MOST` of them.

    A value that is no finite number is left out, of two of a name the first counts.

    Raises:
        ValueError: it is no page of metrics; says what it is instead.
    """
    kinds: dict[str, str] = {}
    found: dict[str, Series] = {}
    for line in filter(None, map(str.strip, page.splitlines())):
        if line.startswith("#"):
            if said := _TYPE.match(line):
                kinds[said[1]] = said[2]
        elif len(found) < MOST:
            for name, series in _series(line, kinds):
                found.setdefault(name, series)
    return found


def _series(line: str, kinds: Mapping[str, str]) -> Iterator[tuple[str, Series]]:
    sample = _SAMPLE.fullmatch(line)
    if sample is None:
        raise ValueError(f"not a page of metrics: {line[:60]!r}")
    try:
        value = float(sample[3])
    except ValueError:
        raise ValueError(f"no number of a metric: {line[:60]!r}") from None
    name = sample[1]
    kind = kinds.get(name) or kinds.get(_ENDINGS.sub("", name), "")
    quantile = kind == "summary" and "quantile=" in (sample[2] or "")
    counts = (kind in _COUNTED and not quantile) or (
        not kind and name.endswith("_total")
    )
    if isfinite(value) and not name.endswith("_created"):
        yield name + (sample[2] or ""), Series(counts, value)
