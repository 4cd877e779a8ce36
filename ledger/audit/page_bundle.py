"""A page's bundle: all entries, and the words that the figures of one rights holder, or of nobody, rest on.

It is what a page of the ledger carries: whoever reads it can fold the journals to their proved heads, replay them, and
compare every figure. `PageBundles` reads the ledger once and writes as many as there are pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ledger.audit.bundle import BundleSource, entry_line, hex_of, line_of
from ledger.audit.bundle_form import FORMAT, PAGE, VERSION
from ledger.audit.engine import Audit, Progress
from ledger.audit.findings import Finding, Verdict
from ledger.audit.history import History
from ledger.audit.holder_bundle import CONTRACTS, leaf_lines, licence_slots, sorted_nodes
from ledger.audit.layout import layout_of
from ledger.audit.naming import word_finding
from ledger.audit.prover import Tally
from ledger.audit.scopes import Wanted, leaves_of, scope_of
from ledger.audit.source import Progress as Reading
from ledger.audit.source import Proof, Source
from ledger.audit.words import Scope, Word, split_words
from ledger.audit.words_licences import licence_words
from ledger.chain.deploy import Planned
from ledger.chain.reader import ChainLog
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO32
from ledger.domain.errors import AuditFailed
from ledger.domain.headers import Header
from ledger.domain.journal import is_entry
from ledger.domain.replay import CONTRACTS as JOURNALS
from ledger.domain.rlp import Malformed

_OF_THE_HOLDER = ("page slots", "leaf slots", "payees")


class Journals(Audit):
    """The first half of an audit: anchor, code, journals and their replay."""

    def begin(self) -> bool:
        """All of it; whether the books are there. Only the contracts with a journal are checked."""
        self.checked = self.addresses
        if not super().begin():
            return False
        self.history = self._history()
        self._heads(self.history)
        return self._replayed(self.history)


class _Keeper:
    """A source that keeps the line of each entry that passes."""

    def __init__(self, source: Source, names: Mapping[str, str]) -> None:
        self.source = source
        self.chain_id = source.chain_id
        self.lines: list[bytes] = []
        self._names = names

    def header(self, anchor: bytes | None) -> Header | None:
        """The source's."""
        return self.source.header(anchor)

    def logs(
        self, addresses: Sequence[str], first: int, last: int, progress: Reading | None = None
    ) -> Iterator[ChainLog]:
        """The source's, each entry kept."""
        for log in self.source.logs(addresses, first, last, progress):
            name = self._names.get(log.address)
            if name is not None and is_entry(name, log.topics):
                self.lines.append(entry_line(name, log))
            yield log

    def proofs(self, address: str, slots: Sequence[bytes], block: int) -> Proof:
        """The source's."""
        return self.source.proofs(address, slots, block)

    def headers(self, first: int, last: int) -> Iterator[Header]:
        """The source's."""
        return self.source.headers(first, last)

    def receipts(self, block: int) -> list[dict[str, Any]]:
        """The source's."""
        return self.source.receipts(block)

    def head_at(self, address: str, block: int) -> bytes | None:
        """The source's."""
        return self.source.head_at(address, block)

    def balance(self, token: str, owner: str, block: int) -> int | None:
        """The source's."""
        return self.source.balance(token, owner, block)


class PageBundles:
    """The bundles of all pages at one block. Raises AuditFailed where the journals do not pass."""

    def __init__(
        self,
        source: Source,
        planned: Mapping[str, Planned],
        anchor: bytes | None = None,
        *,
        first_block: int = 0,
        progress: Progress | None = None,
    ) -> None:
        """Reads the journals up to the block with this hash, else up to the newest."""
        self._planned = planned
        names = {planned[name].address: name for name in JOURNALS}
        self._keeper = _Keeper(source, names)
        self._audit = Journals(self._keeper, planned, Wanted(anchor, first_block=first_block), progress)
        if not self._audit.begin() or self._audit.verdict.findings:
            first = self._audit.verdict.findings[0]
            raise AuditFailed(
                "The node's journals do not pass the audit, so no page can be proved.",
                f"block {self._audit.verdict.block}",
                f"{first.check}, {first.where}: {first.what}",
                "Run `licence-ledger audit run`, and ask another node.",
            )
        self.header: Header = self._audit.header
        self._entries = b"".join(self._keeper.lines)
        self._common = self._proved({name: [ZERO32] for name in JOURNALS})
        self._common |= self._proved(_slots(_credits(self._audit.history)))

    def of(self, holder: str | None = None) -> bytes:
        """The bundle of a holder's page (lower-case address), or of a page that is nobody's."""
        history = self._audit.history
        scope = _scope(history, holder, Verdict(0, anchored=True))
        told = _told(history, holder, scope)
        words = [one for one in page_words(history, holder, scope) if one.check != "credits"]
        nodes = sorted_nodes(self._common | self._proved(_slots(words)))
        lines = [{"leaf": one} for one in told["leaf"]]
        lines += [{"token": one} for one in told["token"]]
        lines += [{"terms": one} for one in told["terms"]]
        lines += [{"node": hex_of(one)} for one in nodes]
        counts = {"entries": len(self._keeper.lines), "nodes": len(nodes)}
        counts |= {kind: len(held) for kind, held in told.items()}
        lines.append({"end": counts})
        first = {
            "format": FORMAT,
            "version": VERSION,
            "kind": PAGE,
            "chain_id": self._keeper.chain_id,
            "anchor": hex_of(self.header.hash),
            "header": hex_of(self.header.raw),
            "contracts": {name: self._planned[name].address for name in JOURNALS},
            "holder": holder,
            "licence": None,
        }
        return line_of(first) + self._entries + b"".join(map(line_of, lines))

    def _proved(self, slots: Mapping[str, list[bytes]]) -> dict[bytes, None]:
        """The nodes of proofs, each once."""
        found: dict[bytes, None] = {}
        for name, wanted in slots.items():
            proof = self._keeper.proofs(self._planned[name].address, wanted, self.header.number)
            for nodes in (proof.account, *proof.slots):
                found |= dict.fromkeys(node for node in nodes if len(node) >= 32)
        return found


