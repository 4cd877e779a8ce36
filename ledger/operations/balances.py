"""What an address holds, is owed and was paid."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.answers import hex_int
from ledger.chain.tokens import Token
from ledger.domain.errors import LedgerError
from ledger.domain.merkle_sum import PAGE_SIZE
from ledger.domain.split_types import PASSED_OVER, TAKEN_OUT
from ledger.operations.books import Books
from ledger.operations.payouts import BY_CLAIM, BY_PAGE, WAITS
from ledger.operations.session import Session
from ledger.operations.tokens import TEST_TOKENS, find_token


@dataclass(frozen=True, slots=True)
class Share:
    """A payee's leaf of one split in one token: all it was entitled to, was paid, is owed."""

    split_id: bytes
    token: Token
    index: int
    units: int
    total: int
    entitled: int
    paid: int
    how: str

    @property
    def owed(self) -> int:
        """What a claim would pay now."""
        return self.entitled - self.paid


@dataclass(frozen=True, slots=True)
class Holding:
    """A token of an address: what it holds, and the sums over its leaves."""

    token: Token
    held: int
    owed: int
    paid: int


@dataclass(frozen=True, slots=True)
class Balance:
    """All about an address. `standing`: where claims by anyone go; empty: to itself."""

    address: str
    native: int
    standing: str
    claim_nonce: int
    holdings: tuple[Holding, ...]
    shares: tuple[Share, ...]


def shares_of(session: Session, books: Books, address: str) -> list[Share]:
    """The leaves of an address in every split that was ever credited."""
    book = books.splits
    wanted = bytes.fromhex(address[2:])
    found = []
    for split_id, token in book.cumulatives:
        known = book.publications.get(split_id)
        for page, words in known.pages.items() if known is not None else ():
            for place, word in enumerate(words):
                if word[:20] != wanted or known is None:
                    continue
                index = page * PAGE_SIZE + place
                kind, _ = book.checkpoint(split_id, token, index)
                found.append(
                    Share(
                        split_id,
                        session.ledger.token(token),
                        index,
                        int.from_bytes(word[20:], "big"),
                        known.split.total,
                        book.entitled(split_id, token, index),
                        book.paid_to(split_id, token, index),
                        {PASSED_OVER: WAITS, TAKEN_OUT: BY_CLAIM}.get(kind, BY_PAGE),
                    )
                )
    return found


def of(session: Session, books: Books, address: str) -> Balance:
    """The balance of an address. Raises LedgerError."""
    shares = shares_of(session, books, address)
    tokens = {one.token.address: one.token for one in shares}
    tokens |= {address: session.ledger.token(address) for _, address in books.splits.cumulatives}
    if session.is_local:
        for name in TEST_TOKENS:
            try:
                token = find_token(session, name)
            except LedgerError:
                continue
            tokens.setdefault(token.address, token)
    holdings = [
        Holding(
            token,
            token.balance(address),
            sum(one.owed for one in shares if one.token.address == token.address),
            sum(one.paid for one in shares if one.token.address == token.address),
        )
        for token in tokens.values()
    ]
    native = hex_int(session.rpc.call("eth_getBalance", address, "latest"))
    return Balance(
        address,
        native,
        books.splits.standing_address(address) or "",
        books.splits.nonces.get(address, 0),
        tuple(holdings),
        tuple(shares),
    )
