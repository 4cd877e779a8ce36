"""Replays the journal of Splits into the model: each entry is what the model would have recorded, or the
audit fails.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger.domain.errors import AuditFailed
from ledger.domain.journal import Entry
from ledger.domain.merkle_sum import PAGE_SIZE, Split, padded_words, pages_of, read_leaf, root_of
from ledger.domain.reverts import Revert
from ledger.domain.split_book import SplitBook
from ledger.domain.split_types import PASSED_OVER, TAKEN_OUT, PageState, Publication


class SplitReplay:
    """Applies entries of Splits, in their order, to `book`.

    `unproved` are payouts of splits that are not published: their effect on the state is replayed, but the
    amounts follow from words that nobody made public. Only callers who vouch wrongly for a split can cause
    them.
    """

    def __init__(self, book: SplitBook) -> None:
        self.book = book
        self.unproved: list[Entry] = []
        self._signed: tuple[str, str] | None = None
        self._controllers: dict[bytes, str] = {}
        self._handlers: dict[str, Callable[[Entry], None]] = {
            "PagePublished": self._page_published,
            "Credited": self._credited,
            "AccountFunded": self._account_funded,
            "AccountMoved": self._account_moved,
            "PagePaid": self._page_paid,
            "Claimed": self._claimed,
            "LeafPlaced": self._leaf_placed,
            "StandingAddressSet": self._standing_address_set,
            "ClaimNonceUsed": self._claim_nonce_used,
        }

    def apply(self, entry: Entry) -> None:
        """Applies one entry. Raises AuditFailed if the model would not have recorded it."""
        try:
            self._handlers[entry.name](entry)
        except Revert as error:
            raise AuditFailed(
                f"The entry {entry.name} could not have happened.", where=_where(entry), why=str(error.what)
            ) from error
        # The claims that follow a used nonce are by signature.
        nonce_used = entry.name == "ClaimNonceUsed"
        if nonce_used:
            self._signed = ("0x" + entry.id[12:].hex(), entry.caller)
        elif entry.name != "Claimed":
            self._signed = None

    def _page_published(self, entry: Entry) -> None:
        split = Split(entry["root"], entry["total"], entry["depth"])
        page, words = entry["page"], list(entry["words"])
        known = self.book.publications.get(entry.id) or Publication(split)
        _demand(entry, split.id == entry.id, "the split id", split.id.hex(), entry.id.hex())
        _demand(entry, page < pages_of(split.depth), "the page", f"below {pages_of(split.depth)}", page)
        _demand(entry, page not in known.pages, "the page", "one that is not public yet", page)
        _demand(
            entry, len(words) <= min(PAGE_SIZE, 1 << split.depth), "the number of words", "a page", len(words)
        )
        known.pages[page] = words
        self.book.publications[entry.id] = known
        if known.complete:
            every = b"".join(b"".join(padded_words(known.pages[i], split.depth)) for i in range(split.pages))
            root, total = root_of(every, split.depth)
            _demand(entry, root == split.root, "the root of all pages", split.root.hex(), root.hex())
            _demand(entry, total == split.total, "the units of all pages", split.total, total)

    def _credited(self, entry: Entry) -> None:
        self.book.credit_by_callback(entry.caller, entry.id, entry["token"], entry["amount"])

    def _account_funded(self, entry: Entry) -> None:
        made = self.book.fund_account(
            entry.caller, entry["controller"], entry["salt"], entry["token"], entry["amount"]
        )
        _same(entry, made[0])
        self._controllers[entry.id] = entry["controller"]

    def _account_moved(self, entry: Entry) -> None:
        # The salt is not told, but whoever funded the account told its controller.
        owner = self._controllers.get(entry.id)
        _demand(entry, owner == entry.caller, "the caller", owner, entry.caller)
        made = self.book.move_known(entry.caller, entry.id, entry["token"], entry["splitId"], entry["amount"])
        _same(entry, made[0])

    def _page_paid(self, entry: Entry) -> None:
        book, split_id, token, page = self.book, entry.id, entry["token"], entry["page"]
        known = book.publications.get(split_id)
        if known is None or page not in known.pages:
            self._page_of_unpublished(entry)
            return
        words = padded_words(known.pages[page], known.split.depth)
        refused = entry["failed"]
        made = book.settle_page(
            entry.caller,
            split_id,
            token,
            total=known.split.total,
            page=page,
            words=words,
            retry=entry["retry"],
            succeeds=lambda place, payee, amount: not refused >> place & 1,
        )
        _same(entry, made)

    def _page_of_unpublished(self, entry: Entry) -> None:
        book, token, page = self.book, entry["token"], entry["page"]
        state = book.page_state(entry.id, token, page)
        kept = 0
        for place in range(PAGE_SIZE):
            start = state.paid_up_to
            if state.exceptions >> place & 1:
                kind, start = book.checkpoints[entry.id, token, page * PAGE_SIZE + place]
                if kind == TAKEN_OUT or (kind == PASSED_OVER and not entry["retry"] >> place & 1):
                    kept |= 1 << place
                else:
                    book.checkpoints[entry.id, token, page * PAGE_SIZE + place] = (0, 0)
            if entry["failed"] >> place & 1:
                book.checkpoints[entry.id, token, page * PAGE_SIZE + place] = (PASSED_OVER, start)
        cumulative = book.cumulative(entry.id, token)
        _demand(entry, entry["cumulative"] == cumulative, "the cumulative", cumulative, entry["cumulative"])
        book.page_states[entry.id, token, page] = PageState(cumulative, kept | entry["failed"])
        book.paid[entry.id, token] = book.paid.get((entry.id, token), 0) + entry["paid"]
        self.unproved.append(entry)

    def _claimed(self, entry: Entry) -> None:
        book, token, index = self.book, entry["token"], entry["index"]
        payee, units = read_leaf(entry["leaf"])
        to = entry["to"]
        own = {payee, book.standing_address(payee) or payee}
        signed = self._signed == (payee, entry.caller)
        _demand(
            entry, to in own or entry.caller == payee or signed, "the recipient", "of the payee's choice", to
        )
        known = book.publications.get(entry.id)
        total = None
        if known is not None and index // PAGE_SIZE in known.pages:
            total = known.split.total
            _demand(
                entry, book.leaf(entry.id, index) == (payee, units), "the leaf", "the published one", payee
            )
        else:
            self.unproved.append(entry)
        paid = book.settle_claim(entry.id, token, index, units=units, total=total, trusted=entry["paid"])
        _demand(entry, paid == entry["paid"] and paid > 0, "the amount paid", paid, entry["paid"])
        cumulative = book.cumulative(entry.id, token)
        _demand(entry, entry["cumulative"] == cumulative, "the cumulative", cumulative, entry["cumulative"])

    def _leaf_placed(self, entry: Entry) -> None:
        payee, _ = read_leaf(entry["leaf"])
        _demand(entry, payee == entry.caller, "the caller", payee, entry.caller)
        start = self.book.settle_place(entry.id, entry["token"], entry["index"], out=entry["out"])
        _demand(entry, start == entry["checkpoint"], "the checkpoint", start, entry["checkpoint"])

    def _standing_address_set(self, entry: Entry) -> None:
        _same(entry, self.book.set_standing_address(entry.caller, entry["to"])[0])

    def _claim_nonce_used(self, entry: Entry) -> None:
        payee = "0x" + entry.id[12:].hex()
        expected = self.book.nonces.get(payee, 0)
        _demand(entry, entry["nonce"] == expected, "the nonce", expected, entry["nonce"])
        self.book.nonces[payee] = expected + 1


def _where(entry: Entry) -> str:
    return f"Splits {entry.name} 0x{entry.id.hex()}"


def _demand(entry: Entry, holds: bool, what: str, expected: object, found: object) -> None:
    if not holds:
        raise AuditFailed(
            f"An entry of the journal differs from the model: {what} should be {expected}, not {found}.",
            where=_where(entry),
            remedy="Compare the entry with the transaction that made it.",
        )


def _same(entry: Entry, made: Entry) -> None:
    for name, value in made.args.items():
        _demand(entry, entry[name] == value, name, value, entry[name])
    _demand(entry, made.id == entry.id, "the id", made.id.hex(), entry.id.hex())
