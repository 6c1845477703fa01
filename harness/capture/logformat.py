"""A format string, as the server's configuration has it, makes a reader of its log.

The dialect shows in how a field is written: `$name` is nginx, `%NAME%` Envoy, `%X`
Apache.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from harness.capture import apache, envoy, nginx
from harness.capture.layout import Field, Layout
from harness.capture.tally import LeftOut
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.capture.logline import Parser

__all__ = ["envoy_parser", "parser_of"]


class _Dialect(NamedTuple):
    parts: Callable[[str], list[str | Field]]
    escapes: Callable[[str], bool]
    time: str
    request: str


_DIALECTS: Final[Mapping[str, _Dialect]] = {
    "envoy": _Dialect(
        parts=envoy.parts,
        escapes=lambda _: False,
        time="%START_TIME%",
        request="%REQ(:METHOD)% and %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    ),
    "nginx": _Dialect(
        parts=nginx.parts,
        escapes=nginx.escapes,
        time="$msec or $time_iso8601",
        request="$request, or $request_method and $request_uri",
    ),
    "apache": _Dialect(
        parts=apache.parts,
        escapes=lambda _: True,
        time="%t",
        request="%r, or %m, %U and %q",
    ),
}
_KNOWN_BY: Final = (
    ("envoy", envoy.OPERATOR),
    ("nginx", re.compile(r"\$\{?[a-z]")),
    ("apache", re.compile(r"%[^%\s]")),
)
_REQUEST: Final = (
    frozenset({"request"}),
    frozenset({"method", "uri"}),
    frozenset({"method", "path"}),
)
_TIME: Final = (frozenset({"start"}), frozenset({"end"}))


def parser_of(text: str) -> tuple[str, Callable[[], Parser]]:
    """The dialect of a format string, and what makes parsers of its lines.

    Args:
        text: the string alone, or its whole directive.

    Raises:
        InputError: it has no fields, or its log would lack the time or the request.
    """
    found = [name for name, form in _KNOWN_BY if form.search(text)]
    if not found:
        raise InputError(
            "--log-format: there is no field in it",
            hint="give it as the server has it, in single quotes: '$remote_addr …'",
        )
    dialect = _DIALECTS[found[0]]
    layout = Layout(dialect.parts(text), escapes=dialect.escapes(text))
    needs = (("time", _TIME, dialect.time), ("request", _REQUEST, dialect.request))
    lacking = {
        what: remedy
        for what, ways, remedy in needs
        if not any(map(layout.meanings.issuperset, ways))
    }
    if lacking:
        raise InputError(
            f"--log-format: it does not tell the {' nor the '.join(lacking)}",
            hint=f"log {'; and '.join(lacking.values())}",
        )
    return found[0], lambda: layout.said


def envoy_parser() -> Parser:
    """A parser of what Envoy and Istio write by default."""
    return _first_that_fits(_defaults())


def _defaults() -> Sequence[Layout]:
    return [Layout(envoy.parts(text), escapes=False) for text in envoy.DEFAULTS]


def _first_that_fits(layouts: Sequence[Layout]) -> Parser:
    """Tries the layouts in turn; if none fits, the fault is that of the first."""

    def parse(line: str) -> dict[str, object]:
        faults = []
        for layout in layouts:
            try:
                return layout.said(line)
            except LeftOut as fault:
                faults.append(fault)
        raise faults[0]

    return parse
