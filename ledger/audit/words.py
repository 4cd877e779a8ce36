"""Every word of storage as the replayed books say it should be: what the storage proofs are held against."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ledger.audit.layout import Field, Layout, layout_of, mapping_slot
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO_ADDRESS, address_word, uint_word
from ledger.domain.catalogue_book import CatalogueBook
from ledger.domain.split_book import SplitBook
from ledger.domain.split_types import Publication

_PAGES_A_WORD = 256
_TIMES_A_WORD = 6
_TIME_BITS = 40

WHOLE = Field("value", 0, 256)
HIGH_LOW = 128
#: In the place of what a split's first page was paid up to: that page has a slot of its own.
OWN_SLOT = 2**128 - 1


@dataclass(frozen=True, slots=True)
class Subject:
    """What a word is about, for findings."""

    licence: int | None = None
    period: int | None = None
    split: bytes | None = None
    token: str | None = None
    #: The page of a page word, the leaf of a leaf word.
    page: int | None = None
    leaf: int | None = None
    payee: str | None = None


NOTHING = Subject()


@dataclass(frozen=True, slots=True)
class Word:
    """One slot of a contract and what should stand in it; zeros are to be proved absent."""

    check: str
    where: str
    contract: str
    slot: bytes
    expected: bytes
    fields: tuple[Field, ...] = (WHOLE,)
    subject: Subject = NOTHING

    def differs(self, held: bytes) -> str:
        """How what is held differs from what is expected, field by field; empty where it does not."""
        if held == self.expected:
            return ""
        flaws = [
            f"{one.name} is {_shown(one, held)} on the chain and {_shown(one, self.expected)} by the entries"
            for one in self.fields
            if one.of(held) != one.of(self.expected)
        ]
        return "; ".join(flaws) or f"the word is 0x{held.hex()} and by the entries 0x{self.expected.hex()}"


def _shown(field: Field, word: bytes) -> str:
    value = field.of(word)
    if field.bits in (160, 256) and value >> 128:
        return f"0x{value:0{field.bits // 4}x}"
    return f"{value:,}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What of the ledger is to be proved. Empty: all of it.

    `pages`: (split, page) of a holder's leaves; `leaves`: (split, leaf index); `periods`: (licence, period);
    `nonces`: (licensor, word of its bitmap). Sets are None where all is wanted; where not all is, offers, nonces and
    the numbers of licences held are wanted only if these are named, the contracts' own counts if `counts`.
    """

    splits: frozenset[bytes] | None = None
    pages: frozenset[tuple[bytes, int]] | None = None
    leaves: frozenset[tuple[bytes, int]] | None = None
    licences: frozenset[int] | None = None
    catalogues: frozenset[int] | None = None
    payees: frozenset[str] | None = None
    periods: frozenset[tuple[int, int]] | None = None
    offers: frozenset[bytes] | None = None
    nonces: frozenset[tuple[str, int]] | None = None
    licence_holders: frozenset[str] | None = None
    counts: bool = False

    def has_split(self, split_id: bytes) -> bool:
        """Whether a split is wanted."""
        return self.splits is None or split_id in self.splits

    def has_page(self, split_id: bytes, page: int) -> bool:
        """Whether a page of a split is wanted."""
        return self.has_split(split_id) and (self.pages is None or (split_id, page) in self.pages)

    def has_leaf(self, split_id: bytes, index: int) -> bool:
        """Whether a leaf of a split is wanted."""
        return self.has_split(split_id) and (self.leaves is None or (split_id, index) in self.leaves)

    def has_licence(self, number: int) -> bool:
        """Whether a licence is wanted."""
        return self.licences is None or number in self.licences

    def has_period(self, licence: int, period: int) -> bool:
        """Whether a period of a licence is wanted."""
        return self.periods is None or (licence, period) in self.periods

    def has_catalogue(self, number: int) -> bool:
        """Whether a catalogue is wanted."""
        return self.catalogues is None or number in self.catalogues

    @property
    def whole(self) -> bool:
        """Whether all is wanted."""
        return self.splits is None and self.licences is None


