"""Our splits: published, credited, paid by page, claimed; small ones, and one of a million payees."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from benchmarks.gas.chain import Call, Chain, Contract
from ledger.chain.requests import GAS_CAP
from ledger.domain.canonical import keccak256
from ledger.domain.merkle_sum import MerkleSumTree

#: Gas given to each transfer, the least that Splits allows.
GAS_EACH = 100_000
#: Payees of whole jobs, as in the peers' table.
JOBS = (10, 100, 500)
MILLION = 1_000_000
UNLIMITED = 2**256 - 1
#: Base units of a credit for each payee, so that nobody is owed nothing.
EACH = 100_000_000
BURN_GAS = 13  # DialectToken.Dialect.BurnGas

Figures = dict[str, int]


def payees(label: str, count: int) -> list[str]:
    """Addresses that nobody has used, always the same for a label."""
    drawn = hashlib.shake_128(label.encode()).digest(20 * count)
    return ["0x" + drawn[at : at + 20].hex() for at in range(0, 20 * count, 20)]


def split_of(label: str, count: int, *extra: tuple[str, int]) -> MerkleSumTree:
    """A split of so many payees with unequal units, and of those added."""
    return MerkleSumTree.build([*((one, i % 97 + 1) for i, one in enumerate(payees(label, count))), *extra])


@cache
def million() -> MerkleSumTree:
    """The split of a million payees."""
    drawn = hashlib.shake_128(b"million").digest(20 * MILLION)
    units = [number.to_bytes(12, "big") for number in range(1, 98)]
    words = [drawn[20 * i : 20 * i + 20] + units[i % 97] for i in range(MILLION)]
    return MerkleSumTree.from_words(b"".join(words))


@dataclass(frozen=True)
class Ledger:
    """Our contracts on a chain, and the token that everybody pays with, approved by the first account."""

    chain: Chain
    contracts: dict[str, Contract]
    token: Contract

    @classmethod
    def on(cls, chain: Chain) -> Ledger:
        """Deploys them."""
        contracts = chain.deploy_ledger()
        token, _ = chain.deploy("BenchDollar")
        chain.gas(token.approve(contracts["Splits"].address, UNLIMITED))
        return cls(chain, contracts, token)

    @property
    def splits(self) -> Contract:
        """Splits."""
        return self.contracts["Splits"]

    @property
    def catalogues(self) -> Contract:
        """Catalogues."""
        return self.contracts["Catalogues"]

    def create_catalogue(self) -> int:
        """The gas of a new catalogue; they are numbered from 1."""
        return self.chain.gas(self.catalogues.create(CATALOGUE))

    def credit(self, tree: MerkleSumTree, amount: int, token: Contract | None = None) -> int:
        """The gas of a credit."""
        return self.chain.gas(self.splits.credit(tree.id, (token or self.token).address, amount))


CATALOGUE = (
    keccak256(b"works of the benchmark"),
    keccak256(b"manifest file of the benchmark"),
    "0x" + "a7" * 20,
    30 * 86_400,
    30 * 86_400,
    30 * 86_400,
    "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
)


def content(tree: MerkleSumTree) -> tuple[bytes, int, int]:
    """ISplits.Split."""
    return tree.split.root, tree.split.total, tree.depth


def pages(tree: MerkleSumTree, numbers: Sequence[int] | None = None) -> list[tuple[object, ...]]:
    """ISplits.Run of one page for each page, or for those named."""
    chosen = range(tree.pages) if numbers is None else numbers
    return [(page, tree.page_words(page), tree.page_proof(page)) for page in chosen]


def whole(tree: MerkleSumTree) -> list[tuple[object, ...]]:
    """ISplits.Run of all pages."""
    return [(0, tree.page_words(0, tree.pages), [])]


def payouts(tree: MerkleSumTree, numbers: Sequence[int] | None = None) -> list[tuple[object, ...]]:
    """ISplits.PagePayout likewise, without retries."""
    return [(page, 0, words, proof) for page, words, proof in pages(tree, numbers)]


def leaf(tree: MerkleSumTree, token: str, payee: str) -> tuple[object, ...]:
    """ISplits.Leaf of a payee."""
    index = tree.index_of(payee)
    return content(tree), token, index, tree.leaf(index), tree.leaf_proof(index)


def measure(chain: Chain) -> Figures:
    """Every figure of this module."""
    ledger = Ledger.on(chain)
    return {**page(ledger), **jobs(ledger), **claims(ledger), **million_payees(ledger)}


def page(ledger: Ledger) -> Figures:
    """One full page of 128."""
    tree = split_of("page", 128)
    figures = {"page of 128: publish": ledger.chain.gas(ledger.splits.publish(content(tree), whole(tree)))}
    figures["credit: first of a split"] = ledger.credit(tree, 128 * EACH)
    figures["page of 128: pay, first"] = pay(ledger, tree)
    figures["credit: later"] = ledger.credit(tree, 128 * EACH + 7)
    figures["page of 128: pay, second"] = pay(ledger, tree)
    return figures


def pay(ledger: Ledger, tree: MerkleSumTree, token: Contract | None = None) -> int:
    """Pays every page of a split in one call."""
    call = ledger.splits.payPages(content(tree), (token or ledger.token).address, GAS_EACH, payouts(tree))
    return ledger.chain.gas(call)


def jobs(ledger: Ledger) -> Figures:
    """Whole jobs: a split announced, paid twice, replaced by another."""
    figures: Figures = {}
    for number, count in enumerate(JOBS, start=1):
        figures["catalogue created"] = ledger.create_catalogue()
        tree = split_of(f"job {count}", count)
        announce = ledger.catalogues.publishAndAnnounce
        figures[f"split of {count}: first, in force"] = ledger.chain.gas(
            announce(number, content(tree), whole(tree))
        )
        for which in ("first", "second"):
            ledger.credit(tree, count * EACH)
            figures[f"pay {count}: {which}"] = pay(ledger, tree)
        later = split_of(f"job {count} later", count)
        figures[f"split of {count}: later"] = ledger.chain.gas(announce(number, content(later), whole(later)))
    return figures


def claims(ledger: Ledger) -> Figures:
    """Claims of a payee that was paid before, out of splits of 2^10 leaves."""
    chain, token = ledger.chain, ledger.token.address
    payee, anyone, elsewhere = chain.accounts[5], chain.accounts[3], chain.accounts[6]
    trees = [split_of(f"claim {number}", 2**10 - 1, (payee, 500)) for number in range(4)]
    for tree in trees:
        chain.gas(ledger.splits.publish(content(tree), whole(tree)))
    leaves = [leaf(tree, token, payee) for tree in trees]
    splits = ledger.splits

    def gas(call: Call, sender: str) -> int:
        for tree in trees:
            ledger.credit(tree, 10**12)
        return chain.gas(call, sender)

    figures = {"claim 2^10: first": gas(splits.claim(leaves[:1]), anyone)}
    gas(splits.claim(leaves), anyone)
    figures["claim 2^10: later, by anyone"] = gas(splits.claim(leaves[:1]), anyone)
    gas(splits.claimTo(leaves, elsewhere), payee)
    figures["claim 2^10: later, to another address"] = gas(splits.claimTo(leaves[:1], elsewhere), payee)
    gas(splits.claim(leaves), anyone)
    figures["claim 2^10: later, four splits"] = gas(splits.claim(leaves), anyone)
    return figures


def million_payees(ledger: Ledger) -> Figures:
    """One split of a million payees, at depth 20: single pages, and the costliest calls that there are."""
    chain, splits, tree = ledger.chain, ledger.splits, million()
    figures: Figures = {}
    last = (MILLION - 1) // 128
    for name, number in (("first", 0), ("any", 4711), ("last", last), ("empty", last + 1)):
        publish = splits.publish(content(tree), pages(tree, [number]))
        figures[f"million: publish {name} page"] = chain.gas(publish)
    # A caller may vouch for publication, so the other 8,188 pages need not be published here.
    payer, _ = chain.deploy("TestPayer", splits.address)

    def credit(token: Contract, transfer: Call) -> None:
        chain.gas(transfer)
        chain.gas(payer.credit(tree.id, token.address, MILLION * EACH, b""))

    def paid(token: Contract, numbers: Sequence[int]) -> int:
        return chain.gas(splits.payPages(content(tree), token.address, GAS_EACH, payouts(tree, numbers)))

    for which in ("first", "second"):
        credit(ledger.token, ledger.token.transfer(payer.address, MILLION * EACH))
        figures[f"million: pay any page, {which}"] = paid(ledger.token, [4711])
        figures[f"million: pay four pages, {which}"] = paid(ledger.token, [0, 1, 2, 3])
    burning, _ = chain.deploy("DialectToken", 6, BURN_GAS)
    good = "0x" + tree.leaf(128)[:20].hex()
    chain.gas(burning.setDialect(good, 0))
    chain.gas(burning.setDialect(payer.address, 0))
    chain.gas(burning.setDialect(splits.address, 0))
    credit(burning, burning.mint(payer.address, MILLION * EACH))
    figures["million: pay a page whose payees burn all gas"] = paid(burning, [1])
    credit(burning, burning.mint(payer.address, MILLION * EACH))
    payee = "0x" + tree.leaf(4711 * 128)[:20].hex()
    one = leaf(tree, ledger.token.address, payee)
    credit(ledger.token, ledger.token.transfer(payer.address, MILLION * EACH))
    chain.gas(splits.claim([one]))
    credit(ledger.token, ledger.token.transfer(payer.address, MILLION * EACH))
    figures["claim 2^20: later, by anyone"] = chain.gas(splits.claim([one]))
    if max(figures.values()) >= GAS_CAP:
        raise ValueError("a call of the million's split takes more gas than a transaction may have")
    return figures
