"""What a scenario's own words claim of its traffic."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from harness.store.recording import exchanges, open_recording

SHOP = Path(__file__).parents[1] / "compose" / "shop"


def test_payloads_are_as_long_as_they_say() -> None:
    """One message in five is too long, one in thirty a page, the longest a story."""
    lengths = np.array(
        [
            len(json.loads(each.request.body)["message"])
            for each in exchanges(open_recording(SHOP / "letters.parquet"))
            if each.request.target == "/checkout"
        ]
    )

    assert 0.18 < np.mean(lengths > 80) < 0.25
    assert 1 / 36 < np.mean(lengths > 1_000) < 1 / 25
    assert 29_000 < lengths.max() < 29_500
