import pytest

from harness.capture.credential import (
    credential_given,
    credential_of,
    is_renewal,
    token_given,
)
from harness.model.traffic import Request, Response


def request(*headers: tuple[str, str]) -> Request:
    return Request(method="GET", target="/", headers=headers)


@pytest.mark.parametrize(
    "name",
    [
        "session",
        "sid",
        "JSESSIONID",
        "PHPSESSID",
        "connect.sid",
        "shop_session",
        "laravel_session",
        "ASP.NET_SessionId",
        "__Secure-next-auth.session-token",
    ],
)
def test_session_cookies(name: str) -> None:
    """The cookie of a session is known by its name, sent or set."""
    sent = request(("cookie", f"theme=dark; {name}=a=bcdefghijk; x=1"))
    headers = (("set-cookie", f"{name}=a=bcdefghijk; Path=/"), ("set-cookie", "y=1"))

    assert f"cookie {name}=a=bcdefghijk" == credential_of(sent)
    assert f"cookie {name}=a=bcdefghijk" == credential_given(
        Response(status=200, headers=headers)
    )


@pytest.mark.parametrize(
    "cookie",
    [
        *("", "theme=sid", "_hjSession_12=a", "ga_session=1", "sid=", "inside=1"),
        *("has_session=1", "ab_session_bucket=treatment", "session_count=17"),
    ],
)
def test_others(cookie: str) -> None:
    """Others, those of analytics and what is only about a session are none."""
    assert "" == credential_of(request(("cookie", cookie)))
    assert "" == credential_given(
        Response(status=200, headers=(("set-cookie", cookie),))
    )


def test_authorization() -> None:
    """Where there is no cookie of a session, Authorization counts."""
    bearer = ("authorization", "Bearer a")

    assert "token a" == credential_of(request(bearer))
    basic = ("authorization", "Basic YTpi")
    assert "authorization Basic YTpi" == credential_of(request(basic))
    assert "cookie sid=1" == credential_of(request(bearer, ("cookie", "sid=1")))


def test_silence() -> None:
    """What is not recorded gives nothing."""
    assert "" == credential_given(None)
    assert "" == credential_given(Response(status=200))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"access_token": "abcdefghijkl", "expires": 1}', "token abcdefghijkl"),
        (b'{"data":{"accessToken":"abcdefghijkl"}}', "token abcdefghijkl"),
        (b'{"token":"abcdefghijkl"}', "token abcdefghijkl"),
        (b'{"token":"short"}', ""),
        (b'{"tokens": 7}', ""),
        (b"", ""),
    ],
)
def test_tokens(body: bytes, expected: str) -> None:
    """A token in an answer is what the next requests send, whatever their scheme."""
    assert expected == token_given(Response(status=200, body=body))
    for scheme in ("Bearer", "bearer", "Token", "JWT"):
        sent = request(("authorization", f"{scheme} abcdefghijkl"))
        assert "token abcdefghijkl" == credential_of(sent)
    assert "" == token_given(None)


@pytest.mark.parametrize(
    ("target", "body", "expected"),
    [
        ("/auth/refresh", b"", True),
        ("/token", b"grant_type=refresh_token&x=y", True),
        ("/token", b'{"refreshToken": "x"}', True),
        ("/login", b"user=refined", False),
    ],
)
def test_renewals(target: str, body: bytes, expected: bool) -> None:
    """A request for a new token for the same user says so."""
    asked = Request(method="POST", target=target, body=body)

    assert expected is is_renewal(asked)
