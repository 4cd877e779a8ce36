"""P-16: the views refuse periods that the contracts do not count, on the contract and in the model alike.

The model once told what is due for period 65,536 of a licence without an end.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "contracts")]

from _licences import LICENSEE, LICENSOR, World, figures  # noqa: E402
from _mini import Reverted  # noqa: E402

from ledger.domain.catalogue_book import Settings  # noqa: E402
from ledger.domain.chain_terms import ChainTerms, Offer  # noqa: E402
from ledger.domain.licence_types import Figures  # noqa: E402
from ledger.domain.licence_views import due_of, quote  # noqa: E402
from ledger.domain.model import Ledger  # noqa: E402
from ledger.domain.reverts import Revert  # noqa: E402

LAST = 2**16 - 1


@pytest.mark.parametrize("period", [LAST, LAST + 1, 2**40, 2**256 - 1])
def test_p16_far_periods_are_refused_alike(period: int) -> None:
    world = World()
    licence = world.grant(end=0)
    now = world.chain.time
    ledger = Ledger()
    ledger.catalogues.create(LICENSOR, Settings(b"\x01" * 32, b"\x02" * 32))
    ledger.catalogues._is_published = lambda split_id: True
    ledger.catalogues.announce(LICENSOR, 1, world.split, now)
    terms = ChainTerms.decode(world.bytes[licence])
    ledger.licences.accept(LICENSEE, terms, Offer(0, now), now=now, signed=True)
    if period <= LAST:
        due = due_of(ledger.licences, 1, period, now=now)
        told = world.due(licence, period)
        assert (told["start"], told["end"], told["open"]) == (due.start, due.end, due.open)
        return
    expected = Revert("Licences_NoSuchPeriod", 1, period)
    with pytest.raises(Revert) as model:
        due_of(ledger.licences, 1, period, now=now)
    assert model.value == expected
    with pytest.raises(Reverted) as contract:
        world.due(licence, period)
    assert (contract.value.name, contract.value.values) == (expected.name, expected.arguments)
    with pytest.raises(Revert) as model:
        quote(ledger.licences, 1, Figures(period, 0), now=now)
    with pytest.raises(Reverted) as contract:
        world.views.quote(licence, world.bytes[licence], figures(period, 0))
    assert (contract.value.name, contract.value.values) == (model.value.name, model.value.arguments)
