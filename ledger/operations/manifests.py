"""Reading manifests and lists of units from files of any of their forms. A file is refused whole."""

from __future__ import annotations

import csv
import io

from ledger.domain.address import parse_address
from ledger.domain.canonical import ZERO32, hex32, keccak256
from ledger.domain.errors import Findings, LedgerError, ValueRefused
from ledger.domain.identifiers import OF_WORKS, Identifier, Kind
from ledger.domain.manifest import Manifest, Work
from ledger.domain.manifest_file import parse_manifest, parse_manifest_csv, read_header
from ledger.domain.merkle_sum import UNITS_LIMIT, MerkleSumTree
from ledger.domain.notation import read_json, read_yaml, shown
from ledger.operations.files import FileStore

_UNIT_COLUMNS = {"payee", "units"}


def read_text(content: bytes, where: str) -> str:
    """The text of a file in UTF-8. Raises ValueRefused."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueRefused(
            "The file is not UTF-8.", f"{where}, line {line}", remedy="Save it as UTF-8."
        ) from None


def read_manifest(content: bytes, where: str, *, title: str = "") -> Manifest:
    """A manifest of CSV, JSON or YAML, told by its first character and the name's ending. Raises
    FindingsError.
    """
    text = read_text(content, where)
    suffix = where.rpartition(".")[2].lower()
    try:
        if suffix in ("yaml", "yml"):
            return parse_manifest(read_yaml(text, "The manifest is"))
        if suffix == "json" or text.lstrip().startswith("{"):
            return parse_manifest(read_json(text, "The manifest is"))
        return parse_manifest_csv(text, title=title)
    except LedgerError as error:
        error.where = f"{where}, {error.where}" if error.where else where
        raise


def kept_manifest(files: FileStore, file_hash: bytes) -> Manifest:
    """The manifest with this hash, out of the store. Raises LedgerError where it is missing or changed."""
    return read_manifest(files.get(file_hash), f"0x{file_hash.hex()}.json")


def keep_manifest(files: FileStore, manifest: Manifest) -> bytes:
    """Puts the manifest file into the store; its hash."""
    content = manifest.to_json()
    files.put(content)
    return keccak256(content)


def shared_works(one: Manifest, other: Manifest) -> list[tuple[str, str, str]]:
    """Works of two manifests that are the same work: both ids, and by what, such as "isrc GBAYE0601498".

    Ids are each catalogue's own, so only a content hash or an identifier of the work itself tells. In the order of
    `one`.
    """
    known: dict[str, str] = {}
    for work in other.works:
        for name in names_of(work):
            known.setdefault(name, work.id)
    shared = ((work.id, [name for name in names_of(work) if name in known]) for work in one.works)
    return [(work_id, known[names[0]], names[0]) for work_id, names in shared if names]


def twins(manifest: Manifest) -> list[tuple[str, str, str]]:
    """Works of one manifest with the same identifier or content: both ids, and by what. Recordings share an ISWC."""
    known: dict[str, str] = {}
    found = []
    for work in manifest.works:
        for name in names_of(work):
            first = known.setdefault(name, work.id)
            if first != work.id and not name.startswith(Kind.ISWC):
                found.append((first, work.id, name))
    return found


def names_of(work: Work) -> list[str]:
    """By what a work is known anywhere: its content hash and the identifiers that name works, with their kind."""
    content = [] if work.content_hash == ZERO32 else [Identifier(Kind.CONTENT_HASH, hex32(work.content_hash))]
    named = (one for one in (*content, *work.identifiers) if one.kind in OF_WORKS)
    return list(dict.fromkeys(f"{one.kind.replace('_', ' ')} {one.value}" for one in named))


def tree_of(manifest: Manifest) -> MerkleSumTree:
    """The split that the manifest gives. Raises ValueRefused where nobody is matched."""
    return MerkleSumTree.build(manifest.units().entries)


def read_units(content: bytes, where: str) -> MerkleSumTree:
    """The split of a CSV file with the columns payee and units. Raises FindingsError with every bad line."""
    findings = Findings()
    rows = csv.DictReader(io.StringIO(read_text(content, where), newline=""), strict=True)
    columns = read_header(rows, findings)
    findings.raise_if_any("The list of units was refused", where)
    if set(columns) != _UNIT_COLUMNS:
        raise ValueRefused(
            "The list of units does not have the columns payee and units.",
            where,
            remedy="Write payee,units in its first line, then one payee a line.",
        )
    entries: list[tuple[str, int]] = []
    seen: dict[str, int] = {}
    try:
        for row in rows:
            _read_units_row(findings, rows.line_num, row, entries, seen)
    except csv.Error as error:
        findings.add(f"line {rows.reader.line_num}", f"The line is no CSV: {error}.", "Mend its quotes.")
    if not entries and not findings:
        findings.add("", "There is no payee.", "Write one payee a line.")
    findings.raise_if_any("The list of units was refused", where)
    return MerkleSumTree.build(entries)


def _read_units_row(
    findings: Findings,
    number: int,
    row: dict[str, str | None],
    entries: list[tuple[str, int]],
    seen: dict[str, int],
) -> None:
    where = f"line {number}"
    if None in row or None in row.values():
        findings.add(where, "The line has more or fewer cells than the first.", "Write payee,units.")
        return
    text = row["units"] or ""
    units = int(text) if text.isascii() and text.isdigit() and len(text) < 40 else 0
    if not 0 < units < UNITS_LIMIT:
        findings.add(where, f"The units {shown(text)} are not within 1 to 2^96 - 1.", "Write a whole number.")
    try:
        payee = parse_address(row["payee"] or "")
    except LedgerError as error:
        findings.add_error(where, error)
        return
    if payee in seen:
        findings.add(
            where, f"The payee {payee} was named before, at line {seen[payee]}.", "Add up its units."
        )
    seen.setdefault(payee, number)
    entries.append((payee, units))
