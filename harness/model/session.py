"""What a virtual user keeps between its requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model.link import Content, Extract

__all__ = ["Jar", "Session"]

_MAX_AGE = re.compile(r";\s*max-age\s*=\s*\"?(-?\d{1,18})", re.IGNORECASE)
_EPOCH_EXPIRY = re.compile(r";\s*expires\s*=[^;]*\b(19[67]\d)\b", re.IGNORECASE)


class Jar:
    """The cookies that the build set for one user, by name.

    One service is one site here, so `Domain`, `Path` and `Secure` are not looked at.
    A cookie is gone when it is set with `Max-Age` of 0 or less or with an `Expires`
    before 1980, which is how frameworks delete one (RFC 6265, section 3.1).
    """

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def clear(self) -> None:
        """Forget everything: a new session starts."""
        self._values.clear()

    def store(self, set_cookie: str) -> None:
        """Take in the value of one `Set-Cookie` header; nonsense is ignored."""
        pair, _, _ = set_cookie.partition(";")
        name, equals, value = pair.partition("=")
        name = name.strip()
        if not equals or not name:
            return
        age = _MAX_AGE.search(set_cookie)
        expired = int(age[1]) <= 0 if age else _EPOCH_EXPIRY.search(set_cookie)
        if expired:
            self._values.pop(name, None)
        else:
            self._values[name] = value.strip()

    def header(self, recorded: tuple[tuple[str, str], ...] | None) -> str:
        """The `Cookie` header's value to send, empty for none.

        Args:
            recorded: the recorded cookies; each takes the live value of its name where
                this build has set one. `None` sends the whole jar.
        """
        values = self._values
        if recorded is None:
            return "; ".join(f"{name}={value}" for name, value in values.items())
        return "; ".join(
            f"{name}={values.get(name, pseudonym)}" for name, pseudonym in recorded
        )


class Session:
    """All that one user keeps until its next session starts.

    Attributes:
        jar: the cookies that the build set.
        values: what its answers gave, by slot.
    """

    __slots__ = ("jar", "values")

    def __init__(self) -> None:
        self.jar = Jar()
        self.values: dict[int, str] = {}

    def clear(self) -> None:
        """Forget everything: a new session starts."""
        self.jar.clear()
        self.values.clear()

    def learn(self, extracts: tuple[Extract, ...], content: Content) -> None:
        """Take in what an answer gives; what it does not give stays as it was."""
        for extract in extracts:
            value = extract.find(content)
            if value is not None:
                self.values[extract.slot] = value
