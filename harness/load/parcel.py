"""What master and machines say to each other, as custom messages of Locust's runners.

machine: join {token, version, machine}     → master: welcome {}
                                                    | refused {reason, full}
machine: clock {sent_ns}                    → master: clock {sent_ns, here_ns}
master:  file {digest, piece}                 a plan's file, once a machine
master:  order {stream, line}                 start a worker with that assignment
both:    line {stream, line}                  between the engine and that worker
machine: spool {stream, piece}                samples, set back on the master's clock;
                                              before the line of the totals
machine: answers {stream, piece}              what was answered, likewise
both:    close {stream}                       the worker or the engine's end is gone
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["LIVENESS_S", "listener", "pieces"]

LIVENESS_S: Final = 5.0
"""A machine that hears nothing from the master for so long ends its workers."""

_PIECE_BYTES: Final = 1 << 18


def pieces(path: Path) -> Iterator[bytes]:
    """A file in pieces that fit into a message; one that is empty if the file is."""
    with path.open("rb") as file:
        yield file.read(_PIECE_BYTES)
        while piece := file.read(_PIECE_BYTES):
            yield piece


def listener(act: Callable[[str, dict[str, Any]], None]) -> Callable[..., None]:
    """A Locust listener that hands on the sender's node and the message's data."""

    def listen(*, msg: Any, **_: Any) -> None:
        act(msg.node_id, msg.data)

    return listen
