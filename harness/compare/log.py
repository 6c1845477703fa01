"""What a build's log shows: its errors and warnings, each kind counted once.

A line that is indented goes with the one before it, and so do the lines of an exception
of Python, Java, Node or Go, which is known by its type and the innermost function that
is the service's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from harness.compare.logline import ERROR, WARNING, cleaned, severity, signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Kind", "LogEvidence", "Logged", "read_log"]

_MOST_KINDS: Final = 500
_MOST_LINES: Final = 40
_MOST_OTHERS: Final = 200
"""Lines of an entry, with those that are not indented."""
_MOST_LETTERS: Final = 4_000

_SUSPICIOUS: Final = re.compile(
    rb"(?i)err|exception|traceback|panic|fatal|crit|warn|severe|alert|emerg|fail|level"
    rb"|severity|lvl|^<\d|^[FEW]\d{4} |\"#\d"
)
"""Lines without it begin nothing that is looked for."""

_PYTHON: Final = "Traceback (most recent call last):"
_CHAINED: Final = (
    "During handling of the above exception",
    "The above exception was the direct cause",
)
_GOES_ON: Final = re.compile(r"\s|Caused by: |goroutine \d|\.\.\. \d+ more|\S+\(.*\)$")
_INDENTED: Final = re.compile(r"\s")
_RAISED: Final = re.compile(
    r"(?:Exception in thread \S+ |panic: |Uncaught |Unhandled )?"
    r"((?:[\w$]+\.)*[A-Z][\w$]*(?:Error|Exception|Exit|Interrupt|Warning|Fault)"
    r"|[\w.]+\.[A-Z]\w+)(?::|$)"
)
_PANIC: Final = re.compile(r"panic: ")
_PYTHON_FRAME: Final = re.compile(r'\s+File "([^"]+)", line \d+, in (.+)')
_AT_CALL: Final = re.compile(r"\s+at (?:async )?([^(]+)\(([^()]*)\)$")
_AT_PLACE: Final = re.compile(r"\s+at (?:async )?(\S+)()$")
_POSITION: Final = re.compile(r"(?::\d+){1,2}$")
_GO_FRAME: Final = re.compile(r"(\S+)\(.*\)$")
_FOREIGN: Final = re.compile(
    r"site-packages|dist-packages|/lib/python|<frozen|node_modules|node:internal"
    r"|^(?:java|javax|jdk|sun|kotlin|scala|runtime|net/http|internal)[./]"
)


class Kind(NamedTuple):
    """By what the entries of a log are known again.

    Attributes:
        severity: `error` or `warning`.
        raised: type of the exception, empty where it is none.
        text: function of the exception, or the message without what varies.
    """

    severity: str
    raised: str
    text: str

    @property
    def file(self) -> str:
        """Of the exception's function; where that names none, what it is a part of."""
        file, comma, _ = self.text.partition(", ")
        return file if comma else self.text.rpartition(".")[0]

    @property
    def words(self) -> str:
        """Such as `KeyError in cart.py, total`."""
        return f"{self.raised} in {self.text}" if self.raised else self.text


@dataclass(frozen=True, slots=True)
class Logged:
    """Entries of a kind.

    Attributes:
        entries: how many.
        example: the first one, whole as far as it is not too long.
    """

    entries: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvidence:
    """What an arm's log of one round shows.

    Attributes:
        kinds: of errors and warnings.
        others: entries of further kinds, beyond the first 500.
        cut: whether there is more of the log than is read.
    """

    kinds: Mapping[Kind, Logged] = field(default_factory=dict)
    others: int = 0
    cut: bool = False

    @property
    def whole(self) -> bool:
        """Whether it holds every kind of entry that the build has written."""
        return not (self.others or self.cut)


def read_log(lines: Iterable[bytes], *, cut: bool = False) -> LogEvidence:
    """The errors and warnings of a log, whatever its form.

    Args:
        lines: as they were written, without their ends, none too long.
        cut: whether there are more of them.
    """
    kinds: dict[Kind, tuple[int, str]] = {}
    others = 0
    for entry in _entries(lines):
        kind = _kind(entry)
        if kind is None:
            continue
        if kind in kinds:
            entries, example = kinds[kind]
            kinds[kind] = entries + 1, example
        elif len(kinds) < _MOST_KINDS:
            kinds[kind] = 1, "\n".join(entry)[:_MOST_LETTERS]
        else:
            others += 1
    logged = {kind: Logged(*each) for kind, each in sorted(kinds.items())}
    return LogEvidence(kinds=logged, others=others, cut=cut)


def _entries(lines: Iterable[bytes]) -> Iterator[list[str]]:
    """Lines that belong together; those that cannot matter are left out."""
    entry: list[str] = []
    for raw in lines:
        if not entry and not _SUSPICIOUS.search(raw):
            continue
        line = cleaned(raw)
        if entry and _belongs(line, entry):
            most = _MOST_LINES if _INDENTED.match(line) else _MOST_OTHERS
            if len(entry) < most:
                entry.append(line)
            continue
        if entry:
            yield entry
        entry = [line] if _SUSPICIOUS.search(raw) else []
    if entry:
        yield entry


def _belongs(line: str, entry: list[str]) -> bool:
    """Whether a line goes on with an entry."""
    if entry[0].endswith(_PYTHON) or entry[-1].endswith(_PYTHON):
        return _belongs_to_traceback(line, entry)
    if _PANIC.match(entry[0]):
        return not line or _GOES_ON.match(line) is not None
    return bool(line) and (
        _INDENTED.match(line) is not None or line.startswith("Caused by: ")
    )


def _belongs_to_traceback(line: str, entry: list[str]) -> bool:
    """To its frames, to the line that names the exception, or to what it came of."""
    if line.startswith(_PYTHON):
        last = next((each for each in reversed(entry) if each), "")
        return last.startswith(_CHAINED)
    if not line or line.startswith(_CHAINED):
        return not entry[-1] or _INDENTED.match(entry[-1]) is None
    return _INDENTED.match(line) is not None or (
        entry[-1].endswith(_PYTHON) or _INDENTED.match(entry[-1]) is not None
    )


def _kind(entry: list[str]) -> Kind | None:
    first = entry[0]
    if len(entry) > 1 or _PANIC.match(first):
        raised = next((r[1] for r in map(_RAISED.match, reversed(entry)) if r), "")
        function = _own_function(entry)
        if function and (raised or _PANIC.match(first)):
            return Kind(ERROR, raised or "panic", function)
    said = severity(first)
    if not said and first.endswith(_PYTHON):
        said = ERROR
    if not said and _RAISED.match(first):
        said = ERROR
    return Kind(said, "", signature(first)) if said in {ERROR, WARNING} else None


def _own_function(entry: list[str]) -> str:
    """The innermost function that is no library's; else the innermost of all."""
    python = [_shown(f[1], f[2]) for f in map(_PYTHON_FRAME.match, entry) if f]
    if python:
        frames = python[::-1]
    else:
        at = [
            _shown(_POSITION.sub("", f[2]), f[1].rstrip())
            for f in (_AT_CALL.match(line) or _AT_PLACE.match(line) for line in entry)
            if f
        ]
        frames = at or [_shown("", f[1]) for f in map(_GO_FRAME.match, entry) if f]
    own = (text for text, foreign in frames if not foreign)
    return next(own, frames[0][0] if frames else "")


def _shown(path: str, function: str) -> tuple[str, bool]:
    """File and function, and whether they are a library's."""
    foreign = bool(_FOREIGN.search(path) or _FOREIGN.search(function))
    file = path.rpartition("/")[2]
    return (f"{file}, {function}" if file else function), foreign
