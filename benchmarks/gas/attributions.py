"""Our attributions: training runs and batches of outputs, of one leaf and of as many as a tree may have."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.gas.chain import Chain
from benchmarks.gas.licences import FEBRUARY, HYBRID, URI, Grants
from benchmarks.gas.splits import CATALOGUE, UNLIMITED, Figures, Ledger, content, pages, split_of
from ledger.domain.attribution import MAX_LEAVES, TRAIN
from ledger.domain.canonical import keccak256

MODEL = "muse-large\n2026-01"
PAYEES = 10


def measure(chain: Chain) -> Figures:
    """Every figure of this module. The first record of all writes the journal's head for the first time."""
    ledger = Ledger.on(chain)
    grants = Grants(chain, ledger, chain.signer("licensor"))
    licensee, attributor = chain.signer("licensee"), chain.signer("attributor")
    tree = split_of("catalogue", PAYEES)
    chain.gas(ledger.catalogues.create(CATALOGUE), grants.licensor.address)
    chain.gas(ledger.catalogues.publishAndAnnounce(1, content(tree), pages(tree)), grants.licensor.address)
    chain.gas(ledger.token.transfer(licensee.address, 10**18))
    chain.gas(ledger.token.approve(grants.licences.address, UNLIMITED), licensee.address)
    terms = replace(
        HYBRID,
        token=ledger.token.address,
        model=keccak256(MODEL.encode()),
        attributor=attributor.address,
        attribution_duty=2,
    )
    grants.accept(terms, licensee, permit=False)
    chain.advance_to(FEBRUARY)
    contract, data = ledger.contracts["Attributions"], terms.encode()

    def run(leaves: int) -> int:
        told = (TRAIN, MODEL, keccak256(b"works %d" % leaves), leaves, keccak256(b"file"), URI)
        return chain.gas(contract.recordTraining(1, data, told), licensee.address)

    def batch(leaves: int, sender: str) -> int:
        told = (MODEL, keccak256(b"credits %d" % leaves), leaves, leaves, keccak256(b"file"), URI)
        return chain.gas(contract.recordOutputs(1, data, told), sender)

    return {
        "record training: first of all": run(2),
        "record training: 1 work": run(1),
        "record training: 2^32 works": run(MAX_LEAVES),
        "record outputs: 1": batch(1, licensee.address),
        "record outputs: 1,000,000": batch(1_000_000, licensee.address),
        "record outputs: 2^32": batch(MAX_LEAVES, licensee.address),
        "record outputs: 1,000,000 by the attributor": batch(1_000_000, attributor.address),
    }