ALL = Scope()


def split_words(
    book: SplitBook, own_slots: Collection[tuple[bytes, str]], scope: Scope = ALL
) -> Iterator[Word]:
    """Publications, credits, page and leaf slots, accounts, payees.

    `own_slots`: (split, token) whose first page has ever had an exception, so that its state left the word of the sums.
    """
    layout = layout_of("Splits")
    for split_id, known in book.publications.items():
        if scope.has_split(split_id):
            yield from _publication(layout, split_id, known)
    for split_id, token in book.cumulatives:
        if scope.has_split(split_id):
            yield from _sums(layout, book, split_id, token, (split_id, token) in own_slots, scope)
    yield from _leaves(layout, book, scope)
    for (account, token), balance in book.accounts.items():
        if scope.has_split(account):
            where = f"account 0x{account.hex()}, token {checksum_address(token)}"
            slot = layout.slot("_accounts", account, token)
            subject = Subject(split=account, token=token)
            yield Word(
                "accounts", where, "Splits", slot, uint_word(balance), (Field("balance", 0, 256),), subject
            )
    payees = {*book.standing, *book.nonces} if scope.payees is None else scope.payees
    for payee in sorted(payees):
        where, subject = f"payee {checksum_address(payee)}", Subject(payee=payee)
        slot = layout.slot("_claimNonces", payee)
        nonce = uint_word(book.nonces.get(payee, 0))
        yield Word("payees", where, "Splits", slot, nonce, (Field("claim nonce", 0, 256),), subject)
        slot = layout.slot("_standing", payee)
        to = address_word(book.standing.get(payee, ZERO_ADDRESS))
        yield Word("payees", where, "Splits", slot, to, (Field("standing address", 0, 160),), subject)


def _sums(
    layout: Layout, book: SplitBook, split_id: bytes, token: str, own_slot: bool, scope: Scope
) -> Iterator[Word]:
    """The credits of a split in a token, and its pages (contracts/splits/SplitStore.sol)."""
    where = f"split 0x{split_id.hex()}, token {checksum_address(token)}"
    first = book.page_state(split_id, token, 0).paid_up_to
    mark = OWN_SLOT if own_slot else first
    sums = uint_word(mark << HIGH_LOW | book.cumulative(split_id, token))
    fields = (Field("credited", 0, 128), Field("first page paid up to", 128, 128))
    subject = Subject(split=split_id, token=token, page=0)
    yield Word("credits", where, "Splits", layout.slot("_sums", split_id, token), sums, fields, subject)
    known = book.publications.get(split_id)
    pages = (
        range(known.split.pages)
        if known
        else sorted(page for one, of, page in book.page_states if (one, of) == (split_id, token))
    )
    pair = (Field("exceptions", 0, 128), Field("paid up to", 128, 128))
    for page in pages:
        if not scope.has_page(split_id, page):
            continue
        state = book.page_state(split_id, token, page)
        word = state.paid_up_to << HIGH_LOW | state.exceptions if page or own_slot else 0
        yield Word(
            "page slots",
            f"{where}, page {page}",
            "Splits",
            layout.slot("_pages", split_id, token, page),
            uint_word(word),
            pair,
            Subject(split=split_id, token=token, page=page),
        )


