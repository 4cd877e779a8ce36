"""Payouts: who would get what, pages paid, payees passed over and tried again, claims.

Trees are rebuilt from the entries that published their pages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ledger.chain.answers import hex_bytes
from ledger.chain.contracts import GAS_EACH, page_gas
from ledger.chain.requests import GAS_CAP, Outcome, Request
from ledger.chain.rpc import RpcError, call_object
from ledger.chain.sender import Sender
from ledger.domain.address import checksum_address
from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.journal import Entry, RawLog, decode_entry, is_entry
from ledger.domain.merkle_sum import PAGE_SIZE, MerkleSumTree, read_leaf
from ledger.domain.reverts import UnknownRevert
from ledger.domain.royalty import entitled_down
from ledger.domain.split_types import PASSED_OVER, TAKEN_OUT, PagePayout
from ledger.operations.books import Books
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.session import Session
from ledger.operations.splits import short, sized

#: What a further page costs beside its transfers: its words are hashed, its slot is written.
_GAS_PAGE = 150_000
#: Transactions that are sent before the progress is told.
_PART = 50
#: How a payee stands: a page pays it; passed over until it is tried again; out of its page, claims only.
BY_PAGE, WAITS, BY_CLAIM = "page", "passed over", "claim only"
#: Its split was built by another program, by other rules: that one pays it.
OTHER_RULES = "split of other rules"


@dataclass(frozen=True, slots=True)
class Owed:
    """What one leaf is owed now, in base units, and how it can be paid."""

    split_id: bytes
    token: str
    index: int
    payee: str
    amount: int
    how: str

    @property
    def page(self) -> int:
        """Number of its page."""
        return self.index // PAGE_SIZE


@dataclass(frozen=True, slots=True)
class SplitSum:
    """One split in one token: all that was credited and paid, and what its leaves are owed."""

    split_id: bytes
    token: str
    credited: int
    paid: int
    leaves: int
    owed: tuple[Owed, ...]

    @property
    def owed_in_all(self) -> int:
        """The sum over its leaves."""
        return sum(one.amount for one in self.owed)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A payee whose transfer failed, and why as far as the token tells."""

    owed: Owed
    why: str


@dataclass
class PayoutPlan:
    """Pages to be paid. `left_out` are payees that this run does not pay, and why."""

    plan: Plan
    sums: tuple[SplitSum, ...]
    pays: dict[str, int]
    payees: int
    pages: int
    left_out: tuple[Owed, ...]
    #: Whom each request pays, by its key.
    of_request: dict[str, list[Owed]]


@dataclass
class PaidOut:
    """What a run did: paid by token, payees passed over now, transactions."""

    paid: dict[str, int] = field(default_factory=dict)
    payees: int = 0
    passed_over: list[Skipped] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)


# ---- what is owed


def splits_of(books: Books, *, licence: int | None = None, catalogue: int | None = None) -> list[bytes]:
    """The splits that money of a licence, or of a catalogue's licences, went to; without either, all."""
    if licence is not None:
        if licence not in books.licences.grants:
            raise ValueRefused(f"There is no licence {licence}.", remedy="See `licence-ledger licence list`.")
        wanted = books.destinations(licence)
    elif catalogue is not None:
        books.catalogues.known(catalogue)
        wanted = {
            one.entry["splitId"]
            for one in books.events
            if one.name == "SplitAnnounced" and one.entry.number == catalogue
        }
        for number, grant in books.licences.grants.items():
            if grant.terms.catalogue == catalogue:
                wanted |= books.destinations(number)
    else:
        wanted = {split_id for split_id, _ in books.splits.cumulatives}
    return [one for one in books.splits.publications if one in wanted]


def sums_of(
    books: Books, splits: Iterable[bytes] | None = None, *, payee: str | None = None
) -> list[SplitSum]:
    """What is owed of each split and token, leaf by leaf (only leaves with something owed, or of `payee`)."""
    wanted = set(splits) if splits is not None else None
    found = []
    for (split_id, token), credited in books.splits.cumulatives.items():
        if (wanted is None or split_id in wanted) and books.splits.is_published(split_id):
            owed, leaves = _owed_of(books, split_id, token, credited, payee)
            paid = books.splits.paid.get((split_id, token), 0)
            found.append(SplitSum(split_id, token, credited, paid, leaves, tuple(owed)))
    return found


