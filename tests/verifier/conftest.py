"""The verifier as its sources build it, and Node to run it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
sys.path[:0] = [str(TESTS / name) for name in ("contracts", "domain", "vectors", "audit", "verifier")]


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The folder with a fresh build."""
    folder = tmp_path_factory.mktemp("verifier")
    command = [sys.executable, str(ROOT / "tools" / "build_verifier.py"), "--into", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT)
    return folder


@pytest.fixture(scope="session")
def node() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Node."""
    program = shutil.which("node")
    assert program is not None

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=300,
        )

    return run