def _slots(words: Sequence[Word]) -> dict[str, list[bytes]]:
    return {name: [one.slot for one in words if one.contract == name] for name in CONTRACTS}


def _scope(history: History, holder: str | None, verdict: Verdict) -> Scope:
    """What of the ledger a page is about; fills in the verdict's holdings and periods."""
    if holder is not None:
        return scope_of(Wanted(holder=holder), history, verdict)
    return Scope(splits=frozenset(), licences=frozenset(history.replay.licences.grants))


def _told(history: History, holder: str | None, scope: Scope) -> dict[str, list[Any]]:
    """What a bundle tells of leaves, tokens and terms: all of it follows from the entries."""
    splits = history.replay.splits
    found = [] if holder is None else list(leaves_of(history, holder))
    leaves = leaf_lines(history, (one for one in found if splits.is_published(one[0])))
    named = {one["split"] for one in leaves}
    tokens = [[hex_of(split_id), token] for split_id, token in splits.cumulatives]
    grants = history.replay.licences.grants
    return {
        "leaf": leaves,
        "token": sorted(one for one in tokens if one[0] in named),
        "terms": [[one, hex_of(grants[one].terms.encode())] for one in sorted(scope.licences or ())],
    }


def _credits(history: History) -> list[Word]:
    """The words of all credits: the sums over all splits rest on them."""
    nobody = Scope(pages=frozenset(), leaves=frozenset(), payees=frozenset())
    words = split_words(history.replay.splits, history.own_slots, nobody)
    return [one for one in words if one.check == "credits"]


def page_words(history: History, holder: str | None, scope: Scope) -> Iterator[Word]:
    """What is proved of storage: all credits, the holder's page and leaf slots, its licences and their periods.

    A page that is nobody's has no periods: their figures follow from the entries.
    """
    replay = history.replay
    yield from _credits(history)
    if holder is not None:
        for one in split_words(replay.splits, history.own_slots, scope):
            if one.check in _OF_THE_HOLDER:
                yield one
    licences = Scope(splits=frozenset(), licences=scope.licences)
    layout = layout_of("Licences")
    wanted = {
        slot
        for number in scope.licences or ()
        for slot in (*licence_slots(number), layout.slot("_secondWords", number))
    }
    for one in licence_words(replay.licences, history.set_off_heads, licences):
        if one.slot in wanted or (holder is not None and one.check == "periods"):
            yield one


# ---- verifying


def verify_page_bundle(
    source: BundleSource,
    planned: Mapping[str, Planned],
    anchor: bytes | None,
    progress: Progress | None = None,
) -> Verdict:
    """Verifies a page's bundle: heads, replay, the words in it, and that it tells of no other leaves and terms."""
    holder = source.about["holder"]
    audit = Journals(source, planned, Wanted(anchor, holder), progress)
    verdict = audit.verdict
    if not audit.begin():
        return verdict
    history = audit.history
    scope = _scope(history, holder, verdict)
    whose = f"the leaves of {checksum_address(holder)}" if holder else "the books"
    verdict.scope = f"all entries; word by word {whose}, all credits, and the licences in this file"
    _words(audit, holder, scope)
    lines = 0
    before = len(verdict.findings)
    for kind, held in _told(history, holder, scope).items():
        lines += len(held)
        if held != source.more[kind]:
            what = "they are not those that follow from the entries"
            verdict.findings.append(Finding("leaves", f"the lines of kind {kind}", what, verdict.block))
    good = len(verdict.findings) == before
    verdict.step("leaves", good, lines, detail="leaves, tokens and terms are those of the entries")
    return verdict


def _words(audit: Audit, holder: str | None, scope: Scope) -> None:
    """Compares the words with the books."""
    history, verdict = audit.history, audit.verdict
    tallies: dict[str, Tally] = {}
    try:
        for word, held in audit.prover.words(page_words(history, holder, scope)):
            tally = tallies.setdefault(word.check, Tally())
            if isinstance(held, Malformed):
                tally.add(word, b"")
                verdict.findings.append(Finding("proof", word.where, held.what, verdict.block))
                continue
            tally.add(word, held)
            if held != word.expected:
                verdict.findings.append(word_finding(word, held, history.replay.splits, verdict.block))
    except Malformed as error:
        audit.refused("storage", "the contracts' storage", error)
    for name, tally in tallies.items():
        expected, found = tally.hashes
        verdict.step(name, tally.wrong == 0, tally.compared, expected=expected, found=found)
