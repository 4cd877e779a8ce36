"""P-01 by proof: what Splits holds of each token, out of the token's own storage where its balance slot is found."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.audit.findings import Solvency
from ledger.audit.layout import layout_of, mapping_slot
from ledger.audit.prover import Prover
from ledger.audit.source import Source
from ledger.chain.artefacts import load, names
from ledger.domain.canonical import address_word, keccak256, uint_word
from ledger.domain.rlp import Malformed

#: Slots at which tokens keep their mapping of balances, tried in turn.
_TRIED = 51
#: ERC-7201 location of OpenZeppelin's upgradeable ERC20, whose first member is the mapping of balances.
_NAMESPACED = bytes.fromhex("52c63247e1f47db19d5ce0460030c497f067ca4cebf71ba98eeadabe20bace00")
#: Some issuers keep a mark in the balance's highest bit (USD Coin 2.2).
_MARK = 1 << 255

NODE = "stated by the node"


def solvencies(prover: Prover, source: Source, splits: str, owed: dict[str, int]) -> Iterator[Solvency]:
    """For each token: the proved balance of Splits, or the one that the node states, and what is owed."""
    for token, amount in owed.items():
        stated = source.balance(token, splits, prover.header.number)
        proved = _known(prover, token, splits) or _found(prover, token, splits, stated)
        if proved is not None:
            held, how = proved
            yield Solvency(token, held, amount, how, proved=True)
        else:
            yield Solvency(token, stated or 0, amount, NODE, proved=False)


def _known(prover: Prover, token: str, splits: str) -> tuple[int, str] | None:
    """The balance in a token that the package carries itself, told by its code without immutables."""
    code_hash = prover.account(token).code_hash
    for name in names():
        if not name.endswith("Dollar"):
            continue
        if code_hash != _code_hash(prover, name, token):
            continue
        slot = layout_of(name).slot("_balances", splits)
        (held,) = prover.slots(token, [slot])
        if isinstance(held, Malformed):
            raise held
        return int.from_bytes(held, "big"), f"proved: the code is {name}'s"
    return None


def _code_hash(prover: Prover, name: str, token: str) -> bytes:
    from ledger.chain.deploy import expected_code, plan

    planned = plan([name])
    one = planned[name]
    if one.address != token or not load(name).runtime:
        return b""
    return keccak256(expected_code(one, planned, prover.source.chain_id))


def _found(prover: Prover, token: str, splits: str, stated: int | None) -> tuple[int, str] | None:
    """The only slot tried whose word is the balance that the token tells."""
    if not stated:
        return None
    # Solidity hashes key ‖ slot, Vyper slot ‖ key.
    places = {f"slot {number}": mapping_slot(uint_word(number), splits) for number in range(_TRIED)}
    places |= {
        f"slot {number}, Vyper": keccak256(uint_word(number) + address_word(splits))
        for number in range(_TRIED)
    }
    places["ERC-7201"] = mapping_slot(_NAMESPACED, splits)
    words = prover.slots(token, list(places.values()))
    fitting = [
        name
        for name, word in zip(places, words, strict=True)
        if not isinstance(word, Malformed) and int.from_bytes(word, "big") in (stated, stated | _MARK)
    ]
    return (stated, f"proved: the only word that fits, {fitting[0]}") if len(fitting) == 1 else None
