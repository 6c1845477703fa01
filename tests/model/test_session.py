import pytest

from harness.model.session import Jar


@pytest.mark.parametrize(
    "deletion",
    [
        "a=; Max-Age=0",
        "a=x; max-age=-1",
        "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ],
)
def test_deleted(deletion: str) -> None:
    """A cookie that the build deletes is not sent again."""
    jar = Jar()
    jar.store("a=1")
    jar.store("b=2; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT")

    jar.store(deletion)

    assert "b=2" == jar.header(None)


@pytest.mark.parametrize("nonsense", ["", ";", "=x", "novalue; Path=/"])
def test_nonsense(nonsense: str) -> None:
    """A Set-Cookie without a name and a value is ignored."""
    jar = Jar()

    jar.store(nonsense)

    assert "" == jar.header(None)


def test_new_session() -> None:
    """A new session starts without cookies; recorded ones keep their pseudonym."""
    jar = Jar()
    jar.store("sid=live")
    jar.clear()

    assert "sid=p" == jar.header((("sid", "p"),))
