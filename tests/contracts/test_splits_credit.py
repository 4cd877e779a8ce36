"""Money in: what counts is what arrived, and only where it was meant to go."""

from __future__ import annotations

import random

import pytest
from _mini import Contract, account
from _splits import LIMIT, OWNER, SINK, STRANGER, Ledger, leaf_of, payees, refused, split_args, tree_of

SALT = b"\x5a" * 32


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_p12_credit_is_what_arrived_of_a_fee_token(ledger: Ledger) -> None:
    tree = ledger.published(tree_of([1, 1]))
    token = ledger.token("FeeToken", 6, 10_000)
    assert ledger.splits.credit(tree.id, token.address, 1_000_000, sender=OWNER) == 990_000
    ledger.agree(ledger.book.credit(OWNER, tree.id, token.address, 990_000))
    payer = ledger.payer(token)
    assert payer.credit(tree.id, token.address, 1_000_000, b"") == 990_000
    assert payer.fund(OWNER, SALT, token.address, 500, b"") == 495
    assert ledger.splits.cumulative(tree.id, token.address) == 1_980_000
    assert ledger.held(token) == 1_980_000 + 495
    assert ledger.splits.accountBalance(ledger.splits.accountId(OWNER, SALT), token.address) == 495


@pytest.mark.parametrize("surplus", [-999_999, -1, 0, 1, 5_000_000])
def test_p12_a_payer_that_over_or_underpays_is_credited_what_it_paid(ledger: Ledger, surplus: int) -> None:
    tree = ledger.published(tree_of([1, 1]))
    token = ledger.token()
    payer = ledger.payer(token)
    payer.setSurplus(surplus)
    assert payer.credit(tree.id, token.address, 1_000_000, b"why") == 1_000_000 + surplus
    assert (payer.lastToken().lower(), payer.lastAmount(), payer.lastData()) == (
        token.address.lower(),
        1_000_000,
        b"why",
    )
    assert payer.fund(OWNER, SALT, token.address, 1_000_000, b"") == 1_000_000 + surplus
    assert ledger.splits.cumulative(tree.id, token.address) == 1_000_000 + surplus


def test_p12_nothing_arrived_is_refused(ledger: Ledger) -> None:
    tree = ledger.published(tree_of([1, 1]))
    token = ledger.token()
    payer = ledger.payer(token)
    token.mint(ledger.address, 77)
    payer.setSurplus(-100)
    refused(
        lambda: payer.credit(tree.id, token.address, 100, b""), "Splits_NothingArrived", token.address.lower()
    )
    refused(lambda: payer.fund(OWNER, SALT, token.address, 100, b""), "Splits_NothingArrived")
    refused(lambda: ledger.credit(tree, token, 0), "Splits_NothingArrived")
    payer.setRefusing(True)
    refused(lambda: payer.credit(tree.id, token.address, 100, b""), "Refused")
    liar = ledger.token("DialectToken", 6, 3)
    refused(lambda: ledger.splits.credit(tree.id, liar.address, 100, sender=OWNER), "Splits_NothingArrived")
    silent = ledger.token("DialectToken", 6, 1)
    assert ledger.splits.credit(tree.id, silent.address, 100, sender=OWNER) == 100


def test_p12_donations_and_forced_transfers_change_nothing(ledger: Ledger) -> None:
    tree = ledger.published(tree_of([1, 3]))
    token = ledger.token()
    token.transfer(ledger.address, 1_000_000, sender=OWNER)
    token.mint(ledger.address, 5)
    assert ledger.splits.cumulative(tree.id, token.address) == 0
    refused(lambda: ledger.pay(tree, token), "Splits_NothingPaid")
    ledger.credit(tree, token, 400)
    token.mint(ledger.address, 10**9)
    assert ledger.owed(tree, token, 1) == 300
    ledger.pay(tree, token)
    assert ledger.held(token) == 1_000_000 + 5 + 10**9
    refused(lambda: ledger.pay(tree, token), "Splits_NothingPaid")
    ledger.same_state(tree, token.address)


def test_credit_pulls_from_its_caller_only(ledger: Ledger) -> None:
    """An allowance given to Splits is of no use to anyone else."""
    tree = ledger.published(tree_of([1, 3]))
    token = ledger.token()
    before = token.balanceOf(OWNER)
    with pytest.raises(Exception, match="ERC20InsufficientAllowance"):
        ledger.splits.credit(tree.id, token.address, 100, sender=STRANGER)
    assert token.balanceOf(OWNER) == before
    with pytest.raises(Exception, match="0x"):
        ledger.splits.creditByCallback(tree.id, token.address, 100, b"", sender=STRANGER)


