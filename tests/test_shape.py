"""The shape of the project: what no single test of a room can promise."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(path for path in (ROOT / "harness").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_exports_are_sorted_and_there(path: Path) -> None:
    """Every `__all__` is sorted and names what the module defines."""
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            exported = ast.literal_eval(node.value)
            assert sorted(exported, key=_isort_key) == exported
            defined = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
            defined |= {
                n.name
                for n in ast.walk(tree)
                if isinstance(n, ast.FunctionDef | ast.ClassDef)
            }
            defined |= {
                alias.asname or alias.name
                for n in ast.walk(tree)
                if isinstance(n, ast.ImportFrom)
                for alias in n.names
            }
            assert set(exported) <= defined


def _isort_key(each: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as ruff sorts them."""
    kind = 0 if each.isupper() else 1 if each[0].isupper() else 2
    return kind, each


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_sizes(path: Path) -> None:
    """No module over 400 lines, no function over 50 without its docstring."""
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert _lines_of_code(node) <= 50, node.name


def _lines_of_code(function: ast.FunctionDef) -> int:
    docstring = ast.get_docstring(function, clean=False)
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    return lines - (docstring.count("\n") + 1 if docstring else 0)


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_every_test_names_its_promise(path: Path) -> None:
    """Each test's docstring says in a sentence what it promises."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            docstring = ast.get_docstring(node)
            assert docstring, node.name
            assert docstring.endswith("."), node.name


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_processes_of_ours_import_nothing_of_the_users(path: Path) -> None:
    """A Python that is started here never looks into the working directory."""
    text = path.read_text()

    assert text.count('"-m", "harness.') == text.count('"-P", "-m", "harness.')


def test_command_line_process_stays_unpatched() -> None:
    """All that the command line loads never imports locust or gevent."""
    modules = ["harness.cli", "harness.demo", "harness.trial", "harness.capture"]
    modules += ["harness.environment.docker", "harness.environment.process"]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )

    assert not {"locust", "gevent"} & set(done.stdout.split())


def test_importing_the_package_is_cheap() -> None:
    """`import harness` loads nothing but itself, and `--help` no statistics."""
    code = "import sys, harness, harness.cli; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    heavy = {"scipy", "pandas", "pyarrow", "docker", "rich", "pydantic"}
    assert not heavy & set(done.stdout.split())


def test_readme() -> None:
    """The README is short and names every command that there is."""
    text = (ROOT / "README.md").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "harness", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    commands = re.findall(r"^  ([a-z]+)  ", done.stdout, re.MULTILINE)

    assert text.count("\n") <= 150
    assert len(commands) >= 7
    for command in commands:
        assert f"seatrial {command}" in text
