"""One line of a log: how severe it says that it is, and what stays the same of it.

Severities are those of syslog (RFC 5424, section 6.2.1), four of them: `error` with
whatever is worse, `warning`, `info` with whatever is less, and none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.compare.format import masked

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ERROR", "WARNING", "cleaned", "severity", "signature"]

ERROR: Final = "error"
WARNING: Final = "warning"
_INFO: Final = "info"

_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("emerg", "emergency", "alert", "crit", "critical"), ERROR),
    **dict.fromkeys(("fatal", "panic", "severe", "error", "err"), ERROR),
    **dict.fromkeys(("warn", "warning"), WARNING),
    **dict.fromkeys(("notice", "info", "debug", "trace", "verbose", "fine"), _INFO),
}
_LETTERS: Final = {"F": ERROR, "E": ERROR, "W": WARNING, "I": _INFO}
_NUMBERS: Final = ((50, ERROR), (40, WARNING), (0, _INFO))
"""Levels of pino and bunyan; those of Python's logging lie in the same order."""

_SYSLOG_ERROR: Final = 3
_SYSLOG_WARNING: Final = 4
_HEAD: Final = 200

_ANSI: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)"
)
_NAMED: Final = re.compile(
    r"""["']?\b(?:level|severity|levelname|log\.level|lvl)["']?\s*[=:]\s*"""
    r"""(?:["']?([A-Za-z]+)|(\d+))""",
    re.IGNORECASE,
)
_GLOG: Final = re.compile(r"([FEWI])\d{4} \d\d:\d\d:\d\d")
_SYSLOG: Final = re.compile(r"<(\d{1,3})>")
_BARE: Final = re.compile(
    r"\b(EMERG|ALERT|CRIT|CRITICAL|FATAL|PANIC|SEVERE|ERROR|ERR|WARN|WARNING|NOTICE"
    r"|INFO|DEBUG|TRACE)\b|\[(\w+)\]|^(\w+)(?=:| -)"
)
_MOMENT: Final = re.compile(
    r"^(?:\S*\d{2,4}[-/]\w{2,3}[-/]\d{1,4}[T :]\d\d:\d\d:\d\d\S*\s+"
    r"|\[[^\]]*\d\d:\d\d[^\]]*\]\s*)"
)
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{12,}\b")


def cleaned(line: bytes) -> str:
    """A line as text, without colours and what cannot be printed."""
    text = _ANSI.sub("", line.decode("utf-8", "replace")).rstrip()
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in text)


def severity(line: str) -> str:
    """How severe a line says that it is; empty where it does not."""
    head = line[:_HEAD]
    if said := _GLOG.match(head):
        return _LETTERS[said[1]]
    if said := _SYSLOG.match(head):
        return _of_syslog(int(said[1]) % 8)
    if said := _NAMED.search(line):
        return _of_level(said[1], said[2])
    for found in _BARE.finditer(head):
        word = found[1] or found[2] or found[3]
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
    return ""


def _of_syslog(level: int) -> str:
    if level <= _SYSLOG_ERROR:
        return ERROR
    return WARNING if level == _SYSLOG_WARNING else _INFO


def _of_level(word: str | None, number: str | None) -> str:
    if word:
        return _WORDS.get(word.lower(), "")
    level = int(number or 0)
    return next(name for least, name in _NUMBERS if level >= least)


def signature(line: str) -> str:
    """What stays the same of a line: without its time, numbers, ids and addresses."""
    return masked(_ADDRESS.sub("#", _MOMENT.sub("", line)))[:_HEAD]
