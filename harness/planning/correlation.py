"""Which values of a session's requests came from its earlier answers.

Of the answers that had a value, the likeliest kind of place counts, there the last one
before the use. Not linked is what nobody gave: a value that the session used before any
answer had it, that the answered request had itself, or that the same request was
answered with in every session.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from harness.model.link import Extract, Fill, Links
from harness.planning.naming import noun_of_path, segments
from harness.planning.oddity import is_strong
from harness.planning.origin import origins
from harness.planning.place import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.model.link import Content
    from harness.model.plan import PlannedRequest
    from harness.model.traffic import Request
    from harness.planning.origin import Origin
    from harness.planning.place import Place

__all__ = ["correlated"]

_MOST_GIVERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Giver:
    """An answer that has a value that a later request uses."""

    row: int
    origin: Origin
    context: str
    creating: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A use of a value and where it came from."""

    row: int
    place: Place
    giver: _Giver


@dataclass(slots=True)
class _Story:
    """A session as far as it is read.

    Attributes:
        until: of each value that its requests still use, the last row that does.
        given: of each value, the answers that had it.
        own: values that it used before any answer had them; common ones with what
            they are of.
        found: uses with their origins.
    """

    until: dict[str, int] = field(default_factory=dict)
    given: defaultdict[str, list[_Giver]] = field(
        default_factory=lambda: defaultdict(list)
    )
    own: set[tuple[str, str]] = field(default_factory=set)
    found: list[_Found] = field(default_factory=list)


def correlated(
    requests: Sequence[PlannedRequest],
    number_of: Sequence[int],
    session_of: Sequence[int],
    answers: Iterable[Content | None],
) -> Mapping[int, Links]:
    """What ties the rows of a recording to others of their session.

    Args:
        requests: the distinct ones.
        number_of: of each row, the place of its request among them.
        session_of: of each row, the number of its session; rows are in order of time.
        answers: of each row, in order; `None` where it is not recorded.

    Returns:
        By row, of those that are tied.
    """
    used = [places(each.request) for each in requests]
    stories: defaultdict[int, _Story] = defaultdict(_Story)
    for row, (number, session) in enumerate(zip(number_of, session_of, strict=True)):
        for place in used[number]:
            stories[session].until[place.value] = row
    for row, content in enumerate(answers):
        story = stories.get(session_of[row])
        if story is None:
            continue
        number = number_of[row]
        _note_uses(story, row, used[number])
        if content is not None and story.until:
            taken = {place.value for place in used[number]}
            _note_answer(story, row, requests[number].request, content, taken)
    told = list(stories.values())
    _drop_constants(told, [requests[number].request for number in number_of])
    return _links(told)


def _note_uses(story: _Story, row: int, used: tuple[Place, ...]) -> None:
    for place in used:
        giver = _likeliest(story.given.get(place.value, ()), place)
        sense = place.value, "" if is_strong(place.value) else place.noun
        if giver is None:
            story.own.add(sense)
        elif sense not in story.own:
            story.found.append(_Found(row=row, place=place, giver=giver))
    for place in used:
        if story.until.get(place.value) == row:
            del story.until[place.value]


def _likeliest(givers: Sequence[_Giver], place: Place) -> _Giver | None:
    def likelihood(giver: _Giver) -> tuple[int, int]:
        origin, context, creating = giver.origin, giver.context, giver.creating
        return origin.gives(place, context, creating=creating), giver.row

    best = max(givers, key=likelihood, default=None)
    return best if best is not None and likelihood(best)[0] else None


def _note_answer(
    story: _Story, row: int, request: Request, content: Content, taken: set[str]
) -> None:
    context = noun_of_path(segments(request.target))
    creating = request.method == "POST"
    for value, origin in origins(content, story.until.keys()):
        if value not in taken:
            giver = _Giver(row=row, origin=origin, context=context, creating=creating)
            story.given[value].append(giver)
            del story.given[value][:-_MOST_GIVERS]


_Asked = tuple[str, str, bytes, Extract]
"""A request without its headers, which tell who sends it, and a place in its answer."""


def _asked(found: _Found, requests: Sequence[Request]) -> _Asked:
    request = requests[found.giver.row]
    return request.method, request.target, request.body, found.giver.origin.extract


def _drop_constants(stories: Sequence[_Story], requests: Sequence[Request]) -> None:
    """What two sessions were given by the same request, and no session otherwise."""
    values: defaultdict[_Asked, set[str]] = defaultdict(set)
    sessions: defaultdict[_Asked, set[int]] = defaultdict(set)
    for session, story in enumerate(stories):
        for found in story.found:
            asked = _asked(found, requests)
            values[asked].add(found.place.value)
            sessions[asked].add(session)
    constant = {
        asked
        for asked, given in values.items()
        if len(given) == 1 and len(sessions[asked]) > 1
    }
    for story in stories:
        story.found = [
            each for each in story.found if _asked(each, requests) not in constant
        ]


def _links(stories: Iterable[_Story]) -> dict[int, Links]:
    fills: defaultdict[int, list[Fill]] = defaultdict(list)
    extracts: defaultdict[int, list[Extract]] = defaultdict(list)
    for story in stories:
        slots: dict[tuple[int, Extract], int] = {}
        for found in story.found:
            row, extract = found.giver.row, found.giver.origin.extract
            slot = slots.get((row, extract))
            if slot is None:
                slot = slots[row, extract] = len(slots)
                extracts[row].append(replace(extract, slot=slot))
            fills[found.row].append(replace(found.place.fill, slot=slot))
    return {
        row: Links(fills=tuple(fills[row]), extracts=tuple(extracts[row]))
        for row in fills.keys() | extracts.keys()
    }
