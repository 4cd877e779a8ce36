"""Gas of Attributions on anvil: gasUsed of the receipts, terms and calldata included. P-15."""

from __future__ import annotations

import json

import pytest
from _attributions import ATTRIBUTOR, SCOPE, Records
from _licences import TOP, USD, World, month
from test_licences_gas import gas, world

RECORD = 60_000
__all__ = ["world"]


@pytest.fixture(scope="module")
def records(world: World) -> Records:
    world.chain.rpc("anvil_setBalance", ATTRIBUTOR, hex(10**24))
    return Records(world)


def largest_terms(records: Records) -> int:
    """A hybrid licence's terms, of which hardly a word is zero."""
    return records.grant(
        scope=SCOPE,
        upfront_fee=5_000 * USD,
        advance=True,
        guarantee=100 * USD,
        cap=10**9 * USD,
        end=1_900_000_000,
        attribution_duty=2,
        tiers=[(100_000 * USD, 150_000), (TOP, 100_000)],
    )


def test_p15_a_record_of_any_size_costs_the_same(records: Records) -> None:
    """P-15: at most 60,000 gas, at one leaf and at 2^32, first and later, by licensee and attributor."""
    world = records.world
    licence = largest_terms(records)
    world.chain.time = max(world.chain.time, month(1))
    spent: dict[str, int] = {}
    for name, leaves in (("the first ever", 1), ("of 1 work", 1), ("of 2^32 works", 2**32)):
        records.train(licence, leaves=leaves)
        spent[f"training {name}"] = gas(world)
    for leaves in (1, 1_000_000, 2**32):
        records.outputs(licence, leaves=leaves, outputs=leaves)
        spent[f"outputs, {leaves:,} leaves"] = gas(world)
    records.outputs(licence, by=ATTRIBUTOR)
    spent["outputs, by the attributor"] = gas(world)
    records.outputs(licence, by=ATTRIBUTOR)
    spent["the same again"] = gas(world)
    print(json.dumps(spent))
    assert max(cost for name, cost in spent.items() if "first" not in name) <= RECORD
    # The journal's head is written for the first time once in the contract's life.
    assert spent["training the first ever"] <= RECORD + 17_100
