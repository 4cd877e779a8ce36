"""The folder of a built distribution: manifest.json, allocation.parquet, works.parquet; whole or not at all.

The same input gives the same bytes on any machine with the pinned pyarrow: rows in order, fixed settings, no
times and no names of the place. allocation.parquet holds the split's leaves (payee, units in base units);
works.parquet tells share by share where they come from.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.domain.address import checksum_address, parse_word
from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.canonical import canonical_hash, canonical_json, hex32
from ledger.domain.errors import AuditFailed, LedgerError, ValueRefused
from ledger.domain.merkle_sum import MerkleSumTree, read_leaf
from ledger.usage.allocation import Allotment
from ledger.usage.engine_limbs import Figures
from ledger.usage.stages import Stages, file_hash, flush, under_way

FORMAT = "1"
MANIFEST, ALLOCATION, WORKS = "manifest.json", "allocation.parquet", "works.parquet"
#: Rows of a row group: fixed, since it decides over the bytes.
ROW_GROUP = 131_072
_UNITS = pa.decimal128(38, 0)
_PAYEE = pa.binary(20)
_WORKS = pa.schema(
    [
        ("work", pa.large_string()),
        ("right_type", pa.large_string()),
        ("holder", pa.large_string()),
        ("payee", _PAYEE),
        ("share_ppm", pa.int64()),
        ("work_usages", _UNITS),
        ("work_credit", _UNITS),
        ("right_units", _UNITS),
        ("units", _UNITS),
        ("state", pa.large_string()),
    ]
)


@dataclass(frozen=True)
class Source:
    """What a distribution was made of: 32-byte hashes, and whose period it is."""

    usage_hash: bytes
    manifest_hash: bytes
    works_root: bytes
    licence: int | None = None
    period: int | None = None
    token: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "usage_hash": hex32(self.usage_hash),
            "manifest_hash": hex32(self.manifest_hash),
            "works_root": hex32(self.works_root),
            "licence": self.licence,
            "period": self.period,
            "token": checksum_address(self.token) if self.token else "",
        }


@dataclass(frozen=True)
class Proof:
    """A payee's leaf: what `Splits` is claimed with."""

    payee: str
    units: int
    index: int
    leaf: bytes
    words: list[bytes]


class BuiltDistribution:
    """A distribution folder, opened. Figures come from manifest.json; the tree checks them when it is built."""

    def __init__(self, folder: Path) -> None:
        """Raises LedgerError if the folder is none."""
        self.folder = folder
        try:
            self.document: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
            fields = self.document
            self.amount, self.total, self.held = (int(fields[name]) for name in ("amount", "total", "held"))
            self.split_id, self.root = parse_word(fields["split"]), parse_word(fields["root"])
            self.depth, self.payees = int(fields["depth"]), int(fields["payees"])
            self.rule = AllocationRule.from_document(fields["rule"])
            source = fields["source"]
            self.source = Source(
                parse_word(source["usage_hash"]),
                parse_word(source["manifest_hash"]),
                parse_word(source["works_root"]),
                source["licence"],
                source["period"],
                source["token"].lower(),
            )
        except (OSError, ValueError, KeyError, TypeError, LedgerError) as error:
            raise LedgerError(
                "The folder holds no distribution.", str(folder), str(error), "Build it: distribution build."
            ) from error

    @property
    def rule_hash(self) -> bytes:
        """keccak256 of the allocation rule."""
        return self.rule.hash

    @cached_property
    def tree(self) -> MerkleSumTree:
        """The split's tree, from allocation.parquet. Raises AuditFailed where files and manifest differ."""
        tree = MerkleSumTree(leaf_words(self.folder / ALLOCATION))
        stated = (self.split_id, self.root, self.total, self.depth, self.payees)
        if (tree.id, tree.split.root, tree.split.total, tree.depth, tree.leaves) != stated:
            raise AuditFailed(
                "The allocation table does not give the split that the manifest names.",
                str(self.folder),
                f"The table gives 0x{tree.id.hex()} of {tree.split.total:,} base units.",
                "Build the distribution again.",
            )
        if self.total + self.held != self.amount or self.document["rule_hash"] != hex32(self.rule_hash):
            raise AuditFailed(
                "The manifest does not add up: total and held are not the amount, or the rule has another hash.",
                str(self.folder / MANIFEST),
                remedy="Build the distribution again.",
            )
        return tree

    def check(self) -> None:
        """Compares every file with the hash in the manifest, and the split. Raises AuditFailed."""
        for name, stated in self.document["files"].items():
            if hex32(file_hash(self.folder / name)) != stated:
                raise AuditFailed(f"The file {name} was changed.", str(self.folder), remedy="Build it again.")
        _ = self.tree

    def prove(self, payee: str) -> Proof:
        """The proof of a payee's leaf; `payee` in lower case. Raises ValueRefused if it has none."""
        index = self.tree.index_of(payee)
        leaf = self.tree.leaf(index)
        return Proof(*read_leaf(leaf), index, leaf, self.tree.leaf_proof(index))

    def units(self) -> Iterator[tuple[str, int]]:
        """(payee, units) of every leaf, in order."""
        for index in range(self.tree.leaves):
            yield read_leaf(self.tree.leaf(index))


