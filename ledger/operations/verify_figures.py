"""Every figure that the contracts hold, as the replayed books say it should be, and the view that tells it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.chain.contract import Contract
from ledger.chain.contracts import Ledger
from ledger.chain.tokens import Token
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS
from ledger.domain.chain_terms import SCOPES
from ledger.domain.errors import LedgerError
from ledger.domain.licence_types import PeriodState, Source
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.royalty import entitled_down
from ledger.operations.books import Books
from ledger.operations.plan import shown_amount
from ledger.operations.session import Session
from ledger.operations.splits import short

_PAYEES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One view and what it should answer. `expected` is a value, or one value for each field of a struct.

    `subject`: split id, token and leaf or page, for findings that name payees and amounts.
    """

    check: str
    where: str
    contract: Contract
    function: str
    arguments: tuple[Any, ...]
    expected: Any
    names: tuple[str, ...] = ()
    subject: tuple[bytes, str, int] | None = None


def figures(books: Books, ledger: Ledger) -> Iterator[Figure]:
    """All of them: licences, catalogues, splits."""
    yield from _licences(books, ledger)
    yield from _scopes(books, ledger)
    yield from _catalogues(books, ledger)
    yield from _splits(books, ledger)


# ---- licences

_STATE = [
    "status",
    "acceptedAt",
    "stop",
    "nextPeriod",
    "openPeriods",
    "openDisputes",
    "transferable",
    "setOff",
    "sumA",
    "sumB",
    "cureUntil",
    "curePeriod",
]
_PERIOD = ["base", "open", "version", "bookedAt", "interestNumerator", "interestUpTo"]
_DISPUTE = ["proposer", "proposedBase", "deadline", "arbiterCalled"]


def _licences(books: Books, ledger: Ledger) -> Iterator[Figure]:
    book, contract = books.licences, ledger.licences
    yield Figure("licence states", "all licences", contract, "count", (), book.count)
    for number, grant in book.grants.items():
        where = f"licence {number}"
        state = book.states[number]
        expected = (
            state.status,
            state.accepted_at,
            state.terminated_at,
            state.next_period,
            state.open_periods,
            state.open_disputes,
            state.transferable,
            state.set_off,
            state.sum_a,
            state.sum_b,
            state.cure_until,
            state.cure_period,
        )
        yield Figure("licence states", where, contract, "stateOf", (number,), expected, tuple(_STATE))
        yield Figure(
            "licence states", f"{where}, terms", contract, "termsHashOf", (number,), grant.terms_hash
        )
        yield Figure(
            "licence states", f"{where}, holder", contract, "ownerOf", (number,), book.holders[number]
        )
        told_to_others = (grant.terms_hash, book.holders[number], state.terminated_at)
        yield Figure("licence states", f"{where}, grant", contract, "grantOf", (number,), told_to_others)
        # One period past the last, so that one booked without an entry is seen.
        for period in range(state.next_period + 1):
            held = book.periods.get((number, period)) or PeriodState()
            place = f"{where}, period {period}"
            yield Figure(
                "periods", place, contract, "periodOf", (number, period), _period(held), tuple(_PERIOD)
            )
            dispute = book.dispute_of(number, period)
            told: tuple[Any, ...] = (0, 0, 0, False)
            if dispute is not None:
                told = (
                    dispute.proposer,
                    dispute.proposed_base,
                    dispute.deadline,
                    dispute.arbiter_called,
                )
            yield Figure("disputes", place, contract, "disputeOf", (number, period), told, tuple(_DISPUTE))
        queue = book.sources.get(number, ()) if state.set_off else ()
        for index, source in enumerate((*queue, Source(ZERO32, 0))):
            place = f"{where}, source {index} of its set-off"
            pair = (source.destination, source.amount)
            names = ("destination", "amount")
            yield Figure("set-off", place, contract, "setOffAt", (number, index), pair, names)
    for digest, licensor in book.offers.items():
        yield Figure("offers", f"offer {short(digest)}", contract, "offeredBy", (digest,), licensor)
    for (licensor, nonce), used in book.nonces.items():
        where = f"nonce {nonce} of {checksum_address(licensor)}"
        yield Figure("offers", where, contract, "nonceUsed", (licensor, nonce), used)


def _period(state: PeriodState) -> tuple[int, ...]:
    return (
        state.base,
        state.open,
        state.version,
        state.booked_at,
        state.interest_numerator,
        state.interest_up_to,
    )


def _scopes(books: Books, ledger: Ledger) -> Iterator[Figure]:
    for catalogue in books.catalogues.catalogues:
        for bit, name in enumerate(SCOPES):
            where = f"catalogue {catalogue}, use {name.lower().replace('_', ' ')}"
            pair = books.licences.live_of(catalogue, bit)
            names = ("live", "exclusive")
            yield Figure("scope counters", where, ledger.licences, "liveOf", (catalogue, bit), pair, names)


# ---- catalogues


