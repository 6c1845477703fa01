from collections import Counter
from xml.etree import ElementTree as ET

from harness.report.flame import flame_graph

SVG = "{http://www.w3.org/2000/svg}"


def boxes(text: str) -> dict[str, list[float]]:
    """Name to x, y and width of each box."""
    found = {}
    for group in ET.fromstring(text).iter(f"{SVG}g"):  # noqa: S314 - ours
        box = group.find(f"{SVG}rect")
        assert box is not None
        sizes = [float(box.attrib[name]) for name in ("x", "y", "width")]
        found[group.findtext(f"{SVG}title", "")] = sizes
    return found


def test_boxes() -> None:
    """Width is the share of the samples, a callee stands above its caller."""
    drawn = boxes(flame_graph(Counter({("main", "a"): 3, ("main", "b"): 1}), "x"))

    assert (1200, 900, 300) == tuple(drawn[name][2] for name in ("main", "a", "b"))
    assert drawn["a"][1] == drawn["b"][1] < drawn["main"][1]
    assert drawn["b"][0] == 900


def test_hostile_names() -> None:
    """Names are text, whatever is in them."""
    name = "<script>alert(1)</script>\x1b[31m"

    assert ["<script>alert(1)</script>\ufffd[31m"] == [
        *boxes(flame_graph(Counter({(name,): 1}), name))
    ]


def test_deep_and_empty() -> None:
    """Neither a stack of 1,000 frames nor none at all ends in an error."""
    deep = Counter({tuple(f"f{depth}" for depth in range(1000)): 1})

    assert 120 == len(boxes(flame_graph(deep, "deep")))
    assert {} == boxes(flame_graph(Counter(), "empty"))
