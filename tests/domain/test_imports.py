"""The domain imports fast and does no I/O: heavy libraries come when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ROOT / "ledger" / "domain"
LAZY = {"numba", "numpy", "eth_abi", "web3", "ruamel", "rfc8785"}
#: These are what is imported lazily.
HEAVY_THEMSELVES = {"keccak_batch", "merkle_batch", "merkle_pairs"}


@pytest.mark.parametrize("module", sorted({path.stem for path in DOMAIN.glob("*.py")} - HEAVY_THEMSELVES))
def test_modules_import_nothing_heavy(module: str) -> None:
    program = f"import sys, ledger.domain.{module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not LAZY & set(done.stdout.split())
