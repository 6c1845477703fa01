"""Logs of one entry a line: the table of those that are known by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.capture import jsonline, loadbalancer, openform, w3c
from harness.capture.logformat import envoy_parser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.capture.logline import Parser

__all__ = ["LOGS"]

LOGS: Final[Mapping[str, Callable[[], Parser]]] = {
    "alb": loadbalancer.parser,
    "cloudfront": w3c.parser_of(w3c.CLOUDFRONT),
    "iis": w3c.parser_of(w3c.IIS),
    "envoy": envoy_parser,
    **{
        name: jsonline.parser_of(dialect) for name, dialect in jsonline.DIALECTS.items()
    },
    "jsonl": openform.parser,
}
"""Name → what makes parsers, in the order in which they are tried."""