def test_p11_credit_stays_below_two_to_the_128(ledger: Ledger) -> None:
    tree = ledger.published(tree_of([1, 2**96 - 1]))
    token = ledger.token()
    refused(
        lambda: ledger.credit(tree, token, LIMIT), "Splits_CreditTooLarge", tree.id, token.address.lower()
    )
    refused(lambda: ledger.credit(tree, token, 2**179), "Splits_CreditTooLarge")
    ledger.credit(tree, token, LIMIT - 2)
    refused(lambda: ledger.credit(tree, token, 2), "Splits_CreditTooLarge")
    ledger.credit(tree, token, 1)
    refused(lambda: ledger.credit(tree, token, 1), "Splits_CreditTooLarge")
    payer = ledger.payer(token)
    refused(lambda: payer.credit(tree.id, token.address, 1, b""), "Splits_CreditTooLarge")
    ledger.fund(OWNER, SALT, token, 1)
    refused(lambda: ledger.move_account(OWNER, SALT, token, tree, 1), "Splits_CreditTooLarge")
    ledger.pay(tree, token)
    assert ledger.held(token) < 2 + 1
    ledger.same_state(tree, token.address)


def test_p11_the_largest_figures_are_paid_to_the_unit(ledger: Ledger) -> None:
    """Cumulative 2^128 − 1, units 2^96 − 1, total up to its limit: no product wraps."""
    tree = ledger.published(tree_of([2**96 - 1] * 128))
    token = ledger.token()
    ledger.credit(tree, token, LIMIT - 1)
    ledger.pay(tree, token)
    assert token.balanceOf(payees(1)[0]) == (LIMIT - 1) // 128
    ledger.same_state(tree, token.address)


# ---- credits within credits


def armed_payer(ledger: Ledger, token: Contract, tree_id: bytes, strict: bool) -> Contract:
    payer = ledger.payer(token)
    inner = ledger.splits.data("creditByCallback", tree_id, token.address, 50, b"")
    payer.arm(ledger.address, inner, 1, strict)
    return payer


def test_p05_a_credit_within_a_credit_is_refused(ledger: Ledger) -> None:
    """The nested one would be measured twice: by itself, and by the one around it."""
    mine, other = ledger.published(tree_of([1, 1])), ledger.published(tree_of([1], 5000))
    token = ledger.token()
    payer = armed_payer(ledger, token, other.id, strict=True)
    refused(lambda: payer.credit(mine.id, token.address, 100, b""), "ReentrancyGuardReentrantCall")
    payer = armed_payer(ledger, token, other.id, strict=False)
    assert payer.credit(mine.id, token.address, 100, b"") == 100
    assert not payer.lastSuccess()
    assert ledger.splits.cumulative(other.id, token.address) == 0
    payer = armed_payer(ledger, token, other.id, strict=False)
    assert payer.fund(OWNER, SALT, token.address, 100, b"") == 100
    assert not payer.lastSuccess()
    assert ledger.held(token) == 200


@pytest.mark.parametrize(
    "call", ["credit", "claim", "payPages", "publish", "moveAccount", "cancelClaimNonce"]
)
def test_p05_nothing_runs_within_a_callback_or_a_token_hook(ledger: Ledger, call: str) -> None:
    tree = ledger.published(tree_of([1, 1]))
    token = ledger.token("ReenteringToken", 6)
    ledger.credit(tree, token, 1_000)
    arguments = {
        "credit": (tree.id, token.address, 10),
        "claim": ([],),
        "payPages": (split_args(tree.split), token.address, 100_000, []),
        "publish": (split_args(tree.split), []),
        "moveAccount": (SALT, token.address, tree.id, 1),
        "cancelClaimNonce": (),
    }
    data = ledger.splits.data(call, *arguments[call])
    payer = ledger.payer(token)
    payer.arm(ledger.address, data, 1, True)
    refused(lambda: payer.credit(tree.id, token.address, 100, b""), "ReentrancyGuardReentrantCall")
    token.arm(ledger.address, data, 1, True)
    refused(
        lambda: ledger.splits.credit(tree.id, token.address, 100, sender=OWNER),
        "ReentrancyGuardReentrantCall",
    )
    token.arm(ledger.address, data, 9, False)
    ledger.pay(tree, token)
    assert (token.reactions(), token.lastSuccess()) == (2, False)
    token.arm(ledger.address, data, 9, False)
    ledger.credit(tree, token, 1_000)
    ledger.claim([leaf_of(tree, token.address, 0)])
    assert not token.lastSuccess()
    ledger.same_state(tree, token.address)


