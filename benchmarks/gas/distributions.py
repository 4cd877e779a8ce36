"""Our distributions: posted, settled, objected to, chosen, swept; and the gas of publishing, per payee."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache

from benchmarks.gas.chain import Call, Chain, Contract
from benchmarks.gas.licences import DAY, DOLLAR, FEBRUARY, HYBRID, URI, Grants
from benchmarks.gas.splits import (
    CATALOGUE,
    MILLION,
    UNLIMITED,
    Figures,
    Ledger,
    content,
    leaf,
    payees,
    split_of,
    whole,
)
from ledger.chain.publication import publish_requests
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS, keccak256
from ledger.domain.merkle_sum import MerkleSumTree

Posted = tuple[str, bytes, int, int]

#: What is posted: name, payees, base units that are held.
CASES = (
    ("1 payee", 1, 0),
    ("1,000 payees", 1_000, 0),
    ("1 payee, some held", 1, 12_345),
    ("1,000 payees, some held", 1_000, 12_345),
)
ARBITER = CATALOGUE[2]
#: Base units of a licence's month.
MONTH = 100_000 * DOLLAR
_CHOOSE_COUNTER = 2


@cache
def divided(count: int, total: int) -> MerkleSumTree:
    """A split of `total` units among so many payees, by unequal weights that are the same each time."""
    import numpy as np

    drawn = hashlib.shake_128(b"payees of a distribution").digest(22 * count)
    weights = np.frombuffer(drawn, dtype=">u2", count=count).astype(np.uint64) + np.uint64(1)
    units = weights * np.uint64(total) // weights.sum()
    units[0] += np.uint64(total) - units.sum()
    words = np.zeros((count, 32), dtype=np.uint8)
    words[:, :20] = np.frombuffer(drawn, dtype=np.uint8)[2 * count :].reshape(-1, 20)
    words[:, 24:] = units.astype(">u8").view(np.uint8).reshape(-1, 8)
    return MerkleSumTree.from_words(words.tobytes())


@dataclass
class Periods:
    """Usage-weighted licences, and period 0 of each, reported and paid."""

    chain: Chain
    ledger: Ledger
    grants: Grants
    standing: MerkleSumTree

    @classmethod
    def on(cls, chain: Chain, licences: int) -> Periods:
        """Grants the licences, then reports and pays a month of each."""
        ledger = Ledger.on(chain)
        grants = Grants(chain, ledger, chain.signer("licensor"))
        licensee = chain.signer("licensee")
        standing = split_of("catalogue", 10)
        chain.gas(ledger.catalogues.create(CATALOGUE), grants.licensor.address)
        announce = ledger.catalogues.publishAndAnnounce(1, content(standing), whole(standing))
        chain.gas(announce, grants.licensor.address)
        chain.gas(ledger.token.transfer(licensee.address, 10**18))
        chain.gas(ledger.token.approve(grants.licences.address, UNLIMITED), licensee.address)
        made = cls(chain, ledger, grants, standing)
        terms = replace(HYBRID, token=ledger.token.address, distributions=made.contract.address)
        for _ in range(licences):
            grants.accept(terms, licensee, permit=False)
        chain.advance_to(FEBRUARY)
        for licence in range(1, licences + 1):
            grants.report(licence, 0)
        return made

    @property
    def contract(self) -> Contract:
        """Distributions."""
        return self.ledger.contracts["Distributions"]

    def view(self, contract: Contract, function: str, *arguments: object) -> object:
        """A view's value."""
        kind = contract.artefact.abi.function(function)
        return kind.decode(self.chain.rpc.eth_call(contract.address, kind.encode(*arguments)))

    def waits(self, licence: int) -> int:
        """Base units in the account of period 0."""
        salt = self.view(self.contract, "saltOf", licence, 0)
        account = self.view(self.ledger.splits, "accountId", self.contract.address, salt)
        held = self.view(self.ledger.splits, "accountBalance", account, self.ledger.token.address)
        assert isinstance(held, int)
        return held

    def publish(self, label: str, count: int, total: int, *also: str) -> MerkleSumTree:
        """A published split of `total` units among so many payees and those named."""
        everyone = [*also, *payees(label, count - len(also))]
        units = total // count
        rest = total - units * (count - 1)
        tree = MerkleSumTree.build([(everyone[0], rest), *((one, units) for one in everyone[1:])])
        self.chain.gas(self.ledger.splits.publish(content(tree), whole(tree)))
        return tree

    def post(self, licence: int, tree: MerkleSumTree, held: int) -> tuple[int, Posted]:
        """The gas of a posting, and what was posted."""
        amount = tree.split.total + held
        bound = (keccak256(b"usage file"), CATALOGUE[0], keccak256(b"allocation rule"))
        posting = (content(tree), amount, *bound, URI)
        call = self.contract.post(licence, self.grants.terms[licence], 0, [], posting)
        gas = self.chain.gas(call, self.grants.licensor.address)
        return gas, (self.ledger.token.address, tree.id, tree.split.total, amount)


