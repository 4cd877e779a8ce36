"""A holder's bundle: every figure of one rights holder by storage proofs, without the journals.

It is small enough for a page. It proves what the holder's leaves are entitled to, were paid and are owed, and what the
licences that pay into their splits have booked. It does not prove that those figures follow from the entries: the
full bundle does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ledger.audit.bundle import BundleSource, hex_of, line_of, shaped
from ledger.audit.bundle_form import FORMAT, HOLDER, VERSION, bytes_of
from ledger.audit.engine import Audit
from ledger.audit.findings import BookedPeriod, Finding, Holding, Verdict
from ledger.audit.history import History
from ledger.audit.layout import layout_of
from ledger.audit.scopes import Wanted, leaves_of
from ledger.audit.words import OWN_SLOT
from ledger.chain.deploy import Planned
from ledger.chain.folders import write_whole
from ledger.domain.address import checksum_address
from ledger.domain.canonical import keccak256, uint_word
from ledger.domain.errors import LedgerError
from ledger.domain.merkle_sum import PAGE_SIZE, Split, check_leaf, padded_words, read_leaf
from ledger.domain.rlp import Malformed
from ledger.domain.royalty import entitled_down

#: The contracts that a holder's figures stand in.
CONTRACTS = ("Splits", "Licences")
NOT_COVERED = (
    "not covered: the entries that led here, splits, tokens and licences not named in the file, "
    "transfers, and what happened after the anchor"
)


# ---- writing


def write_holder_bundle(audit: Audit, holder: str, path: Path) -> None:
    """Writes the bundle of an audit that passed. Raises LedgerError."""
    history = audit.history
    published = history.replay.splits.is_published
    found = [one for one in leaves_of(history, holder) if published(one[0])]
    leaves = leaf_lines(history, found)
    splits = {bytes_of(one["split"]) for one in leaves}
    tokens = [
        [hex_of(split_id), token]
        for split_id, token in history.replay.splits.cumulatives
        if split_id in splits
    ]
    terms = [
        [number, hex_of(history.replay.licences.grants[number].terms.encode())]
        for number in sorted({one.licence for one in audit.verdict.periods})
    ]
    contracts = {name: audit.planned[name].address for name in CONTRACTS}
    first = {
        "format": FORMAT,
        "version": VERSION,
        "kind": HOLDER,
        "chain_id": audit.source.chain_id,
        "anchor": hex_of(audit.header.hash),
        "header": hex_of(audit.header.raw),
        "contracts": contracts,
        "holder": holder,
        "licence": None,
    }
    nodes = _nodes(audit, leaves, tokens, terms)
    lines: list[dict[str, Any]] = [first]
    lines += [{"leaf": one} for one in leaves]
    lines += [{"token": one} for one in sorted(tokens)]
    lines += [{"terms": one} for one in terms]
    lines += [{"node": hex_of(one)} for one in nodes]
    counts = {"nodes": len(nodes), "leaf": len(leaves), "token": len(tokens), "terms": len(terms)}
    lines.append({"end": counts})
    try:
        write_whole(path, b"".join(map(line_of, lines)))
    except OSError as error:
        raise LedgerError("The bundle cannot be written.", str(path), error.strerror or "") from error


def leaf_lines(history: History, leaves: Iterable[tuple[bytes, int, int]]) -> list[dict[str, Any]]:
    """The same of many, in the order of a bundle; split, index, units of each."""
    return [_leaf_line(history, split_id, index) for split_id, index, _ in sorted(leaves)]


def _leaf_line(history: History, split_id: bytes, index: int) -> dict[str, Any]:
    """What a bundle tells of a leaf of a published split."""
    known = history.replay.splits.publications[split_id]
    split = known.split
    words = [word for page in range(split.pages) for word in padded_words(known.pages[page], split.depth)]
    return {
        "split": hex_of(split_id),
        "root": hex_of(split.root),
        "total": str(split.total),
        "depth": split.depth,
        "index": index,
        "leaf": hex_of(words[index]),
        "siblings": list(map(hex_of, _siblings(words, index))),
    }


def _siblings(words: Sequence[bytes], index: int) -> Iterator[bytes]:
    """The proof of a leaf of any tree: the neighbour's word, then hash and sum of each higher one."""
    nodes = list(words)
    while len(nodes) > 1:
        beside = nodes[index ^ 1]
        yield beside[:32]
        if len(beside) > 32:
            yield beside[32:]
        nodes = [_above(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
        index >>= 1


def _above(left: bytes, right: bytes) -> bytes:
    """Hash and sum over two neighbours: two leaf words, or two nodes of 64 bytes."""
    unit = slice(20, 32) if len(left) == 32 else slice(32, 64)
    total = int.from_bytes(left[unit], "big") + int.from_bytes(right[unit], "big")
    return keccak256(left + right) + uint_word(total)


def _nodes(audit: Audit, leaves: list[Any], tokens: list[Any], terms: list[Any]) -> list[bytes]:
    """The trie nodes of all that the verifier asks for, by hash."""
    wanted: dict[str, list[bytes]] = {name: [] for name in CONTRACTS}
    holder = audit.wanted.holder or ""
    wanted["Splits"] += _holder_slots(holder)
    for leaf in leaves:
        for split, token in tokens:
            if split == leaf["split"]:
                wanted["Splits"] += _leaf_slots(bytes_of(split), token, leaf["index"])
    for number, _ in terms:
        next_period = audit.history.replay.licences.states[number].next_period
        wanted["Licences"] += [*licence_slots(number), *_period_slots(number, next_period)]
    found: list[bytes] = []
    for name, slots in wanted.items():
        proof = audit.source.proofs(audit.planned[name].address, slots, audit.header.number)
        for nodes in (proof.account, *proof.slots):
            found += (node for node in nodes if len(node) >= 32)
    return sorted_nodes(found)


def sorted_nodes(nodes: Iterable[bytes]) -> list[bytes]:
    """Each node once, in the order of their hashes."""
    return sorted(dict.fromkeys(nodes), key=keccak256)


# ---- what is read, in this order


def _holder_slots(holder: str) -> list[bytes]:
    layout = layout_of("Splits")
    return [layout.slot("_standing", holder), layout.slot("_claimNonces", holder)]


def _leaf_slots(split_id: bytes, token: str, index: int) -> list[bytes]:
    layout = layout_of("Splits")
    return [
        layout.slot("_sums", split_id, token),
        layout.slot("_pages", split_id, token, index // PAGE_SIZE),
        layout.slot("_leaves", split_id, token, index),
    ]


def licence_slots(number: int) -> list[bytes]:
    """Where Licences keeps the terms hash of a licence, and the first word of its state."""
    layout = layout_of("Licences")
    return [layout.slot(label, number) for label in ("_termsHashes", "_licences")]


def _period_slots(number: int, periods: int) -> list[bytes]:
    layout = layout_of("Licences")
    return [layout.slot("_periods", number, period) for period in range(periods)]


# ---- verifying


def verify_holder_bundle(
    source: BundleSource, planned: Mapping[str, Planned], anchor: bytes | None
) -> Verdict:
    """Verifies a holder's bundle: its leaves stand in their splits, its figures in the contracts' storage."""
    holder = source.about["holder"]
    audit = Audit(source, planned, Wanted(anchor=anchor, holder=holder), contracts=CONTRACTS)
    verdict = audit.verdict
    verdict.scope = f"the leaves of {checksum_address(holder)} in this file; {NOT_COVERED}"
    if not audit.begin():
        return verdict
    with shaped("its leaves and terms"):
        _holdings(audit, source, holder)
        _licences(audit, source)
    return verdict


def _read(audit: Audit, contract: str, slots: list[bytes], where: str) -> list[int] | None:
    """The words of slots; None, and a finding, where one cannot be proved."""
    held: list[int] = []
    for one in audit.prover.slots(audit.planned[contract].address, slots):
        if isinstance(one, Malformed):
            audit.verdict.findings.append(Finding("proof", where, one.what, audit.header.number))
            return None
        held.append(int.from_bytes(one, "big"))
    return held


def _holdings(audit: Audit, source: BundleSource, holder: str) -> None:
    verdict, low = audit.verdict, OWN_SLOT
    before, words = len(verdict.findings), 0
    named = {one["split"] for one in source.more["leaf"]}
    for of, token in source.more["token"]:
        if of not in named:
            what = f"the file has no leaf of it, but tells that it was credited in {checksum_address(token)}"
            verdict.findings.append(Finding("tokens", f"split {of}", what, verdict.block, payee=holder))
    for told in source.more["leaf"]:
        split = Split(bytes_of(told["root"]), int(told["total"]), int(told["depth"]))
        leaf, index, split_id = bytes_of(told["leaf"]), int(told["index"]), bytes_of(told["split"])
        where = f"split {told['split']}, leaf {index}"
        payee, units = read_leaf(leaf)
        try:
            good = check_leaf(split, index, leaf, list(map(bytes_of, told["siblings"]))) == split_id
        except LedgerError:
            good = False
        if not good or payee != holder:
            what = "the leaf does not stand at this place of the split, or is not the holder's"
            verdict.findings.append(
                Finding("leaves", where, what, verdict.block, split=split_id, payee=holder)
            )
            continue
        for of, token in source.more["token"]:
            if of != told["split"]:
                continue
            held = _read(audit, "Splits", _leaf_slots(split_id, token, index), where)
            if held is None:
                continue
            sums, page, own = held
            words += len(held)
            credited = sums & low
            page_up_to = page >> 128
            if index < PAGE_SIZE and sums >> 128 != OWN_SLOT:
                page_up_to = sums >> 128
            up_to = own & low if own else page_up_to
            entitled = entitled_down(credited, units, split.total)
            paid = entitled_down(up_to, units, split.total)
            verdict.holdings.append(
                Holding(split_id, token, index, units, split.total, credited, entitled, paid)
            )
    told_leaves = len(source.more["leaf"])
    good = len(verdict.findings) == before
    verdict.step("leaves", good, told_leaves, detail="each stands in its split, and is the holder's")
    verdict.step("page and leaf slots", good, words, detail="entitled, paid and owed follow from them")
    held = _read(audit, "Splits", _holder_slots(holder), f"payee {checksum_address(holder)}")
    if held is not None:
        standing = f"0x{held[0]:040x}"
        to = checksum_address(standing) if held[0] else "the holder itself"
        verdict.note("payee", 2, f"claims by anyone go to {to}; next claim nonce {held[1]}")


def _licences(audit: Audit, source: BundleSource) -> None:
    verdict, before, words = audit.verdict, len(audit.verdict.findings), 0
    for number, encoded in source.more["terms"]:
        where = f"licence {int(number)}"
        state = _read(audit, "Licences", licence_slots(int(number)), where)
        if state is None:
            continue
        stated = keccak256(bytes_of(encoded))
        if state[0].to_bytes(32, "big") != stated:
            what = f"its terms hash to {hex_of(stated)}, bound are 0x{state[0]:064x}"
            verdict.findings.append(Finding("terms", where, what, verdict.block, licence=int(number)))
        periods = state[1] >> 32 & 0xFFFF
        held = _read(audit, "Licences", _period_slots(int(number), periods), where)
        if held is None:
            continue
        words += len(state) + len(held)
        figure = (1 << 104) - 1
        for period, word in enumerate(held):
            version = word >> 208 & 0xFFFF
            verdict.periods.append(
                BookedPeriod(int(number), period, word & figure, word >> 104 & figure, version)
            )
    verdict.step(
        "licences", len(verdict.findings) == before, words, detail="terms hashes, states and booked periods"
    )
