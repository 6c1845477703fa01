from collections import Counter

from harness.compare.stack import Stacks, folded, grown
from harness.model.profile import Frame


def test_folded() -> None:
    """Stacks are summed without process and line; what is no stack is left out."""
    lines = [
        'process 7:"python -m shop";serve (app.py:3);list (a.py:9) 4\n',
        "serve (app.py:3);list (a.py:12) 5",
        "nonsense",
        "a;b x",
        "",
    ]

    assert {("serve (app.py)", "list (a.py)"): 9} == folded(lines)


def test_grown() -> None:
    """The function that took more comes before those that only called it."""
    baseline: Stacks = Counter({("main", "query"): 50, ("main", "render"): 50})
    candidate: Stacks = Counter(
        {("main", "query"): 150, ("main", "render"): 50, ("main", "query", "dumps"): 1}
    )

    assert (
        Frame(name="query", baseline_s=0.5, candidate_s=1.51),
        Frame(name="main", baseline_s=1.0, candidate_s=2.01),
    ) == grown(baseline, candidate, per_s=100)


def test_recursion() -> None:
    """A function that calls itself is on a stack once."""
    stacks: Stacks = Counter({("f", "f", "f"): 10})

    (frame,) = grown(Counter(), stacks, per_s=100)

    assert Frame(name="f", baseline_s=0.0, candidate_s=0.1) == frame
