from typing import Any

import pytest
from pydantic import ValidationError

from harness.model.flow import Login, Rule

RULE = {"from": "POST /orders", "json": "$.id", "use": {"query": "id"}}


def test_one_use_or_several() -> None:
    """One use needs no list; what is written is read again as it was."""
    rule = Rule.model_validate(RULE)
    other = Rule.model_validate({**RULE, "use": [{"query": "id"}]})

    assert rule == other
    assert rule == Rule.model_validate(rule.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"json": None}, "give one of json, header, cookie, field, text"),
        ({"cookie": "a"}, "give one of json, header, cookie, field, text"),
        ({"json": None, "text": "id"}, "one group is wanted"),
        ({"json": None, "text": "(a{99999999999})"}, "no regular expression"),
        ({"json": "$.items[*].id"}, "a path in JSON is wanted"),
        ({"json": "$..id"}, "a path in JSON is wanted"),
        ({"json": "id"}, "a path in JSON is wanted"),
        ({"use": {"header": "Cookie"}}, "`Cookie` is made for each request"),
        ({"json": None, "text": "(id"}, "no regular expression"),
        ({"use": []}, "at least 1 item"),
        ({"use": {}}, "give one of path, query, form, header"),
        ({"use": {"query": "a", "form": "b"}}, "give one of path, query, form, header"),
        ({"use": {"path": "id"}}, "needs a `route` with {id} in it"),
        ({"use": {"route": "GET /o/{x}", "path": "id"}}, "needs a `route` with {id}"),
        ({"use": {"header": "a b"}}, "should match pattern"),
    ],
)
def test_refused(change: dict[str, Any], message: str) -> None:
    """A rule without one source and one place for each use is refused."""
    with pytest.raises(ValidationError, match=message):
        Rule.model_validate({**RULE, **change})


def test_header_with_text() -> None:
    """A regular expression may look into a header."""
    rule = Rule.model_validate(
        {**RULE, "json": None, "header": "Location", "text": "/([0-9]+)"}
    )

    assert ("Location", "/([0-9]+)") == (rule.header, rule.text)


def test_login() -> None:
    """Cookies are the default; two bodies are refused."""
    assert Login.model_validate({"post": "/l"}) == Login.model_validate(
        {"post": "/l", "then": "cookies"}
    )
    with pytest.raises(ValidationError, match="give either `form` or `json`"):
        Login.model_validate({"post": "/l", "form": {}, "json": {}})


@pytest.mark.parametrize("header", ["Cookie", "host", "Content-Length"])
def test_a_token_goes_into_no_such_header(header: str) -> None:
    """What each request gets anyway takes no token, either."""
    login = {"post": "/login", "then": {"json": "$.t", "as": header}}

    with pytest.raises(ValidationError, match="is made for each request"):
        Login.model_validate(login)
