"""The model of Splits: any order of credits, pages and claims pays the same; what was paid never exceeds
the credit.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import LICENSEE, STRANGER, TOKEN, address, all_pages, random_amount, random_tree

from ledger.domain.canonical import ZERO_ADDRESS, keccak256
from ledger.domain.conservation import conservation, conservations, liabilities
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.reverts import Revert
from ledger.domain.split_book import SplitBook
from ledger.domain.split_types import Leaf, PagePayout, Run, account_id

SPLITS = "0x" + "51" * 20
A, B, C = sorted(address(name) for name in ("a", "b", "c"))
seeds = st.integers(min_value=0, max_value=2**32)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def book_of(tree: MerkleSumTree, *amounts: int) -> SplitBook:
    book = SplitBook(SPLITS)
    book.publish(STRANGER, tree.split, all_pages(tree))
    for amount in amounts:
        book.credit(LICENSEE, tree.id, TOKEN, amount)
    return book


def leaf(tree: MerkleSumTree, index: int, token: str = TOKEN) -> Leaf:
    return Leaf(tree.split, token, index, tree.leaf(index), tree.leaf_proof(index))


def payout(tree: MerkleSumTree, page: int, retry: int = 0) -> PagePayout:
    return PagePayout(page, retry, tree.page_words(page), tree.page_proof(page))


def thirds() -> MerkleSumTree:
    return MerkleSumTree.build([(A, 1), (B, 1), (C, 1)])


def refusing(*payees: str):
    return lambda token, to, amount: to not in payees


# By hand


def test_thirds_of_one_hundred() -> None:
    tree = thirds()
    book = book_of(tree, 100)
    (entry,) = book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)])
    assert (entry["cumulative"], entry["failed"], entry["paid"]) == (100, 0, 99)
    sums = conservation(book, tree.id, TOKEN)
    assert (sums.credited, sums.paid, sums.owed, sums.residue, sums.holds) == (100, 99, 0, 1, True)
    book.credit(LICENSEE, tree.id, TOKEN, 2)
    assert [book.owed(tree.id, TOKEN, index) for index in range(3)] == [1, 1, 1]


def test_a_refused_payee_keeps_every_unit_and_is_paid_on_retry() -> None:
    tree = thirds()
    book = book_of(tree, 300)
    (entry,) = book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)], transfer=refusing(B))
    assert (entry["failed"], entry["paid"]) == (0b10, 200)
    assert book.leaf_state(tree.id, TOKEN, 1) == (2, 0)
    book.credit(LICENSEE, tree.id, TOKEN, 300)
    (entry,) = book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)])
    assert (entry["failed"], entry["paid"]) == (0, 200)
    assert book.page_state(tree.id, TOKEN, 0).exceptions == 0b10
    (entry,) = book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0, retry=0b10)])
    assert (entry["failed"], entry["paid"]) == (0, 200)
    assert book.page_state(tree.id, TOKEN, 0).exceptions == 0


def test_a_claim_of_a_refused_payee_takes_it_back_into_its_page() -> None:
    tree = thirds()
    book = book_of(tree, 300)
    book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)], transfer=refusing(B))
    book.claim_to(B, [leaf(tree, 1)], C)
    assert book.leaf_state(tree.id, TOKEN, 1) == (1, 300)
    book.credit(LICENSEE, tree.id, TOKEN, 3)
    book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)])
    assert [book.paid_to(tree.id, TOKEN, index) for index in range(3)] == [101, 101, 101]


def test_P_06_a_claim_by_a_stranger_costs_no_place_in_the_page() -> None:
    tree = thirds()
    book = book_of(tree, 300)
    (entry,) = book.claim(STRANGER, [leaf(tree, 0)])
    assert (entry["to"], entry["paid"]) == (A, 100)
    book.credit(LICENSEE, tree.id, TOKEN, 300)
    (entry,) = book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)])
    assert entry["paid"] == 500
    assert book.page_state(tree.id, TOKEN, 0).exceptions == 0


def test_a_leaf_taken_out_stays_out_until_its_payee_puts_it_back() -> None:
    tree = thirds()
    book = book_of(tree, 300)
    assert book.place_leaves(A, [leaf(tree, 0)], out=True)[0]["checkpoint"] == 0
    assert book.place_leaves(A, [leaf(tree, 0)], out=True) == []
    book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0, retry=0b111)])
    assert book.owed(tree.id, TOKEN, 0) == 100
    book.claim(STRANGER, [leaf(tree, 0)])
    assert book.leaf_state(tree.id, TOKEN, 0) == (3, 300)
    book.credit(LICENSEE, tree.id, TOKEN, 3)
    book.place_leaves(A, [leaf(tree, 0)], out=False)
    (entry,) = book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)])
    assert entry["paid"] == 3
    with pytest.raises(Revert, match="NotPayee"):
        book.place_leaves(STRANGER, [leaf(tree, 0)], out=True)


def test_standing_addresses_catch_claims_by_anyone() -> None:
    tree = thirds()
    book = book_of(tree, 300)
    book.set_standing_address(A, STRANGER)
    assert book.claim(LICENSEE, [leaf(tree, 0)])[0]["to"] == STRANGER
    book.set_standing_address(A, ZERO_ADDRESS)
    book.credit(LICENSEE, tree.id, TOKEN, 300)
    assert book.claim(LICENSEE, [leaf(tree, 0)])[0]["to"] == A
    with pytest.raises(Revert, match="BadRecipient"):
        book.set_standing_address(A, SPLITS)


def test_one_transfer_for_neighbouring_claims_of_one_recipient() -> None:
    tree, other = thirds(), MerkleSumTree.build([(A, 1), (B, 3)])
    book = book_of(tree, 300)
    book.publish(STRANGER, other.split, all_pages(other))
    book.credit(LICENSEE, other.id, TOKEN, 400)
    seen: list[tuple[str, str, int]] = []

    def transfer(token: str, to: str, amount: int) -> bool:
        seen.append((token, to, amount))
        return True

    book.claim(STRANGER, [leaf(tree, 0), leaf(other, 0), leaf(tree, 1), leaf(tree, 1)], transfer)
    assert seen == [(TOKEN, A, 200), (TOKEN, B, 100)]


def test_P_05_what_is_sent_again_pays_nothing() -> None:
    tree = thirds()
    book = book_of(tree, 300)
    for call in (
        lambda: book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)]),
        lambda: book.claim(STRANGER, [leaf(tree, 0)]),
    ):
        book.credit(LICENSEE, tree.id, TOKEN, 300)
        call()
        with pytest.raises(Revert, match="NothingPaid"):
            call()
    assert book.publish(STRANGER, tree.split, all_pages(tree)) == []


def test_P_13_claims_by_signature_use_their_nonce() -> None:
    tree = thirds()
    book = book_of(tree, 300)
    args = {"payee": A, "to": C, "deadline": 10}
    with pytest.raises(Revert, match="SignatureExpired"):
        book.claim_by_signature(STRANGER, [leaf(tree, 0)], nonce=0, now=11, **args)
    with pytest.raises(Revert, match="BadSignature"):
        book.claim_by_signature(STRANGER, [leaf(tree, 0)], nonce=1, now=10, **args)
    with pytest.raises(Revert, match="BadSignature"):
        book.claim_by_signature(STRANGER, [leaf(tree, 0)], nonce=0, now=10, valid=False, **args)
    with pytest.raises(Revert, match="NotPayee"):
        book.claim_by_signature(STRANGER, [leaf(tree, 1)], nonce=0, now=10, **args)
    names = [one.name for one in book.claim_by_signature(STRANGER, [leaf(tree, 0)], nonce=0, now=10, **args)]
    assert names == ["ClaimNonceUsed", "Claimed"]
    book.credit(LICENSEE, tree.id, TOKEN, 300)
    with pytest.raises(Revert, match="BadSignature"):
        book.claim_by_signature(STRANGER, [leaf(tree, 0)], nonce=0, now=10, **args)
    book.cancel_claim_nonce(A)
    assert book.nonces[A] == 2


def test_a_call_that_fails_changes_nothing() -> None:
    tree = thirds()
    book = book_of(tree, 300)
    with pytest.raises(Revert) as refused:
        book.claim(STRANGER, [leaf(tree, 0), leaf(tree, 1)], transfer=refusing(B))
    assert refused.value == Revert("Splits_TransferFailed", TOKEN, B)
    assert book.owed(tree.id, TOKEN, 0) == 100
    assert not book.page_states
    assert not book.checkpoints
    with pytest.raises(Revert, match="NothingPaid"):
        book.pay_pages(STRANGER, tree.split, TOKEN, [payout(tree, 0)], transfer=refusing(A, B, C))
    assert not book.page_states
    assert not book.checkpoints
    assert book.paid == {(tree.id, TOKEN): 0} or not book.paid


def test_other_refusals() -> None:
    tree = thirds()
    book = SplitBook(SPLITS)
    with pytest.raises(Revert, match="NotPublished"):
        book.credit(LICENSEE, tree.id, TOKEN, 1)
    book.publish(STRANGER, tree.split, all_pages(tree))
    for name, call in {
        "NothingArrived": lambda: book.credit(LICENSEE, tree.id, TOKEN, 0),
        "CreditTooLarge": lambda: book.credit(LICENSEE, tree.id, TOKEN, 2**128),
        "GasPerTransferTooLow": lambda: book.pay_pages(STRANGER, tree.split, TOKEN, [], gas_each=99_999),
        "NothingPaid": lambda: book.claim(STRANGER, []),
        "BadRecipient": lambda: book.claim_to(A, [leaf(tree, 0)], SPLITS),
        "NotPayee": lambda: book.claim_to(B, [leaf(tree, 0)], B),
        "AccountTooSmall": lambda: book.move_account(LICENSEE, bytes(32), TOKEN, tree.id, 1),
    }.items():
        with pytest.raises(Revert, match=name):
            call()
    book.credit(LICENSEE, tree.id, TOKEN, 2**128 - 1)
    with pytest.raises(Revert, match="CreditTooLarge"):
        book.credit(LICENSEE, tree.id, TOKEN, 1)
    itself = MerkleSumTree.build([(SPLITS, 1)])
    with pytest.raises(Revert, match="PayeeIsSplits"):
        book.publish(STRANGER, itself.split, all_pages(itself))


def test_accounts_are_moved_by_their_controller_into_published_splits() -> None:
    tree, salt = thirds(), keccak256(b"period")
    book = book_of(tree)
    (entry,) = book.fund_account(LICENSEE, STRANGER, salt, TOKEN, 500)
    account = account_id(STRANGER, salt)
    assert entry.id == account
    assert book.account_balance(account, TOKEN) == 500
    with pytest.raises(Revert, match="AccountTooSmall"):
        book.move_account(LICENSEE, salt, TOKEN, tree.id, 1)
    with pytest.raises(Revert, match="AccountTooSmall"):
        book.move_account(STRANGER, salt, TOKEN, tree.id, 0)
    with pytest.raises(Revert, match="NotPublished"):
        book.move_account(STRANGER, salt, TOKEN, bytes(32), 1)
    book.move_account(STRANGER, salt, TOKEN, tree.id, 200)
    assert (book.account_balance(account, TOKEN), book.cumulative(tree.id, TOKEN)) == (300, 200)
    assert liabilities(book) == {TOKEN: 500}


def test_a_split_is_published_when_its_last_page_is() -> None:
    tree = random_tree(Random(5), 300)
    book = SplitBook(SPLITS)
    pages = all_pages(tree)
    for page in pages[:-1]:
        (entry,) = book.publish(STRANGER, tree.split, [page])
        assert not book.is_published(tree.id)
    assert book.publish(STRANGER, tree.split, [pages[0], *pages[-1:]])[0]["page"] == len(pages) - 1
    assert book.is_published(tree.id)
    assert len(entry["words"]) <= 128
    # Bad pages publish nothing, even after good ones of the same call.
    fresh = SplitBook(SPLITS)
    with pytest.raises(Revert):
        fresh.publish(STRANGER, tree.split, [pages[0], Run(1, pages[0].words, pages[0].siblings)])
    assert not fresh.publications


def test_P_05_a_run_publishes_its_pages_and_passes_over_public_ones() -> None:
    tree = random_tree(Random(6), 900)
    book, alone = SplitBook(SPLITS), SplitBook(SPLITS)
    by_page = alone.publish(STRANGER, tree.split, all_pages(tree))

    def run(first: int, pages: int) -> Run:
        return Run(first, tree.page_words(first, pages), tree.page_proof(first, pages))

    assert [one["page"] for one in book.publish(STRANGER, tree.split, [run(5, 1), run(4, 2)])] == [5, 4]
    assert [one["page"] for one in book.publish(STRANGER, tree.split, [run(4, 4), run(6, 1)])] == [6, 7]
    last = book.publish(STRANGER, tree.split, [run(0, 8)])
    assert last == by_page[:4]
    assert book.publications == alone.publications
    # A bad leaf in a later page takes the whole call back.
    fresh = SplitBook("0x" + tree.page_words(3)[7][:20].hex())
    with pytest.raises(Revert) as refused:
        fresh.publish(STRANGER, tree.split, [run(4, 4), run(0, 4)])
    assert refused.value == Revert("Splits_PayeeIsSplits", 7)
    assert not fresh.publications


# By property


@relaxed
@given(seeds)
def test_P_03_any_order_and_chunking_pays_everybody_the_same(seed: int) -> None:
    rng = Random(seed)
    tree = random_tree(rng, rng.choice((1, 2, 3, 5, 130, 200)))
    total = random_amount(rng, 2**120) + 1
    books = []
    for _ in range(2):
        book = book_of(tree)
        left = total
        while left:
            part = min(left, rng.choice((1, left, rng.randrange(1, left + 1))))
            book.credit(LICENSEE, tree.id, TOKEN, part)
            left -= part
            _some_payouts(rng, tree, book)
            if rng.random() < 0.3 and left:
                book.credit(LICENSEE, tree.id, TOKEN, left)
                left = 0
        _pay_everything(tree, book)
        books.append(book)
    for index in range(tree.leaves):
        paid = [book.paid_to(tree.id, TOKEN, index) for book in books]
        assert paid[0] == paid[1] == total * int.from_bytes(tree.leaf(index)[20:], "big") // tree.split.total


@relaxed
@given(seeds)
def test_P_01_P_02_P_04_nothing_is_lost_and_nothing_is_paid_beyond_the_credit(seed: int) -> None:
    rng = Random(seed)
    tree = random_tree(rng, rng.choice((1, 2, 3, 5, 130)))
    book = book_of(tree)
    left_splits: dict[str, int] = {}

    def transfer(token: str, to: str, amount: int) -> bool:
        if rng.random() < 0.1:
            return False
        left_splits[token] = left_splits.get(token, 0) + amount
        return True

    credited, before = 0, [0] * tree.leaves
    for _ in range(12):
        amount = random_amount(rng, 2**100) + 1
        book.credit(LICENSEE, tree.id, TOKEN, amount)
        credited += amount
        _some_payouts(rng, tree, book, transfer)
        sums = conservation(book, tree.id, TOKEN)
        assert sums.holds
        assert sums.credited == credited
        after = [book.paid_to(tree.id, TOKEN, index) for index in range(tree.leaves)]
        assert sum(after) == sums.paid <= credited
        for index, paid in enumerate(after):
            assert before[index] <= paid <= book.entitled(tree.id, TOKEN, index)
        before = after
        assert liabilities(book)[TOKEN] == credited - sums.paid
    assert [one.holds for one in conservations(book)] == [True]


def _some_payouts(rng: Random, tree: MerkleSumTree, book: SplitBook, transfer=lambda *_: True) -> None:
    for _ in range(rng.randrange(4)):
        index = rng.randrange(tree.leaves)
        own = leaf(tree, index)
        payee = "0x" + own.leaf[:20].hex()
        page = payout(tree, rng.randrange(tree.pages), retry=rng.getrandbits(128))
        call = rng.choice(
            (
                lambda page=page: book.pay_pages(STRANGER, tree.split, TOKEN, [page], transfer=transfer),
                lambda own=own: book.claim(STRANGER, [own, own], transfer),
                lambda own=own, payee=payee: book.claim_to(payee, [own], C, transfer),
                lambda own=own, payee=payee: book.place_leaves(payee, [own], out=rng.random() < 0.5),
            )
        )
        _attempt(call)


def _pay_everything(tree: MerkleSumTree, book: SplitBook) -> None:
    for index in range(tree.leaves):
        _attempt(lambda index=index: book.claim(STRANGER, [leaf(tree, index)]))


def _attempt(call) -> None:
    """A payout may find nothing to pay, or a token that refuses; anything else is a fault."""
    try:
        call()
    except Revert as error:
        if error.name not in ("Splits_NothingPaid", "Splits_TransferFailed"):
            raise
