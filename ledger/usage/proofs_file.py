"""The proofs of all payees of a split as one Parquet file: payee, units, index, proof.

`proof` is the words of ISplits' leaf proof one after another, 32 bytes each: the neighbour's word, then hash
and sum of each higher sibling. Neighbours' proofs differ in their lowest siblings alone, so the file packs well.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.domain.merkle_sum import MerkleSumTree, padding_node

Words = npt.NDArray[np.uint64]

#: Leaves of a row group: a power of two, so that each group's proofs share what stands above it.
ROW_GROUP = 16_384


@numba.njit(cache=True, nogil=True)
def _fill(
    first: int, level: Words, padding: Words, shift: int, width: int, at: int, out: Words
) -> None:  # pragma: no cover - compiled
    """Writes the siblings of one level into the proofs of the leaves from `first` on."""
    for i in range(len(out)):
        sibling = ((first + i) >> shift) ^ 1
        start = sibling * width
        if start < len(level):
            for j in range(width):
                out[i, at + j] = level[start + j]
        else:
            for j in range(width):
                out[i, at + j] = padding[j]


def proofs_of(tree: MerkleSumTree, first: int, count: int) -> npt.NDArray[np.uint8]:
    """Proofs of `count` leaves from `first` on: shape (count, 32 × (2·depth − 1)); no byte where depth is 0."""
    words = max(2 * tree.depth - 1, 0)
    out: Words = np.empty((count, 4 * words), dtype="<u8")
    at = 0
    for level in range(tree.depth):
        width = 8 if level else 4
        nodes = np.frombuffer(tree.levels[level], dtype="<u8")
        _fill(first, nodes, np.frombuffer(padding_node(level), dtype="<u8"), level, width, at, out)
        at += width
    return out.view(np.uint8)


def write_proofs(tree: MerkleSumTree, path: Path, progress: Callable[[int], None] | None = None) -> int:
    """Writes the file, whole or not at all; the number of proofs. `progress` is told how many are added."""
    width = 32 * max(2 * tree.depth - 1, 0)
    payee, proof = pa.binary(20), pa.binary(width) if width else pa.binary()
    schema = pa.schema(
        [("payee", payee), ("units", pa.decimal128(38, 0)), ("index", pa.int64()), ("proof", proof)]
    )
    partial = path.with_name(f".{path.name}.partial")
    leaves = np.frombuffer(tree.levels[0], dtype=np.uint8).reshape(-1, 32)
    try:
        with pq.ParquetWriter(
            partial,
            schema,
            version="2.6",
            compression="zstd",
            compression_level=1,
            use_dictionary=False,
            write_statistics=["payee", "index"],
            store_schema=False,
        ) as writer:
            for first in range(0, tree.leaves, ROW_GROUP):
                part = leaves[first : first + ROW_GROUP]
                count = len(part)
                units = np.zeros((count, 16), dtype=np.uint8)
                units[:, :12] = part[:, :19:-1]
                proofs = proofs_of(tree, first, count)
                columns = [
                    _fixed(payee, np.ascontiguousarray(part[:, :20])),
                    _fixed(pa.decimal128(38, 0), units),
                    pa.array(np.arange(first, first + count)),
                    _fixed(proof, proofs) if width else pa.array([b""] * count),
                ]
                writer.write_table(pa.table(columns, schema=schema), row_group_size=ROW_GROUP)
                if progress:
                    progress(count)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return tree.leaves


def _fixed(kind: pa.DataType, rows: npt.NDArray[np.uint8]) -> pa.Array:
    return pa.Array.from_buffers(kind, len(rows), [None, pa.py_buffer(rows)])