def measure(chain: Chain) -> Figures:
    """Every figure of this module. The first posting of all writes the journal's head for the first time."""
    first, contested = len(CASES) + 1, len(CASES) + 2
    periods = Periods.on(chain, contested)
    figures: Figures = {}
    figures["post: first of all"], _ = periods.post(first, periods.publish("first", 2, 10**9), 0)
    posted = {}
    for licence, (name, count, held) in enumerate(CASES, 1):
        tree = periods.publish(name, count, periods.waits(licence) - held)
        figures[f"post: {name}"], posted[licence] = periods.post(licence, tree, held)
    figures |= objection(periods, contested)
    chain.advance_to(chain.now() + 30 * DAY + 1)
    for licence, (name, _, _) in enumerate(CASES, 1):
        settle = periods.contract.settle(licence, 0, [posted[licence]])
        figures[f"settle: {name}"] = chain.gas(settle, chain.accounts[3])
    # A restatement raises what is due, and the increase is paid late.
    swept = len(CASES)
    periods.grants.restate(swept, 0)
    periods.grants.pay_later(swept, 0, 2)
    sweep = periods.contract.sweep(swept, 0, [posted[swept]])
    figures["sweep: late money"] = chain.gas(sweep, chain.accounts[3])
    return figures | publication(periods.ledger)


def objection(periods: Periods, licence: int) -> Figures:
    """A payee's objection with a counter-split, and the arbiter's choice of it."""
    chain, ledger, contract = periods.chain, periods.ledger, periods.contract
    holder = chain.signer("holder").address
    amount = periods.waits(licence)
    tree = periods.publish("posted", 1_000, amount, holder)
    counter = periods.publish("counter", 1_000, amount, holder)
    _, posted = periods.post(licence, tree, 0)
    bond = periods.view(contract, "bondOf", amount)
    chain.gas(ledger.token.transfer(holder, 10**15))
    chain.gas(ledger.token.approve(contract.address, UNLIMITED), holder)
    terms = periods.grants.terms[licence]
    nothing_stood = (ZERO_ADDRESS, ZERO32, 0, 0)
    protest = (leaf(tree, ledger.token.address, holder), content(counter), nothing_stood, bond)
    figures = {"object": chain.gas(contract.object(licence, terms, 0, [posted], protest), holder)}
    raised = (holder, bond, counter.id, counter.split.total, ZERO32, 0, periods.standing.id)
    chain.rpc.call("anvil_impersonateAccount", ARBITER)
    chain.rpc.call("anvil_setBalance", ARBITER, hex(10**20))
    choose = contract.choose(licence, terms, 0, [posted], raised, _CHOOSE_COUNTER)
    figures["choose the counter-split"] = chain.gas(choose, ARBITER)
    return figures


def publication(ledger: Ledger) -> Figures:
    """Publishing a month's money to so many payees: the costliest call, and all of them per payee, rounded up."""
    found: Figures = {}
    for count in (1_000, MILLION):
        tree = divided(count, MONTH)
        requests = publish_requests(tree, range(tree.pages), ledger.splits.address)
        gas = [ledger.chain.gas(Call(one.to, one.data)) for one in requests]
        found[f"publish: a call for {count:,} payees"] = max(gas)
        found[f"publish: per payee of {count:,}"] = -(-sum(gas) // count)
    return found
