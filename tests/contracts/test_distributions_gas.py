"""Gas of Distributions on anvil: gasUsed of the receipts, Splits, Licences, Catalogues and calldata included."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import count

import pytest
from _distributions import DISPUTE, HOLDER, NEW_HOLDER, OTHER_HOLDER, Scene
from _licences import ARBITER, month
from _mini import START
from test_licences_gas import AnvilChain

from ledger.chain.anvil import find_anvil

POST, SETTLE = 110_000, 90_000


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    command = [str(find_anvil()), "--port", "0", "--hardfork", "prague", "--timestamp", str(START - 100)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = (re.search(r"Listening on (\S+)", line) for line in process.stdout)
            chain = AnvilChain(next(f"http://{one[1]}" for one in said if one))
            for one in (HOLDER, OTHER_HOLDER, NEW_HOLDER, ARBITER):
                chain.rpc("anvil_setBalance", one, hex(10**24))
            yield Scene(chain, changes={"days_to_pay": 1000, "end": 1_900_000_000})
            chain.client.close()
        finally:
            process.kill()


@pytest.fixture(scope="module", autouse=True)
def first_entry(scene: Scene) -> None:
    """The first entry of all writes the journal's head where there was none: 17,000 gas, once."""
    scene.at(max(scene.chain.time, month(1)))
    scene.earn(0, 1)
    scene.post(0, scene.tree(1))


@pytest.fixture(scope="module")
def periods() -> Iterator[int]:
    """The periods after the first, each once: they are booked in order, whichever tests share the scene."""
    return count(1)


@pytest.mark.parametrize(("payees", "held"), [(1, 0), (1000, 0), (900, 12_345)])
def test_gas_of_a_posting_and_its_settlement_at_any_number_of_payees(
    scene: Scene, periods: Iterator[int], payees: int, held: int
) -> None:
    period = next(periods)
    scene.at(max(scene.chain.time, month(period + 1)))
    tree = scene.tree(*(1000 + number for number in range(payees)), first=1000)
    scene.earn(period, tree.split.total + held)
    scene.post(period, tree, tree.split.total + held)
    spent = {"post": scene.chain.gas_used}
    scene.chain.move(DISPUTE + 1)
    scene.finish(period)
    spent["settle"] = scene.chain.gas_used
    print(json.dumps({f"{payees} payees, {held} held": spent}))
    assert scene.got(tree) == tree.split.total
    assert spent["post"] <= POST
    assert spent["settle"] <= SETTLE


def test_gas_of_the_rare_calls_is_bounded(scene: Scene, periods: Iterator[int]) -> None:
    """P-15"""
    scene.at(max(scene.chain.time, month(20)))
    for _ in range(14):
        last = next(periods)
        scene.earn(last, 10**6)
    wanted = scene.tree(6 * 10**5, 7)
    scene.post(last, scene.tree(5 * 10**5, 3), 10**6)
    spent = {}
    scene.contest(last, wanted)
    spent["object"] = scene.chain.gas_used
    scene.choose(last, 3)
    spent["choose the fallback"] = scene.chain.gas_used
    print(json.dumps(spent))
    assert max(spent.values()) < 700_000
