"""Where in the paths of a capture names stand that people give, such as titles.

Nothing in such a name tells it from a fixed part of a path; that there are so many of
them at one place does.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.model.route import SLUG, is_name, segments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from harness.capture.batch import Batch

__all__ = ["Slugs"]

_MOST_NAMES: Final = 100
_MOST_PATHS: Final = 1 << 16
_REFUSED: Final = 4
_DEEPEST: Final = 32
"""Segments of a path that count; a path of slashes alone has thousands."""


class _Place:
    """What stands below a path: names, or too many of them."""

    __slots__ = ("below", "slug")

    def __init__(self) -> None:
        self.below: dict[str, _Place] = {}
        self.slug: _Place | None = None

    def at(self, segment: str, most: int) -> _Place:
        """The place of a segment below."""
        if self.slug is not None and is_name(segment):
            return self.slug
        found = self.below.get(segment)
        if found is None:
            found = self.below[segment] = _Place()
            if sum(map(is_name, self.below)) > most:
                return self._closed(most)
        return found

    def _closed(self, most: int) -> _Place:
        """What is below any name, from now on."""
        if self.slug is None:
            self.slug = _Place()
            for name in list(filter(is_name, self.below)):
                self.slug.take(self.below.pop(name), most)
        return self.slug

    def take(self, other: _Place, most: int) -> None:
        """All that another place has, as if it had been here."""
        if other.slug is not None:
            self._closed(most).take(other.slug, most)
        for name, place in other.below.items():
            self.at(name, most).take(place, most)


class Slugs:
    """Learns from paths, in whatever order they come.

    Args:
        most: names at one place that may all be fixed parts of paths.
    """

    __slots__ = ("_most", "_root", "_seen")

    def __init__(self, most: int = _MOST_NAMES) -> None:
        self._most = most
        self._root = _Place()
        self._seen: set[str] = set()

    def watched(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches; a path that the service does not have teaches nothing."""
        for batch in batches:
            for place in np.unique(batch.requests.places[_found(batch)]).tolist():
                self.add(batch.requests.values[place].target)
            yield batch

    def add(self, target: str) -> None:
        """Note the path of a request target."""
        path = target.partition("?")[0]
        if path in self._seen:
            return
        if len(self._seen) < _MOST_PATHS:
            self._seen.add(path)
        place = self._root
        for segment in islice(segments_of(path), 1, 1 + _DEEPEST):
            place = place.at(segment, self._most)

    def prefixes(self) -> tuple[str, ...]:
        """Paths below which each name is a slug."""
        return tuple(sorted(_prefixes(self._root, "")))


def _found(batch: Batch) -> NDArray[np.bool_]:
    """Rows that were not refused, such as by a 404."""
    statuses = [each.status if each else 0 for each in batch.responses.values]
    refused = np.array([status // 100 == _REFUSED for status in statuses], np.bool_)
    found: NDArray[np.bool_] = ~refused[batch.responses.places]
    return found


def _prefixes(place: _Place, path: str) -> Iterator[str]:
    if place.slug is not None:
        yield path
        yield from _prefixes(place.slug, f"{path}/{SLUG}")
    for name, below in place.below.items():
        yield from _prefixes(below, f"{path}/{name}")
