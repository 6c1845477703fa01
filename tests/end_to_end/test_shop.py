from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHOP = Path(__file__).resolve().parents[2] / "compose/shop"
CANDIDATES = sorted(SHOP.glob("candidates/*.patch"))


def _copy_of_the_shop(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    return Path(shutil.copytree(SHOP, folder / "shop", ignore=ignored))


def _apply(patch: Path, tree: Path) -> None:
    ceiling = os.environ | {"GIT_CEILING_DIRECTORIES": str(tree.parent)}
    subprocess.run(["git", "apply", str(patch)], cwd=tree, env=ceiling, check=True)


def _unit_tests(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-W", "error", "tests"]
    return subprocess.run(
        command, cwd=tree, capture_output=True, text=True, check=False
    )


def _sources(tree: Path) -> dict[Path, bytes]:
    return {path.relative_to(tree): path.read_bytes() for path in tree.rglob("*.py")}


def test_each_candidate_is_in_the_table_of_the_readme() -> None:
    """A reader finds what each candidate is, and how it must be found."""
    readme = (SHOP / "README.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \|", readme, re.MULTILINE)
    assert len(CANDIDATES) == 16
    assert sorted(rows) == [path.stem for path in CANDIDATES]


def test_the_baseline_passes_the_unit_tests_of_the_shop(tmp_path: Path) -> None:
    """The bug is one that the shop's own tests do not meet."""
    result = _unit_tests(_copy_of_the_shop(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("patch", CANDIDATES, ids=lambda path: path.stem)
def test_a_candidate_changes_the_shop_and_passes_its_unit_tests(
    patch: Path, tmp_path: Path
) -> None:
    """Unit tests cannot tell the candidates apart: that is what Seatrial is for."""
    tree = _copy_of_the_shop(tmp_path)
    _apply(patch, tree)
    assert _sources(tree) != _sources(SHOP)
    result = _unit_tests(tree)
    assert result.returncode == 0, result.stdout + result.stderr