def _owed_of(
    books: Books, split_id: bytes, token: str, credited: int, only: str | None
) -> tuple[list[Owed], int]:
    book = books.splits
    known = book.publications[split_id]
    total = known.split.total
    wanted = bytes.fromhex(only[2:]) if only else None
    owed: list[Owed] = []
    leaves = 0
    for page in sorted(known.pages):
        words = known.pages[page]
        leaves += len(words)
        state = book.page_state(split_id, token, page)
        if state.paid_up_to == credited and state.exceptions == 0:
            continue
        for place, word in enumerate(words):
            if wanted is not None and word[:20] != wanted:
                continue
            start, how = state.paid_up_to, BY_PAGE
            if state.exceptions >> place & 1:
                kind, start = book.checkpoints[split_id, token, page * PAGE_SIZE + place]
                how = {PASSED_OVER: WAITS, TAKEN_OUT: BY_CLAIM}.get(kind, BY_PAGE)
            payee, units = read_leaf(word)
            amount = entitled_down(credited, units, total) - entitled_down(start, units, total)
            if amount:
                owed.append(Owed(split_id, token, page * PAGE_SIZE + place, payee, amount, how))
    return owed, leaves


def tree_from(books: Books, split_id: bytes) -> MerkleSumTree:
    """A published split's tree, from its entries, its id checked. Raises LedgerError for one of other rules."""
    known = books.splits.publications.get(split_id)
    if known is not None and known.complete:
        words = b"".join(b"".join(known.pages[page]) for page in sorted(known.pages))
        try:
            tree = MerkleSumTree(words)
        except LedgerError:
            tree = None
        if tree is not None and tree.id == split_id:
            return tree
    raise LedgerError(
        f"The tree of split {short(split_id)} cannot be rebuilt.",
        "0x" + split_id.hex(),
        "It is not published, or its payees do not stand in ascending order as this program builds splits.",
        "Pay it with the program that built it.",
    )


# ---- pages


def plan_payout(
    session: Session,
    books: Books,
    sums: Sequence[SplitSum],
    *,
    sender: str,
    retry: Collection[str] | None = (),
) -> PayoutPlan:
    """Pays all pages with something owed. `retry`: payees passed over that are tried again; None: all.

    Pages are grouped so that no transaction needs more gas than one may have, whatever the payees do.
    """
    of_request: dict[str, list[Owed]] = {}
    requests: list[Request] = []
    effects: list[Effect] = []
    pays: dict[str, int] = {}
    left_out: list[Owed] = []
    payees = pages = 0
    who = checksum_address(sender)
    for one in sums:
        chosen = [item for item in one.owed if _is_paid(item, retry)]
        left_out += [item for item in one.owed if not _is_paid(item, retry)]
        if not chosen:
            continue
        by_page: dict[int, list[Owed]] = {}
        for item in chosen:
            by_page.setdefault(item.page, []).append(item)
        try:
            paged = _page_requests(session, books, one, by_page)
        except LedgerError:
            # Anyone may publish and credit a split of other rules; it must not stop the payees of ours.
            left_out += [replace(item, how=OTHER_RULES) for item in chosen]
            continue
        amount = sum(item.amount for item in chosen)
        pays[one.token] = pays.get(one.token, 0) + amount
        payees += len(chosen)
        pages += len(by_page)
        for request, items in paged:
            requests.append(request)
            of_request[request.key] = items
        token = session.ledger.token(one.token)
        what = f"{shown_amount(token, amount)} of split {short(one.split_id)}"
        effects.append(Effect(who, "has Splits pay", what, f"to {sized(len(chosen), 'payee')}"))
    return PayoutPlan(
        Plan(sender, effects, requests), tuple(sums), pays, payees, pages, tuple(left_out), of_request
    )


def _is_paid(item: Owed, retry: Collection[str] | None) -> bool:
    return item.how == BY_PAGE or (item.how == WAITS and (retry is None or item.payee in retry))


def _page_requests(
    session: Session, books: Books, one: SplitSum, by_page: dict[int, list[Owed]]
) -> list[tuple[Request, list[Owed]]]:
    """The payouts of one split, each with the payees that it pays."""
    tree = tree_from(books, one.split_id)
    groups: list[list[int]] = []
    transfers = 0
    for page, items in sorted(by_page.items()):
        bound = _gas(transfers + len(items), len(groups[-1]) + 1) if groups else GAS_CAP
        if bound >= GAS_CAP:
            groups.append([])
            transfers = 0
        groups[-1].append(page)
        transfers += len(items)
    made = []
    for pages in groups:
        payouts, states, paid = [], [], []
        for page in pages:
            items = by_page[page]
            state = books.splits.page_state(one.split_id, one.token, page)
            retry = sum(1 << item.index % PAGE_SIZE for item in items if item.how == WAITS)
            payouts.append(PagePayout(page, retry, tree.page_words(page), tree.page_proof(page)))
            states.append(f"{state.paid_up_to}-{state.exceptions:x}")
            paid += items
        request = session.ledger.splits.pay_pages(
            tree.split,
            one.token,
            payouts,
            occasion=f"{one.credited}/{'/'.join(states)}",
            gas=_gas(len(paid), len(pages)),
        )
        made.append((request, paid))
    return made


