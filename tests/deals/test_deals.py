"""Every deal of the list, from its terms to its payouts: on the model, and unweighted ones on real contracts.

The figures are illustrative, and worked out by hand in each folder's README; no licence with the named institutions
exists.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from _deals import ACCEPTED, HELD, HERE, NAMES, Deal, Played
from _licences import LICENSOR, World
from _mini import keccak
from _splits import MIN_GAS, payout_args, payout_of, run_args, run_of, split_args
from eth_abi.abi import encode

from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.money import format_amount

LISTED = ("stim", "gema", "kobalt_merlin", "gist", "comet_plus", "landr", "shutterstock", "amazon_nyt")
DEALS = [Deal(name) for name in NAMES]
WEIGHTED = [deal for deal in DEALS if deal.document.pool.weighted]
PLAIN = [deal for deal in DEALS if not deal.document.pool.weighted]


def name_of(deal: Deal) -> str:
    return deal.name


def test_every_deal_of_the_list_is_here():
    assert set(LISTED) == set(NAMES)


@pytest.mark.parametrize("deal", DEALS, ids=name_of)
def test_terms_and_manifest_belong_together_and_the_year_is_whole(deal):
    assert deal.document.works_root == "0x" + deal.manifest.works_root.hex()
    assert len(deal.reports) == 12 // deal.terms.period_months
    assert [row.line for row in deal.reports] == list(range(2, len(deal.reports) + 2))


@pytest.mark.parametrize("deal", DEALS, ids=name_of)
def test_the_readme_works_every_figure_out_and_says_what_is_assumed(deal):
    text = (HERE / deal.name / "README.md").read_text()
    assert "illustrative" in text
    assert "no licence with" in " ".join(text.split())
    for row in deal.expected:
        units = deal.units(row["amount"])
        shown = format_amount(units, 6, grouping=True).rstrip("0").rstrip(".")
        assert re.search(rf"(?<![\d.,]){re.escape(shown)}(?!\d|[.,]\d)", text), row


@pytest.mark.parametrize("deal", DEALS, ids=name_of)
def test_p16_the_model_books_the_lines_worked_out_by_hand(deal):
    """P-16, P-18: reports give the lines that plain arithmetic gives."""
    played = Played(deal)
    assert played.lines == [deal.expect(period)["line"] for period in range(len(deal.reports))]
    fee = {name: units for name, units in deal.expect("fee").items() if name != "line"}
    assert played.fee == fee
    assert deal.terms.upfront_fee == deal.expect("fee").get("line", 0)


@pytest.mark.parametrize("deal", PLAIN, ids=name_of)
def test_the_model_pays_what_was_worked_out_by_hand(deal):
    assert Played(deal).paid() == deal.expect("all")


@pytest.mark.parametrize("deal", WEIGHTED, ids=name_of)
def test_p02_the_pool_of_each_period_is_divided_to_the_unit(deal):
    """P-02: paid and held are the line, to the unit; who gets what is as worked out by hand."""
    played = Played(deal)
    for period, line in enumerate(played.lines):
        expected = {name: units for name, units in deal.expect(period).items() if name != "line"}
        if line == 0:
            assert expected == {}
            continue
        found = played.settle(period)
        assert found == expected
        assert sum(found.values()) == line


def test_use_that_nobody_is_known_for_is_held_and_not_shared_out():
    deal = next(one for one in DEALS if one.name == "stim")
    last = Played(deal).settle(3)
    assert last[HELD] == deal.units("15000")
    assert "Eva" not in last  # no use of her work in that quarter: nothing, though she is known


# ---- on real contracts


def _announced(world: World, deal: Deal) -> tuple[int, MerkleSumTree]:
    number = world.create()
    tree = MerkleSumTree.build(deal.manifest.units().entries)
    pages = [run_args(run_of(tree, page)) for page in range(tree.pages)]
    world.catalogues.publishAndAnnounce(number, split_args(tree.split), pages, sender=LICENSOR)
    return number, tree


@pytest.mark.parametrize("deal", PLAIN, ids=name_of)
def test_p16_the_contracts_pay_what_was_worked_out_by_hand(deal):
    """P-16: the contracts book the same lines as the model, and the page pays each holder its part."""
    world = World()
    world.at(ACCEPTED)
    catalogue, tree = _announced(world, deal)
    terms = replace(deal.terms, token=world.dollar.address.lower(), catalogue=catalogue).encode()
    licence = world.accept(terms)
    assert world.credited(tree.id) == deal.terms.upfront_fee
    lines = []
    for one, now in zip(deal.figures, deal.reported_at, strict=True):
        world.at(now)
        booked = world.lines(licence)
        world.report(licence, one.period, one.gross, deductions=one.deductions, pay=True)
        lines.append(world.lines(licence) - booked)
    assert lines == [deal.expect(period)["line"] for period in range(len(lines))]
    world.splits.payPages(
        split_args(tree.split), world.dollar.address, MIN_GAS, [payout_args(payout_of(tree))]
    )
    paid = {deal.holders[payee]: world.dollar.balanceOf(payee) for payee, _ in tree.entries()}
    assert paid == deal.expect("all")


@pytest.mark.parametrize("deal", WEIGHTED, ids=name_of)
def test_p16_the_contracts_put_the_lines_of_weighted_deals_into_their_accounts(deal):
    """P-16, P-18: the same lines as on the model, each in the account of its period."""
    world = World()
    world.at(ACCEPTED)
    catalogue, tree = _announced(world, deal)
    terms = replace(deal.terms, token=world.dollar.address.lower(), catalogue=catalogue)
    licence = world.accept(terms.encode())
    assert world.credited(tree.id) == deal.terms.upfront_fee
    for one, now in zip(deal.figures, deal.reported_at, strict=True):
        world.at(now)
        world.report(licence, one.period, one.gross, deductions=one.deductions, pay=True)
        salt = keccak(
            encode(["address", "uint256", "uint256"], [world.licences.address, licence, one.period])
        )
        account = world.splits.accountId(terms.distributions, salt)
        assert world.splits.accountBalance(account, world.dollar.address) == deal.expect(one.period)["line"]
