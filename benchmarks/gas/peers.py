"""The peers that npm carries, and a bare batch, paying as many payees in the same token."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.compiler import artefact
from benchmarks.gas.chain import Chain, Contract
from benchmarks.gas.splits import EACH, JOBS, Figures, payees
from ledger.domain.canonical import keccak256, uint_word

#: Payees of a page of ours, which the per-payee figures are of.
PAGE = 128
#: Leaves of the Merkle drop whose later claim is measured.
LEAVES = 2**10


def measure(chain: Chain) -> Figures:
    """Every figure of this module."""
    token, _ = chain.deploy("BenchDollar")
    found: Figures = {}
    for count in sorted({*JOBS, PAGE}):
        found |= bare_batch(chain, token, count)
        found |= payment_splitter(chain, token, count)
        found |= thirdweb_split(chain, token, count)
    return {**found, **merkle_drop(chain, token)}


def bare_batch(chain: Chain, token: Contract, count: int) -> Figures:
    """The lower bound of any contract: a list in call data, a transfer each, no check."""
    batch, _ = chain.deploy("BareBatch")
    to = payees(f"bare batch {count}", count)
    words = [bytes.fromhex(one[2:]) + EACH.to_bytes(12, "big") for one in to]
    found: Figures = {}
    for which in ("first", "second"):
        chain.gas(token.transfer(batch.address, count * EACH + 1))
        found[f"bare batch: pay {count}, {which}"] = chain.gas(batch.pay(token.address, words))
    return found


def payment_splitter(chain: Chain, token: Contract, count: int) -> Figures:
    """OpenZeppelin PaymentSplitter 4.9.6: a contract for each split, a transaction for each payee."""
    name = "OpenZeppelin PaymentSplitter"
    to = payees(f"payment splitter {count}", count)
    splitter, created = chain.deploy("PaymentSplitter", to, units(count))
    found = {f"{name}: create {count}": created}
    release = "release(address,address)"
    for which in ("first", "second"):
        chain.gas(token.transfer(splitter.address, sum(units(count)) * EACH))
        calls = [splitter.of(release, token.address, one) for one in to]
        found[f"{name}: pay {count}, {which}"] = sum(chain.gas_of_each(calls))
    return found


def thirdweb_split(chain: Chain, token: Contract, count: int) -> Figures:
    """Split 3.15.0 of thirdweb: a proxy for each split, as its factory makes it; one call pays everybody."""
    name = "thirdweb Split"
    to = payees(f"thirdweb {count}", count)
    master, _ = chain.deploy("Split")
    clone, proxy = chain.deploy_code(artefact("Split"), minimal_proxy(master.address))
    setting_up = clone.initialize(chain.accounts[0], "ipfs://benchmark", [], to, units(count))
    found = {f"{name}: create {count}": proxy + chain.gas(setting_up, over_cap=True)}
    for which in ("first", "second"):
        chain.gas(token.transfer(clone.address, sum(units(count)) * EACH))
        paying = clone.of("distribute(address)", token.address)
        found[f"{name}: pay {count}, {which}"] = chain.gas(paying, over_cap=True)
    return found


def units(count: int) -> list[int]:
    """The units that our own splits have."""
    return [i % 97 + 1 for i in range(count)]


def minimal_proxy(master: str) -> bytes:
    """Creation code of an EIP-1167 proxy."""
    before, after = "3d602d80600a3d3981f3363d3d373d3d3d363d73", "5af43d82803e903d91602b57fd5bf3"
    return bytes.fromhex(before + master[2:] + after)


def merkle_drop(chain: Chain, token: Contract) -> Figures:
    """Uniswap's Merkle distributor 1.0.1: a contract for each payout, a claim for each payee in it.

    The payee was paid by an earlier drop, and this one's word of the bitmap is in use: its cheapest case.
    """
    name = "Uniswap MerkleDistributor"
    to = payees("merkle drop", LEAVES)
    found: Figures = {}
    for _ in range(2):
        leaves = [drop_leaf(i, one) for i, one in enumerate(to)]
        root, proofs = sorted_tree(leaves)
        drop, found[f"{name}: create"] = chain.deploy("MerkleDistributor", token.address, root)
        chain.gas(token.transfer(drop.address, LEAVES * EACH))

        chain.gas(drop.claim(0, to[0], EACH, proofs[0]))
        found[f"{name}: later claim, 2^10 leaves"] = chain.gas(drop.claim(1, to[1], EACH, proofs[1]))
    return found


def drop_leaf(index: int, account: str) -> bytes:
    """keccak256(abi.encodePacked(index, account, amount))."""
    return keccak256(uint_word(index) + bytes.fromhex(account[2:]) + uint_word(EACH))


def sorted_tree(leaves: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """Root and proofs of a tree whose pairs are hashed in ascending order, over 2^n leaves."""
    level = list(leaves)
    proofs: list[list[bytes]] = [[] for _ in leaves]
    height = 0
    while len(level) > 1:
        for i, proof in enumerate(proofs):
            proof.append(level[(i >> height) ^ 1])
        level = [keccak256(b"".join(sorted(level[i : i + 2]))) for i in range(0, len(level), 2)]
        height += 1
    return level[0], proofs
