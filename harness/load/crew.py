"""The workers of one arm: started, listened to all at once, always reaped.

A worker is a process in a session of its own that ends with our end of its channel. One
that plays and says nothing for `SILENCE_S` is lost, however it came to that: killed,
stopped, or behind a network that was cut.
"""

from __future__ import annotations

import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from harness.errors import EngineError, WorkerLostError
from harness.load.message import Beat, Message, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.load.message import Assignment

__all__ = ["SILENCE_S", "Hand", "Hire", "hire_here", "ordered", "told"]

SILENCE_S: Final = 4.0
"""A worker that plays beats twice a second; longer silence is the end of it."""

_PIECE_BYTES = 1 << 16


class Hire(Protocol):
    """Starts one worker somewhere and hands it its order."""

    def __call__(self, order: Assignment, title: str, log: Path) -> Hand:
        """A worker that has been told its order.

        Args:
            order: its share.
            title: what messages call it.
            log: gets what it writes.

        Raises:
            WorkerLostError: the place where it should work is gone.
        """


@dataclass(slots=True, eq=False)
class Hand:
    """One worker, near or far.

    Attributes:
        title: what messages call it.
        channel: lines to and from it.
        log: what it wrote.
        process: of this machine; `None` on another one.
    """

    title: str
    channel: socket.socket
    log: Path
    process: subprocess.Popen[bytes] | None = None
    _unread: bytearray = field(default_factory=bytearray)

    def tell(self, message: Message) -> None:
        """Send it a message.

        Raises:
            WorkerLostError: it is gone.
        """
        self.channel.settimeout(SILENCE_S)
        try:
            self.channel.sendall(message.line())
        except OSError as error:
            raise self.lost() from error

    def heard(self) -> list[Message]:
        """The messages that have come, once its channel is readable.

        Raises:
            WorkerLostError: it is gone.
        """
        try:
            piece = self.channel.recv(_PIECE_BYTES)
        except OSError as error:
            raise self.lost() from error
        if not piece:
            raise self.lost()
        self._unread += piece
        *lines, rest = self._unread.split(b"\n")
        self._unread = bytearray(rest)
        return [parse(bytes(line)) for line in lines]

    def lost(self, silent_s: float = 0.0) -> WorkerLostError:
        """That it is gone, and how, as far as this machine can tell."""
        how = f"silent for {silent_s:.0f} s" if silent_s else self._ended()
        tail = ""
        if self.log.exists():
            tail = "".join(self.log.read_text(errors="replace").splitlines()[-1:])
        said = f": {tail}" if tail else ""
        return WorkerLostError(f"{self.title} is lost ({how}){said}")

    def _ended(self) -> str:
        if self.process is None:
            return "its machine hung up"
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return "it hung up"
        if code >= 0:
            return f"exit {code}"
        return f"killed by {signal.Signals(-code).name}"

    def dismiss(self) -> None:
        """End it, whatever it does, and wait for its end."""
        self.channel.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def hire_here(order: Assignment, title: str, log: Path) -> Hand:
    """Start a worker on this machine."""
    ours, theirs = socket.socketpair()
    with theirs, log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.load.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return ordered(Hand(title, ours, log, process), order)


def ordered(hand: Hand, order: Assignment) -> Hand:
    """The worker that has its order; ended if it does not take it."""
    try:
        hand.tell(order)
    except WorkerLostError:
        hand.dismiss()
        raise
    return hand


def told(
    hands: Sequence[Hand],
    *,
    patience_s: float,
    silence_s: float = SILENCE_S,
    on_beat: Callable[[Hand, Beat], None] | None = None,
) -> list[Message]:
    """What each of the workers says next, beats aside, in their order.

    Args:
        hands: all of them are listened to at once.
        patience_s: how long all of it may take.
        silence_s: how long each may say nothing, not even a beat.
        on_beat: given each beat as it comes.

    Raises:
        WorkerLostError: one of them is gone or says nothing any more.
    """
    answers: dict[Hand, Message] = {}
    now_s = time.monotonic()
    heard_s = dict.fromkeys(hands, now_s)
    end_s = now_s + patience_s
    with selectors.DefaultSelector() as selector:
        for hand in hands:
            selector.register(hand.channel, selectors.EVENT_READ, hand)
        while len(answers) < len(hands):
            for hand, message in _next(selector):
                heard_s[hand] = time.monotonic()
                if not isinstance(message, Beat):
                    if hand in answers:
                        raise EngineError(f"{hand.title} speaks out of turn")
                    answers[hand] = message
                    selector.unregister(hand.channel)
                elif on_beat is not None:
                    on_beat(hand, message)
            _refuse_silence(hands, answers, heard_s, silence_s, end_s)
    return [answers[hand] for hand in hands]


def _next(selector: selectors.BaseSelector) -> Iterator[tuple[Hand, Message]]:
    for key, _ in selector.select(0.25):
        for message in key.data.heard():
            yield key.data, message


def _refuse_silence(
    hands: Sequence[Hand],
    answers: dict[Hand, Message],
    heard_s: dict[Hand, float],
    silence_s: float,
    end_s: float,
) -> None:
    now_s = time.monotonic()
    for hand in hands:
        silent_s = now_s - heard_s[hand]
        if hand in answers:
            continue
        if silent_s > silence_s:
            raise hand.lost(silent_s)
        if now_s > end_s:
            raise WorkerLostError(f"{hand.title} beats but does not come to its end")
