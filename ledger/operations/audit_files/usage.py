"""Usage reports as postings name them: every file of the report checked, its original files read again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ledger.domain.attribution_checks import UsageReported
from ledger.domain.canonical import ZERO32, keccak256
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.operations import usage_files
from ledger.operations.audit_files.desk import USAGE, Desk
from ledger.operations.usage_files import REPORT_FILE

FOLDER, TABLE = "usage", "usage.parquet"


@dataclass(frozen=True, slots=True)
class UsageReport:
    """A usage report whose tables have the hashes that its description names."""

    hash: bytes
    folder: Path
    held: dict[str, Any]

    @property
    def table(self) -> Path:
        """The usage table."""
        return self.folder / TABLE

    def gross(self, licence: int, symbol: str) -> Fraction | None:
        """The gross revenue that its summaries state for a licence, in whole tokens of `symbol`.

        None where there is none, or it is in another currency without a rate.
        """
        from ledger.usage.records import SUMMARY
        from ledger.usage.summary import Line

        total: Fraction | None = None
        for index, file in enumerate(self.held["files"]):
            for number, *cells in file["summaries"]:
                if cells[0] != SUMMARY.name:
                    return None
                line = Line(index, number, SUMMARY, cells)
                amount = line.amount("GrossRevenue")
                if amount is None or line.count("LicenceId") != licence:
                    continue
                rate = line.amount("ExchangeRate")
                if line.get("CurrencyOfReporting").upper() != symbol.upper():
                    if rate is None or line.get("CurrencyOfTransaction").upper() not in ("", symbol.upper()):
                        return None
                    amount *= rate
                total = amount + (total or 0)
        return total

    def reported(self, period: int) -> UsageReported:
        """Outputs and use types; an output counts once, however many works it credits."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        names = set(pq.read_schema(self.table).names)
        columns = [one for one in ("use_type", "outputs", "output") if one in names]
        table = pq.read_table(self.table, columns=columns)
        uses = frozenset(str(one) for one in table["use_type"].unique().to_pylist() if one)
        outputs = 0
        if "output" in names:
            named = table["output"].combine_chunks()
            outputs = len({one for one in named.unique().to_pylist() if one})
            nameless = pc.or_kleene(pc.is_null(named), pc.equal(named, ""))
            table = table.filter(nameless)
        outputs += int(pc.sum(table["outputs"]).as_py() or 0)
        return UsageReported(period, outputs, uses)


class UsageReports:
    """The reports that were opened, each once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[bytes, UsageReport | None] = {}
        #: Reports whose original files were read again, and those whose files nobody gave.
        self.read_again = self.taken = 0

    def get(self, digest: bytes, licence: int, period: int) -> UsageReport | None:
        """The report with this hash; None, and told, where it is missing or changed."""
        if digest == ZERO32:
            return None
        if digest not in self._known:
            self._known[digest] = self._open(digest, licence, period)
        return self._known[digest]

    def _open(self, digest: bytes, licence: int, period: int) -> UsageReport | None:
        desk, where = self._desk, f"licence {licence}, period {period}"
        more = {"licence": licence, "period": period}
        name = f"{FOLDER}/{digest.hex()}"
        try:
            folder = desk.files.folder(name, [REPORT_FILE], desk.scratch)
            content = (folder / REPORT_FILE).read_bytes()
        except (LedgerError, OSError) as error:
            why = error.why if isinstance(error, LedgerError) and error.why else "its folder is not there"
            desk.gap(USAGE, digest, where, f"{why}: {desk.files.shown}/{name}", **more)
            return None
        if keccak256(content) != digest:
            error_ = AuditFailed("Its description was changed.", f"{name}/{REPORT_FILE}")
            desk.changed(USAGE, digest, where, error_, **more)
            return None
        try:
            tables = usage_files.tables_of(folder)
            if TABLE not in tables:
                raise AuditFailed("Its description names no usage table.", REPORT_FILE)
            folder = desk.files.folder(name, [REPORT_FILE, *tables], desk.scratch)
            held = usage_files.verify_folder(folder)
        except AuditFailed as error:
            error.where = f"{name}/{Path(error.where).name}"
            desk.changed(USAGE, digest, where, error, **more)
            return None
        except LedgerError as error:
            desk.gap(USAGE, digest, where, f"{error.what} {error.why}".rstrip(), **more)
            return None
        report = UsageReport(digest, folder, held)
        self._again(report, licence, period)
        return report

    # ---- the original files

    def _again(self, report: UsageReport, licence: int, period: int) -> None:
        """Reads the original files again, where the store has them all, and compares the usage table."""
        desk = self._desk
        place = desk.scratch / f"read-{report.hash.hex()[:16]}"
        place.mkdir()
        paths = []
        for file in report.held["files"]:
            digest = bytes.fromhex(file["sha256"])
            paths.append(place / Path(file["name"]).name)
            try:
                desk.files.copy(digest, paths[-1])
            except AuditFailed as error:
                where = f"licence {licence}, period {period}"
                desk.changed(
                    f"usage file {file['name']}", digest, where, error, licence=licence, period=period
                )
                return
            except LedgerError:
                self.taken += 1
                shutil.rmtree(place)
                return
        ways, complete = self._ways(licence)
        same = any(self._same(report, paths, place, wanted) for wanted in ways)
        if not same and not complete:
            # The import may have been checked against the very file that is missing, which is told as a gap already.
            self.taken += 1
            shutil.rmtree(place)
            return
        self.read_again += 1
        if not same:
            names = ", ".join(path.name for path in paths)
            what = (
                f"the usage table of report 0x{report.hash.hex()} is not what its files give: {names} read again "
                "make another table"
            )
            desk.found(
                "usage report", f"licence {licence}, period {period}", what, licence=licence, period=period
            )
        shutil.rmtree(place)

    def _ways(self, licence: int) -> tuple[list[usage_files.Wanted], bool]:
        """What an import may have been checked against, which decides which lines count; whether all of it is here."""
        desk = self._desk
        terms = desk.terms(licence)
        grant = desk.replay.licences.grants[licence]
        manifests = [
            desk.manifest(one.file_hash, f"catalogue {one.catalogue}")
            for one in reversed(desk.sources.manifests)
            if one.catalogue == grant.terms.catalogue
        ]
        known = [one for one in manifests if one is not None]
        ways = [usage_files.Wanted(terms, licence, None, one) for one in known] if terms else []
        ways += [usage_files.Wanted(None, 0, None, one) for one in known]
        ways += [usage_files.Wanted(terms, licence)] if terms else []
        return [*ways, usage_files.Wanted()], terms is not None and len(known) == len(manifests)

    @staticmethod
    def _same(report: UsageReport, paths: list[Path], place: Path, wanted: usage_files.Wanted) -> bool:
        tables = place / "tables"
        tables.mkdir()
        try:
            done = usage_files.check(paths, tables, wanted, details=True)
            made = done.report.usage
            return usage_files.sha256_of(made).hex() == report.held["tables"][TABLE] or _equal(
                made, report.table
            )
        finally:
            shutil.rmtree(tables)


def _equal(one: Path, other: Path) -> bool:
    """Whether two tables hold the same, for another pyarrow may pack the same in other bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(one) as first, pq.ParquetFile(other) as second:
            if (
                first.schema_arrow != second.schema_arrow
                or first.metadata.num_rows != second.metadata.num_rows
            ):
                return False
            pairs = zip(first.iter_batches(65_536), second.iter_batches(65_536), strict=True)
            return all(a.equals(b) for a, b in pairs)
    except (pa.ArrowException, OSError, ValueError):
        return False
