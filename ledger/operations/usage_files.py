"""Usage files: reports of who used what how often, checked, imported into the store, written back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from ledger.domain.canonical import ZERO32, canonical_json, hex32, keccak256
from ledger.domain.errors import AuditFailed, Findings, LedgerError
from ledger.usage.flaws import Flaw, FlawLog, Severity

if TYPE_CHECKING:
    from ledger.domain.manifest import Manifest
    from ledger.domain.terms import TermsDocument
    from ledger.usage.reader import Report

REPORT_FORMAT = "1"
REPORT_FILE, FLAWS_FILE, ORIGINALS = "report.json", "flaws.csv", "originals"
FLAW_COLUMNS = ("severity", "kind", "file", "line", "record", "cell", "what", "why")
_LARGEST_DESCRIPTION = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to be checked against. `hashes`: SHA-256 by file name. `before`: the catalogue's earlier
    manifest, whose works that are gone were withdrawn.
    """

    terms: TermsDocument | None = None
    licence: int = 0
    hashes: dict[str, bytes] | None = None
    manifest: Manifest | None = None
    before: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A report that was read. `id` and `folder` are there once it is imported."""

    report: Report
    spilled: Path
    id: bytes = b""
    folder: Path | None = None
    known: bool = False


def aliases(manifest: Manifest) -> dict[str, str]:
    """Every id and identifier of a manifest's works, to the work's id; identifiers of two works are left out."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for work in manifest.works:
        names = [one.value for one in work.identifiers]
        for name in (*names, hex32(work.content_hash)) if work.content_hash != ZERO32 else names:
            if found.setdefault(name, work.id) != work.id:
                twice.add(name)
    for value in twice:
        del found[value]
    return found | {work.id: work.id for work in manifest.works}


def seen_messages(store: Path) -> frozenset[str]:
    """The MessageIds of the reports imported into a store."""
    found = set()
    for path in sorted(store.glob(f"*/{REPORT_FILE}")):
        for file in _read_json(path).get("files", []):
            if file.get("head"):
                found.add(file["head"][4] if len(file["head"]) > 4 else "")
    return frozenset(found - {""})


def _safe(text: str) -> str:
    """A cell for CSV: control characters written out, and no formula for a spreadsheet."""
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return "'" + shown if shown[:1] in ("=", "+", "-", "@") else shown


