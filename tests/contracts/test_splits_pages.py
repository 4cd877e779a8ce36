"""Payouts by page: who is paid, who is passed over and why, and how it comes back."""

from __future__ import annotations

from typing import Any

import pytest
from _mini import Contract
from _splits import (
    LIMIT,
    MIN_GAS,
    OWNER,
    SINK,
    STRANGER,
    Ledger,
    Reverted,
    bits,
    leaf_of,
    payees,
    payout_args,
    payout_of,
    refused,
    split_args,
    tree_of,
)

from ledger.domain.merkle_sum import MerkleSumTree

CLAIMED, PASSED_OVER, TAKEN_OUT = 1, 2, 3
# Dialects of DialectToken
SILENT, FALSE, LIAR, FALSE_THOUGH_MOVED, TWO, DIRTY_TRUE, ONE_BYTE = 1, 2, 3, 4, 5, 6, 7
TWO_WORDS, BOMB_TRUE, BOMB, BOMB_REVERT, REVERT, BURN_GAS, LOOP = 8, 9, 10, 11, 12, 13, 14


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def kinds(ledger: Ledger, tree: MerkleSumTree, token: Contract) -> list[tuple[int, int]]:
    return [tuple(ledger.splits.leafState(tree.id, token.address, i)) for i in range(tree.leaves)]


def raw_pay(
    ledger: Ledger,
    tree: MerkleSumTree,
    token: Contract,
    gas_each: int = MIN_GAS,
    retry: int = 0,
    **options: Any,
) -> Any:
    """A payout that the model is not told of."""
    page = payout_args(payout_of(tree, 0, retry))
    return ledger.splits.payPages(
        split_args(tree.split), token.address, gas_each, [page], sender=STRANGER, **options
    )


def block(ledger: Ledger, token: Contract, who: str, blocked: bool = True) -> None:
    token.setBlocked(who, blocked)
    (ledger.blocked.add if blocked else ledger.blocked.discard)(who)


# ---- the good way


@pytest.mark.parametrize("leaves", [1, 2, 3, 7, 127, 128])
def test_p02_a_page_pays_everybody_and_pays_once(ledger: Ledger, leaves: int) -> None:
    units = [i * i + 1 for i in range(leaves)]
    tree, token = ledger.published(tree_of(units)), ledger.token("TestDollar")
    for amount in (1_000_003, 17, 999_999_999):
        ledger.credit(tree, token, amount)
        ledger.pay(tree, token)
        credited = ledger.splits.cumulative(tree.id, token.address)
        for payee, unit in zip(payees(leaves), units, strict=True):
            assert token.balanceOf(payee) == credited * unit // sum(units)
        refused(lambda: ledger.pay(tree, token), "Splits_NothingPaid", token.address.lower())
    ledger.same_state(tree, token.address)
    assert ledger.held(token) < leaves


def test_p03_several_pages_in_one_call_each_on_its_own(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of(range(1, 601))), ledger.token("TestDollar")
    ledger.credit(tree, token, 10**9)
    ledger.pay(tree, token, pages=[6, 0])
    refused(lambda: ledger.pay(tree, token, pages=[0, 6, 7, 5]), "Splits_NothingPaid")
    ledger.credit(tree, token, 10**9)
    ledger.pay(tree, token, pages=[1, 1, 0, 4, 3, 2])
    assert ledger.splits.pageState(tree.id, token.address, 6) == (10**9, 0)
    assert ledger.splits.pageState(tree.id, token.address, 1) == (2 * 10**9, 0)
    ledger.same_state(tree, token.address)
    refused(lambda: ledger.pay(tree, token, pages=[]), "Splits_NothingPaid")


def test_pages_of_two_tokens_and_two_splits_do_not_touch(ledger: Ledger) -> None:
    one, two = ledger.published(tree_of([1, 2, 3])), ledger.published(tree_of([3, 2, 1]))
    usd, eur = ledger.token("TestDollar"), ledger.token("TestDollar")
    ledger.credit(one, usd, 600)
    ledger.credit(two, eur, 60)
    refused(lambda: ledger.pay(two, usd), "Splits_NothingPaid")
    refused(lambda: ledger.pay(one, eur), "Splits_NothingPaid")
    ledger.pay(one, usd)
    ledger.pay(two, eur)
    assert [usd.balanceOf(payee) for payee in payees(3)] == [100, 200, 300]
    assert [eur.balanceOf(payee) for payee in payees(3)] == [30, 20, 10]


# ---- payees that fail


