from __future__ import annotations

import os
import subprocess
import sys


def test_an_encoding_that_lacks_a_character() -> None:
    """What the terminal cannot show is replaced, and the command ends as it would."""
    shown = subprocess.run(
        [sys.executable, "-c", "from harness.output import put; put('a\u2581b')"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )

    assert shown.stdout == b"a?b"