def _catalogues(books: Books, ledger: Ledger) -> Iterator[Figure]:
    contract = ledger.catalogues
    known = books.catalogues.catalogues
    yield Figure("catalogues", "all catalogues", contract, "count", (), len(known))
    for number, held in known.items():
        where = f"catalogue {number}"
        rules = books.catalogues.rules_of(number)
        yield Figure("catalogues", f"{where}, owner", contract, "ownerOf", (number,), held.owner)
        yield Figure(
            "catalogues", f"{where}, next owner", contract, "pendingOwnerOf", (number,), held.pending_owner
        )
        yield Figure("catalogues", f"{where}, rules", contract, "rulesOf", (number,), rules)
        yield Figure(
            "catalogues",
            f"{where}, manifest",
            contract,
            "manifestOf",
            (number,),
            (held.settings.works_root, held.settings.file_hash),
        )
        yield Figure(
            "lists of splits", f"{where}, length", contract, "splitCount", (number,), len(held.splits)
        )
        for position, (effective, split_id) in enumerate(held.splits):
            yield Figure(
                "lists of splits",
                f"{where}, position {position}",
                contract,
                "splitByPosition",
                (number, position),
                (split_id, effective),
                ("splitId", "effective"),
            )


# ---- splits


def _splits(books: Books, ledger: Ledger) -> Iterator[Figure]:
    book, contract = books.splits, ledger.splits
    for split_id, known in book.publications.items():
        where = f"split 0x{split_id.hex()}"
        counts = (len(known.pages), known.split.pages)
        names = ("published", "pages")
        yield Figure("publications", where, contract, "publication", (split_id,), counts, names)
        for page in known.pages:
            place = f"{where}, page {page}"
            yield Figure("publications", place, contract, "isPagePublished", (split_id, page), True)
    for (split_id, token), credited in book.cumulatives.items():
        where = f"split 0x{split_id.hex()}, token {checksum_address(token)}"
        yield Figure("credits", where, contract, "cumulative", (split_id, token), credited)
        publication = book.publications.get(split_id)
        for page in range(publication.split.pages if publication else 0):
            state = book.page_state(split_id, token, page)
            yield Figure(
                "page slots",
                f"{where}, page {page}",
                contract,
                "pageState",
                (split_id, token, page),
                (state.paid_up_to, state.exceptions),
                ("paidUpTo", "exceptions"),
                (split_id, token, page),
            )
    for (split_id, token, index), checkpoint in book.checkpoints.items():
        where = f"split 0x{split_id.hex()}, token {checksum_address(token)}, leaf {index}"
        yield Figure(
            "leaf slots",
            where,
            contract,
            "leafState",
            (split_id, token, index),
            checkpoint,
            ("kind", "checkpoint"),
            (split_id, token, index),
        )
    for (account, token), balance in book.accounts.items():
        where = f"account 0x{account.hex()}, token {checksum_address(token)}"
        yield Figure("accounts", where, contract, "accountBalance", (account, token), balance)
    for payee in {*book.standing, *book.nonces}:
        where = f"payee {checksum_address(payee)}"
        nonce = book.nonces.get(payee, 0)
        yield Figure("payees", f"{where}, claim nonce", contract, "claimNonce", (payee,), nonce)
        to = book.standing.get(payee, ZERO_ADDRESS)
        yield Figure("payees", f"{where}, standing address", contract, "standingAddress", (payee,), to)


# ---- differences in words


def differs(figure: Figure, held: Any) -> str:
    """How the chain's answer differs from the books; empty where it does not."""
    if isinstance(held, LedgerError):
        return f"the chain refuses to tell it: {held.what}"
    if not isinstance(figure.expected, tuple):
        return "" if held == figure.expected else _pair(figure.function, figure.expected, held)
    told: Sequence[Any] = tuple(held)
    names = figure.names or getattr(held, "_fields", ()) or tuple(map(str, range(len(told))))
    flaws = [
        _pair(name, expected, one)
        for name, expected, one in zip(names, figure.expected, told, strict=False)
        if expected != one
    ]
    return "; ".join(flaws)


def _pair(name: str, expected: Any, held: Any) -> str:
    return f"{name} is {_text(held)} on the chain and {_text(expected)} by the entries"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def payees_of(session: Session, books: Books, figure: Figure, held: Any) -> str:
    """Whom a wrong page or leaf slot concerns, and by how much."""
    if figure.subject is None or isinstance(held, LedgerError):
        return ""
    split_id, token_address, number = figure.subject
    known = books.splits.publications.get(split_id)
    if known is None:
        return ""
    token = session.ledger.token(token_address)
    if figure.check == "leaf slots":
        words = known.pages.get(number // PAGE_SIZE, [])
        place = number % PAGE_SIZE
        concerned = [words[place]] if place < len(words) else []
        start, wrong = figure.expected[1], held.checkpoint
    else:
        exceptions = books.splits.page_state(split_id, token_address, number).exceptions
        changed = exceptions ^ held.exceptions
        words = known.pages.get(number, [])
        concerned = [word for place, word in enumerate(words) if changed >> place & 1]
        if held.paidUpTo != figure.expected[0]:
            concerned = [word for place, word in enumerate(words) if not exceptions >> place & 1]
        start, wrong = figure.expected[0], held.paidUpTo
    parts = [_payee(word, known.split.total, start, wrong, token) for word in concerned[:_PAYEES_SHOWN]]
    more = f" and {len(concerned) - _PAYEES_SHOWN} more" if len(concerned) > _PAYEES_SHOWN else ""
    return "; ".join(parts) + more


def _payee(word: bytes, total: int, start: int, wrong: int, token: Token) -> str:
    payee, units = read_leaf(word)
    amount = entitled_down(wrong, units, total) - entitled_down(start, units, total)
    if amount == 0:
        return f"payee {checksum_address(payee)}"
    change = "less" if amount > 0 else "more"
    return f"payee {checksum_address(payee)} is owed {shown_amount(token, abs(amount))} {change}"
