"""A flame graph as one SVG without scripts: width is time, the outermost call below.

After Brendan Gregg, The Flame Graph, Communications of the ACM 59 (2016).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from html import escape
from typing import TYPE_CHECKING, Final
from zlib import crc32

from harness.report.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.compare.stack import Stacks

__all__ = ["flame_graph"]

_WIDTH: Final = 1200
_ROW: Final = 17
_LETTER: Final = 6.6
_THINNEST: Final = 0.5
_DEEPEST: Final = 120
_PADDING: Final = 30


def flame_graph(stacks: Stacks, title: str) -> str:
    """The stacks drawn; what is thinner than half a pixel is left out.

    Args:
        stacks: with their counts.
        title: stands above.
    """
    total = sum(stacks.values())
    deepest = min(max(map(len, stacks), default=0), _DEEPEST)
    height = _PADDING + _ROW * (deepest + 1)
    rows = _boxes(stacks, 0, 0.0, _WIDTH / total if total else 0.0, height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
        ' font-family="monospace" font-size="11">'
    )
    name = f'<text x="4" y="16">{_text(title)}: {total:,} samples</text>'
    return "\n".join((head, name, *rows, "</svg>")) + "\n"


def _boxes(
    stacks: Stacks, depth: int, x: float, scale: float, height: int
) -> Iterator[str]:
    """Each frame at a depth, and above it what it called."""
    inside: dict[str, Stacks] = defaultdict(Counter)
    for frames, count in stacks.items():
        if depth < min(len(frames), _DEEPEST):
            inside[frames[depth]][frames] += count
    for name, part in sorted(inside.items()):
        width = sum(part.values()) * scale
        if width >= _THINNEST:
            yield _box(name, x, width, height - _ROW * (depth + 1))
            yield from _boxes(part, depth + 1, x, scale, height)
        x += width


def _box(name: str, x: float, width: float, y: int) -> str:
    hue = crc32(name.encode(errors="replace")) % 60
    shown = printable(name)[: max(0, int(width / _LETTER) - 1)]
    label = (
        f'<text x="{x + 3:.1f}" y="{y + 12}">{escape(shown)}</text>' if shown else ""
    )
    return (
        f"<g><title>{_text(name)}</title>"
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 1}"'
        f' fill="hsl({hue},80%,72%)"/>{label}</g>'
    )


def _text(value: str) -> str:
    return escape(printable(value))
