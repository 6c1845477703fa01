"""What only the exchanges of a capture tell: its clock, and whether it has cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.traffic import Exchange

__all__ = ["Traits"]

_COARSEST_NS: Final = 1_000_000_000
_FINER: Final = 1_000


class Traits:
    """Watches the exchanges of one format.

    Args:
        clock_ns: where the format fixes it.
        cookies: likewise.

    Attributes:
        clock_ns: the resolution: the coarsest of s, ms, µs and ns that all starts so
            far are on.
        cookies: whether the capture could have held cookies: whether there was one.
        known: whether both are, which takes an exchange where the format fixes neither.
    """

    __slots__ = ("_watches_clock", "_watches_cookies", "clock_ns", "cookies", "known")

    def __init__(
        self, *, clock_ns: int | None = None, cookies: bool | None = None
    ) -> None:
        self.clock_ns = clock_ns or _COARSEST_NS
        self.cookies = bool(cookies)
        self._watches_clock = clock_ns is None
        self._watches_cookies = cookies is None
        self.known = not (self._watches_clock or self._watches_cookies)

    def watched(self, exchanges: Iterator[Exchange]) -> Iterator[Exchange]:
        """The same exchanges."""
        return exchanges if self.known else self._watched(exchanges)

    def _watched(self, exchanges: Iterator[Exchange]) -> Iterator[Exchange]:
        for exchange in exchanges:
            self.known = True
            if self._watches_clock:
                while exchange.start_ns % self.clock_ns:
                    self.clock_ns //= _FINER
            if self._watches_cookies and not self.cookies:
                self.cookies = any(
                    name == "cookie" for name, _ in exchange.request.headers
                )
            yield exchange
