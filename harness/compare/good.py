"""Whether what is answered instead of a failure looks like the route's good answers.

Good are those that the baseline itself gives on that route in the same round. A failure
in disguise sends elsewhere, says nothing, or says by the status of a success that it
failed.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.compare.strata import REDIRECT, SAYS_NOTHING, works

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from harness.compare.strata import Answers
    from harness.model.link import Content

__all__ = ["EMPTY", "UNLIKE", "GoodAnswers"]

EMPTY: Final = ", empty"
"""Follows a change of status whose new answer says nothing."""
UNLIKE: Final = ", unlike the baseline's good answers"
"""Follows one that takes a failure's place, and looks like none of them."""


class GoodAnswers:
    """The baseline's, by which others are known to be good.

    Args:
        before: all that it answered.
        route: of each shot, as a number.
        looks: shots of which contents may be stored.
        contents: of a shot, what both arms said, as far as that is stored.
    """

    def __init__(
        self,
        before: Answers,
        route: NDArray[Any],
        looks: NDArray[np.intp],
        contents: Callable[[int], tuple[Content, Content] | None],
    ) -> None:
        self._works = works(before)
        self._quiet = _quiet(before, route)
        self._route = route
        self._kind = _kind(route, before.status)
        self._kinds = frozenset(np.unique(self._kind[self._works]).tolist())
        self._routes = frozenset(np.unique(route[self._works]).tolist())
        self._looks = looks
        self._contents = contents

    def remark(self, shot: int, after: Answers) -> str:
        """What ends the kind of a change of status; nothing where all looks well."""
        route, status = int(self._route[shot]), int(after.status[shot])
        silent = after.digest[shot] in SAYS_NOTHING and not self._quiet[route]
        failed = not self._works[shot] and route in self._routes
        hidden = silent and status < REDIRECT
        unlike = failed and (hidden or not self._resembles(shot, status))
        return f"{EMPTY * silent}{UNLIKE * unlike}"

    def _resembles(self, shot: int, status: int) -> bool:
        """Unless it lacks what all of them have, and has what none of them has.

        What only lacks something may be the very case that the baseline fails at.
        """
        kind = int(_kind(self._route[shot], status))
        pair, good = self._contents(shot), self._names.get(kind)
        if pair is None or good is None:
            return kind in self._kinds
        names = _names(pair[1])
        return names >= frozenset.intersection(*good) or names <= frozenset.union(*good)

    @cached_property
    def _names(self) -> Mapping[int, list[frozenset[str]]]:
        found: dict[int, list[frozenset[str]]] = defaultdict(list)
        for shot in self._looks[self._works[self._looks]].tolist():
            if pair := self._contents(shot):
                found[int(self._kind[shot])].append(_names(pair[0]))
        return dict(found)


def _kind(route: Any, status: Any) -> Any:
    """A route and the first digit of a status, as one number."""
    return 10 * np.int64(route) + status // 100


def _quiet(before: Answers, route: NDArray[Any]) -> NDArray[np.bool_]:
    """Routes on which the baseline, where all is well, mostly says nothing."""
    good = works(before) & (before.status < REDIRECT)
    silent = good & np.isin(before.digest, SAYS_NOTHING)
    routes = int(route.max(initial=0)) + 1
    quiet: NDArray[np.bool_] = 2 * np.bincount(
        route[silent], minlength=routes
    ) > np.bincount(route[good], minlength=routes)
    return quiet


def _names(content: Content) -> frozenset[str]:
    """Of an object's members; of anything else, its type."""
    document = content.document
    if isinstance(document, dict):
        return frozenset(document)
    return frozenset({type(document).__name__})
