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

from harness.model.link import NO_LINKS, Extract, Fill, Links
from harness.planning.naming import noun_of_path, segments
from harness.planning.origin import is_plausible, is_strong, origins, text_origin
from harness.planning.place import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.model.link import Content
    from harness.model.plan import PlannedRequest
    from harness.planning.origin import Origin
    from harness.planning.place import Place

__all__ = ["correlated", "linked"]

_MOST_GIVERS: Final = 8
_BY_BODY: Final = frozenset({"json", "field", "text"})
_READABLE: Final = ("gzip", "deflate", "identity")


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
        used: of each value that its requests use, the last row that does.
        given: of each value, the answers that had it.
        own: values that it used before any answer had them; common ones with what
            they are of.
        found: uses with their origins.
    """

    used: dict[str, int] = field(default_factory=dict)
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
    used = [_in_use(each) for each in requests]
    stories: defaultdict[int, _Story] = defaultdict(_Story)
    for row, (number, session) in enumerate(zip(number_of, session_of, strict=True)):
        for place in used[number]:
            stories[session].used[place.value] = row
    for row, content in enumerate(answers):
        story = stories.get(session_of[row])
        if story is None:
            continue
        number = number_of[row]
        _note_uses(story, row, used[number])
        if content is not None:
            taken = {place.value for place in used[number]}
            wanted = {
                value
                for value, last in story.used.items()
                if last > row and value not in taken
            }
            _note_answer(story, row, requests[number], content, wanted)
    _drop_constants(stories.values(), number_of)
    return _links(stories.values())


def _in_use(planned: PlannedRequest) -> tuple[Place, ...]:
    return tuple(each for each in places(planned.request) if is_plausible(each.value))


def _note_uses(story: _Story, row: int, used: tuple[Place, ...]) -> None:
    for place in used:
        giver = _likeliest(story.given.get(place.value, ()), place)
        sense = place.value, "" if is_strong(place.value) else place.noun
        if sense in story.own:
            continue
        if giver is None:
            story.own.add(sense)
        else:
            story.found.append(_Found(row=row, place=place, giver=giver))


def _likeliest(givers: Sequence[_Giver], place: Place) -> _Giver | None:
    def likelihood(giver: _Giver) -> tuple[int, int]:
        origin, context, creating = giver.origin, giver.context, giver.creating
        return origin.gives(place, context, creating=creating), giver.row

    best = max(givers, key=likelihood, default=None)
    return best if best is not None and likelihood(best)[0] else None


def _note_answer(
    story: _Story,
    row: int,
    planned: PlannedRequest,
    content: Content,
    wanted: set[str],
) -> None:
    if not wanted:
        return
    context = noun_of_path(segments(planned.request.target))
    creating = planned.request.method == "POST"
    for value, origin in _origins_of(wanted, content):
        if origin.extract.find(content) == value:
            giver = _Giver(row=row, origin=origin, context=context, creating=creating)
            story.given[value].append(giver)
            del story.given[value][:-_MOST_GIVERS]


def _origins_of(wanted: set[str], content: Content) -> Iterator[tuple[str, Origin]]:
    missing = set(wanted)
    for group in origins(content):
        for value in wanted & group.keys():
            missing.discard(value)
            for origin in reversed(group[value][:_MOST_GIVERS]):
                yield value, origin
    for value in missing:
        if (told := text_origin(content, value)) is not None:
            yield value, told


def _drop_constants(stories: Iterable[_Story], number_of: Sequence[int]) -> None:
    """What two sessions were given by the same request, and no session otherwise."""
    values: defaultdict[tuple[int, Extract], set[str]] = defaultdict(set)
    sessions: defaultdict[tuple[int, Extract], set[int]] = defaultdict(set)

    def origin(found: _Found) -> tuple[int, Extract]:
        return number_of[found.giver.row], found.giver.origin.extract

    stories = list(stories)
    for session, story in enumerate(stories):
        for found in story.found:
            values[origin(found)].add(found.place.value)
            sessions[origin(found)].add(session)
    constant = {
        each for each in values if len(values[each]) == 1 and len(sessions[each]) > 1
    }
    for story in stories:
        story.found = [each for each in story.found if origin(each) not in constant]


def _links(stories: Iterable[_Story]) -> dict[int, Links]:
    links: defaultdict[int, Links] = defaultdict(lambda: NO_LINKS)
    for story in stories:
        slots: dict[tuple[int, Extract], int] = {}
        for found in story.found:
            row, extract = found.giver.row, found.giver.origin.extract
            slot = slots.setdefault((row, extract), len(slots))
            fill = replace(found.place.fill, slot=slot)
            links[found.row] = _with(links[found.row], fills=(fill,))
            given = replace(extract, slot=slot)
            if given not in links[row].extracts:
                links[row] = _with(links[row], extracts=(given,))
    return dict(links)


def _with(
    links: Links, fills: tuple[Fill, ...] = (), extracts: tuple[Extract, ...] = ()
) -> Links:
    return Links(fills=links.fills + fills, extracts=links.extracts + extracts)


def linked(planned: PlannedRequest, links: Links) -> PlannedRequest:
    """The request with its links; it asks for no coding that hides a value."""
    request = planned.request
    if any(extract.kind in _BY_BODY for extract in links.extracts):
        headers = tuple(
            (name, _readable(value) if name == "accept-encoding" else value)
            for name, value in request.headers
        )
        request = replace(request, headers=headers)
    return replace(planned, request=request, links=links)


def _readable(accepted: str) -> str:
    codings = [each.strip() for each in accepted.split(",")]
    kept = [each for each in codings if each.partition(";")[0] in _READABLE]
    return ", ".join(kept) or "identity"