def leaf_words(path: Path) -> bytes:
    """The words of an allocation table's leaves, in its order. Raises AuditFailed if it is none."""
    try:
        table = pq.read_table(path, columns=["payee", "units"])
        payee = table["payee"].combine_chunks().cast(_PAYEE)
        units = table["units"].combine_chunks().cast(_UNITS)
        if payee.null_count or units.null_count or payee.offset or units.offset:
            raise ValueError("a cell is empty")
    except (OSError, KeyError, ValueError) as error:
        raise AuditFailed("The allocation table cannot be read.", str(path), str(error)) from error
    words = np.zeros((len(payee), 32), dtype=np.uint8)
    words[:, :20] = np.frombuffer(payee.buffers()[1], dtype=np.uint8)[: 20 * len(payee)].reshape(-1, 20)
    # Little-endian numbers of 16 bytes; a leaf has the lower 12, the other way round.
    numbers = np.frombuffer(units.buffers()[1], dtype=np.uint8)[: 16 * len(units)].reshape(-1, 16)
    if bool(numbers[:, 12:].any()):
        raise AuditFailed("The allocation table has units of 2^96 or more, or below zero.", str(path))
    words[:, 20:] = numbers[:, 11::-1]
    return words.tobytes()


def build(
    folder: Path,
    allotment: Allotment,
    source: Source,
    *,
    stages: Stages | None = None,
    replace: bool = False,
    progress: Callable[[str], None] | None = None,
) -> BuiltDistribution:
    """Writes the folder, all of it or nothing; an equal one that is there already is left as it is.

    `stages`: of a build of `input_key` that is under way already; without it, the build has its own.
    Raises LedgerError if another distribution is there and `replace` is not set, or nobody can be paid.
    """
    if stages is None:
        with under_way(folder, input_key(source, allotment.rule, allotment.amount)) as own:
            return build(folder, allotment, source, stages=own, replace=replace, progress=progress)
    say = progress or (lambda text: None)
    say("hash the tree of payees")
    tree = MerkleSumTree(allotment.leaf_words)
    if tree.split.total != allotment.total:
        raise AuditFailed("The leaves do not sum to what the payees are given.")
    say("write the tables")
    files = {
        ALLOCATION: hex32(stages.file(ALLOCATION, lambda path: _write_allocation(path, allotment))),
        WORKS: hex32(stages.file(WORKS, lambda path: _write_works(path, allotment))),
    }
    content = canonical_json(_manifest(tree, allotment, source, files))
    stages.file(MANIFEST, lambda path: _write(path, content))
    stages.only(*files, MANIFEST)
    flush(stages.folder)
    _move(stages.folder, folder, content, replace=replace)
    built = BuiltDistribution(folder)
    built.__dict__["tree"] = tree
    return built


def input_key(source: Source, rule: AllocationRule, amount: int, usage: Sequence[Path] = ()) -> bytes:
    """The hash of all that decides over the bytes of a distribution, and of what its tables look like from outside."""
    return canonical_hash(
        {
            "distribution": FORMAT,
            "amount": str(amount),
            "rule": rule.document(),
            "source": source.document(),
            "usage": [[str(one.st_size), str(one.st_mtime_ns)] for one in (path.stat() for path in usage)],
            "pyarrow": pa.__version__,
        }
    )


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _manifest(
    tree: MerkleSumTree, allotment: Allotment, source: Source, files: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "distribution": FORMAT,
        "amount": str(allotment.amount),
        "total": str(allotment.total),
        "held": str(allotment.held),
        "payees": tree.leaves,
        "depth": tree.depth,
        "root": hex32(tree.split.root),
        "split": hex32(tree.id),
        "rule": allotment.rule.document(),
        "rule_hash": hex32(allotment.rule.hash),
        "source": source.document(),
        "files": dict(files),
    }


