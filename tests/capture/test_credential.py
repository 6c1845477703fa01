import pytest

from harness.capture.credential import credential_given, credential_of
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
    sent = request(("cookie", f"theme=dark; {name}=a=b; x=1"))
    headers = (("set-cookie", f"{name}=a=b; Path=/"), ("set-cookie", "y=1"))

    assert f"cookie {name}=a=b" == credential_of(sent)
    assert f"cookie {name}=a=b" == credential_given(
        Response(status=200, headers=headers)
    )


@pytest.mark.parametrize(
    "cookie", ["", "theme=sid", "_hjSession_12=a", "ga_session=1", "sid=", "inside=1"]
)
def test_others(cookie: str) -> None:
    """Other cookies, and those of analytics, are no credential, set or sent."""
    assert "" == credential_of(request(("cookie", cookie)))
    assert "" == credential_given(
        Response(status=200, headers=(("set-cookie", cookie),))
    )


def test_authorization() -> None:
    """Where there is no cookie of a session, Authorization counts."""
    bearer = ("authorization", "Bearer a")

    assert "authorization Bearer a" == credential_of(request(bearer))
    assert "cookie sid=1" == credential_of(request(bearer, ("cookie", "sid=1")))


def test_silence() -> None:
    """What is not recorded gives nothing."""
    assert "" == credential_given(None)
    assert "" == credential_given(Response(status=200))
