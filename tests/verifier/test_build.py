"""The committed verifier is what its sources give, is small, counts money by BigInt alone, and writes text only."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "verifier" / "src").glob("*.js"))
STATIC = ROOT / "ledger" / "web" / "static"
_LIMIT = 120 * 1024
#: What is read as a Number: places and sizes, none of them money.
PLACES = (
    "(held[1] >> 32n) & 0xffffn)",
    'BigInt("0x" + ',
    "depth)",
    "held.number)",
    "held.timestamp)",
    "index)",
    "known.depth)",
    "many)",
    "month % 12n)",
    "one.index)",
    "one.page)",
    "one.period)",
    "one.position)",
    "period)",
    "split.depth)",
    "value)",
)


def test_the_committed_output_is_a_fresh_build(built):
    for name in ("verifier.js", "verifier.mjs"):
        assert (STATIC / name).read_bytes() == (built / name).read_bytes(), (
            f"{name}: run tools/build_verifier.py"
        )
    command = [sys.executable, str(ROOT / "tools" / "build_verifier.py"), "--check"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", ["verifier.js", "verifier.mjs"])
def test_it_is_small_and_names_no_place_outside(name):
    data = (STATIC / name).read_bytes()
    assert len(gzip.compress(data, 9)) <= _LIMIT
    text = data.decode("ascii")
    assert re.findall(r"https?://[\w.-]+", text) == []
    assert str(ROOT) not in text


def test_no_source_is_long():
    long = {path.name for path in SOURCES if path.read_text().count("\n") > 300}
    assert long == {"generated.js"}


def test_money_is_bigint_alone():
    """No floating point anywhere, and `Number(` only on what counts places: pages, indices, sizes, depths, blocks."""
    for path in SOURCES:
        if path.name == "generated.js":
            continue
        text = path.read_text()
        for word in ("parseFloat", "toFixed", "Math.round", "Math.trunc", "Math.ceil"):
            assert word not in text, f"{path.name}: {word}"
        for number in re.finditer(r"(?<![.\w])Number\(", text):
            counted = text[number.end() :]
            assert counted.startswith(PLACES), f"{path.name}: Number({counted[:40]}"


def test_the_page_gets_text_and_no_markup():
    words = (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "eval(",
        "new Function",
    )
    built = (STATIC / "verifier.js").read_text()
    for word in (*words, "createContextualFragment", "srcdoc"):
        assert word not in built, word
        for path in SOURCES:
            assert word not in path.read_text(), f"{path.name}: {word}"


def test_its_own_tests_pass(node):
    tests = sorted((ROOT / "verifier" / "test").glob("*.test.mjs"))
    assert len(tests) >= 4
    ran = node("--test", *tests)
    assert ran.returncode == 0, ran.stdout[-6000:]
