import pytest

from harness.capture.credential import (
    credential_given,
    credential_of,
    credential_renewed,
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

    assert "authorization a" == credential_of(request(bearer))
    assert "cookie sid=1" == credential_of(request(bearer, ("cookie", "sid=1")))


def test_silence() -> None:
    """What is not recorded gives nothing."""
    assert "" == credential_given(None)
    assert "" == credential_given(Response(status=200))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"access_token": "abcdefghijkl", "expires": 1}',
            "authorization abcdefghijkl",
        ),
        (b'{"data":{"accessToken":"abcdefghijkl"}}', "authorization abcdefghijkl"),
        (b'{"token":"abcdefghijkl"}', "authorization abcdefghijkl"),
        (b'{"token":"short"}', ""),
        (b'{"tokens": 7}', ""),
        (b"", ""),
    ],
)
def test_renewed(body: bytes, expected: str) -> None:
    """A token in an answer is what the next requests send, whatever their scheme."""
    sent = request(("authorization", "bearer abcdefghijkl"))

    assert expected == credential_renewed(Response(status=200, body=body))
    assert "authorization abcdefghijkl" == credential_of(sent)
    assert "" == credential_renewed(None)
