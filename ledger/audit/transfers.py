"""The tokens' own Transfer events, out of receipts rebuilt to the roots of headers that lead up to the anchor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ledger.audit.findings import Finding
from ledger.audit.history import Moved
from ledger.audit.source import Source
from ledger.domain.address import checksum_address
from ledger.domain.canonical import keccak256
from ledger.domain.headers import Header
from ledger.domain.receipts import Receipt, block_bloom, receipt_of_json, receipts_root
from ledger.domain.rlp import Malformed

_TRANSFER = keccak256(b"Transfer(address,address,uint256)")


@dataclass
class Transfers:
    """What was compared: headers linked to the anchor, blocks rebuilt, sums of transfers; and what was found."""

    headers: int = 0
    blocks: int = 0
    sums: int = 0
    findings: list[Finding] = field(default_factory=list)


def check_transfers(
    source: Source,
    anchor: Header,
    splits: str,
    moves: Sequence[Moved],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Transfers:
    """Compares, block by block, what the entries say moved with the Transfer events of the tokens.

    Out of Splits the sums to each recipient have to be equal; into it at least as much, since anyone may send more.
    """
    result = Transfers()
    wanted: dict[int, list[Moved]] = {}
    for one in moves:
        wanted.setdefault(one.block, []).append(one)
    if not wanted:
        return result
    headers = _linked(source, anchor, set(wanted), result, progress)
    for block, told in sorted(wanted.items()):
        header = headers.get(block)
        if header is None:
            continue
        try:
            receipts = _receipts(source, header)
        except Malformed as error:
            what = f"{error.what} {error.why}".strip()
            result.findings.append(Finding("receipts", f"block {block}", what, block))
            continue
        result.blocks += 1
        _compare(result, block, told, receipts, splits)
    return result


def _linked(
    source: Source, anchor: Header, wanted: set[int], result: Transfers, progress: Callable[[int], None]
) -> dict[int, Header]:
    """The headers wanted, if an unbroken chain of parents leads from the anchor down to each."""
    first = min(wanted)
    kept: dict[int, Header] = {}
    parents: dict[int, tuple[bytes, bytes]] = {}
    try:
        for header in source.headers(first, anchor.number):
            parents[len(parents) + first] = (header.hash, header.parent)
            if header.number in wanted:
                kept[header.number] = header
            result.headers += 1
            progress(1)
    except Malformed as error:
        number = first + len(parents)
        what = " ".join(filter(None, (error.what, error.where, error.why)))
        result.findings.append(Finding("headers", f"block {number}", what, number))
        return {}
    expected = anchor.hash
    for number in range(anchor.number, first - 1, -1):
        found, parent = parents.get(number, (b"", b""))
        if found != expected:
            result.findings.append(
                Finding(
                    "headers",
                    f"block {number}",
                    f"its header hashes to 0x{found.hex()}, but the block after it names 0x{expected.hex()}",
                    number,
                )
            )
            return {one: header for one, header in kept.items() if one > number}
        expected = parent
    return kept


def _receipts(source: Source, header: Header) -> list[Receipt]:
    receipts = [receipt_of_json(one) for one in source.receipts(header.number)]
    root = receipts_root([one.encoded() for one in receipts])
    if root != header.receipts_root:
        raise Malformed(
            "The receipts served are not those of the block.",
            why=f"They hash to 0x{root.hex()}, the header names 0x{header.receipts_root.hex()}.",
        )
    if block_bloom(receipts) != header.bloom:
        raise Malformed("The block's bloom is not that of its logs.")
    return receipts


def _compare(
    result: Transfers, block: int, told: Sequence[Moved], receipts: Sequence[Receipt], splits: str
) -> None:
    tokens = {one.token for one in told}
    moved: dict[tuple[str, str], int] = {}
    for receipt in receipts:
        for log in receipt.logs:
            if log.address not in tokens or len(log.topics) != 3 or log.topics[0] != _TRANSFER:
                continue
            sender, to = ("0x" + topic[12:].hex() for topic in log.topics[1:])
            amount = int.from_bytes(log.data[:32], "big")
            if sender == splits and to != splits:
                moved[log.address, to] = moved.get((log.address, to), 0) + amount
            elif to == splits and sender != splits:
                moved[log.address, ""] = moved.get((log.address, ""), 0) + amount
    due: dict[tuple[str, str], int] = {}
    first: dict[tuple[str, str], Moved] = {}
    for one in told:
        key = (one.token, one.to)
        due[key] = due.get(key, 0) + one.amount
        first.setdefault(key, one)
    for key in sorted({*due, *(key for key in moved if key[1])}):
        result.sums += 1
        expected, found = due.get(key, 0), moved.get(key, 0)
        if found == expected or (not key[1] and found > expected):
            continue
        token, to = key
        source_entry = first.get(key)
        whom = f"to {checksum_address(to)}" if to else "into Splits"
        result.findings.append(
            Finding(
                "transfers",
                f"block {block}, token {checksum_address(token)}",
                f"its Transfer events move {found:,} base units {whom}, the entries say {expected:,}",
                block,
                split=source_entry.split if source_entry else None,
                token=token,
                payee=to or None,
                amount=found - expected,
                entry=source_entry.entry if source_entry else None,
            )
        )
