"""Files of one entry a line, whatever the line is made of.

A parser makes of a line what it says, by meaning (see `entry`). A new one is asked for
each file, as some formats name their columns in the file.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from harness.capture.container import bare
from harness.capture.entry import exchange_of
from harness.capture.tally import MALFORMED, LeftOut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.capture.source import Source
    from harness.capture.tally import Tally
    from harness.model.traffic import Exchange

    Parser = Callable[[str], Mapping[str, Any] | None]

__all__ = ["read", "sniff"]

_SNIFFED_LINES: Final = 100
_SPOILT: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What a value of the wrong type or size raises somewhere in an entry."""


def sniff(parser: Callable[[], Parser], head: bytes) -> bool:
    """Whether one of the first hundred lines is an entry of the format."""
    parse = parser()
    lines = head.decode("latin-1").split("\n")
    return any(_says(parse, line) for line in islice(lines, _SNIFFED_LINES))


def _says(parse: Parser, line: str) -> bool:
    try:
        return parse(bare(line)) is not None
    except _SPOILT:
        return False


def read(
    parser: Callable[[], Parser],
    sources: Sequence[Source],
    host: str | None,
    tally: Tally,
) -> Iterator[Exchange]:
    """The exchanges in the order of the files.

    Args:
        parser: makes a parser: `None` for a line that is no entry, such as a comment;
            `LeftOut` or another `ValueError` for one that cannot be read.
        sources: the files.
        host: keep only this one, in lower case.
        tally: takes what is left out or adapted.
    """
    for source in sources:
        parse = parser()
        for number, line in enumerate(source.lines(), start=1):
            place = f"{source.name}:{number}"
            try:
                said = None if line.isspace() else parse(bare(line))
                exchange = None if said is None else exchange_of(said, host, tally)
            except LeftOut as left:
                tally.skip(left.reason, place, left.why)
                continue
            except _SPOILT:
                tally.skip(MALFORMED, place, "a value has the wrong type or size")
                continue
            if exchange is not None:
                yield exchange
