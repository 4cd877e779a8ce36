"""The embedded engine: DuckDB through Ibis, held to a part of the memory, spilling to disk beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

#: What DuckDB may hold; arrays of the division come on top.
MEMORY = "2GB"


@contextmanager
def duckdb_engine(
    *, memory: str = MEMORY, threads: int | None = None, spill: Path | None = None
) -> Iterator[Backend]:
    """An engine of its own, closed at the end. `spill` is where it makes room on disk: a temporary folder."""
    import ibis

    with TemporaryDirectory(prefix="licence-ledger-", dir=spill, ignore_cleanup_errors=True) as folder:
        options: dict[str, object] = {"memory_limit": memory, "temp_directory": folder}
        if threads:
            options["threads"] = threads
        # The order of rows is no part of any result, and keeping it costs memory.
        backend = ibis.duckdb.connect(preserve_insertion_order=False, **options)
        try:
            yield backend
        finally:
            backend.disconnect()


def usage_of(backend: Backend, files: Sequence[Path]) -> ir.Table:
    """The usage table of Parquet files. Raises LedgerError where one is missing or no Parquet."""
    for file in files:
        if not file.is_file():
            raise LedgerError(
                "The usage table is not there.", str(file), remedy="Import the usage file first."
            )
    try:
        return backend.read_parquet([str(file) for file in files])
    except Exception as error:
        raise LedgerError(
            "The usage table is no Parquet.",
            ", ".join(str(file) for file in files),
            str(error).splitlines()[0],
            "Import the usage file again.",
        ) from error
