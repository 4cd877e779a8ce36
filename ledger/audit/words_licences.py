"""The words of Licences: grants, states, periods, interest, disputes, set-off, scopes, offers, nonces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ledger.audit.layout import Field, Layout, layout_of
from ledger.audit.words import ALL, WHOLE, Scope, Subject, Word
from ledger.domain.address import checksum_address
from ledger.domain.canonical import address_word, uint_word
from ledger.domain.chain_terms import SCOPES
from ledger.domain.licence_book import LicenceBook
from ledger.domain.licence_types import LicenceState, PeriodState

_LANE = 24
NONCES_A_WORD = 256

#: contracts/libraries/LicenceState.sol; a test compares what they read with what the views answer.
_FIRST = (
    Field("status", 0, 8),
    Field("transferable", 8, 8),
    Field("in cure", 16, 8),
    Field("has set-off", 24, 8),
    Field("next period", 32, 16),
    Field("open periods", 48, 16),
    Field("open disputes", 64, 16),
    Field("accepted at", 80, 40),
    Field("sum A", 120, 128),
)
_SECOND = (Field("sum B", 0, 128), Field("set-off", 128, 128))
_PERIOD = (
    Field("base", 0, 104),
    Field("open", 104, 104),
    Field("version", 208, 16),
    Field("booked, seconds after acceptance,", 224, 32),
)
_INTEREST = (Field("interest numerator", 0, 208), Field("interest up to", 208, 48))


def licence_words(book: LicenceBook, set_off_heads: Mapping[int, int], scope: Scope = ALL) -> Iterator[Word]:
    """All of them. `set_off_heads`: how many sources of each licence's set-off were used up so far."""
    layout = layout_of("Licences")

    def count(label: str, where: str, value: int) -> Word:
        return Word("licence states", where, "Licences", layout.slot(label), uint_word(value), (WHOLE,))

    if scope.whole or scope.counts:
        yield count("count", "all licences", book.count)
    for number in book.grants:
        if scope.has_licence(number):
            yield from _licence(layout, book, number, set_off_heads.get(number, 0), scope)
    catalogues = {grant.terms.catalogue for number, grant in book.grants.items() if scope.has_licence(number)}
    for catalogue in sorted(catalogues):
        yield _scopes(layout, book, catalogue)
    if scope.whole or scope.offers is not None:
        yield from _offers(layout, book, scope)


def _licence(layout: Layout, book: LicenceBook, number: int, head: int, scope: Scope) -> Iterator[Word]:
    state, grant = book.states[number], book.grants[number]
    where, subject = f"licence {number}", Subject(licence=number)

    def word(check: str, label: str, expected: bytes, fields: tuple[Field, ...]) -> Word:
        return Word(check, where, "Licences", layout.slot(label, number), expected, fields, subject)

    yield word("licence states", "_termsHashes", grant.terms_hash, (Field("terms hash", 0, 256),))
    holder = address_word(book.holders[number])
    yield word("licence states", "_owners", holder, (Field("holder", 0, 160),))
    yield word("licence states", "_licences", uint_word(_first(state)), _FIRST)
    second = uint_word(state.sum_b | state.set_off << 128)
    yield word("licence states", "_secondWords", second, _SECOND)
    sources = book.sources.get(number, ())
    rare = layout.pack(
        "_rare",
        terminatedAt=state.terminated_at,
        cureUntil=state.cure_until,
        curePeriod=state.cure_period,
        setOffHead=head,
        setOffTail=head + len(sources),
    )
    for expected, fields in rare.values():
        yield word("licence states", "_rare", expected, fields)
    for index, source in enumerate(sources, head):
        place = f"{where}, source {index} of its set-off"
        start = layout.slot("_sources", number, index)
        of = layout.pack("_sources", destination=source.destination, amount=source.amount)
        for distance, (expected, fields) in of.items():
            slot = layout.beside(start, distance)
            yield Word("set-off", place, "Licences", slot, expected, fields, subject)
    past = layout.slot("_sources", number, head + len(sources), member="amount")
    place = f"{where}, source {head + len(sources)} of its set-off"
    yield Word("set-off", place, "Licences", past, bytes(32), (Field("amount", 0, 256),), subject)
    # One period past the last, so that one booked without an entry is seen.
    for period in range(state.next_period + 1):
        if scope.has_period(number, period):
            yield from _period(layout, book, number, period)