def _publication(layout: Layout, split_id: bytes, known: Publication) -> Iterator[Word]:
    pages = known.split.pages
    where, subject = f"split 0x{split_id.hex()}", Subject(split=split_id)
    fields = (Field("published pages", 0, 128), Field("pages", 128, 128))
    word = uint_word(pages << HIGH_LOW | len(known.pages))
    yield Word("publications", where, "Splits", layout.slot("_publication", split_id), word, fields, subject)
    if pages == 1:
        return
    for number in range(-(-pages // _PAGES_A_WORD)):
        first = number * _PAGES_A_WORD
        bits = sum(1 << page - first for page in known.pages if first <= page < first + _PAGES_A_WORD)
        slot = layout.slot("_publishedPages", split_id, number)
        place = f"{where}, pages {first} to {min(pages, first + _PAGES_A_WORD) - 1}"
        yield Word("publications", place, "Splits", slot, uint_word(bits), (WHOLE,), subject)


def _leaves(layout: Layout, book: SplitBook, scope: Scope) -> Iterator[Word]:
    fields = (Field("checkpoint", 0, 128), Field("kind", 128, 128))

    def word(split_id: bytes, token: str, index: int) -> Word:
        kind, start = book.checkpoints.get((split_id, token, index), (0, 0))
        where = f"split 0x{split_id.hex()}, token {checksum_address(token)}, leaf {index}"
        slot = layout.slot("_leaves", split_id, token, index)
        subject = Subject(split=split_id, token=token, leaf=index)
        return Word("leaf slots", where, "Splits", slot, uint_word(kind << HIGH_LOW | start), fields, subject)

    if scope.leaves is None:
        for key in book.checkpoints:
            if scope.has_split(key[0]):
                yield word(*key)
        return
    # A holder's leaves are proved whether or not they ever had a checkpoint.
    tokens: dict[bytes, list[str]] = {}
    for split_id, token in book.cumulatives:
        tokens.setdefault(split_id, []).append(token)
    for split_id, index in sorted(scope.leaves):
        for token in tokens.get(split_id, ()):
            yield word(split_id, token, index)


def catalogue_words(book: CatalogueBook, scope: Scope = ALL) -> Iterator[Word]:
    """Records of catalogues, and their dated lists of splits."""
    layout = layout_of("Catalogues")
    if scope.catalogues is None or scope.counts:
        yield Word(
            "catalogues",
            "all catalogues",
            "Catalogues",
            layout.slot("count"),
            uint_word(book.count),
            (Field("count", 0, 256),),
        )
    for number, held in book.catalogues.items():
        if not scope.has_catalogue(number):
            continue
        where = f"catalogue {number}"
        start = layout.slot("_catalogues", number)
        packed = layout.pack(
            "_catalogues",
            owner=held.owner,
            count=len(held.splits),
            lastEffective=held.splits[-1][0] if held.splits else 0,
            notice=held.settings.notice,
            arbiter=held.settings.arbiter,
            disputeWindow=held.settings.dispute_window,
            arbiterWindow=held.settings.arbiter_window,
            worksRoot=held.settings.works_root,
            fileHash=held.settings.file_hash,
            pendingOwner=held.pending_owner,
        )
        for distance, (expected, fields) in packed.items():
            slot = layout.beside(start, distance)
            yield Word("catalogues", where, "Catalogues", slot, expected, fields)
        yield from _listed(layout, number, start, held.splits)


def _listed(
    layout: Layout, number: int, start: bytes, splits: tuple[tuple[int, bytes], ...]
) -> Iterator[Word]:
    struct = layout.mapping_members("_catalogues")
    ids, times = layout.beside(start, struct["splitIds"]), layout.beside(start, struct["times"])
    for position, (_, split_id) in enumerate(splits):
        where = f"catalogue {number}, position {position}"
        fields = (Field("split", 0, 256),)
        slot = mapping_slot(ids, position)
        yield Word("lists of splits", where, "Catalogues", slot, split_id, fields, Subject(split=split_id))
    # The last one's time stands in the record itself. One position past the end is to be empty.
    slot = mapping_slot(ids, len(splits))
    yield Word(
        "lists of splits", f"catalogue {number}, position {len(splits)}", "Catalogues", slot, bytes(32)
    )
    past = splits[:-1]
    for group in range(-(-len(past) // _TIMES_A_WORD) or 1):
        first = group * _TIMES_A_WORD
        held = past[first : first + _TIMES_A_WORD]
        word = sum(effective << place * _TIME_BITS for place, (effective, _) in enumerate(held))
        lanes = tuple(
            Field(f"effective time of position {first + place}", place * _TIME_BITS, _TIME_BITS)
            for place in range(_TIMES_A_WORD)
        )
        where = f"catalogue {number}, times from position {first}"
        yield Word("lists of splits", where, "Catalogues", mapping_slot(times, group), uint_word(word), lanes)
