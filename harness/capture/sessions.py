"""Which exchanges belong to one user.

A user is told by the session's cookie, from the answer on that set it; by Authorization
from one address; otherwise by address and user agent. Whoever pauses for long starts
anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from harness.capture.credential import COOKIE

__all__ = ["IDLE_NS", "Sessions"]

Visitor = tuple[str, object]
"""A client, and what stands for its user agent."""

IDLE_NS: Final = 30 * 60 * 1_000_000_000
"""Half an hour, the habit of web analytics."""

_SWEEP_EVERY: Final = 65_536
_BYTES: Final = 8


@dataclass(slots=True, kw_only=True)
class _Session:
    """One that may go on.

    Attributes:
        name: in the recording; empty if it was not drawn.
        last_ns: the start of its last exchange.
        credential: by which it is known, empty as long as it has none.
    """

    name: str
    last_ns: int
    credential: str = ""


class Sessions:
    """Gives each exchange its session; asked in the order of time.

    A session ends when its user pauses for longer than the idle gap. Memory holds the
    users of about the last gap, not those of the whole recording.

    Args:
        idle_ns: the idle gap.
        share: of the sessions, drawn by lot, that keep their name; the same each time.

    Attributes:
        kept: how many have been drawn so far.
    """

    __slots__ = ("_asked", "_idle_ns", "_open", "_opened", "_share", "_shared", "kept")

    def __init__(self, idle_ns: int = IDLE_NS, share: float = 1.0) -> None:
        self.kept = 0
        self._opened = 0
        self._share = share
        self._idle_ns = idle_ns
        self._open: dict[tuple[object, ...], _Session] = {}
        self._shared: set[Visitor] = set()
        self._asked = 0

    def session(
        self,
        visitor: Visitor,
        start_ns: int,
        credential: str = "",
        given: str = "",
    ) -> str:
        """The session of an exchange; nothing if it was not drawn.

        Args:
            visitor: client, and what stands for its user agent.
            start_ns: of the request.
            credential: that it sent.
            given: the credential that its answer gave, for what follows.
        """
        session = None if credential or given else self._alive(visitor, start_ns)
        if session is not None and not session.credential:
            session.last_ns = start_ns
            return session.name
        session = self._known(visitor, start_ns, credential, given)
        if session is None:
            session = _Session(name=self._drawn(), last_ns=start_ns)
        session.last_ns = start_ns
        self._open[visitor] = session
        for each in filter(None, (credential, given)):
            session.credential = each
            self._open[_key(each, visitor)] = session
        if not session.credential:
            self._open[_key("", visitor)] = session
        self._asked += 1
        if self._asked % _SWEEP_EVERY == 0:
            self._sweep(start_ns)
        return session.name

    def _drawn(self) -> str:
        self._opened += 1
        name = f"s{self._opened}"
        if self._share < 1 and _lot(name) >= self._share:
            return ""
        self.kept += 1
        return name

    def _known(
        self, visitor: Visitor, now_ns: int, credential: str, given: str
    ) -> _Session | None:
        """A new credential belongs to who had none so far.

        Once a visitor has two of them it is several users, and what comes without one
        is none of theirs.
        """
        current = self._alive(visitor, now_ns)
        if current is None:
            self._shared.discard(visitor)
        if credential and (own := self._alive(_key(credential, visitor), now_ns)):
            return own
        if current is None or not current.credential:
            return current
        if credential or given:
            self._shared.add(visitor)
        elif visitor not in self._shared:
            return current
        nobody = self._alive(_key("", visitor), now_ns)
        return nobody if nobody and not nobody.credential else None

    def _alive(self, key: tuple[object, ...], now_ns: int) -> _Session | None:
        session = self._open.get(key)
        lasts = session is not None and now_ns - session.last_ns <= self._idle_ns
        return session if lasts else None

    def _sweep(self, now_ns: int) -> None:
        self._open = {
            key: session
            for key, session in self._open.items()
            if now_ns - session.last_ns <= self._idle_ns
        }
        self._shared &= self._open.keys()


def _lot(name: str) -> float:
    """Of a name, from 0 to less than 1, each as likely."""
    digest = blake2b(name.encode(), digest_size=_BYTES).digest()
    return int.from_bytes(digest) / (1 << 8 * _BYTES)


def _key(credential: str, visitor: Visitor) -> tuple[object, ...]:
    """A cookie is one browser's; an Authorization may be that of many clients."""
    return (credential,) if credential.startswith(COOKIE) else (credential, *visitor)
