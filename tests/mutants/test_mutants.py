"""Every promise has a mutant: a small fault put into a copy of the tree, which a test that names the promise must find.

mutants.toml lists them: `promise`, `name`, `file`, `find` (which stands in the file once), `replace`, `tests`, and
`contract`, the contract to be compiled again. `make test` puts in the first of each promise and all those that need no
compiler; MUTANTS=all, as `make deep` sets it, puts in every one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
MUTANTS: list[dict[str, Any]] = tomllib.loads((HERE / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
PROMISES = [f"P-{number:02}" for number in range(1, 19)]


def chosen() -> list[dict[str, Any]]:
    """The mutants of this run: all, or the first of each promise in contracts/, in ledger/ and in verifier/."""
    if os.environ.get("MUTANTS") == "all":
        return MUTANTS
    first = {(one["promise"], Path(one["file"]).parts[0]): one for one in reversed(MUTANTS)}
    return [one for one in MUTANTS if one in first.values()]


def copy_tree(target: Path) -> None:
    """A copy that builds and tests on its own; what is installed is shared."""
    ignored = shutil.ignore_patterns("__pycache__", ".mypy_cache", "data", "*.lock")
    for name in ("contracts", "docs", "tools", "ledger", "tests", "verifier"):
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    shutil.copytree(ROOT / "build" / "test-artefacts", target / "build" / "test-artefacts")
    for name in ("pyproject.toml", "foundry.toml"):
        shutil.copy(ROOT / name, target / name)
    for name in ("node_modules", ".venv"):
        (target / name).symlink_to(ROOT / name)
    (target / "ledger" / "data").symlink_to(ROOT / "ledger" / "data")
    # A mutant may leave a variable unused, which would be an error in our own sources.
    build = target / "tools" / "compiling" / "compiler.py"
    strict = 'error["severity"] == "warning" and ours'
    text = build.read_text(encoding="utf-8")
    assert strict in text
    build.write_text(text.replace(strict, "False and ours"), encoding="utf-8")


def apply(mutant: dict[str, Any], target: Path) -> None:
    """Puts the fault in."""
    path = target / mutant["file"]
    text = path.read_text(encoding="utf-8")
    found = text.count(mutant["find"])
    assert found == 1, f"{mutant['file']} holds the text to be replaced {found} times: update mutants.toml"
    path.write_text(text.replace(mutant["find"], mutant["replace"]), encoding="utf-8")


def run(target: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in the copy, with the unoptimised build of the contracts."""
    environment = {**os.environ, "LEDGER_BUILD": "unoptimised", "PYTHONPATH": str(target)}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, *command], cwd=target, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("mutant", chosen(), ids=lambda one: f"{one['promise']} {one['name']}")
def test_mutant_is_killed(mutant: dict[str, Any], tmp_path: Path) -> None:
    copy_tree(tmp_path)
    apply(mutant, tmp_path)
    if "contract" in mutant:
        built = run(tmp_path, "tools/build.py", "--unoptimised", "--contracts", mutant["contract"])
        assert built.returncode == 0, built.stdout + built.stderr
    tested = run(
        tmp_path, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *mutant["tests"]
    )
    told = f"{tested.stdout[-3000:]}{tested.stderr[-1000:]}"
    assert tested.returncode == 1, f"the mutant lives:\n{told}"
    # Not by a test that could not even start.
    assert re.search(r"^FAILED ", tested.stdout, re.MULTILINE), f"no test failed:\n{told}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: f"{one['promise']} {one['name']}")
def test_mutant_fits_the_sources(mutant: dict[str, Any]) -> None:
    text = (ROOT / mutant["file"]).read_text(encoding="utf-8")
    assert text.count(mutant["find"]) == 1, f"{mutant['file']}: update mutants.toml"
    assert mutant["replace"] != mutant["find"]
    assert all((ROOT / one.split("::")[0]).exists() for one in mutant["tests"] if one.startswith("tests/"))


@pytest.mark.parametrize("promise", PROMISES)
def test_promise_has_a_test_and_a_mutant(promise: str) -> None:
    mark = promise.lower().replace("-", "")
    named = re.compile(rf"def test_\w*{mark}(?![0-9])|{promise}\b")
    tests = [
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if HERE not in path.parents and named.search(path.read_text(encoding="utf-8"))
    ]
    assert tests, f"no test names {promise}"
    assert any(one["promise"] == promise for one in MUTANTS), f"{promise} has no mutant"
