from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.harfile import BROKEN, loaded, streamed
from harness.capture.source import Source

REAL = Path(__file__).resolve().parents[2] / "../shared/data/har"
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**60), 2**60),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"])),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["log", "entries", "a"]), inner, max_size=3),
    ),
    max_leaves=12,
)


@given(entries=st.lists(JSON, max_size=5), beside=JSON, before=st.booleans())
def test_entries_as_they_come(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[Any],
    beside: Any,
    before: bool,
) -> None:
    """They are those of the file as a whole, whatever is in them and beside them."""
    path = tmp_path_factory.mktemp("har") / "a.har"
    log = {"x": beside, "entries": entries} if before else {"entries": entries}
    log |= {"y": beside}
    path.write_text(json.dumps({"x": beside, "log": log, "y": {"log": beside}}))

    expected = [each if isinstance(each, dict) else {} for each in entries]
    assert expected == loaded(Source(path)) == list(streamed(Source(path)))


@pytest.mark.parametrize("path", sorted(REAL.glob("*.har")), ids=lambda path: path.name)
def test_real_files(path: Path) -> None:
    """One entry at a time or all at once: the same, unless the file is broken."""
    source = Source(path)
    try:
        found = list(streamed(source))
    except BROKEN:
        assert path.name == "mitmproxy__incomplete_log.har"
        return
    assert loaded(source) == found


def test_depth_is_bounded(tmp_path: Path) -> None:
    """A file that is nothing but brackets takes no memory to refuse."""
    path = tmp_path / "a.har"
    path.write_text('{"log": {"entries": ' + "[" * 99_999)

    with pytest.raises(BROKEN):
        list(streamed(Source(path)))
