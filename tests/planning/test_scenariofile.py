from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.planning.scenariofile import read_scenario

GOOD = """\
name: shop
recording: shop.parquet
service:
  image: shop
load:
  users: 1_000
"""


def complaint(tmp_path: Path, text: str) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read_scenario(path)
    return caught.value.message.removeprefix(f"{path}:")


def test_good(tmp_path: Path) -> None:
    """A scenario file becomes a scenario."""
    path = tmp_path / "s.yaml"
    path.write_text(GOOD)

    assert 1000 == read_scenario(path).load.users


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("users:", "user:", "6:3: `user` is not a key here; did you mean `users`?"),
        ("  image", "  imaeg", "4:3: `imaeg` is not a key here; did you mean `image`?"),
        ("load:", "zzz: 1\nload:", "5:1: `zzz` is not a key here; keys here: name, "),
        ("1_000", "none", "6:10: load.users: Input should be a valid integer"),
        ("name: shop\n", "", "1:1: `name` is missing"),
        (
            "load:",
            "rounds: {slice: 4}\nload:",
            "5:17: rounds.slice: 4 needs a number with a unit (ns,",
        ),
        (
            "load:",
            "budgets: {latency: {p95: 5MiB}}\nload:",
            "5:26: budgets.latency.p95: '5MiB' needs a number with a unit (%, ns,",
        ),
        (
            "load:",
            "budgets: {by_route: {GET /: {p9: 5ms}}}\nload:",
            "5:30: `p9` is not a key here; did you mean `p9",
        ),
        ("load:", "load: {}\nload:", "6:1: `load` is given twice"),
        (
            "load:",
            "why: 2025-02-30\nload:",
            "5:6: '2025-02-30': day is out of range for month; a text needs quotes",
        ),
        ("name: shop", "name: !!bool shop", "1:7: 'shop': "),
        ("name: shop", "name: !!timestamp shop", "1:7: 'shop': "),
        ("name: shop", "name: &a [*a]", "1:1: nested too deeply, or in itself"),
        ("load:", "seed: 0x_\nload:", "5:7: '0x_': invalid literal"),
        (
            "users: 1_000",
            "replay: {speed: .inf}",
            "6:19: load.replay.speed: Input should be a finite number",
        ),
        (
            "users: 1_000",
            "replay: {scale: .nan}",
            "6:19: load.replay.scale: Input should be a finite number",
        ),
        (
            "  image: shop",
            "  limits: {cpus: .inf}",
            "4:18: service.limits.cpus: Input should be a finite number",
        ),
        ("load:", "load: [", "7:1: expected ',' or ']'"),
    ],
)
def test_complaints(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Every mistake is named with its line, its column and the remedy."""
    said = complaint(tmp_path, GOOD.replace(old, new))

    assert said.startswith(expected), said


def test_missing_file(tmp_path: Path) -> None:
    """A scenario that is not there is named."""
    with pytest.raises(ScenarioError, match=r"nowhere\.yaml: there is no such file"):
        read_scenario(tmp_path / "nowhere.yaml")


def test_no_mapping(tmp_path: Path) -> None:
    """A file that holds something else is refused."""
    assert "1:1: a scenario is a mapping" in complaint(tmp_path, "- a\n")
    assert "1:1: a scenario is a mapping" in complaint(tmp_path, "")