def _first(state: LicenceState) -> int:
    return (
        state.status
        | state.transferable << 8
        | state.in_cure << 16
        | (state.set_off != 0) << 24
        | state.next_period << 32
        | state.open_periods << 48
        | state.open_disputes << 64
        | state.accepted_at << 80
        | state.sum_a << 120
    )


def _period(layout: Layout, book: LicenceBook, number: int, period: int) -> Iterator[Word]:
    where, subject = f"licence {number}, period {period}", Subject(licence=number, period=period)
    held = book.periods.get((number, period))
    delay = held.booked_at - book.states[number].accepted_at if held else 0
    state = held or PeriodState()
    word = uint_word(state.base | state.open << 104 | state.version << 208 | delay << 224)
    slot = layout.slot("_periods", number, period)
    yield Word("periods", where, "Licences", slot, word, _PERIOD, subject)
    word = uint_word(state.interest_numerator | state.interest_up_to << 208)
    slot = layout.slot("_interest", number, period)
    yield Word("periods", where, "Licences", slot, word, _INTEREST, subject)
    dispute = book.dispute_of(number, period)
    packed = layout.pack(
        "_disputes",
        proposedBase=dispute.proposed_base if dispute else 0,
        deadline=dispute.deadline if dispute else 0,
        proposer=dispute.proposer if dispute else 0,
        arbiterCalled=dispute.arbiter_called if dispute else False,
    )
    slot = layout.slot("_disputes", number, period)
    for expected, fields in packed.values():
        yield Word("disputes", where, "Licences", slot, expected, fields, subject)


def _scopes(layout: Layout, book: LicenceBook, catalogue: int) -> Word:
    word, fields = 0, []
    for bit, name in enumerate(SCOPES):
        live, exclusive = book.live_of(catalogue, bit)
        word |= live << bit * _LANE | exclusive << len(SCOPES) * _LANE + bit
        use = name.lower().replace("_", " ")
        fields += [
            Field(f"live to {use}", bit * _LANE, _LANE),
            Field(f"exclusive to {use}", len(SCOPES) * _LANE + bit, 1),
        ]
    slot = layout.slot("_scopes", catalogue)
    where = f"catalogue {catalogue}"
    return Word("scope counters", where, "Licences", slot, uint_word(word), tuple(fields))


def _offers(layout: Layout, book: LicenceBook, scope: Scope) -> Iterator[Word]:
    for digest, licensor in book.offers.items():
        if scope.offers is not None and digest not in scope.offers:
            continue
        slot = layout.slot("offeredBy", digest)
        fields = (Field("licensor", 0, 160),)
        where = f"offer 0x{digest.hex()}"
        yield Word("offers", where, "Licences", slot, address_word(licensor), fields)
    words: dict[tuple[str, int], int] = {}
    for (licensor, nonce), used in book.nonces.items():
        key = (licensor, nonce // NONCES_A_WORD)
        words[key] = words.get(key, 0) | used << nonce % NONCES_A_WORD
    for (licensor, number), bits in words.items():
        if scope.nonces is not None and (licensor, number) not in scope.nonces:
            continue
        first = number * NONCES_A_WORD
        where = f"nonces {first} to {first + NONCES_A_WORD - 1} of {checksum_address(licensor)}"
        slot = layout.slot("_nonces", licensor, number)
        yield Word("offers", where, "Licences", slot, uint_word(bits), (Field("bitmap", 0, 256),))
    held: dict[str, int] = {}
    for holder in book.holders.values():
        held[holder] = held.get(holder, 0) + 1
    for holder, many in held.items():
        if scope.licence_holders is not None and holder not in scope.licence_holders:
            continue
        slot = layout.slot("_balances", holder)
        where = f"licences held by {checksum_address(holder)}"
        yield Word("licence states", where, "Licences", slot, uint_word(many), (Field("count", 0, 256),))
