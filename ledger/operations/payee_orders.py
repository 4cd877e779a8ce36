"""What a payee orders about its own money: where claims by anyone go, what pages leave to claims, and that a signed
claim is void.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.errors import ValueRefused
from ledger.operations.balances import shares_of
from ledger.operations.books import Books
from ledger.operations.claims import LEAVES_AT_ONCE, leaves_at
from ledger.operations.payouts import BY_CLAIM
from ledger.operations.plan import Effect, Plan
from ledger.operations.session import Session
from ledger.operations.splits import sized


@dataclass(frozen=True, slots=True)
class Placing:
    """Leaves that are taken out of their pages or put back: how many, and the plan."""

    leaves: int
    plan: Plan


def plan_standing(session: Session, books: Books, to: str) -> Plan:
    """Lets claims by anyone go to `to`; empty: to the payee itself again. Raises ValueRefused where it is so."""
    payee = session.address()
    who, held = checksum_address(payee), books.splits.standing_address(payee)
    if to == payee:
        to = ""
    if (held or "") == to:
        raise ValueRefused(
            f"Claims for {who} go to {checksum_address(to) if to else 'itself'} already.",
            remedy="Nothing has to be sent.",
        )
    if to == session.ledger.splits.address:
        raise ValueRefused(
            "Money of claims cannot go to the Splits contract itself.", remedy="Give an address of yours."
        )
    # The same address may be named again after another: what was there before makes the occasion.
    orders = sum(one.name == "StandingAddressSet" and one.entry.caller == payee for one in books.events)
    request = session.ledger.splits.set_standing_address(to or ZERO_ADDRESS, occasion=str(orders))
    effect = Effect(
        who, "lets claims go to", checksum_address(to) if to else "itself", "pages pay it as before"
    )
    return Plan(payee, [effect], [request])


def plan_placing(session: Session, books: Books, *, out: bool) -> Placing:
    """Takes all leaves of the sender, in every token credited so far, out of their pages, or puts them back.

    Raises ValueRefused where there is none to be moved.
    """
    payee = session.address()
    keys = [
        (one.split_id, one.token.address, one.index)
        for one in shares_of(session, books, payee)
        if (one.how == BY_CLAIM) != out and books.splits.is_published(one.split_id)
    ]
    if not keys:
        raise ValueRefused(
            f"No leaf of {checksum_address(payee)} is {'in' if out else 'out of'} its page.",
            why="A leaf counts once its split is published and something was credited to it.",
            remedy=f"See its leaves: `licence-ledger balance {checksum_address(payee)}`.",
        )
    contract = session.ledger.splits
    moves = sum(one.name == "LeafPlaced" and one.entry.caller == payee for one in books.events)
    requests = [
        contract.place_leaves(
            leaves_at(books, keys[start : start + LEAVES_AT_ONCE]), out=out, occasion=f"{moves}/{start}"
        )
        for start in range(0, len(keys), LEAVES_AT_ONCE)
    ]
    effect = Effect(
        checksum_address(payee),
        "takes out of their pages" if out else "puts back into their pages",
        sized(len(keys), "leaf", "leaves"),
        "only claims pay them" if out else "pages pay them again",
    )
    return Placing(len(keys), Plan(payee, [effect], requests))


def plan_void(session: Session, books: Books) -> Plan:
    """Makes void whatever the sender has signed for its next claim nonce."""
    payee = session.address()
    nonce = books.splits.nonces.get(payee, 0)
    effect = Effect(checksum_address(payee), "makes void", "every claim that it signed and nobody has sent")
    return Plan(payee, [effect], [session.ledger.splits.cancel_claim_nonce(nonce)])
