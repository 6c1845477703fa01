"""Times of a log: formats of `strftime` as patterns, and what is found as moments.

A moment is (nanoseconds since the Unix epoch, whether its clock ticks in seconds).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from harness.capture.clock import epoch_ns
from harness.capture.tally import MALFORMED, LeftOut
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Moment", "complete", "count_ns", "moment", "moment_of", "time_pattern"]

Moment = tuple[int, bool]

_PATTERNS: Final[Mapping[str, str]] = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "m": r"\d\d",
    "b": r"[A-Z][a-z]{2}",
    "d": r"[\d ]?\d",
    "H": r"\d\d",
    "M": r"\d\d",
    "S": r"\d\d",
    "z": r"[+-]\d\d:?\d\d|Z",
    "s": r"\d{1,11}",
    "f": r"\d{1,9}",
}
_SHORT: Final[Mapping[str, str]] = {
    "%T": "%H:%M:%S",
    "%F": "%Y-%m-%d",
    "%D": "%m/%d/%y",
    "%R": "%H:%M",
    "%h": "%b",
    "%e": "%d",
    "%Ez": "%z",
    "%E*S": "%S.%f",
}
_TOKEN: Final = re.compile(r"%(\d?)([A-Za-z%])|([^%]+|%)")
_SECONDS: Final = re.compile(r"%E(\d)S")
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_CALENDARS: Final = (
    frozenset("s"),
    frozenset("YmdHMS"),
    frozenset("YbdHMS"),
    frozenset("ymdHMS"),
)
_DATED: Final = re.compile(
    r"(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)[T ](?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)"
    r"(?:[.,](?P<f>\d{1,9})\d*)?\s?(?P<z>Z|UTC|[+-]\d\d(?::?\d\d)?)?"
)
_LOGGED: Final = re.compile(
    r"\[?(?P<d>\d\d)/(?P<b>[A-Z][a-z]{2})/(?P<Y>\d{4}):(?P<H>\d\d):(?P<M>\d\d)"
    r":(?P<S>\d\d)(?:\.(?P<f>\d{1,9}))? (?P<z>[+-]\d\d:?\d\d)\]?"
)
_SPAN: Final = re.compile(r"(\d+(?:\.\d*)?)(ns|us|ms|s|m|h)")
_SPANS: Final = re.compile(rf"(?:{_SPAN.pattern})+")
_MICRO: Final = re.compile(r"[^\x00-\x7f]+s")
_UNITS: Final[Mapping[str, int]] = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LARGEST: Final = 1 << 62
_UNIX_UNITS: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
"""Below the first number the count is of the second, in nanoseconds."""
_CACHED: Final = 8192
_NO_TIME: Final = "a time that is none, or before 1970 or after 2116"
_NO_NUMBER: Final = "not a time or number where one should be"


def time_pattern(form: str, prefix: str, taken: set[str]) -> str:
    """The regular expression of a time, a group `prefix + letter` for each part.

    Args:
        form: as of `strftime`, with `%3f` or `%f` for a fraction and `%s` for seconds.
        prefix: of the groups.
        taken: groups that exist; those of this pattern are added, none is made twice.

    Raises:
        InputError: the format has a part that cannot be read.
    """
    for short, long in _SHORT.items():
        form = form.replace(short, long)
    form = _SECONDS.sub(r"%S.%\1f", form)
    return "".join(
        _part(digits, letter, plain, prefix, taken)
        for digits, letter, plain in _TOKEN.findall(form)
    )


def _part(digits: str, letter: str, plain: str, prefix: str, taken: set[str]) -> str:
    if not letter or letter == "%":
        return re.escape(plain or "%")
    if letter in "aA":
        return "[A-Za-z]+"
    if letter not in _PATTERNS:
        raise InputError(
            f"--log-format: a time with %{letter} cannot be read",
            hint="log %Y-%m-%dT%H:%M:%S%z, or seconds since 1970",
        )
    pattern = rf"\d{{{digits}}}" if letter == "f" and digits else _PATTERNS[letter]
    name = prefix + letter
    if name in taken:
        return f"(?:{pattern})"
    taken.add(name)
    return f"(?P<{name}>{pattern})"


def complete(letters: set[str]) -> bool:
    """Whether these parts make a moment."""
    return any(calendar <= letters for calendar in _CALENDARS)


def moment_of(parts: Mapping[str, str | None]) -> Moment:
    """The moment of parts by their letters; UTC where there is no zone.

    Raises:
        LeftOut: there is none such, or it is before 1970 or after 2116.
    """
    fraction = parts.get("f")
    try:
        whole_ns = _whole_ns(tuple(parts.get(letter) for letter in "sYymbdHMSz"))
    except ValueError as exc:
        raise LeftOut(MALFORMED, _NO_TIME) from exc
    return whole_ns + int((fraction or "").ljust(9, "0")[:9]), fraction is None


@lru_cache(maxsize=_CACHED)
def _whole_ns(calendar: tuple[str | None, ...]) -> int:
    second, year, short, month, name, *clock, zone = calendar
    if second is not None:
        return _checked(int(second) * 1_000_000_000)
    day, hour, minute, in_minute = (int(each or 0) for each in clock)
    whole = datetime(
        int(year or f"20{short}"),
        int(month or 0) or _MONTHS.index(name or " ") // 3 + 1,
        day,
        hour,
        minute,
        in_minute,
        tzinfo=_zone(zone),
    )
    whole_ns = epoch_ns(whole)
    return _checked(-1 if whole_ns is None else whole_ns)


def _zone(text: str | None) -> timezone:
    if text in {None, "", "Z", "UTC"}:
        return UTC
    assert text is not None
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(offset if text[0] == "+" else -offset)


def _checked(moment_ns: int) -> int:
    if not 0 <= moment_ns <= _LARGEST:
        raise LeftOut(MALFORMED, _NO_TIME)
    return moment_ns


def moment(value: Any) -> Moment:
    """The moment of a value in JSON.

    Args:
        value: ISO 8601, `17/May/2015:10:05:03 +0000`, or a number since 1970, in which
            seconds, milliseconds, microseconds and nanoseconds tell by their size.

    Raises:
        LeftOut: it is none of them.
    """
    text = value if isinstance(value, str) else _number(value)
    if match := _DATED.fullmatch(text) or _LOGGED.fullmatch(text):
        return moment_of(match.groupdict())
    number = _decimal(text)
    unit = next((unit for below, unit in _UNIX_UNITS if number < below), 1)
    is_whole = unit == _UNITS["s"] and "." not in text
    return _checked(int(number * unit)), is_whole


def count_ns(value: Any, unit_ns: int) -> int:
    """Nanoseconds of a duration: a number of units, or as Go writes it, `1.5ms`.

    Raises:
        LeftOut: it is none.
    """
    text = value if isinstance(value, str) else _number(value)
    text = _MICRO.sub("us", text)
    if _SPANS.fullmatch(text):
        spans = _SPAN.findall(text)
        return int(sum(_decimal(number) * _UNITS[unit] for number, unit in spans))
    return int(_decimal(text) * unit_ns)


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LeftOut(MALFORMED, _NO_NUMBER)
    return repr(value)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as exc:
        raise LeftOut(MALFORMED, _NO_NUMBER) from exc
    if not (number.is_finite() and 0 <= number <= _LARGEST):
        raise LeftOut(MALFORMED, _NO_NUMBER)
    return number
