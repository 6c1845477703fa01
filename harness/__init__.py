"""Seatrial: recorded traffic replayed against two builds, and a verdict.

    from harness import verify

    trial = verify("scenarios/checkout.yaml", baseline="git:main")
    assert trial.outcome == "PASS", trial.text

Importing this package imports nothing else before it is asked for; `harness.trial` is
where to start reading.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.library import Trial, verify

__all__ = ["Trial", "verify"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("harness.library"), name)