def _move(partial: Path, folder: Path, content: bytes, *, replace: bool) -> None:
    if folder.exists():
        try:
            same = (folder / MANIFEST).read_bytes() == content
            BuiltDistribution(folder).check()
        except (OSError, LedgerError):
            same = False
        if same:
            return
        if not replace and any(folder.iterdir() if folder.is_dir() else [folder]):
            raise ValueRefused(
                "Something else is there already.",
                str(folder),
                remedy="Name another folder, or remove this one if nobody needs it.",
            )
        if folder.is_dir():
            shutil.rmtree(folder)
    partial.replace(folder)
    flush(folder.parent)


# ---- tables


def _decimals(figures: Figures) -> pa.Array:
    return pa.Array.from_buffers(_UNITS, len(figures), [None, pa.py_buffer(figures.bytes16())])


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path, schema, version="2.6", compression="zstd", compression_level=3, store_schema=False
    )


def _write_allocation(path: Path, allotment: Allotment) -> None:
    has = np.flatnonzero(allotment.payee_units.nonzero())
    schema = pa.schema([("payee", _PAYEE), ("units", _UNITS)])
    with _writer(path, schema) as writer:
        for first in range(0, len(has), ROW_GROUP):
            at = has[first : first + ROW_GROUP]
            payees = np.ascontiguousarray(allotment.holders.payees[at])
            columns = [
                pa.Array.from_buffers(_PAYEE, len(at), [None, pa.py_buffer(payees)]),
                _decimals(allotment.payee_units.at(at)),
            ]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=ROW_GROUP)


def _write_works(path: Path, allotment: Allotment) -> None:
    """Shares of works that were used or that money goes to, then what nobody in the manifest has."""
    holders = allotment.holders
    group_work = holders.group_work
    share_group = np.repeat(np.arange(len(group_work)), np.diff(holders.share_starts))
    shown = allotment.group_units.nonzero()
    for weights in (allotment.work_usages, allotment.work_credit):
        if weights is not None:
            shown = shown | weights.nonzero()[group_work]
    rows = np.flatnonzero(shown[share_group])
    rights = pa.array(holders.rights, pa.large_string())
    states = pa.array(["held", "paid"], pa.large_string())
    with _writer(path, _WORKS) as writer:
        for first in range(0, len(rows), ROW_GROUP):
            at = rows[first : first + ROW_GROUP]
            groups, payee = share_group[at], holders.share_payee[at]
            works, paid = group_work[groups], payee >= 0
            raw = (
                np.ascontiguousarray(holders.payees[payee]) if len(holders.payees) else np.zeros(0, np.uint8)
            )
            columns = {
                "work": holders.works.take(pa.array(works)),
                "right_type": rights.take(pa.array(holders.group_right[groups])),
                "holder": holders.share_holder.take(pa.array(at)),
                "payee": _payees(raw, paid),
                "share_ppm": pa.array(holders.share_ppm[at].astype(np.int64)),
                "work_usages": _or_null(allotment.work_usages, works),
                "work_credit": _or_null(allotment.work_credit, works),
                "right_units": _decimals(allotment.group_units.at(groups)),
                "units": _decimals(allotment.share_units.at(at)),
                "state": states.take(pa.array(paid.astype(np.int64))),
            }
            writer.write_table(pa.table(columns, schema=_WORKS), row_group_size=ROW_GROUP)
        lost = [
            {
                "work": one.work,
                "right_type": one.right_type,
                "right_units": one.units,
                "units": one.units,
                "state": "unmatched",
            }
            for one in allotment.unmatched
        ]
        writer.write_table(pa.Table.from_pylist(lost, schema=_WORKS), row_group_size=ROW_GROUP)


def _or_null(weights: Figures | None, works: Any) -> pa.Array:
    return pa.nulls(len(works), _UNITS) if weights is None else _decimals(weights.at(works))


def _payees(rows: Any, valid: Any) -> pa.Array:
    if not len(rows):
        return pa.nulls(len(valid), _PAYEE)
    bits = pa.py_buffer(np.packbits(valid, bitorder="little"))
    rows[~valid] = 0
    return pa.Array.from_buffers(_PAYEE, len(valid), [bits, pa.py_buffer(rows)])