# ---- accounts


def test_accounts_move_only_by_their_controller_into_published_splits(ledger: Ledger) -> None:
    tree, hidden = ledger.published(tree_of([1, 2])), tree_of([1, 2, 3], 7000)
    token, other = ledger.token(), ledger.token()
    ledger.fund(SINK, SALT, token, 100)
    ledger.fund(SINK, SALT, token, 20)
    ledger.fund(OWNER, SALT, token, 7)
    account_id = ledger.splits.accountId(SINK, SALT)
    assert ledger.splits.accountBalance(account_id, token.address) == 120
    refused(lambda: ledger.move_account(STRANGER, SALT, token, tree, 1), "Splits_AccountTooSmall")
    refused(lambda: ledger.move_account(SINK, bytes(32), token, tree, 1), "Splits_AccountTooSmall")
    refused(lambda: ledger.move_account(SINK, SALT, other, tree, 1), "Splits_AccountTooSmall")
    refused(lambda: ledger.move_account(SINK, SALT, token, hidden, 1), "Splits_NotPublished", hidden.id)
    refused(lambda: ledger.move_account(SINK, SALT, token, tree, 0), "Splits_AccountTooSmall")
    refused(
        lambda: ledger.move_account(SINK, SALT, token, tree, 121),
        "Splits_AccountTooSmall",
        account_id,
        token.address.lower(),
        120,
        121,
    )
    ledger.move_account(SINK, SALT, token, tree, 90)
    ledger.move_account(SINK, SALT, token, tree, 30)
    refused(lambda: ledger.move_account(SINK, SALT, token, tree, 1), "Splits_AccountTooSmall")
    assert ledger.splits.cumulative(tree.id, token.address) == 120
    assert ledger.splits.accountBalance(ledger.splits.accountId(OWNER, SALT), token.address) == 7
    ledger.pay(tree, token)
    assert ledger.held(token) == 7


def test_p02_rounding_by_many_tiny_credits_costs_nobody(ledger: Ledger) -> None:
    """A credit of one unit rounds to nothing for each, yet hundreds of them sum to what one would."""
    rng = random.Random(7)
    units = [rng.randrange(1, 1_000) for _ in range(7)]
    tree, whole = ledger.published(tree_of(units)), ledger.published(tree_of(units, 9000))
    token = ledger.token()
    for step in range(350):
        ledger.credit(tree, token, 1)
        if rng.random() < 0.5:
            try:
                ledger.pay(tree, token)
            except Exception as error:
                assert "Splits_NothingPaid" in str(error), error  # noqa: PT017
        elif rng.random() < 0.5 and step > 200:
            leaf = leaf_of(tree, token.address, rng.randrange(7))
            if ledger.owed(tree, token, leaf.index):
                ledger.claim([leaf])
    ledger.credit(whole, token, 350)
    for one in (tree, whole):
        if any(ledger.owed(one, token, index) for index in range(7)):
            ledger.pay(one, token)
    assert [token.balanceOf(one) for one in payees(7)] == [token.balanceOf(one) for one in payees(7, 9000)]
    ledger.same_state(tree, token.address)


@pytest.mark.parametrize("decimals", [0, 2, 18])
def test_p02_any_decimals_and_shares_of_nothing(ledger: Ledger, decimals: int) -> None:
    """With few base units most payees are owed nothing: no call is made for them, and nobody loses."""
    tree = ledger.published(tree_of([1] * 100))
    token = ledger.token("PlainToken", decimals)
    total = 0
    for amount in (3, 50, 46, 1, 100, 100 * 10**decimals):
        ledger.credit(tree, token, amount)
        total += amount
        if total >= 100:
            ledger.pay(tree, token)
            assert all(token.balanceOf(one) == total // 100 for one in payees(100)[::9])
        else:
            refused(lambda: ledger.pay(tree, token), "Splits_NothingPaid")
            refused(lambda: ledger.claim([leaf_of(tree, token.address, 3)]), "Splits_NothingPaid")
        ledger.same_state(tree, token.address)
    assert account(1000) == payees(1)[0]