class FlawFile:
    """The list of flaws as CSV; those that memory does not hold are written as they come."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        import csv

        self._names = names
        self._file = path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")

    def add(self, one: Flaw) -> None:
        """Writes one flaw."""
        cells = (
            one.severity.value,
            one.kind.value,
            self._names[one.file],
            str(one.line),
            one.record,
            one.cell,
            one.what,
            one.why,
        )
        self.row(cells)

    def row(self, cells: Sequence[str]) -> None:
        """Writes cells, safe for terminals and spreadsheets."""
        self._csv.writerow([_safe(cell) for cell in cells])

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def write_flaws(path: Path, flaws: FlawLog, names: Sequence[str], spilled: Path | None = None) -> None:
    """Writes every flaw as CSV, in the order of the files and their lines."""
    out = FlawFile(path, names)
    out.row(FLAW_COLUMNS)
    for one in flaws.held():
        out.add(one)
    out.close()
    if spilled is not None and spilled.exists():
        with path.open("ab") as whole, spilled.open("rb") as rest:
            shutil.copyfileobj(rest, whole)


def check(
    paths: Sequence[Path],
    folder: Path,
    wanted: Wanted,
    *,
    store: Path | None = None,
    told: Callable[[int, int], None] = lambda done, total: None,
    details: bool = False,
) -> Checked:
    """Reads the files of one report into tables below `folder`. What stands in the files is never an error."""
    from ledger.usage.checks import Against
    from ledger.usage.reader import read_report

    if not paths:
        raise LedgerError("No file is named.", remedy="Name the files of one report.")
    works = aliases(wanted.manifest) if wanted.manifest else None
    gone = (
        {key: work for key, work in aliases(wanted.before).items() if key not in (works or {})}
        if wanted.before
        else {}
    )
    against = Against(
        wanted.terms,
        wanted.licence,
        wanted.hashes or {},
        seen_messages(store) if store else frozenset(),
        works,
        gone,
    )
    spilled = folder / "spilled.csv"
    out = FlawFile(spilled, [path.name for path in paths])
    try:
        report = read_report(paths, folder, against=against, details=details, told=told, spill=out.add)
    finally:
        out.close()
    return Checked(report, spilled)


def refuse(report: Report, *, strict: bool) -> None:
    """Raises FindingsError for a report that cannot be imported: `strict` refuses any flaw."""
    held = list(report.flaws) if strict else report.refused
    findings = Findings()
    for one in held:
        findings.add(place(one, report), one.what, one.why)
    if findings:
        where = ", ".join(file.name for file in report.files[:3])
        raise findings.error(
            "The usage report was refused", where, "Correct the files, or ask their sender for whole ones."
        )


def place(one: Flaw, report: Report) -> str:
    """Where a flaw is, in words."""
    parts = [report.files[one.file].name]
    if one.line:
        parts.append(f"line {one.line}")
    parts += [part for part in (one.record, one.cell) if part]
    return ", ".join(parts)


def import_report(
    paths: Sequence[Path],
    store: Path,
    wanted: Wanted,
    *,
    strict: bool = False,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Checked:
    """Reads a report and keeps its tables, its flaws and its description in a folder of the store.

    The folder is named by the keccak256 of the description, which holds the hash of every other file. A run that was
    killed leaves at most a hidden folder; the same report again is the same folder.
    Raises FindingsError for one that is refused.
    """
    store.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix=".import-", dir=store))
    try:
        earlier = _same_files(store, paths)
        done = check(paths, work, wanted, store=None if earlier else store, told=told, details=True)
        refuse(done.report, strict=strict)
        _keep_originals(paths, done.report, work)
        write_flaws(
            work / FLAWS_FILE, done.report.flaws, [file.name for file in done.report.files], done.spilled
        )
        done.spilled.unlink(missing_ok=True)
        shutil.rmtree(work / "spill", ignore_errors=True)
        content = canonical_json(describe(done.report, work))
        (work / REPORT_FILE).write_bytes(content)
        digest = keccak256(content)
        folder = store / digest.hex()
        known = folder.exists()
        if not known:
            work.rename(folder)
        done.report.folder = folder
        return Checked(done.report, done.spilled, digest, folder, known)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _same_files(store: Path, paths: Sequence[Path]) -> bool:
    """Whether a report of just these files was imported before: then it is the same one, not a second."""
    hashes = sorted(sha256_of(path).hex() for path in paths if path.is_file())
    return any(
        sorted(file["sha256"] for file in _read_json(path)["files"]) == hashes
        for path in store.glob(f"*/{REPORT_FILE}")
    )


def sha256_of(path: Path) -> bytes:
    """SHA-256 of a file, read in pieces."""
    import hashlib

    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.digest()


def describe(report: Report, folder: Path) -> dict[str, Any]:
    """The description of a report: its files, figures, and the hash of each table. Without times or places."""
    return {
        "usage_report": REPORT_FORMAT,
        "files": [
            {
                "name": file.name,
                "sha256": file.sha256.hex(),
                "bytes": file.size,
                "lines": file.lines,
                "blocks": file.blocks,
                "head": file.head.cells if file.head else [],
                "foot": file.foot.cells if file.foot else [],
                "summaries": [[one.line.number, *one.line.cells] for one in file.summaries],
                "refused_summaries": {one.id: one.refused.value for one in file.summaries if one.refused},
                "comments": [[number, text] for number, text in file.comments],
            }
            for file in report.files
        ],
        "accepted": report.accepted.as_dict(),
        "unmatched": report.unmatched.as_dict(),
        "rejected": report.rejected.as_dict(),
        "flaws": {kind.value: count for kind, count in sorted(report.flaws.counts.items())},
        "tables": {
            path.name: sha256_of(path).hex()
            for path in sorted([*folder.glob("*.parquet"), folder / FLAWS_FILE])
        },
    }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_DESCRIPTION:
            raise LedgerError("The description of the report is too large.", str(path))
        held = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LedgerError("The description of the report cannot be read.", str(path), str(error)) from error
    if not isinstance(held, dict) or held.get("usage_report") != REPORT_FORMAT:
        raise LedgerError("The description is not one of a usage report.", str(path))
    return held


def folder_of(store: Path, named: str) -> Path:
    """The folder of an imported report: a path, or the beginning of its id. Raises LedgerError."""
    path = Path(named).expanduser()
    if (path / REPORT_FILE).is_file():
        return path
    found = [
        one.parent
        for one in store.glob(f"*/{REPORT_FILE}")
        if one.parent.name.startswith(named.removeprefix("0x"))
    ]
    if len(found) == 1:
        return found[0]
    what = (
        f"There is no usage report {named!r}."
        if not found
        else f"More than one usage report begins with {named!r}."
    )
    raise LedgerError(
        what, str(store), remedy="Give its folder or its id: `licence-ledger usage import` tells it."
    )


def read_description(folder: Path) -> dict[str, Any]:
    """The description of an imported report, its tables unread. Raises LedgerError."""
    return _read_json(folder / REPORT_FILE)


def verify_folder(folder: Path) -> dict[str, Any]:
    """The description of a report, each table's hash compared. Raises AuditFailed for a changed one."""
    held = read_description(folder)
    for name, expected in held["tables"].items():
        path = folder / Path(name).name
        if not path.is_file() or sha256_of(path).hex() != expected:
            raise AuditFailed(
                "A table of the usage report is not the one that was imported.", str(path),
                "Its SHA-256 differs from the one in report.json, or it is missing.", "Import the files again.",
            )  # fmt: skip
    return held


