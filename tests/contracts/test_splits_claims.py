"""Claims by anyone to the payee, by the payee or its signature elsewhere; leaves out of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from _mini import Contract
from _splits import (
    OWNER,
    SINK,
    STRANGER,
    Ledger,
    bits,
    key_of,
    leaf_args,
    leaf_of,
    payees,
    refused,
    sign,
    tree_of,
)
from coincurve import PrivateKey

from ledger.domain.merkle_sum import MerkleSumTree, Split
from ledger.domain.split_types import Leaf

ZERO = "0x" + "00" * 20
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY, PAYEE = key_of(77)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def funded(
    ledger: Ledger, token: Contract, amount: int, first: int = 5_000, units: int = 10
) -> MerkleSumTree:
    """A published split in which PAYEE has `units` of 100."""
    others = [100 - units - 30, 30]
    tree = MerkleSumTree.build([(PAYEE, units), *tree_of(others, first).entries()])
    ledger.published(tree)
    ledger.credit(tree, token, amount)
    return tree


def mine(tree: MerkleSumTree, token: Contract) -> Leaf:
    return leaf_of(tree, token.address, tree.index_of(PAYEE))


def by_signature(
    ledger: Ledger,
    leaves: Sequence[Leaf],
    to: str = SINK,
    *,
    payee: str = PAYEE,
    nonce: int = 0,
    deadline: int = 2**40,
    signature: bytes | None = None,
    key: PrivateKey = KEY,
    sender: str = STRANGER,
) -> Any:
    made = sign(key, ledger.digest(leaves, to, nonce, deadline)) if signature is None else signature
    return ledger.splits.claimBySignature(
        [leaf_args(leaf) for leaf in leaves], payee, to, nonce, deadline, made, sender=sender
    )


# ---- by anyone


def test_claim_by_anyone_pays_the_payee_itself(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    ledger.claim([mine(tree, token)], sender=STRANGER)
    assert (token.balanceOf(PAYEE), token.balanceOf(STRANGER)) == (100, 0)
    refused(lambda: ledger.claim([mine(tree, token)]), "Splits_NothingPaid", token.address.lower())
    ledger.credit(tree, token, 1_005)
    ledger.claim([mine(tree, token), mine(tree, token)], sender=STRANGER)
    assert token.balanceOf(PAYEE) == 200
    ledger.same_state(tree, token.address)


def test_p05_the_same_leaf_many_times_in_a_call_is_paid_once(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    leaf = mine(tree, token)
    ledger.claim_to([leaf] * 5, SINK, PAYEE)
    assert token.balanceOf(SINK) == 100
    ledger.same_state(tree, token.address)


def test_claim_of_nothing_is_refused(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    tree = tree_of([1, 2])
    refused(lambda: ledger.claim([]), "Splits_NothingPaid", ZERO)
    refused(
        lambda: ledger.claim([leaf_of(tree, token.address, 0)]), "Splits_NothingPaid", token.address.lower()
    )
    ledger.published(tree)
    ledger.credit(tree, token, 1)
    refused(lambda: ledger.claim([leaf_of(tree, token.address, i) for i in (0, 1)]), "Splits_NothingPaid")
    assert ledger.state(tree, token) == (0, 0), "nothing owed, nothing marked"


def test_p01_many_splits_one_transfer_per_token(ledger: Ledger) -> None:
    usd, eur = ledger.token("TestDollar"), ledger.token("TestDollar")
    leaves = []
    for token in (usd, eur):
        for i in range(3):
            tree = funded(ledger, token, 1_000 * (i + 1), 5_000 + 10 * i, 10 + i)
            leaves.append(mine(tree, token))
    count = len(ledger.chain.logs)
    ledger.claim(leaves)
    sent = [log for log in ledger.chain.logs[count:] if log.address != ledger.address]
    assert len(sent) == 2
    expected = 1_000 * 10 // 100 + 2_000 * 11 // 100 + 3_000 * 12 // 100
    assert (usd.balanceOf(PAYEE), eur.balanceOf(PAYEE)) == (expected, expected)


def test_claims_of_different_payees_in_one_call(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1] * 10)), ledger.token("TestDollar")
    ledger.credit(tree, token, 1_000)
    ledger.claim([leaf_of(tree, token.address, i) for i in (9, 0, 4, 0)])
    assert [token.balanceOf(one) for one in payees(10)] == [100, 0, 0, 0, 100, 0, 0, 0, 0, 100]
    assert ledger.state(tree, token) == (0, bits(0, 4, 9))
    ledger.same_state(tree, token.address)


@pytest.mark.parametrize("dialect", [2, 5, 6, 7, 10, 11, 12, 13])
def test_p05_a_claim_whose_transfer_fails_reverts_whole(ledger: Ledger, dialect: int) -> None:
    token, good = ledger.token("DialectToken", 6, 0), ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    ledger.credit(tree, good, 1_000)
    token.setDialect(PAYEE, dialect)
    token.setBombSize(2_000)
    for leaves in ([mine(tree, token)], [mine(tree, good), mine(tree, token)]):
        refused(
            lambda leaves=leaves: ledger.splits.claim([leaf_args(leaf) for leaf in leaves], gas=2_000_000),
            "Splits_TransferFailed",
            token.address.lower(),
            PAYEE,
        )
    assert good.balanceOf(PAYEE) == 0
    ledger.claim([mine(tree, good)])
    ledger.claim_to([mine(tree, token)], SINK, PAYEE)
    assert (good.balanceOf(PAYEE), token.balanceOf(SINK)) == (100, 100)


# ---- by the payee


def test_p08_only_the_payee_names_another_address(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    for sender in (OWNER, STRANGER, SINK, payees(1, 5_000)[0]):
        refused(
            lambda sender=sender: ledger.claim_to([mine(tree, token)], SINK, sender),
            "Splits_NotPayee",
            sender,
            PAYEE,
        )
    other = leaf_of(tree, token.address, 0)
    refused(lambda: ledger.claim_to([mine(tree, token), other], SINK, PAYEE), "Splits_NotPayee")
    for to in (ZERO, ledger.address):
        refused(lambda to=to: ledger.claim_to([mine(tree, token)], to, PAYEE), "Splits_BadRecipient", to)
    ledger.claim_to([mine(tree, token)], SINK, PAYEE)
    assert (token.balanceOf(SINK), token.balanceOf(PAYEE)) == (100, 0)


def test_standing_address_takes_claims_by_anyone_but_not_pages(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    refused(lambda: ledger.stand(PAYEE, ledger.address), "Splits_BadRecipient", ledger.address)
    ledger.stand(PAYEE, SINK)
    assert ledger.splits.standingAddress(PAYEE).lower() == SINK
    ledger.claim([mine(tree, token)])
    assert (token.balanceOf(SINK), token.balanceOf(PAYEE)) == (100, 0)
    ledger.credit(tree, token, 1_000)
    ledger.pay(tree, token)
    assert (token.balanceOf(SINK), token.balanceOf(PAYEE)) == (100, 100)
    ledger.place([mine(tree, token)], True, PAYEE)
    ledger.credit(tree, token, 1_000)
    ledger.pay(tree, token)
    ledger.claim([mine(tree, token)])
    assert (token.balanceOf(SINK), token.balanceOf(PAYEE)) == (200, 100)
    ledger.stand(PAYEE, ZERO)
    ledger.credit(tree, token, 1_000)
    ledger.claim([mine(tree, token)])
    assert (token.balanceOf(SINK), token.balanceOf(PAYEE)) == (200, 200)
    ledger.same_state(tree, token.address)


def test_placing_leaves_is_the_payees_alone_and_idempotent(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    leaf, other = mine(tree, token), leaf_of(tree, token.address, 0)
    place = tree.index_of(PAYEE)
    refused(lambda: ledger.place([leaf], True, STRANGER), "Splits_NotPayee", STRANGER, PAYEE)
    refused(lambda: ledger.place([leaf, other], True, PAYEE), "Splits_NotPayee")
    ledger.place([leaf], False, PAYEE)
    assert ledger.state(tree, token) == (0, 0)
    ledger.place([leaf, leaf], True, PAYEE)
    ledger.place([leaf], True, PAYEE)
    assert ledger.state(tree, token) == (0, bits(place))
    ledger.place([leaf, leaf], False, PAYEE)
    assert ledger.splits.leafState(tree.id, token.address, place)[0] == 1
    assert ledger.owed(tree, token, place) == 100, "placing pays nothing and loses nothing"
    ledger.pay(tree, token)
    assert token.balanceOf(PAYEE) == 100
    ledger.same_state(tree, token.address)


def test_a_leaf_passed_over_can_be_taken_out_and_put_back(ledger: Ledger) -> None:
    token = ledger.token("BlocklistDollar")
    tree = funded(ledger, token, 1_000)
    leaf, place = mine(tree, token), tree.index_of(PAYEE)
    token.setBlocked(PAYEE, True)
    ledger.blocked = {PAYEE}
    ledger.pay(tree, token)
    ledger.place([leaf], False, PAYEE)
    assert ledger.splits.leafState(tree.id, token.address, place) == (2, 0)
    ledger.place([leaf], True, PAYEE)
    assert ledger.splits.leafState(tree.id, token.address, place) == (3, 0)
    token.setBlocked(PAYEE, False)
    ledger.blocked = set()
    ledger.credit(tree, token, 1_000)
    ledger.pay(tree, token, retry=bits(place))
    assert token.balanceOf(PAYEE) == 0
    ledger.place([leaf], False, PAYEE)
    ledger.pay(tree, token)
    assert token.balanceOf(PAYEE) == 200
    ledger.same_state(tree, token.address)


# ---- by signature


def test_p13_a_signature_pays_its_recipient_once(ledger: Ledger) -> None:
    usd, eur = ledger.token("TestDollar"), ledger.token("TestDollar")
    leaves = [mine(funded(ledger, usd, 1_000), usd), mine(funded(ledger, eur, 500, 6_000), eur)]
    signature = sign(KEY, ledger.digest(leaves, SINK, 0, 2**40))
    assert by_signature(ledger, leaves, signature=signature) == 150
    assert (usd.balanceOf(SINK), eur.balanceOf(SINK), ledger.splits.claimNonce(PAYEE)) == (100, 50, 1)
    refused(lambda: by_signature(ledger, leaves, signature=signature), "Splits_BadSignature", PAYEE)
    ledger.agree(
        [
            *ledger.book.claim_by_signature(
                STRANGER, leaves, payee=PAYEE, to=SINK, nonce=0, deadline=2**40, now=ledger.chain.time
            )
        ]
    )
    for leaf in leaves:
        ledger.splits.owed(leaf_args(leaf))


def test_p13_a_signature_is_bound_to_all_that_it_names(ledger: Ledger) -> None:
    token, other = ledger.token("TestDollar"), ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    ledger.credit(tree, other, 1_000)
    second = funded(ledger, token, 1_000, 8_000)
    leaf = mine(tree, token)
    good = {"to": SINK, "nonce": 0, "deadline": 2**40}
    stranger_key, _ = key_of(78)
    wrong = [
        sign(KEY, ledger.digest([leaf], **good, chain_id=2)),
        sign(KEY, ledger.digest([leaf], **good, contract=SINK)),
        sign(KEY, ledger.digest([leaf], **{**good, "to": OWNER})),
        sign(KEY, ledger.digest([leaf], **{**good, "nonce": 1})),
        sign(KEY, ledger.digest([leaf], **{**good, "deadline": 2**40 + 1})),
        sign(KEY, ledger.digest([mine(tree, other)], **good)),
        sign(KEY, ledger.digest([mine(second, token)], **good)),
        sign(KEY, ledger.digest([leaf, leaf], **good)),
        sign(KEY, ledger.digest([], **good)),
        sign(stranger_key, ledger.digest([leaf], **good)),
        b"",
        bytes(65),
        bytes(64),
    ]
    for signature in wrong:
        refused(
            lambda signature=signature: by_signature(ledger, [leaf], signature=signature),
            "Splits_BadSignature",
            PAYEE,
        )
    index = leaf.index ^ 1
    moved = Leaf(leaf.split, leaf.token, index, leaf.leaf, leaf.siblings)
    right = sign(KEY, ledger.digest([leaf], **good))
    refused(lambda: by_signature(ledger, [moved], signature=right), "Splits_BadSignature")
    refused(lambda: by_signature(ledger, [leaf], nonce=1), "Splits_BadSignature")
    assert by_signature(ledger, [leaf], signature=right) == 100


def test_p13_a_signature_cannot_be_bent(ledger: Ledger) -> None:
    """The other s, other values of v and the 64-byte form are refused, so a signature has one form."""
    token = ledger.token("TestDollar")
    leaf = mine(funded(ledger, token, 1_000), token)
    good = sign(KEY, ledger.digest([leaf], SINK, 0, 2**40))
    r, s, v = good[:32], int.from_bytes(good[32:64], "big"), good[64]
    flipped = r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    short = r + (s | (v - 27) << 255).to_bytes(32, "big")
    for signature in (flipped, short, good[:64] + bytes([v - 27]), good + b"\x00", good[:64] + b"\x00"):
        refused(
            lambda signature=signature: by_signature(ledger, [leaf], signature=signature),
            "Splits_BadSignature",
        )
    assert by_signature(ledger, [leaf], signature=good) == 100


def test_p13_deadline_and_cancelling(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    leaf = mine(funded(ledger, token, 1_000), token)
    deadline = ledger.chain.time + 100
    ledger.chain.move(101)
    refused(lambda: by_signature(ledger, [leaf], deadline=deadline), "Splits_SignatureExpired", deadline)
    ledger.both(
        lambda: ledger.book.cancel_claim_nonce(PAYEE), lambda: ledger.splits.cancelClaimNonce(sender=PAYEE)
    )
    refused(lambda: by_signature(ledger, [leaf], nonce=0), "Splits_BadSignature")
    assert by_signature(ledger, [leaf], nonce=1, deadline=ledger.chain.time) == 100


def test_p13_a_signature_reaches_only_its_signers_leaves(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    theirs = leaf_of(tree, token.address, 0)
    refused(
        lambda: by_signature(ledger, [mine(tree, token), theirs]),
        "Splits_NotPayee",
        PAYEE,
        payees(1, 5_000)[0],
    )
    refused(lambda: by_signature(ledger, [mine(tree, token)], payee=ZERO), "Splits_BadSignature", ZERO)
    refused(lambda: by_signature(ledger, [mine(tree, token)], ZERO), "Splits_BadRecipient")
    refused(lambda: by_signature(ledger, [mine(tree, token)], ledger.address), "Splits_BadRecipient")
    assert ledger.splits.claimNonce(PAYEE) == 0, "a claim that reverts uses no nonce"
    ledger.claim([mine(tree, token)])
    refused(lambda: by_signature(ledger, [mine(tree, token)]), "Splits_NothingPaid")


def test_p13_a_wallet_with_code_signs_by_erc1271(ledger: Ledger) -> None:
    wallet = ledger.chain.deploy("SmartWallet", PAYEE)
    address = wallet.address.lower()
    tree = ledger.published(MerkleSumTree.build([(address, 3), (OWNER, 1)]))
    token = ledger.token("TestDollar")
    leaf = leaf_of(tree, token.address, tree.index_of(address))
    paid = 0
    for answer in range(9):
        ledger.splits.credit(tree.id, token.address, 400, sender=OWNER)
        paid += 300
        wallet.setAnswer(answer)
        nonce = ledger.splits.claimNonce(address)
        ledger.chain.sender = OWNER

        def call(nonce: int = nonce) -> Any:
            return ledger.splits.claimBySignature(
                [leaf_args(leaf)],
                address,
                SINK,
                nonce,
                2**40,
                sign(KEY, ledger.digest([leaf], SINK, nonce, 2**40)),
                gas=5_000_000,
            )

        if answer in (0, 1):
            assert call() == paid
            paid = 0
        elif answer == 5:
            pass  # a long answer that begins with the right word is right; what it costs is its caller's
        else:
            refused(call, "Splits_BadSignature", address)
    assert ledger.splits.claimNonce(address) == 2


def test_p08_a_root_with_many_payees_cannot_pose_as_one_leaf(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    tree = funded(ledger, token, 1_000)
    alone = Leaf(Split(tree.leaf(0), tree.split.total, 0), token.address, 0, tree.leaf(0), [])
    refused(lambda: ledger.claim([alone]), "Splits_ProofMismatch")
