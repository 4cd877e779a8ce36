"""Tokens by their names, which anybody may take, and figures of any length."""

from __future__ import annotations

import pytest
from _html import all_of, text_of, tree
from _scene import ANN

from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.split_types import Run
from ledger.report.statement import Currency
from ledger.web.figures import Figure, broken, common_unit
from ledger.web.pages import Site
from ledger.web.snapshot import Snapshot

OTHER, PAID_BY_IT = "0x" + "e4" * 20, "0x" + "e5" * 20
#: Where OpenZeppelin's ERC-20 keeps its symbol: up to 31 letters, then twice their number.
SYMBOL_SLOT = "0x" + "4".rjust(64, "0")


@pytest.fixture
def borrowed(scene):
    """A token that calls itself as the licences' dollar does, and a payee who got nothing but that."""
    rpc, dollar = scene.rpc, scene.dollar
    rpc.call("anvil_setCode", OTHER, rpc.call("eth_getCode", dollar.address, "latest"))
    symbol = dollar.symbol.encode()
    rpc.call(
        "anvil_setStorageAt",
        OTHER,
        SYMBOL_SLOT,
        "0x" + (symbol.ljust(31, b"\0") + bytes([2 * len(symbol)])).hex(),
    )
    rpc.call("anvil_mine", "0x1", "0x0")
    token, splits = scene.ledger.token(OTHER), scene.ledger.splits
    only = MerkleSumTree.build([(PAID_BY_IT, 1)])
    with scene._sender(0) as sender:
        sender.send_one(splits.publish(only.split, [Run(0, only.page_words(0), only.page_proof(0))]))
        sender.send_one(token.mint(sender.signer.address, 10**9))
        sender.send_one(token.approve(splits.address, 10**9))
        sender.send_one(splits.credit(only.split.id, OTHER, 10**9, occasion="borrowed"))
    return token


def test_a_token_that_borrows_the_name_of_a_licences_token_never_gets_it(borrowed, scene, session):
    site = Site(Snapshot(session))
    name = f"{scene.dollar.symbol} {OTHER}"
    assert site.snapshot.currency(scene.dollar.address).symbol == scene.dollar.symbol
    assert site.snapshot.currency(OTHER).symbol == name
    page = tree(site.get(f"holders/{PAID_BY_IT}.html").body)
    assert name in [text_of(one) for one in all_of(page, "h3")]
    (line,) = site.get(f"holders/{PAID_BY_IT}/statement.csv").body.decode().splitlines()[1:]
    assert f",{name}," in line


def test_a_token_whose_code_is_gone_leaves_the_pages_whole(borrowed, scene, session):
    scene.rpc.call("anvil_setCode", OTHER, "0x")
    site = Site(Snapshot(session))
    page = tree(site.get(f"holders/{PAID_BY_IT}.html").body)
    assert "token base units" in [text_of(one) for one in all_of(page, "h3")]
    assert site.get("index.html").body


@pytest.mark.parametrize("name", ["index.html", "licences/1.html", f"holders/{ANN}.html"])
def test_the_unit_stands_in_the_head_of_a_column_and_in_its_cells_for_a_narrow_window(site, played, name):
    unit = played.dollar.symbol
    headed = [one for one in all_of(tree(site.get(name).body), "table") if "headed" in one.get("class")]
    assert headed
    for table in headed:
        heads = [
            text_of(one) for one in all_of(next(all_of(table, "thead")), "th") if one.get("class") == "n"
        ]
        assert [one for one in heads if one.endswith(f" {unit}")], heads
        for cell in all_of(next(all_of(table, "tbody")), "td"):
            if cell.get("class") == "n" and list(all_of(cell, "data")):
                assert text_of(cell).endswith(f" {unit}")


def test_a_column_of_several_tokens_has_no_unit_in_its_head():
    one, other = (Figure(5, Currency(f"0x{number:040x}", f"T{number}", 2)) for number in (1, 2))
    assert common_unit([one, None, one]) == "T1"
    assert common_unit([one, other]) == common_unit([None]) == common_unit([]) == ""


@pytest.mark.parametrize(
    ("units", "decimals", "pieces"),
    [
        (0, 18, ["0.000000000000000000"]),
        (4_347_826_086_956, 2, ["43,478,260,869.56"]),
        (2**127, 18, ["170,", "141,183,460,", "469,231,731", ".687303", "715884", "105728"]),
        (-(2**127), 0, ["-170,", "141,183,460,", "469,231,731,", "687,303,715,", "884,105,728"]),
    ],
)
def test_a_long_figure_may_be_broken_between_groups_of_digits_and_nowhere_else(units, decimals, pieces):
    text = Figure(units, Currency(OTHER, "x", decimals)).text
    assert str(broken(text)).split("<wbr>") == pieces
    assert "".join(pieces) == text
