"""A timer that rings within some 50 µs, where the event loop's rounds up to a whole ms.

Linux's timerfd, which Python has from 3.13 on as `os.timerfd_create`.
"""

from __future__ import annotations

import ctypes
import os
from time import CLOCK_MONOTONIC
from typing import TYPE_CHECKING

from gevent.hub import get_hub

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Alarm"]

_NONBLOCK = os.O_NONBLOCK | os.O_CLOEXEC
_ABSOLUTE = 1
_READABLE = 1
_SECOND_NS = 1_000_000_000
_libc = ctypes.CDLL(None, use_errno=True)


class _Setting(ctypes.Structure):
    """`struct itimerspec`: an interval, which stays 0, and a moment."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("at_s", ctypes.c_long),
        ("at_ns", ctypes.c_long),
    )


class Alarm:
    """Calls back at a moment of the monotonic clock, from the hub.

    Args:
        ring: what to call.

    Raises:
        OSError: this machine is out of descriptors.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._fd = _libc.timerfd_create(CLOCK_MONOTONIC, _NONBLOCK)
        if self._fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self._setting = _Setting()
        self._at = ctypes.byref(self._setting)
        self._watcher = get_hub().loop.io(self._fd, _READABLE)
        self._watcher.start(self._rung)

    def set(self, at_ns: int) -> None:
        """Ring then, or at once if that has passed, and at no other time."""
        self._setting.at_s, self._setting.at_ns = divmod(max(1, at_ns), _SECOND_NS)
        _libc.timerfd_settime(self._fd, _ABSOLUTE, self._at, None)

    def stop(self) -> None:
        """Ring at no time."""
        self._setting.at_s = self._setting.at_ns = 0
        _libc.timerfd_settime(self._fd, _ABSOLUTE, self._at, None)

    def _rung(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        self._ring()