def test_p06_a_blocked_payee_is_passed_over_and_keeps_every_unit(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 2, 3, 4])), ledger.token("BlocklistDollar")
    who = payees(4)
    block(ledger, token, who[1])
    for round_ in range(1, 4):
        ledger.credit(tree, token, 1_000)
        ledger.pay(tree, token)
        assert ledger.state(tree, token) == (1_000 * round_, bits(1))
        assert kinds(ledger, tree, token)[1] == (PASSED_OVER, 0)
        assert [token.balanceOf(one) for one in who] == [100 * round_, 0, 300 * round_, 400 * round_]
        assert ledger.owed(tree, token, 1) == 200 * round_
    block(ledger, token, who[1], False)
    ledger.credit(tree, token, 1_000)
    ledger.pay(tree, token)
    assert token.balanceOf(who[1]) == 0, "nobody named it"
    ledger.credit(tree, token, 1_000)
    ledger.pay(tree, token, retry=bits(0, 1, 3, 100, 255))
    assert token.balanceOf(who[1]) == 1_000
    assert ledger.state(tree, token) == (5_000, 0)
    ledger.credit(tree, token, 1_000)
    ledger.pay(tree, token)
    assert token.balanceOf(who[1]) == 1_200, "the exception is cleared for good"
    ledger.same_state(tree, token.address)


def test_p04_a_retry_that_fails_keeps_the_old_checkpoint(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 1])), ledger.token("BlocklistDollar")
    who = payees(2)
    ledger.credit(tree, token, 100)
    ledger.pay(tree, token)
    block(ledger, token, who[0])
    for _ in range(3):
        ledger.credit(tree, token, 100)
        ledger.pay(tree, token, retry=bits(0))
        assert kinds(ledger, tree, token)[0] == (PASSED_OVER, 100)
    refused(lambda: ledger.pay(tree, token, retry=bits(0)), "Splits_NothingPaid")
    block(ledger, token, who[0], False)
    ledger.pay(tree, token, retry=bits(0))
    assert [token.balanceOf(one) for one in who] == [200, 200]
    ledger.same_state(tree, token.address)


def test_p06_a_payee_passed_over_is_paid_by_claim_and_is_back(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 1])), ledger.token("BlocklistDollar")
    who = payees(2)
    block(ledger, token, who[0])
    ledger.credit(tree, token, 100)
    ledger.pay(tree, token)
    refused(lambda: ledger.claim([leaf_of(tree, token.address, 0)]), "Splits_TransferFailed")
    ledger.claim_to([leaf_of(tree, token.address, 0)], SINK, who[0])
    assert token.balanceOf(SINK) == 50
    block(ledger, token, who[0], False)
    ledger.credit(tree, token, 100)
    ledger.pay(tree, token)
    assert [token.balanceOf(one) for one in who] == [50, 100]
    assert ledger.state(tree, token) == (200, 0)


def test_p06_the_claim_of_another_costs_nobody_its_place(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1] * 128)), ledger.token("TestDollar")
    ledger.credit(tree, token, 12_800)
    for index in (0, 5, 127):
        ledger.claim([leaf_of(tree, token.address, index)], sender=STRANGER)
    assert ledger.state(tree, token) == (0, bits(0, 5, 127))
    ledger.credit(tree, token, 12_800)
    ledger.claim([leaf_of(tree, token.address, 5)], sender=STRANGER)
    ledger.pay(tree, token)
    assert {token.balanceOf(payee) for payee in payees(128)} == {200}
    assert ledger.state(tree, token) == (25_600, 0)
    ledger.credit(tree, token, 12_800)
    ledger.pay(tree, token)
    assert {token.balanceOf(payee) for payee in payees(128)} == {300}
    ledger.same_state(tree, token.address)


def test_p06_a_leaf_claimed_ahead_that_fails_is_marked_with_its_own_checkpoint(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 1, 2])), ledger.token("BlocklistDollar")
    who = payees(3)
    ledger.credit(tree, token, 400)
    ledger.claim([leaf_of(tree, token.address, 1)])
    ledger.credit(tree, token, 400)
    block(ledger, token, who[1])
    ledger.pay(tree, token)
    assert kinds(ledger, tree, token)[1] == (PASSED_OVER, 400)
    assert ledger.owed(tree, token, 1) == 100
    block(ledger, token, who[1], False)
    ledger.pay(tree, token, retry=bits(1))
    assert [token.balanceOf(one) for one in who] == [200, 200, 400]
    ledger.same_state(tree, token.address)


def test_a_leaf_taken_out_is_never_paid_by_its_page(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 1, 2])), ledger.token("TestDollar")
    who = payees(3)
    ledger.credit(tree, token, 400)
    ledger.pay(tree, token)
    ledger.place([leaf_of(tree, token.address, 1)], True, who[1])
    ledger.credit(tree, token, 400)
    ledger.pay(tree, token, retry=bits(0, 1, 2))
    assert kinds(ledger, tree, token)[1] == (TAKEN_OUT, 400)
    ledger.claim([leaf_of(tree, token.address, 1)])
    assert kinds(ledger, tree, token)[1] == (TAKEN_OUT, 800)
    ledger.credit(tree, token, 400)
    ledger.pay(tree, token, retry=bits(1))
    assert [token.balanceOf(one) for one in who] == [300, 200, 600]
    ledger.place([leaf_of(tree, token.address, 1)], False, who[1])
    ledger.pay(tree, token)
    assert [token.balanceOf(one) for one in who] == [300, 300, 600]
    assert ledger.state(tree, token) == (1_200, 0)
    ledger.same_state(tree, token.address)


