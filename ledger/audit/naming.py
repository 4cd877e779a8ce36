"""Puts names to what is wrong: payees and amounts behind a page or leaf word, the first entry that does not fold."""

from __future__ import annotations

from dataclasses import replace

from ledger.audit.findings import Finding
from ledger.audit.history import Folds, History
from ledger.audit.source import Source
from ledger.audit.words import OWN_SLOT, Word
from ledger.domain.address import checksum_address
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.domain.journal import decode_entry
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.domain.royalty import entitled_down
from ledger.domain.split_book import SplitBook

_PAYEES_NAMED = 3


def word_finding(word: Word, held: bytes, book: SplitBook, block: int) -> Finding:
    """The finding that a word differs."""
    subject = word.subject
    finding = Finding(
        word.check,
        word.where,
        word.differs(held),
        block,
        licence=subject.licence,
        period=subject.period,
        split=subject.split,
        token=subject.token,
        payee=subject.payee,
    )
    if word.check == "credits":
        credited = word.fields[0]
        if credited.of(held) != credited.of(word.expected):
            return replace(finding, amount=credited.of(held) - credited.of(word.expected))
    elif word.check not in ("page slots", "leaf slots"):
        return finding
    concerned = _concerned(word, held, book)
    if not concerned:
        return finding
    first_payee, first_amount = concerned[0]
    told = "; ".join(_told(*one) for one in concerned[:_PAYEES_NAMED])
    more = f" and {len(concerned) - _PAYEES_NAMED} more" if len(concerned) > _PAYEES_NAMED else ""
    return replace(finding, what=f"{finding.what} ({told}{more})", payee=first_payee, amount=first_amount)


def _concerned(word: Word, held: bytes, book: SplitBook) -> list[tuple[str, int]]:
    """Payees and by how many base units each would be owed more than the entries say."""
    subject = word.subject
    known = book.publications.get(subject.split or b"")
    if known is None or subject.split is None or subject.token is None:
        return []
    right, wrong = int.from_bytes(word.expected, "big"), int.from_bytes(held, "big")
    low = 2**128 - 1
    if subject.leaf is not None:
        page, place = divmod(subject.leaf, PAGE_SIZE)
        leaves = known.pages.get(page, [])[place : place + 1]
        start, found = right & low, wrong & low
    else:
        page = subject.page or 0
        every = known.pages.get(page, [])
        apart, changed = right & low, (right ^ wrong) & low
        if word.check == "credits":
            apart = changed = 0  # the word of the sums has no exceptions
            if OWN_SLOT in (right >> 128, wrong >> 128):
                return []
        if right >> 128 == wrong >> 128:
            leaves = [one for at, one in enumerate(every) if changed >> at & 1]
        else:
            leaves = [one for at, one in enumerate(every) if not apart >> at & 1]
        start, found = right >> 128, wrong >> 128
    concerned = []
    for leaf in leaves:
        payee, units = read_leaf(leaf)
        if units:
            total = known.split.total
            more = entitled_down(start, units, total) - entitled_down(found, units, total)
            concerned.append((payee, more))
    concerned.sort(key=lambda one: -abs(one[1]))
    return concerned


def _told(payee: str, more: int) -> str:
    if more == 0:
        return f"payee {checksum_address(payee)}"
    change = "more" if more > 0 else "less"
    return f"payee {checksum_address(payee)} would be owed {abs(more):,} base units {change}"


def parting(source: Source, address: str, folds: Folds, first: int, last: int) -> int | None:
    """The first block after which the node's own head is not the fold of what it served; None if it tells none.

    The older heads are the node's word: they show where it contradicts itself, no more.
    """
    counts = [folds.block(number) for number in range(len(folds))]

    def agrees(block: int) -> bool | None:
        from bisect import bisect_right

        head = source.head_at(address, block)
        return None if head is None else head == folds.after(bisect_right(counts, block) - 1)

    low, high = first, last  # it agrees before `low`, it differs at `high`
    if agrees(last) is not False:
        return None
    while low < high:
        middle = (low + high) // 2
        same = agrees(middle)
        if same is None:
            return None
        if same:
            low = middle + 1
        else:
            high = middle
    return low


def entries_in(folds: Folds, contract: str, block: int) -> list[str]:
    """The numbers of a journal's entries in a block."""
    return [f"{contract} {number}" for number in range(len(folds)) if folds.block(number) == block]


def replay_finding(history: History, error: AuditFailed, block: int) -> Finding:
    """The finding that the replay stopped, with what the entry at fault tells of itself."""
    log = history.failed_at
    what = error.what + (f" ({error.why})" if error.why else "")
    finding = Finding("replay", error.where or "the journals", what, block)
    if log is None:
        return finding
    finding = replace(finding, block=log.block_number, entry=history.failed_entry)
    name = history.failed_entry.split(" ")[0]
    number = int.from_bytes(log.topics[1], "big")
    try:
        entry = decode_entry(name, log.raw())
    except LedgerError:
        return replace(finding, licence=number) if name == "Licences" and number < 2**64 else finding
    args = entry.args
    leaf = args.get("leaf")
    amount = next((args[one] for one in ("amount", "paid", "line", "principal", "fee") if one in args), None)
    is_licence = name == "Licences" and entry.name not in ("Offered", "NonceCancelled")
    return replace(
        finding,
        licence=number if is_licence else None,
        period=args.get("period"),
        split=log.topics[1] if name == "Splits" else args.get("splitId", args.get("destination")),
        token=args.get("token"),
        payee=read_leaf(leaf)[0] if isinstance(leaf, bytes) and len(leaf) == 32 else None,
        amount=amount,
    )
