from __future__ import annotations

from harness.errors import BuildError, InputError


def test_what_a_person_is_told() -> None:
    """Whoever catches an error, such as pytest, shows its log and remedy as we do."""
    error = BuildError("no image", hint="fix line 3", log=("step 3", "failed"))

    assert str(error) == "no image\n  | step 3\n  | failed\nhint: fix line 3"
    assert str(InputError("wrong")) == "wrong"
