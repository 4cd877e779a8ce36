"""Claims: a payee's leaves in all splits, paid to itself by anyone, or elsewhere by the payee's own word."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.chain.requests import Request
from ledger.chain.signing import Signer
from ledger.domain.address import checksum_address, parse_address
from ledger.domain.canonical import canonical_json
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.split_types import Leaf
from ledger.domain.terms_fields import format_time
from ledger.operations.books import Books
from ledger.operations.payouts import Owed, sums_of, tree_from
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.session import Session
from ledger.operations.splits import short, sized

CLAIM_VERSION = "1"
#: Leaves of one call: about 40,000 gas and up to 1.3 KB each.
LEAVES_AT_ONCE = 80


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """What a payee is owed and how it is claimed. `pays`: by token."""

    payee: str
    to: str
    owed: tuple[Owed, ...]
    pays: dict[str, int]
    plan: Plan


@dataclass(frozen=True, slots=True)
class SignedClaim:
    """A payee's signature that lets anyone send its claim to `to`. Leaves by split id, token and index."""

    chain_id: int
    splits: str
    payee: str
    to: str
    nonce: int
    deadline: int
    leaves: tuple[tuple[bytes, str, int], ...]
    signature: bytes

    def to_json(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(
            {
                "claim_version": CLAIM_VERSION,
                "chain_id": self.chain_id,
                "splits": checksum_address(self.splits),
                "payee": checksum_address(self.payee),
                "to": checksum_address(self.to),
                "nonce": self.nonce,
                "deadline": self.deadline,
                "leaves": [
                    {"split": "0x" + split_id.hex(), "token": checksum_address(token), "index": index}
                    for split_id, token, index in self.leaves
                ],
                "signature": "0x" + self.signature.hex(),
            }
        )


def owed_to(books: Books, payee: str) -> list[Owed]:
    """Every leaf of a payee with something owed, neighbours of one token together."""
    found = [item for one in sums_of(books, payee=payee) for item in one.owed]
    return sorted(found, key=lambda one: one.token)


def leaves_at(books: Books, owed: Sequence[tuple[bytes, str, int]]) -> list[Leaf]:
    """Leaves with their proofs, by split id, token and index. Raises LedgerError for a tree of other rules."""
    trees = {split_id: tree_from(books, split_id) for split_id, _, _ in owed}
    leaves = []
    for split_id, token, index in owed:
        tree = trees[split_id]
        leaves.append(Leaf(tree.split, token, index, tree.leaf(index), tree.leaf_proof(index)))
    return leaves


def _keys(owed: Sequence[Owed]) -> list[tuple[bytes, str, int]]:
    return [(one.split_id, one.token, one.index) for one in owed]


def _require(owed: Sequence[Owed], payee: str) -> None:
    if not owed:
        raise ValueRefused(
            f"Nothing is owed to {checksum_address(payee)}.",
            remedy=f"See what it was paid: `licence-ledger balance {checksum_address(payee)}`.",
        )


def plan_claim(session: Session, books: Books, payee: str, *, sender: str, to: str = "") -> ClaimPlan:
    """Claims all that a payee is owed. Anyone may, to the payee or its standing address; `to` only itself.

    Raises LedgerError where nothing is owed, or another address is asked for by somebody else.
    """
    owed = owed_to(books, payee)
    _require(owed, payee)
    receiver = to or books.splits.standing_address(payee) or payee
    if to and sender != payee:
        raise LedgerError(
            f"Only {checksum_address(payee)} may send its claim to another address.",
            remedy="Use its account, --from NAME; or let it sign: `licence-ledger payout claim --sign FILE`.",
        )
    contract = session.ledger.splits
    requests: list[Request] = []
    for start in range(0, len(owed), LEAVES_AT_ONCE):
        part = owed[start : start + LEAVES_AT_ONCE]
        leaves = leaves_at(books, _keys(part))
        occasion = _occasion(books, part)
        requests.append(
            contract.claim_to(leaves, to, occasion=occasion)
            if to
            else contract.claim(leaves, occasion=occasion)
        )
    pays = _sums(owed)
    effects = [
        Effect(
            checksum_address(payee),
            "is paid",
            f"{shown_amount(session.ledger.token(token), units)} of "
            f"{sized(sum(one.token == token for one in owed), 'split')}",
            f"to {checksum_address(receiver)}",
        )
        for token, units in pays.items()
    ]
    return ClaimPlan(payee, receiver, tuple(owed), pays, Plan(sender, effects, requests))


def _sums(owed: Sequence[Owed]) -> dict[str, int]:
    pays: dict[str, int] = {}
    for one in owed:
        pays[one.token] = pays.get(one.token, 0) + one.amount
    return pays


def _occasion(books: Books, owed: Sequence[Owed]) -> str:
    # The same leaves are claimed again once more is credited.
    return "/".join(str(books.splits.cumulative(one.split_id, one.token)) for one in owed)


# ---- by signature


def sign_claim(session: Session, books: Books, signer: Signer, to: str, deadline: int) -> SignedClaim:
    """The payee's signature over all its leaves with something owed. Raises LedgerError."""
    payee = signer.address.lower()
    owed = owed_to(books, payee)
    _require(owed, payee)
    if len(owed) > LEAVES_AT_ONCE:
        raise LedgerError(
            f"{checksum_address(payee)} has {len(owed)} leaves; one signature takes {LEAVES_AT_ONCE}.",
            remedy="Claim from the payee's own account instead.",
        )
    keys = _keys(owed)
    nonce = books.splits.nonces.get(payee, 0)
    contract = session.ledger.splits
    signature = contract.sign_claim(signer, leaves_at(books, keys), to, nonce, deadline)
    return SignedClaim(
        session.rpc.chain_id, contract.address, payee, to, nonce, deadline, tuple(keys), signature
    )


def read_signed(content: bytes, where: str = "") -> SignedClaim:
    """A signed claim out of its file. Raises ValueRefused."""
    try:
        held: dict[str, Any] = json.loads(content)
        if held["claim_version"] != CLAIM_VERSION:
            raise ValueError("another version")
        leaves = tuple(
            (_bytes(one["split"], 32), parse_address(one["token"]), int(one["index"]))
            for one in held["leaves"]
        )
        return SignedClaim(
            int(held["chain_id"]),
            parse_address(held["splits"]),
            parse_address(held["payee"]),
            parse_address(held["to"]),
            int(held["nonce"]),
            int(held["deadline"]),
            leaves,
            _bytes(held["signature"]),
        )
    except (ValueError, TypeError, KeyError, LedgerError) as error:
        raise ValueRefused(
            "The file is no signed claim.", where, str(error), "Ask the payee for it again."
        ) from error


def plan_signed(session: Session, books: Books, claim: SignedClaim, *, sender: str) -> ClaimPlan:
    """Sends a signed claim. Raises LedgerError for one of another chain, used, too late or unknown."""
    contract = session.ledger.splits
    if claim.chain_id != session.rpc.chain_id or claim.splits != contract.address:
        raise LedgerError(
            f"The claim is for chain {claim.chain_id}; this is chain {session.rpc.chain_id}.",
            remedy="Connect to a node of the claim's chain: --rpc URL.",
        )
    if session.now() > claim.deadline:
        raise LedgerError(
            f"The claim could be sent until {format_time(claim.deadline)}.",
            remedy="Ask the payee for a new one.",
        )
    nonce = books.splits.nonces.get(claim.payee, 0)
    if claim.nonce != nonce:
        raise LedgerError(
            "The claim was sent before, or the payee withdrew it.",
            why=f"It has the nonce {claim.nonce}; {nonce} comes next.",
            remedy="Ask the payee for a new one.",
        )
    keys = set(claim.leaves)
    owed = [
        item
        for one in sums_of(books, payee=claim.payee)
        for item in one.owed
        if (item.split_id, item.token, item.index) in keys
    ]
    request = contract.claim_by_signature(
        leaves_at(books, claim.leaves),
        claim.payee,
        claim.to,
        claim.nonce,
        claim.deadline,
        signature=claim.signature,
    )
    pays = _sums(owed)
    effects = [
        Effect(
            checksum_address(claim.payee),
            "is paid",
            shown_amount(session.ledger.token(token), units),
            f"to {checksum_address(claim.to)}, by its signature",
        )
        for token, units in pays.items()
    ]
    return ClaimPlan(claim.payee, claim.to, tuple(owed), pays, Plan(sender, effects, [request]))


def shown_leaves(owed: Sequence[Owed]) -> list[str]:
    """Leaves in words, for lists."""
    return [f"leaf {one.index} of split {short(one.split_id)}" for one in owed]


def _bytes(text: str, length: int | None = None) -> bytes:
    if not re.fullmatch(r"0x(?:[0-9a-fA-F]{2})*", text):
        raise ValueError(f"{text[:20]!r} is no hexadecimal")
    word = bytes.fromhex(text[2:])
    if length is not None and len(word) != length:
        raise ValueError(f"{text[:20]!r} has a wrong length")
    return word