def tables_of(folder: Path) -> list[str]:
    """The names of the files beside a report's description. Raises LedgerError."""
    return [Path(name).name for name in _read_json(folder / REPORT_FILE)["tables"]]


def export(folder: Path, target: Path) -> list[Path]:
    """Writes the files of an imported report back, each in its own format. Raises LedgerError."""
    from ledger.usage.writer import Part, write_back

    held = verify_folder(folder)
    flat = {index: file for index, file in enumerate(held["files"]) if not _is_tsv(file["name"])}
    for index, file in flat.items():
        kept = folder / ORIGINALS / str(index)
        if not kept.is_file() or sha256_of(kept).hex() != file["sha256"]:
            raise LedgerError(
                "The file is not in the report's folder as it came.",
                str(kept),
                f"The SHA-256 of {file['name']} is {file['sha256']}.",
                "Import the files again.",
            )
    parts = [
        Part(
            index,
            file["name"],
            file["head"],
            [(one[0], one[1:]) for one in file["summaries"]],
            file["foot"],
            [(number, text) for number, text in file["comments"]],
        )
        for index, file in enumerate(held["files"])
        if index not in flat
    ]
    target.mkdir(parents=True, exist_ok=True)
    written = write_back(folder, parts, target) if parts else []
    for index, file in flat.items():
        if Path(file["name"]).name != file["name"] or file["name"].startswith("."):
            raise LedgerError("The name of the file is no plain file name.", file["name"])
        path = target / file["name"]
        partial = path.with_name(f".{path.name}.partial")
        shutil.copyfile(folder / ORIGINALS / str(index), partial)
        written.append(partial.replace(path))
    return written


def _is_tsv(name: str) -> bool:
    return name.lower().endswith((".tsv", ".tsv.gz"))


def _keep_originals(paths: Sequence[Path], report: Report, folder: Path) -> None:
    """Keeps CSV and Parquet files beside their tables: how they were written cannot be told from these."""
    for file, path in zip(report.files, paths, strict=True):
        if not _is_tsv(file.name):
            (folder / ORIGINALS).mkdir(exist_ok=True)
            kept = folder / ORIGINALS / str(file.index)
            shutil.copyfile(path, kept)
            if sha256_of(kept) != file.sha256:
                raise LedgerError(
                    "The file was changed while it was read.", str(path), remedy="Import it again."
                )


def by_severity(flaws: FlawLog) -> dict[str, int]:
    """How many flaws there are of each severity."""
    return {one.value: flaws.of(one) for one in Severity}
