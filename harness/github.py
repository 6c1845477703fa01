"""A trial's summary as one comment on a pull request, edited in place.

The API is GitHub's: https://docs.github.com/en/rest/issues/comments; how long to stay
away where it limits: https://docs.github.com/en/rest/using-the-rest-api/
rate-limits-for-the-rest-api.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests

from harness.errors import InputError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Pull", "post", "pull_of"]

_PAUSES_S: Final = (1.0, 4.0, 16.0)
_LONGEST_S: Final = 60.0
"""Nobody waits longer than that for a comment."""
_TIMEOUT_S: Final = 30.0
_PAGES: Final = 100
_SAID: Final = 200
_OK: Final = frozenset({200, 201})
_LIMITED: Final = frozenset({403, 429})
_BROKEN: Final = 500
_REMEDIES: Final[Mapping[int, str]] = {
    401: "is the token that of this run?",
    403: "`permissions: {pull-requests: write}` lets the job comment; a fork's job may"
    " not, whatever it asks for",
    404: "is the token for this repository?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request that may be commented on.

    Attributes:
        api: the base URL of the API.
        repository: as `owner/name`.
        number: of the pull request.
        token: that allows it.
    """

    api: str
    repository: str
    number: int
    token: str


def pull_of(environ: Mapping[str, str]) -> Pull | None:
    """The pull request that this job of GitHub Actions runs for; `None` outside of one.

    Raises:
        InputError: it runs for one, and what it takes to comment is not there.
    """
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not path:
        return None
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as it was given
            number = json.load(file).get("pull_request", {}).get("number")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"GITHUB_EVENT_PATH: {path}: {error}") from error
    if not isinstance(number, int):
        return None
    for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN"):
        if not environ.get(name):
            raise InputError(
                f"{name} is not set", hint="env: {GITHUB_TOKEN: ${{ github.token }}}"
            )
    return Pull(
        api=environ.get("GITHUB_API_URL") or "https://api.github.com",
        repository=environ["GITHUB_REPOSITORY"],
        number=number,
        token=environ["GITHUB_TOKEN"],
    )


def post(pull: Pull, text: str, marker: str, announce: Callable[[str], None]) -> str:
    """Write the comment that ends in a marker, or write it anew; gives its address.

    Where the API limits or fails, it is asked again, three times within a minute or so.

    Args:
        pull: what is commented on.
        text: of the comment, which ends in the marker.
        marker: by which a later run finds it again.
        announce: told what is waited for.

    Raises:
        SeatrialError: the API refuses, or cannot be reached.
    """
    with requests.Session() as session:
        session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {pull.token}",
                "X-GitHub-Api-Version": "2022-11-28",
            }
        )
        forum = _Forum(session, pull)
        for pause_s in _PAUSES_S:
            try:
                return forum.post(text, marker)
            except _LaterError as later:
                wait_s = max(later.after_s, pause_s)
                if wait_s > _LONGEST_S:
                    raise
                announce(f"{later.message}; again in {wait_s:.0f} s")
                time.sleep(wait_s)
        return forum.post(text, marker)


class _LaterError(SeatrialError):
    """The API may answer if it is asked again, after so many seconds."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        super().__init__(
            message, hint="the verdict stands; only its comment is missing"
        )
        self.after_s = after_s


class _Forum:
    """The comments of one pull request."""

    def __init__(self, session: requests.Session, pull: Pull) -> None:
        self._session = session
        self._repository = f"{pull.api.rstrip('/')}/repos/{pull.repository}"
        self._comments = f"{self._repository}/issues/{pull.number}/comments"
        self._user = f"{pull.api.rstrip('/')}/user"

    def post(self, text: str, marker: str) -> str:
        """Edit the comment that is there, or make the first one."""
        there = self._own(marker)
        if there is None:
            way = "POST", self._comments
        else:
            way = "PATCH", f"{self._repository}/issues/comments/{there}"
        made, _ = self._asked(*way, json={"body": text})
        return str(made["html_url"])

    def _own(self, marker: str) -> int | None:
        """The number of the first comment that ends in the marker and is our own."""
        key, value = self._me()
        for each in self._all():
            user = each["user"] or {}
            if each["body"].rstrip().endswith(marker) and user.get(key) == value:
                return int(each["id"])
        return None

    def _me(self) -> tuple[str, str]:
        """By what to know our own comments: others can end theirs as we do.

        The token of a job belongs to a bot, which is no user to ask for.
        """
        try:
            user, _ = self._asked("GET", self._user)
        except _LaterError:
            raise
        except SeatrialError:
            return "type", "Bot"
        return "login", user["login"]

    def _all(self) -> Iterator[Mapping[str, Any]]:
        url = f"{self._comments}?per_page=100"
        for _ in range(_PAGES):
            found, url = self._asked("GET", url)
            yield from found
            if not url:
                return

    def _asked(self, method: str, url: str, **content: Any) -> tuple[Any, str]:
        """The document that answers, and the address of its next page, if any."""
        where = f"{method} {url}"
        try:
            answer = self._session.request(method, url, timeout=_TIMEOUT_S, **content)
            if answer.status_code in _OK:
                return answer.json(), answer.links.get("next", {}).get("url", "")
        except requests.RequestException as error:
            raise _LaterError(f"{where}: {error}") from error
        said = f"{where}: {answer.status_code}: {_said(answer)}"
        if answer.status_code >= _BROKEN:
            raise _LaterError(said)
        if (after_s := _limited_s(answer)) is not None:
            raise _LaterError(said, after_s)
        raise SeatrialError(said, hint=_REMEDIES.get(answer.status_code, ""))


def _said(answer: requests.Response) -> str:
    """The API's own words, or the start of whatever else answered."""
    try:
        return str(answer.json()["message"])[:_SAID]
    except (ValueError, KeyError, TypeError):
        return answer.text[:_SAID]


def _limited_s(answer: requests.Response) -> float | None:
    """For how long a limit asks to stay away; `None` where it is no limit."""
    if answer.status_code not in _LIMITED:
        return None
    headers = answer.headers
    if headers.get("retry-after", "").isdigit():
        return float(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0":
        reset = headers.get("x-ratelimit-reset", "")
        return max(0.0, float(reset) - time.time()) if reset.isdigit() else _LONGEST_S
    limited = answer.status_code != 403 or "rate limit" in _said(answer).lower()  # noqa: PLR2004 - a refusal
    return _LONGEST_S if limited else None