def _gas(transfers: int, pages: int) -> int:
    """A limit for so many transfers from so many pages: a bound, whatever the payees do."""
    return min(GAS_CAP, page_gas(transfers) + _GAS_PAGE * (pages - 1))


def pay_out(
    session: Session,
    sender: Sender,
    books: Books,
    plan: PayoutPlan,
    step: Callable[[int], None] = lambda payees: None,
) -> PaidOut:
    """Sends the pages, and tells from their entries who was paid and who was passed over, and why.

    A transaction in which nobody could be paid would be refused by the contract; it is not sent. `step` hears
    of each part that is done, in payees.
    """
    done = PaidOut()
    requests = list(plan.plan.requests)
    if not requests:
        return done
    trials = sender.simulate(requests)
    sendable = []
    for request, trial in zip(requests, trials, strict=True):
        if trial.error is None:
            sendable.append(request)
        else:
            done.refused.append(Outcome(request, "refused", error=trial.error))
    for start in range(0, len(sendable), _PART):
        part = sendable[start : start + _PART]
        done.outcomes += sender.send(part)
        step(sum(len(plan.of_request[one.key]) for one in part))
    done.refused += [one for one in done.outcomes if not one.good]
    failed: set[tuple[bytes, str, int]] = set()
    for entry in _entries(done.outcomes, session):
        token, page = entry["token"], entry["page"]
        done.paid[token] = done.paid.get(token, 0) + entry["paid"]
        failed |= {
            (entry.id, token, page * PAGE_SIZE + place)
            for place in range(PAGE_SIZE)
            if entry["failed"] >> place & 1
        }
    refused = {one.request.key for one in done.refused}
    for key, items in plan.of_request.items():
        for one in items:
            if key in refused or (one.split_id, one.token, one.index) in failed:
                done.passed_over.append(Skipped(one, why_refused(session, one)))
            else:
                done.payees += 1
    return done


def _entries(outcomes: Sequence[Outcome], session: Session) -> list[Entry]:
    found = []
    for outcome in outcomes:
        for log in outcome.logs:
            topics = [hex_bytes(one) for one in log["topics"]]
            if log["address"].lower() != session.ledger.splits.address or not is_entry("Splits", topics):
                continue
            entry = decode_entry(
                "Splits", RawLog(outcome.block, 0, topics[0], topics[1], hex_bytes(log["data"]))
            )
            if entry.name == "PagePaid":
                found.append(entry)
    return found


def why_refused(session: Session, owed: Owed) -> str:
    """Why the token does not move what a payee is owed, in the token's words; empty where it would now."""
    token = session.ledger.token(owed.token)
    request = token.transfer(owed.payee, owed.amount)
    call = call_object(request.to, request.data, sender=session.ledger.splits.address, gas=GAS_EACH + 30_000)
    try:
        answer = session.rpc.call("eth_call", call, "latest")
    except RpcError as error:
        return _refusal(error.reason())
    if answer not in ("0x", None) and int(answer, 16) == 0:
        return "The token answers that the transfer failed."
    return ""


#: Errors by which tokens tell that an address is blocked.
_BLOCKED = (
    "Blocked",
    "Blacklisted",
    "Blocklisted",
    "AccountBlocked",
    "AccountFrozen",
    "ERC20Blocked",
    "UserBlocked",
)


def _refusal(error: LedgerError) -> str:
    """A token's refusal in words: errors of its own are not in our table."""
    if not isinstance(error, UnknownRevert):
        return error.what
    if not error.data:
        return "The token refuses the transfer and does not say why."
    selector = error.data[:4]
    if len(error.data) == 36 and selector in {
        keccak256(f"{name}(address)".encode())[:4] for name in _BLOCKED
    }:
        return f"The token blocks {checksum_address('0x' + error.data[16:36].hex())}."
    return f"The token refuses the transfer with an error of its own, 0x{selector.hex()}."


# ---- who is owed what


def preview(books: Books, sums: Sequence[SplitSum]) -> list[tuple[str, str, int]]:
    """Payee, token and amount, summed over all splits, the largest first."""
    held: dict[tuple[str, str], int] = {}
    for one in sums:
        for item in one.owed:
            key = (item.payee, item.token)
            held[key] = held.get(key, 0) + item.amount
    rows = [(payee, token, amount) for (payee, token), amount in held.items()]
    return sorted(rows, key=lambda row: (row[1], -row[2], row[0]))