def test_p06_a_paused_token_marks_nobody(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 2, 3])), ledger.token("PausableToken")
    ledger.credit(tree, token, 600)
    before = [log.data for log in ledger.chain.logs]
    token.setPaused(True)
    refused(lambda: raw_pay(ledger, tree, token), "Splits_NothingPaid")
    assert ledger.state(tree, token) == (0, 0)
    assert [log.data for log in ledger.chain.logs] == before
    token.setPaused(False)
    ledger.pay(tree, token)
    assert [token.balanceOf(one) for one in payees(3)] == [100, 200, 300]


# ---- tokens that answer badly


@pytest.mark.parametrize(
    "dialect", [FALSE, TWO, DIRTY_TRUE, ONE_BYTE, BOMB, BOMB_REVERT, REVERT, BURN_GAS, LOOP]
)
@pytest.mark.parametrize("places", [(0,), (2,), (4,), (0, 1, 3, 4)])
def test_p06_a_bad_answer_passes_over_that_payee_alone(
    ledger: Ledger, dialect: int, places: tuple[int, ...]
) -> None:
    """An answer other than `true` is a failure; where the token moved all the same, the call is undone."""
    tree, token = ledger.published(tree_of([10, 20, 30, 40, 50])), ledger.token("DialectToken", 6, 0)
    who = payees(5)
    ledger.credit(tree, token, 1_500)
    for place in places:
        token.setDialect(who[place], dialect)
    ledger.blocked = {who[place] for place in places}
    token.setBombSize(2_000 if dialect == BOMB else 1_000_000)
    if dialect in (TWO, DIRTY_TRUE, ONE_BYTE, BOMB):
        refused(lambda: raw_pay(ledger, tree, token), "Splits_OutflowTooLarge")
        assert ledger.state(tree, token) == (0, 0)
        return
    ledger.pay(tree, token)
    expected = [0 if i in places else 100 * (i + 1) for i in range(5)]
    assert [token.balanceOf(one) for one in who] == expected
    assert ledger.state(tree, token) == (1_500, bits(*places))
    ledger.same_state(tree, token.address)


@pytest.mark.parametrize("dialect", [SILENT, TWO_WORDS, BOMB_TRUE])
def test_p06_no_answer_and_a_long_true_answer_count_as_success(ledger: Ledger, dialect: int) -> None:
    tree, token = ledger.published(tree_of([1, 2, 3])), ledger.token("DialectToken", 6, 0)
    ledger.credit(tree, token, 600)
    token.setBombSize(2_000)
    token.setCommon(dialect)
    ledger.pay(tree, token)
    assert [token.balanceOf(one) for one in payees(3)] == [100, 200, 300]
    token.setCommon(0)
    ledger.credit(tree, token, 600)
    token.setCommon(dialect)
    ledger.claim([leaf_of(tree, token.address, i) for i in range(3)])
    assert [token.balanceOf(one) for one in payees(3)] == [200, 400, 600]


@pytest.mark.parametrize("place", [0, 1, 4])
def test_p06_an_answer_shorter_than_a_word_is_a_failure(ledger: Ledger, place: int) -> None:
    """One zero byte behind a `true` would leave that standing, were the answer's length not looked at."""
    tree, token = ledger.published(tree_of([1] * 5)), ledger.token("CurtToken", 6)
    who = payees(5)
    ledger.credit(tree, token, 500)
    token.setRefused(who[place])
    ledger.blocked = {who[place]}
    ledger.pay(tree, token)
    assert [token.balanceOf(one) for one in who] == [0 if i == place else 100 for i in range(5)]
    assert ledger.state(tree, token) == (500, bits(place))
    with pytest.raises(Reverted):
        ledger.splits.claim([_leaf(tree, token, place)])


def test_p06_a_return_bomb_costs_no_more_than_its_own_gas(ledger: Ledger) -> None:
    """100,000 gas buy some 6,000 words of answer; copied, those of 127 payees would not fit in a transaction."""
    tree, token = ledger.published(tree_of([1] * 128)), ledger.token("DialectToken", 6, 0)
    ledger.credit(tree, token, 128_000)
    token.setBombSize(190_000)
    token.setDialect(STRANGER, BOMB_REVERT)
    with pytest.raises(Reverted) as bomb:
        token.chain.send(token.address, token.data("transfer", STRANGER, 1), gas=121_000)
    assert len(bomb.value.output) > 190_000
    for payee in payees(128)[1:]:
        token.setDialect(payee, BOMB_REVERT)
    ledger.blocked = set(payees(128)[1:])
    raw_pay(ledger, tree, token, gas=16_777_216)
    assert ledger.state(tree, token)[1] == (1 << 128) - 2


