"""The benches of trees, proofs and allocation do what they say, at a small size."""

import shutil

import pytest

from benchmarks import allocation, tree_limits


@pytest.fixture(autouse=True)
def _build_folder(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The benches make their files below build/, which a fresh clone does not have.
    (tree_limits.ROOT / "build").mkdir(exist_ok=True)


def test_the_allocation_beside_the_group_by() -> None:
    found = allocation.measure(20_000, 500, 1)
    assert (found["rows"], found["payees"]) == (20_000, 500)
    assert found["times_plain_group_by_cpu"] > 0


def test_the_tree_beside_c_and_javascript(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("gcc"), "the bench compiles its C"
    # Raises where C gives another root.
    found = tree_limits.measure(5000, 9000, 1)
    assert found["payees"] == 5000
    assert found["openzeppelin_cpu_seconds"] > 0
    assert found["proofs_per_second"] > 0
