"""The comment, against an API on loopback that answers as GitHub's does."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from harness.cli import seatrial
from harness.errors import InputError, SeatrialError
from harness.github import Pull, post, pull_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARKER = "<!-- seatrial: checkout -->"
TEXT = f"# PASS: checkout\n\nwhy\n\n{MARKER}\n"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Api:
    """The comments of pull request 7, and what it says before it works.

    Attributes:
        comments: by number.
        refusals: the first answers to requests of a method, one after the other.
        user: whom the token belongs to; nobody for that of a job.
        asked: every request, method and path.
    """

    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    refusals: dict[str, list[Answer]] = field(default_factory=dict)
    user: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    url: str = ""

    def said(self, text: str, user: dict[str, str] = BOT) -> int:
        number = len(self.comments) + 1
        self.comments[number] = {
            "id": number,
            "body": text,
            "user": user,
            "html_url": f"https://example.org/7#{number}",
        }
        return number

    def answer(self, method: str, path: str, body: dict[str, str]) -> Answer:
        if self.refusals.get(method):
            return self.refusals[method].pop(0)
        if path == "/user":
            me: Answer = (200, {}, {"login": self.user})
            return me if self.user else (403, {}, {"message": "not by integration"})
        path, _, query = path.partition("?")
        page = int(query.partition("&page=")[2] or 1)
        if (method, path) == ("GET", "/repos/o/r/issues/7/comments"):
            link = f'<{self.url}{path}?per_page=100&page={page + 1}>; rel="next"'
            found = list(self.comments.values())[100 * (page - 1) : 100 * page]
            more = len(self.comments) > 100 * page
            return 200, {"Link": link} if more else {}, found
        if (method, path) == ("POST", "/repos/o/r/issues/7/comments"):
            return 201, {}, self.comments[self.said(body["body"])]
        comment = self.comments[int(path.removeprefix("/repos/o/r/issues/comments/"))]
        comment["body"] = body["body"]
        return 200, {}, comment


@pytest.fixture
def api() -> Iterator[Api]:
    """On loopback."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            with suppress(OSError):
                super().handle_one_request()

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length) or "{}")
            api.asked.append((self.command, self.path))
            api.tokens.add(self.headers["Authorization"])
            status, headers, document = api.answer(self.command, self.path, body)
            raw = document if isinstance(document, bytes) else None
            content = json.dumps(document).encode() if raw is None else raw
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _do  # noqa: N815 - as the library has it

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield api
        server.shutdown()


@pytest.fixture
def pull(api: Api) -> Pull:
    """The pull request that is commented on."""
    return Pull(api=api.url, repository="o/r", number=7, token="t")  # noqa: S106


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    naps: list[float] = []
    monkeypatch.setattr("harness.github.time.sleep", naps.append)
    return naps


def quiet(_: str) -> None:
    pass


def bodies(api: Api) -> list[str]:
    return [each["body"] for each in api.comments.values()]


def test_the_first_comment_is_made(api: Api, pull: Pull) -> None:
    """Beside what others said, and it is known where it is."""
    api.said("nice")

    assert post(pull, TEXT, MARKER, quiet) == "https://example.org/7#2"

    assert bodies(api) == ["nice", TEXT]
    assert api.tokens == {"Bearer t"}


@pytest.mark.parametrize("before", [0, 99, 100, 250])
def test_the_next_one_replaces_it(api: Api, pull: Pull, before: int) -> None:
    """However many comments came before; there is one, and it is the latest."""
    for _ in range(before):
        api.said("nice")
    post(pull, TEXT, MARKER, quiet)
    api.said("thanks")

    post(pull, f"# FAIL\n\n{MARKER}\n", MARKER, quiet)

    assert bodies(api).count(f"# FAIL\n\n{MARKER}\n") == 1
    assert not any("PASS" in each for each in bodies(api))
    assert len(api.comments) == before + 2


