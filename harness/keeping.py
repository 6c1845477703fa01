"""Which of a round's answers are stored, and how they are compared.

Compared are the arms with each other, and the baseline with itself in the round before,
whose answers wait in their spools until this round has ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.capture.coding import coding_of, plain
from harness.compare.behaviour import Behaviour, Comparison, Shots, compared
from harness.compare.strata import (
    Answers,
    answers_by_shot,
    chosen,
    passed_over,
    strata,
)
from harness.load.answer import KEPT_BYTES
from harness.model.link import Content
from harness.model.result import Arm, ArmResult
from harness.store.answer import (
    SPOOLS,
    drop_spools,
    read_answers,
    read_spools,
    write_answers,
)
from harness.store.plan import read_requests, read_shots, sessions
from harness.store.sample import read_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.model.plan import Plan
    from harness.model.result import Round

__all__ = ["StoredAnswers", "keep_answers", "let_go"]

_FIELDS: Final = {
    "shot": "u4",
    "slice": "u2",
    "status": "u2",
    "cause": "u1",
    "digest": "u4",
}
_HOST: Final = "its-own-host"
_WAITING: Final = f"round-[0-9][0-9]/{Arm.BASELINE}"
_ALL: Final = "round-*/*"


def keep_answers(
    results: Mapping[Arm, ArmResult], plan: Plan, directory: Path
) -> dict[Arm, ArmResult]:
    """Store what will be compared of a round; the results with what is stored.

    Args:
        results: of a round whose samples are stored, but that has not its name yet.
        plan: what was sent.
        directory: the trial's.
    """
    homes = {arm: results[arm].samples.parent for arm in Arm}
    now = {arm: _answers(home, plan) for arm, home in homes.items()}
    route, session = _routes_and_sessions(plan)
    apart = chosen(strata(now[Arm.BASELINE], now[Arm.CANDIDATE], session), route)
    again = np.empty(0, np.intp)
    before = None
    for earlier in directory.glob(_WAITING):
        if any(earlier.glob(SPOOLS)):
            of_itself = _answers(earlier, plan), now[Arm.BASELINE]
            again = chosen(strata(*of_itself, session), route)
            before = homes[Arm.BASELINE] / "before.parquet"
            _store(earlier, again.tolist(), before)
    wanted = {
        Arm.BASELINE: _in_turn(apart.tolist(), again.tolist()),
        Arm.CANDIDATE: apart.tolist(),
    }
    for arm, home in homes.items():
        _store(home, wanted[arm], home / "answers.parquet")
    drop_spools(homes[Arm.CANDIDATE])
    for earlier in directory.glob(_WAITING):
        drop_spools(earlier)
    return {
        arm: replace(
            results[arm],
            answers=home / "answers.parquet",
            before=before if arm is Arm.BASELINE else None,
        )
        for arm, home in homes.items()
    }


class StoredAnswers:
    """The answers of one round after the other, compared as they are stored.

    Args:
        shots: of the plan.
        hosts: names that builds are asked for and give themselves, such as
            `a.example:8080`; none where both are asked for the recording's.
    """

    def __init__(self, shots: Shots, hosts: Collection[str] = ()) -> None:
        self._shots = shots
        longest_first = sorted(map(re.escape, hosts), key=len, reverse=True)
        self._hosts = (
            re.compile(rf"(?<![\w.-])(?:{'|'.join(longest_first)})(?![\w-])")
            if longest_first
            else None
        )
        self._before: Answers | None = None

    def behaviour(self, round_: Round) -> tuple[Behaviour | None, Behaviour | None]:
        """Of all answers, and of those that may be shown, where any were kept."""
        arms = [round_.arm(arm) for arm in Arm]
        if any(arm.answers is None for arm in arms):
            return None, None
        size = len(self._shots.route)
        baseline, candidate = (
            answers_by_shot(read_columns(arm.samples, _FIELDS), size) for arm in arms
        )
        said, other = (_contents(arm.answers, self._hosts) for arm in arms)
        changed = compared(baseline, candidate, self._shots, _both(said, other))
        noise: tuple[Comparison | None, Comparison | None] = (None, None)
        before, self._before = self._before, baseline
        if before is not None and round_.baseline.before is not None:
            earlier = _both(_contents(round_.baseline.before, self._hosts), said)
            noise = compared(before, baseline, self._shots, earlier)
        share = passed_over(baseline, candidate, self._shots.session)
        everything, shown = (
            Behaviour(*each, passed_over=share)
            for each in zip(changed, noise, strict=True)
        )
        return everything, shown


_Contents = Callable[[int], Content | None]


def _contents(path: Path | None, hosts: re.Pattern[str] | None) -> _Contents:
    """What an answer says, by its shot, as far as it is stored and can be unpacked.

    The names of both builds are one word, whichever of them says it.
    """
    answers = read_answers(path) if path is not None else {}

    def content(shot: int) -> Content | None:
        answer = answers.get(shot)
        if answer is None:
            return None
        body = plain(answer.body, coding_of(answer.headers), KEPT_BYTES)
        body = answer.body if body is None else body
        cut = max(len(answer.body), len(body)) >= KEPT_BYTES
        said = Content(answer.headers, body, cut=cut)
        return said if hosts is None else _of_any_host(said, hosts)

    return content


def _of_any_host(content: Content, hosts: re.Pattern[str]) -> Content:
    headers = tuple((name, hosts.sub(_HOST, value)) for name, value in content.headers)
    body = hosts.sub(_HOST, content.body.decode("latin-1")).encode("latin-1")
    return Content(headers, body, cut=content.cut)


def _both(
    before: _Contents, after: _Contents
) -> Callable[[int], tuple[Content, Content] | None]:
    def contents(shot: int) -> tuple[Content, Content] | None:
        old, new = before(shot), after(shot)
        return None if old is None or new is None else (old, new)

    return contents


def let_go(directory: Path) -> None:
    """Remove the answers that wait for one more round, or for the end of theirs."""
    for home in directory.glob(_ALL):
        drop_spools(home)


def _answers(home: Path, plan: Plan) -> Answers:
    samples = read_columns(home / "samples.parquet", _FIELDS)
    return answers_by_shot(samples, plan.shots)


def _routes_and_sessions(plan: Plan) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of each shot, as numbers."""
    names = [each.route for each in read_requests(plan.requests_path)]
    _, number = np.unique(names, return_inverse=True)
    shots = read_shots(plan.shots_path)
    return number[shots["request"]], sessions(shots)


def _in_turn(first: Iterable[int], second: Iterable[int]) -> list[int]:
    """Both, neither behind the other should there not be room for all, each once."""
    both = chain.from_iterable(zip_longest(first, second))
    return [shot for shot in dict.fromkeys(both) if shot is not None]


def _store(home: Path, shots: list[int], path: Path) -> None:
    spools = tuple(home.glob(SPOOLS))
    write_answers(path, read_spools(spools, shots) if spools else ())