def test_p01_a_liar_that_keeps_the_money_owes_it_alone(ledger: Ledger) -> None:
    """A token that says `true` and does not move cheats its payees: no other token's money is touched."""
    tree, token, good = ledger.published(tree_of([1, 1])), ledger.token("DialectToken", 6, 0), ledger.token()
    ledger.credit(tree, good, 100)
    ledger.credit(tree, token, 100)
    token.setCommon(LIAR)
    ledger.pay(tree, token)
    assert (ledger.held(token), ledger.held(good)) == (100, 100)


# ---- tokens that move otherwise


def test_p01_a_sender_fee_reverts_the_payout(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 1])), ledger.token("SenderFeeToken", 6, 0)
    ledger.credit(tree, token, 1_000_000)
    token.mint(ledger.address, 10**9)
    token.setFee(10_000)
    refused(
        lambda: raw_pay(ledger, tree, token),
        "Splits_OutflowTooLarge",
        token.address.lower(),
        1_010_000,
        1_000_000,
    )
    refused(lambda: ledger.splits.claim([_leaf(tree, token, 0)]), "Splits_OutflowTooLarge")
    token.setFee(0)
    ledger.pay(tree, token)
    assert ledger.held(token) == 10**9


def _leaf(tree: MerkleSumTree, token: Contract, index: int) -> tuple[Any, ...]:
    from _splits import leaf_args

    return leaf_args(leaf_of(tree, token.address, index))


def test_p01_a_rebasing_token_loses_within_itself(ledger: Ledger) -> None:
    """When balances shrink, payees are served until it is empty; the rest is passed over, not lost."""
    tree, token, good = ledger.published(tree_of([1] * 4)), ledger.token("RebasingToken"), ledger.token()
    ledger.credit(tree, good, 400)
    ledger.credit(tree, token, 400)
    token.rebase(5 * 10**17)
    raw_pay(ledger, tree, token)
    assert ledger.state(tree, token) == (400, bits(2, 3))
    assert [token.balanceOf(one) for one in payees(4)] == [100, 100, 0, 0]
    token.rebase(10**18)
    assert ledger.owed(tree, token, 3) == 100
    token.mint(ledger.address, 200)
    raw_pay(ledger, tree, token, retry=bits(2, 3))
    assert ledger.state(tree, token) == (400, 0)
    ledger.pass_over()
    ledger.pay(tree, good)
    assert (ledger.held(good), [good.balanceOf(one) for one in payees(4)]) == (0, [100] * 4)


def test_p01_a_two_entry_token_pays_each_entry_its_own(ledger: Ledger) -> None:
    """One pot behind two addresses: what arrives is credited once, and only what was credited leaves."""
    mine, other = ledger.published(tree_of([1])), ledger.published(tree_of([1], 5000))
    token = ledger.token("TwoEntryToken", 6)
    second = ledger.chain.at("SecondEntry", token.second())
    second.approve(ledger.address, 2**255, sender=OWNER)
    ledger.credit(mine, token, 100)
    ledger.credit(other, second, 60)
    assert ledger.held(token) == 160
    for tree, entry in ((mine, second), (other, token)):
        refused(lambda tree=tree, entry=entry: ledger.pay(tree, entry), "Splits_NothingPaid")
    ledger.pay(mine, token)
    ledger.claim([leaf_of(other, second.address, 0)])
    assert (token.balanceOf(payees(1)[0]), token.balanceOf(payees(1, 5000)[0]), ledger.held(token)) == (
        100,
        60,
        0,
    )


def test_p01_a_fee_on_the_way_out_is_the_payees(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 1])), ledger.token("FeeToken", 6, 0)
    ledger.credit(tree, token, 1_000)
    token.setFee(100_000)
    ledger.pay(tree, token)
    assert ([token.balanceOf(one) for one in payees(2)], ledger.held(token)) == ([450, 450], 0)
    ledger.same_state(tree, token.address)


def test_a_token_without_code_is_refused(ledger: Ledger) -> None:
    tree = ledger.published(tree_of([1, 1]))
    for token in (SINK, ledger.address):
        for call in (
            lambda token=token: ledger.splits.credit(tree.id, token, 1),
            lambda token=token: ledger.splits.payPages(
                split_args(tree.split), token, MIN_GAS, [payout_args(payout_of(tree))]
            ),
        ):
            with pytest.raises(Reverted):
                call()
    assert ledger.splits.cumulative(tree.id, SINK) == 0 < LIMIT