@pytest.mark.parametrize(
    ("text", "user"),
    [
        (f"> {MARKER}\n\nsee there", BOT),
        (f"# PASS\n\n{MARKER}", {"login": "mallory", "type": "User"}),
        (TEXT.replace("checkout", "search"), BOT),
    ],
    ids=["quoted", "forged", "of another scenario"],
)
def test_what_is_not_ours_is_left_alone(
    api: Api, pull: Pull, text: str, user: dict[str, str]
) -> None:
    """Nobody else's comment gets to carry a verdict, nor is it lost."""
    api.said(text, user)

    post(pull, TEXT, MARKER, quiet)

    assert bodies(api) == [text, TEXT]


def test_a_person_s_token(api: Api, pull: Pull) -> None:
    """With a token of somebody's own, theirs is the comment that is edited."""
    api.user = "mona"
    api.said(TEXT, BOT)
    api.said(TEXT, {"login": "mona", "type": "User"})

    post(pull, "new", MARKER, quiet)

    assert bodies(api) == [TEXT, "new"]


LIMITED = {"message": "You have exceeded a secondary rate limit. Please wait"}


@pytest.mark.parametrize(
    ("refusal", "waits"),
    [
        ((502, {}, {"message": "Server Error"}), [1.0]),
        ((429, {"Retry-After": "7"}, LIMITED), [7.0]),
        ((403, {"Retry-After": "7"}, LIMITED), [7.0]),
        ((403, {}, LIMITED), [60.0]),
        ((403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, {}), [1.0]),
        ((200, {}, b"<html>a proxy</html>"), [1.0]),
    ],
    ids=["broken", "429", "403", "without a time", "by the hour", "not JSON"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_is_asked_again(
    api: Api,
    pull: Pull,
    naps: list[float],
    *,
    method: str,
    refusal: Answer,
    waits: list[float],
) -> None:
    """Where it limits or fails, after as long as it asks for, and no comment twice."""
    api.refusals[method] = [refusal]
    said: list[str] = []

    post(pull, TEXT, MARKER, said.append)

    assert naps == waits
    assert bodies(api) == [TEXT]
    assert f"again in {waits[0]:.0f} s" in said[0]


@pytest.mark.parametrize(
    ("refusal", "message", "hint"),
    [
        ((403, {}, {"message": "Resource not accessible"}), "403: Resource", "fork"),
        ((404, {}, {"message": "Not Found"}), "404: Not Found", "repository"),
        ((401, {}, {"message": "Bad credentials"}), "401: Bad", "token"),
        ((422, {}, {"message": "Validation Failed"}), "422: Validation", ""),
    ],
)
def test_it_refuses(
    api: Api,
    pull: Pull,
    naps: list[float],
    *,
    refusal: Answer,
    message: str,
    hint: str,
) -> None:
    """A refusal is final; it is named, in the API's own words, with the remedy."""
    api.refusals["POST"] = [refusal]

    with pytest.raises(SeatrialError, match=message) as caught:
        post(pull, TEXT, MARKER, quiet)

    assert hint in caught.value.hint
    assert naps == []


def test_it_never_gets_better(api: Api, pull: Pull, naps: list[float]) -> None:
    """After four attempts it is an error that says that the verdict stands."""
    api.refusals["GET"] = [(500, {}, {"message": "Server Error"})] * 9

    with pytest.raises(SeatrialError, match="500: Server Error") as caught:
        post(pull, TEXT, MARKER, quiet)

    assert naps == [1.0, 4.0, 16.0]
    assert "the verdict stands" in caught.value.hint


def test_an_hour_is_too_long(api: Api, pull: Pull, naps: list[float]) -> None:
    """Nobody waits for a limit that ends in an hour."""
    api.refusals["GET"] = [(403, {"Retry-After": "3600"}, LIMITED)]

    with pytest.raises(SeatrialError, match="secondary rate limit"):
        post(pull, TEXT, MARKER, quiet)

    assert naps == []


def test_nobody_answers(pull: Pull, naps: list[float]) -> None:
    """An API that cannot be reached is an error, after as many attempts."""
    with pytest.raises(SeatrialError, match=r"127\.0\.0\.1"):
        post(replace(pull, api="http://127.0.0.1:9"), TEXT, MARKER, quiet)

    assert naps == [1.0, 4.0, 16.0]


def event(tmp_path: Path, document: str) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(document)
    return {
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_TOKEN": "t",
    }


@pytest.mark.parametrize("document", ["{}", '{"pull_request": {}}', '{"ref": "main"}'])
def test_no_pull_request(tmp_path: Path, document: str) -> None:
    """A push, a schedule or a shell has nothing to comment on."""
    assert pull_of(event(tmp_path, document)) is None
    assert pull_of({}) is None


@pytest.mark.parametrize("document", ["", "[]", "{", '{"pull_request": 7}'])
def test_a_broken_event(tmp_path: Path, document: str) -> None:
    """What GitHub would never write is named with its place."""
    with pytest.raises(InputError, match=r"GITHUB_EVENT_PATH: .*event\.json"):
        pull_of(event(tmp_path, document))


@pytest.mark.parametrize("name", ["GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_what_is_missing(tmp_path: Path, name: str) -> None:
    """A pull request without what it takes to comment says what that is."""
    environ = event(tmp_path, '{"pull_request": {"number": 7}}')

    with pytest.raises(InputError, match=f"{name} is not set"):
        pull_of({**environ, name: ""})


@pytest.mark.parametrize(
    ("document", "said"),
    [('{"pull_request": {"number": 7}}', "#1"), ("{}", "no pull request")],
)
def test_the_command(api: Api, tmp_path: Path, document: str, said: str) -> None:
    """`seatrial comment TRIAL` says where the comment is, or that there is no need."""
    (tmp_path / "summary.md").write_text(TEXT)
    environ = {**event(tmp_path, document), "GITHUB_API_URL": api.url}

    result = CliRunner().invoke(seatrial, ["comment", str(tmp_path)], env=environ)

    assert result.exit_code == 0, result.output
    assert said in result.output
    assert bodies(api) == ([TEXT] if api.asked else [])


def test_half_a_summary(api: Api, tmp_path: Path) -> None:
    """A summary that lost its end has no mark to be known by, and is not posted."""
    (tmp_path / "summary.md").write_text("# FAIL: checkout\n\n</details>\n")
    api.said("Report\n</details>", {"login": "codecov[bot]", "type": "Bot"})

    code, said = commented(api, tmp_path, tmp_path)

    assert code == 2
    assert "it is not whole" in said
    assert bodies(api) == ["Report\n</details>"]


def test_no_trial(tmp_path: Path) -> None:
    """A directory without a summary is named, pull request or not."""
    result = CliRunner().invoke(
        seatrial, ["comment", str(tmp_path)], env={}, standalone_mode=False
    )

    assert result.return_value == 2
    assert "summary.md" in result.output


def test_one_fails(api: Api, tmp_path: Path) -> None:
    """The others are commented on all the same; the code is the worst failure's."""
    trials = [tmp_path / name for name in ("none", "refused", "good")]
    for trial in trials[1:]:
        trial.mkdir()
        (trial / "summary.md").write_text(TEXT)
    api.refusals["POST"] = [(422, {}, {"message": "Validation Failed"})]

    code, said = commented(api, tmp_path, *trials)

    assert code == 4
    assert "none/summary.md: cannot be read" in said
    assert "422: Validation Failed" in said
    assert bodies(api) == [TEXT]


def commented(api: Api, tmp_path: Path, *trials: Path) -> tuple[int, str]:
    environ = {
        **event(tmp_path, '{"pull_request": {"number": 7}}'),
        "GITHUB_API_URL": api.url,
    }
    result = CliRunner().invoke(
        seatrial, ["comment", *map(str, trials)], env=environ, standalone_mode=False
    )
    return result.return_value, result.output
