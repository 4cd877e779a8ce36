"""Splits beside its executable model: every call runs on both; entries, errors and states have to agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from _mini import Chain, Contract, Reverted, account, fold, keccak
from coincurve import PrivateKey
from eth_abi.abi import encode

from ledger.domain.conservation import conservation
from ledger.domain.journal import Entry, encode_entry
from ledger.domain.merkle_sum import MerkleSumTree, Split
from ledger.domain.reverts import Revert
from ledger.domain.split_book import SplitBook
from ledger.domain.split_types import Leaf, PagePayout, Run

MIN_GAS = 100_000
TX_GAS = 16_777_216  # EIP-7825
OWNER, STRANGER, SINK = account(1), account(2), account(3)
LIMIT = 2**128
CLAIM_TO = keccak(b"ClaimTo(bytes32 leavesHash,address to,uint256 nonce,uint256 deadline)")
DOMAIN = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


def payees(count: int, first: int = 1000) -> list[str]:
    """Addresses that nobody else uses, in ascending order."""
    return [account(first + i) for i in range(count)]


def tree_of(units: Iterable[int], first: int = 1000) -> MerkleSumTree:
    """A tree of payees with these units, in the order of their leaves."""
    listed = list(units)
    return MerkleSumTree.build(list(zip(payees(len(listed), first), listed, strict=True)))


def split_args(split: Split) -> tuple[bytes, int, int]:
    """ISplits.Split for the codec."""
    return split.root, split.total, split.depth


def run_of(tree: MerkleSumTree, first_page: int, pages: int = 1) -> Run:
    return Run(first_page, tree.page_words(first_page, pages), tree.page_proof(first_page, pages))


def payout_of(tree: MerkleSumTree, number: int = 0, retry: int = 0) -> PagePayout:
    return PagePayout(number, retry, tree.page_words(number), tree.page_proof(number))


def leaf_of(tree: MerkleSumTree, token: str, index: int) -> Leaf:
    return Leaf(tree.split, token, index, tree.leaf(index), tree.leaf_proof(index))


def run_args(run: Run) -> tuple[Any, ...]:
    return run.first_page, list(run.words), list(run.siblings)


def payout_args(page: PagePayout) -> tuple[Any, ...]:
    return page.page, page.retry, list(page.words), list(page.siblings)


def leaf_args(leaf: Leaf) -> tuple[Any, ...]:
    return split_args(leaf.split), leaf.token, leaf.index, leaf.leaf, list(leaf.siblings)


def key_of(number: int) -> tuple[PrivateKey, str]:
    """A key and its address."""
    key = PrivateKey(number.to_bytes(32, "big"))
    return key, "0x" + keccak(key.public_key.format(compressed=False)[1:])[12:].hex()


def refused(call: Callable[[], Any], name: str, *values: object) -> None:
    """The call reverts with this error and, where given, these arguments."""
    with pytest.raises(Reverted) as caught:
        call()
    assert caught.value.name == name, caught.value
    if values:
        assert caught.value.values == values


class Ledger:
    """One Splits on a chain of its own, its model, and what was sent so far."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.splits = self.chain.deploy("Splits")
        self.address = self.splits.address.lower()
        self.book = SplitBook(self.address)
        self.blocked: set[str] = set()
        self._seen = 0
        self._payer: Contract | None = None

    # Tokens and trees

    def token(self, name: str = "PlainToken", *args: Any) -> Contract:
        """A token of which the owner has plenty, and which Splits may pull from the owner."""
        token = self.chain.deploy(name, *(args or ((6,) if name.endswith("Token") else ())))
        token.mint(OWNER, 2**180)
        token.approve(self.address, 2**256 - 1, sender=OWNER)
        return token

    def payer(self, token: Contract) -> Contract:
        """A contract that pays by callback, and has plenty of the token."""
        if self._payer is None:
            self._payer = self.chain.deploy("TestPayer", self.address)
        token.mint(self._payer.address, 2**180)
        return self._payer

    def published(self, tree: MerkleSumTree) -> MerkleSumTree:
        """Publishes every page."""
        self.publish(tree, range(tree.pages))
        return tree

    # Mirrored calls

    def publish(self, tree: MerkleSumTree, numbers: Iterable[int], sender: str = STRANGER) -> None:
        self.publish_runs(tree.split, [run_of(tree, number) for number in numbers], sender)

    def publish_runs(self, split: Split, runs: Sequence[Run], sender: str = STRANGER) -> None:
        self.both(
            lambda: self.book.publish(sender, split, runs),
            lambda: self.splits.publish(split_args(split), [run_args(run) for run in runs], sender=sender),
        )

    def credit(self, tree: MerkleSumTree, token: Contract, amount: int) -> None:
        self.both(
            lambda: self.book.credit(OWNER, tree.id, token.address, amount),
            lambda: self.splits.credit(tree.id, token.address, amount, sender=OWNER),
        )

    def fund(self, controller: str, salt: bytes, token: Contract, amount: int) -> None:
        payer = self.payer(token)
        self.both(
            lambda: self.book.fund_account(payer.address.lower(), controller, salt, token.address, amount),
            lambda: payer.fund(controller, salt, token.address, amount, b""),
        )

    def move_account(
        self, sender: str, salt: bytes, token: Contract, tree: MerkleSumTree, amount: int
    ) -> None:
        self.both(
            lambda: self.book.move_account(sender, salt, token.address, tree.id, amount),
            lambda: self.splits.moveAccount(salt, token.address, tree.id, amount, sender=sender),
        )

    def pay(
        self,
        tree: MerkleSumTree,
        token: Contract,
        pages: Sequence[int] = (0,),
        retry: int = 0,
        gas_each: int = MIN_GAS,
        sender: str = STRANGER,
    ) -> None:
        payouts = [payout_of(tree, number, retry) for number in pages]
        self.both(
            lambda: self.book.pay_pages(
                sender, tree.split, token.address, payouts, gas_each=gas_each, transfer=self._moves
            ),
            lambda: self.splits.payPages(
                split_args(tree.split),
                token.address,
                gas_each,
                [payout_args(page) for page in payouts],
                sender=sender,
            ),
        )

    def claim(self, leaves: Sequence[Leaf], sender: str = STRANGER) -> None:
        self.both(
            lambda: self.book.claim(sender, leaves, transfer=self._moves),
            lambda: self.splits.claim([leaf_args(leaf) for leaf in leaves], sender=sender),
        )

    def claim_to(self, leaves: Sequence[Leaf], to: str, sender: str) -> None:
        self.both(
            lambda: self.book.claim_to(sender, leaves, to, transfer=self._moves),
            lambda: self.splits.claimTo([leaf_args(leaf) for leaf in leaves], to, sender=sender),
        )

    def place(self, leaves: Sequence[Leaf], out: bool, sender: str) -> None:
        self.both(
            lambda: self.book.place_leaves(sender, leaves, out),
            lambda: self.splits.placeLeaves([leaf_args(leaf) for leaf in leaves], out, sender=sender),
        )

    def stand(self, sender: str, to: str) -> None:
        self.both(
            lambda: self.book.set_standing_address(sender, to),
            lambda: self.splits.setStandingAddress(to, sender=sender),
        )

    def _moves(self, token: str, to: str, amount: int) -> bool:
        return to.lower() not in self.blocked

    def both(self, model: Callable[[], list[Entry]], contract: Callable[[], Any]) -> None:
        """Runs a call on model and contract; raises Reverted where both refuse, with the same error."""
        expected: Revert | None = None
        entries: list[Entry] = []
        found: Reverted | None = None
        try:
            entries = model()
        except Revert as revert:
            expected = revert
        try:
            contract()
        except Reverted as reverted:
            found = reverted
        if found is None:
            assert expected is None, expected
            self.agree(entries)
            return
        assert expected is not None, found
        assert found.name == expected.name, (found, expected)
        assert [_plain(value) for value in found.values] == [_plain(value) for value in expected.arguments]
        raise found

    def agree(self, entries: Sequence[Entry]) -> None:
        """The new logs are these entries, to the byte, and the head is the fold of all of them (P-14)."""
        logs = [log for log in self.chain.logs if log.address == self.address]
        new, self._seen = logs[self._seen :], len(logs)
        expected = [encode_entry("Splits", entry, self.chain.block, self.chain.time) for entry in entries]
        assert [(log.topics, log.data) for log in new] == [
            ((one.topic0, one.topic1), one.data) for one in expected
        ]
        assert self.chain.storage(self.address, 0).to_bytes(32, "big") == fold(logs, self.address)

    def pass_over(self) -> None:
        """Entries so far that the model was not told of are left out of the comparison, not of the fold."""
        self._seen = sum(log.address == self.address for log in self.chain.logs)

    # States

    def same_state(self, tree: MerkleSumTree, token: str) -> None:
        """Every value of a split and token is the same on chain and in the model; P-02 and P-04 hold."""
        book, splits = self.book, self.splits
        assert splits.cumulative(tree.id, token) == book.cumulative(tree.id, token)
        for page in range(tree.pages):
            state = book.page_state(tree.id, token, page)
            assert splits.pageState(tree.id, token, page) == (state.paid_up_to, state.exceptions)
        for index in range(tree.leaves):
            assert splits.owed(leaf_args(leaf_of(tree, token, index))) == book.owed(tree.id, token, index)
            assert splits.leafState(tree.id, token, index) == book.leaf_state(tree.id, token, index)
        assert conservation(book, tree.id, token).holds

    def owed(self, tree: MerkleSumTree, token: Contract, index: int) -> int:
        return int(self.splits.owed(leaf_args(leaf_of(tree, token.address, index))))

    def state(self, tree: MerkleSumTree, token: Contract, page: int = 0) -> tuple[int, int]:
        """Cumulative at the page's last payout, and exceptions."""
        return tuple(self.splits.pageState(tree.id, token.address, page))  # type: ignore[return-value]

    def held(self, token: Contract) -> int:
        return int(token.balanceOf(self.address))

    # Signatures

    def digest(
        self,
        leaves: Sequence[Leaf],
        to: str,
        nonce: int,
        deadline: int,
        chain_id: int = 1,
        contract: str | None = None,
    ) -> bytes:
        """The EIP-712 digest of ClaimTo."""
        each = b"".join(
            keccak(leaf.split.id + bytes(12) + bytes.fromhex(leaf.token[2:]) + leaf.index.to_bytes(32, "big"))
            for leaf in leaves
        )
        struct = keccak(
            encode(
                ["bytes32", "bytes32", "address", "uint256", "uint256"],
                [CLAIM_TO, keccak(each), to, nonce, deadline],
            )
        )
        domain = keccak(
            encode(
                ["bytes32", "bytes32", "bytes32", "uint256", "address"],
                [DOMAIN, keccak(b"Splits"), keccak(b"1"), chain_id, contract or self.address],
            )
        )
        return keccak(b"\x19\x01" + domain + struct)


def sign(key: PrivateKey, digest: bytes) -> bytes:
    """r ‖ s ‖ v."""
    made = key.sign_recoverable(digest, hasher=None)
    return made[:64] + bytes([made[64] + 27])


def _plain(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def bits(*places: int) -> int:
    """A bitmap."""
    return sum(1 << place for place in places)
