"""Reading a works manifest from JSON or CSV text. A manifest is refused whole, with every flaw listed."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ledger.domain.address import parse_address
from ledger.domain.canonical import ZERO32
from ledger.domain.errors import Findings, LedgerError, ValueRefused
from ledger.domain.identifiers import Identifier, Kind, normalise
from ledger.domain.manifest import MANIFEST_VERSION, Manifest, Share, Work, ppm_of
from ledger.domain.notation import read_json, shown
from ledger.domain.royalty import PPM

#: Columns of a CSV manifest, one row a share; `work`, `holder` and `share` must be there. Any kind of
#: identifier may be a column of its own. Columns of the work are read from each of its rows and must agree.
CSV_COLUMNS = ("work", "title", "content_hash", "weight", "holder", "payee", "share", "right", *Kind)

_WORK_KEYS = {"id", "title", "content_hash", "identifiers", "weight", "shares"}
_SHARE_KEYS = {"holder", "payee", "share", "right"}
_DEFAULT_RIGHT = "work"


@dataclass(slots=True)
class _Row:
    """A share as read, with its place in the file."""

    where: str
    holder: str
    payee: str | None
    part: Fraction
    right: str


@dataclass(slots=True)
class _Draft:
    """A work as read, with its place in the file."""

    where: str
    id: str
    title: str = ""
    content_hash: bytes = ZERO32
    weight: Fraction = Fraction(1)
    identifiers: list[Identifier] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)


def parse_fraction(value: object, what: str) -> Fraction:
    """A positive exact number: an int, decimal digits, or a fraction such as 1/3."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(
        r"[0-9]{1,30}(?:\.[0-9]{1,18}|/[0-9]{1,30})?", text, re.ASCII
    ):
        raise ValueRefused(
            f"The {what} {shown(value)} is no exact number.", remedy='Write it as 3, "0.5" or "1/3".'
        )
    try:
        number = Fraction(text)
    except ZeroDivisionError:
        raise ValueRefused(f"The {what} {value!r} divides by zero.", remedy="Write it as 1/3.") from None
    if number <= 0:
        raise ValueRefused(f"The {what} is zero.", remedy="Leave the row out, or write a positive number.")
    return number


def _parse_share(value: object) -> Fraction:
    """A share: parts per million as an integer, or a fraction with a slash."""
    number = parse_fraction(value, "share")
    if not (isinstance(value, str) and "/" in value):
        if number.denominator != 1:
            raise ValueRefused(
                f"The share {value!r} is neither parts per million nor a fraction.",
                remedy='Write 500000 for one half, or "1/2".',
            )
        number /= PPM
    if number > 1:
        raise ValueRefused(f"The share {value!r} is more than the whole.", remedy="The whole is 1000000.")
    return number


class _Reader:
    """Reads values one by one; flaws go to the findings and a stand-in goes on."""

    def __init__(self) -> None:
        self.findings = Findings()

    def text(self, where: str, value: object, name: str, *, default: str | None = None) -> str:
        if value is None or value == "":
            if default is None:
                self.findings.add(where, f"The {name} is missing.", "Add it.")
            return default or ""
        if not isinstance(value, str):
            self.findings.add(where, f"The {name} is no text but {shown(value)}.", "Put it in quotes.")
            return ""
        if value != value.strip() or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
            self.findings.add(
                where,
                f"The {name} {shown(value)} has spaces around it or control characters.",
                "Remove them.",
            )
        return value.strip()

    def payee(self, where: str, value: object) -> str | None:
        if value is None or value == "":
            return None
        try:
            return parse_address(str(value))
        except LedgerError as error:
            self.findings.add_error(where, error)
            return None

    def number(self, where: str, value: object, name: str) -> Fraction:
        try:
            return parse_fraction(value, name)
        except LedgerError as error:
            self.findings.add_error(where, error)
            return Fraction(1)

    def share(self, where: str, value: object) -> Fraction:
        try:
            return _parse_share(value)
        except LedgerError as error:
            self.findings.add_error(where, error)
            return Fraction(-1)

    def identifier(self, where: str, kind: object, value: object) -> Identifier | None:
        try:
            return Identifier(Kind(str(kind)), normalise(str(kind), str(value)))
        except (LedgerError, ValueError) as error:
            if isinstance(error, LedgerError):
                self.findings.add_error(where, error)
            else:
                self.findings.add(
                    where, f"{shown(kind)} is no kind of identifier.", f"Use one of {', '.join(Kind)}."
                )
            return None

    def content_hash(self, where: str, value: object) -> bytes:
        if value is None or value == "":
            return ZERO32
        found = self.identifier(where, Kind.CONTENT_HASH.value, value)
        return bytes.fromhex(found.value[2:]) if found else ZERO32


def parse_manifest_json(text: str) -> Manifest:
    """Reads a manifest of JSON: {"manifest": "1", "works": [{"id", "shares": [{"holder", "share", …}],
    …}]}.
    """
    return parse_manifest(read_json(text, "The manifest is"))


def parse_manifest(document: object) -> Manifest:
    """The manifest of a document that was read already, from JSON or YAML."""
    reader = _Reader()
    if not isinstance(document, dict) or not isinstance(document.get("works"), list):
        raise ValueRefused(
            "The manifest has no list of works.", remedy='It is {"manifest": "1", "works": […]}.'
        )
    if document.get("manifest") != MANIFEST_VERSION:
        reader.findings.add("manifest", f"The version {document.get('manifest')!r} is unknown.", 'Write "1".')
    _no_strangers(reader, "", document, {"manifest", "works", "title", "right_weights"})
    weights = document.get("right_weights") or {}
    if not isinstance(weights, dict):
        reader.findings.add("right_weights", "It is no object of numbers.", 'Write {"recording": "1/2"}.')
        weights = {}
    right_weights = {
        str(right): reader.number(f"right_weights.{right}", weight, "weight")
        for right, weight in weights.items()
    }
    drafts = [_read_work(reader, f"works[{i}]", work) for i, work in enumerate(document["works"])]
    title = reader.text("title", document.get("title"), "title", default="")
    return _assemble(reader, (draft for draft in drafts if draft), right_weights, title)


def _no_strangers(reader: _Reader, where: str, value: Mapping[str, Any], known: set[str]) -> None:
    for key in value.keys() - known:
        reader.findings.add(
            f"{where}.{key}".lstrip("."), "The field is unknown.", f"Known are {', '.join(sorted(known))}."
        )


def _read_work(reader: _Reader, where: str, value: object) -> _Draft | None:
    if not isinstance(value, dict):
        reader.findings.add(where, "It is no object.", "Write {…} with its fields.")
        return None
    _no_strangers(reader, where, value, _WORK_KEYS)
    draft = _Draft(where, reader.text(f"{where}.id", value.get("id"), "id"))
    draft.title = reader.text(f"{where}.title", value.get("title"), "title", default="")
    draft.content_hash = reader.content_hash(f"{where}.content_hash", value.get("content_hash"))
    if "weight" in value:
        draft.weight = reader.number(f"{where}.weight", value["weight"], "weight")
    identifiers = value.get("identifiers") or []
    for i, pair in enumerate(identifiers if isinstance(identifiers, list) else [None]):
        place = f"{where}.identifiers[{i}]"
        if not isinstance(pair, list) or len(pair) != 2:
            reader.findings.add(place, "It is no pair of kind and value.", 'Write ["isrc", "…"].')
            continue
        found = reader.identifier(place, *pair)
        if found:
            draft.identifiers.append(found)
    shares = value.get("shares")
    if not isinstance(shares, list) or not shares:
        reader.findings.add(f"{where}.shares", "The work has no shares.", "Name its holders.")
        return draft
    for i, share in enumerate(shares):
        place = f"{where}.shares[{i}]"
        if not isinstance(share, dict):
            reader.findings.add(place, "It is no object.", "Write {…} with its fields.")
            continue
        _no_strangers(reader, place, share, _SHARE_KEYS)
        draft.rows.append(_read_share(reader, place, share))
    return draft


def _read_share(reader: _Reader, where: str, value: Mapping[str, Any]) -> _Row:
    return _Row(
        where,
        reader.text(f"{where}.holder" if "[" in where else where, value.get("holder"), "holder"),
        reader.payee(where, value.get("payee")),
        reader.share(where, value.get("share")),
        reader.text(where, value.get("right"), "right type", default=_DEFAULT_RIGHT),
    )


def parse_manifest_csv(text: str, *, title: str = "") -> Manifest:
    """Reads a manifest of CSV, one row a share; see CSV_COLUMNS. Empty payee: unmatched."""
    reader = _Reader()
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    columns = read_header(rows, reader.findings)
    for name in ("work", "holder", "share"):
        if name not in columns:
            reader.findings.add("line 1", f"The column {name} is missing.", "Add it.")
    known = tuple(dict.fromkeys(CSV_COLUMNS))
    for name in dict.fromkeys(columns):
        if name not in known:
            reader.findings.add(
                "line 1", f"The column {name!r} is unknown.", f"Known are {', '.join(known)}."
            )
    reader.findings.raise_if_any("The manifest was refused")
    drafts: dict[str, _Draft] = {}
    try:
        for row in rows:
            _read_row(reader, f"line {rows.line_num}", row, drafts)
    except csv.Error as error:
        # What comes behind cannot be told into lines, and what came before may lack its other rows.
        reader.findings.add(
            f"line {rows.reader.line_num}", f"The line is no CSV: {error}.", "Mend its quotes."
        )
        reader.findings.raise_if_any("The manifest was refused")
    return _assemble(reader, drafts.values(), {}, title)


def read_header(rows: csv.DictReader[str], findings: Findings) -> list[str]:
    """The names of a table's columns, as they stand. Notes those that stand there twice: either would be a guess."""
    try:
        columns = list(rows.fieldnames or ())
    except csv.Error as error:
        findings.add("line 1", f"The line is no CSV: {error}.", "Mend its quotes.")
        return []
    for name in dict.fromkeys(columns):
        if columns.count(name) > 1:
            findings.add(
                "line 1", f"The column {name} stands there {columns.count(name)} times.", "Keep one of them."
            )
    return columns


def _read_row(reader: _Reader, where: str, row: Mapping[str | None, Any], drafts: dict[str, _Draft]) -> None:
    if None in row or None in row.values():
        reader.findings.add(
            where, "The line has more or fewer cells than the first.", "Put texts with commas into quotes."
        )
        return
    cells = {str(key): value for key, value in row.items()}
    work_id = reader.text(where, cells.get("work"), "work")
    draft = drafts.get(work_id)
    identifiers = [reader.identifier(where, kind.value, cells[kind]) for kind in Kind if cells.get(kind)]
    read = _Draft(where, work_id, reader.text(where, cells.get("title"), "title", default=""))
    read.content_hash = reader.content_hash(where, cells.get("content_hash"))
    read.identifiers = [one for one in identifiers if one]
    if cells.get("weight"):
        read.weight = reader.number(where, cells["weight"], "weight")
    if draft is None:
        draft = drafts[work_id] = read
    elif (read.title, read.content_hash, read.weight, read.identifiers) != (
        draft.title,
        draft.content_hash,
        draft.weight,
        draft.identifiers,
    ):
        reader.findings.add(
            where, f"The work {work_id!r} differs from {draft.where}.", "Write it alike in each row."
        )
    draft.rows.append(_read_share(reader, where, cells))


def _assemble(
    reader: _Reader, drafts: Iterable[_Draft], right_weights: Mapping[str, Fraction], title: str
) -> Manifest:
    findings = reader.findings
    works: list[Work] = []
    places: dict[str, str] = {}
    for draft in drafts:
        if draft.id in places:
            findings.add(
                draft.where,
                f"The work {draft.id!r} was named before, at {places[draft.id]}.",
                "Keep one of them.",
            )
        places.setdefault(draft.id, draft.where)
        _check_rows(findings, draft)
        if not findings:
            works.append(_work_of(draft))
    if not places:
        findings.add("", "There is no work.", "Name one at least.")
    findings.raise_if_any("The manifest was refused")
    return Manifest(tuple(works), dict(right_weights), title)


def _check_rows(findings: Findings, draft: _Draft) -> None:
    """Holders and payees at most once, and shares that sum to one, per right type."""
    sums: dict[str, Fraction] = {}
    holders: dict[tuple[str, str], str] = {}
    payees: dict[tuple[str, str], str] = {}
    readable = all(row.part > 0 for row in draft.rows)
    for row in draft.rows:
        sums[row.right] = sums.get(row.right, Fraction(0)) + row.part
        seen = holders.setdefault((row.right, row.holder), row.where)
        if seen != row.where:
            findings.add(
                row.where, f"The holder {row.holder!r} was named before, at {seen}.", "Add up the shares."
            )
        if row.payee is None:
            continue
        seen = payees.setdefault((row.right, row.payee), row.where)
        if seen != row.where:
            findings.add(
                row.where, f"The payee {row.payee} was named before, at {seen}.", "Add up the shares."
            )
    for right, total in sums.items():
        if readable and total != 1:
            findings.add(
                draft.where,
                f"The {right!r} shares of {draft.id!r} sum to {_ppm_words(total)}.",
                "They must sum to 1000000.",
            )


def _ppm_words(total: Fraction) -> str:
    """A sum of shares; where it is the whole but for less than a part per million, as the fraction that it is."""
    ppm = round(total * PPM)
    return f"{total} of the whole" if ppm == PPM else f"{ppm:,} parts per million"


def _work_of(draft: _Draft) -> Work:
    shares: list[Share] = []
    for right in dict.fromkeys(row.right for row in draft.rows):
        rows = [row for row in draft.rows if row.right == right]
        for row, ppm in zip(rows, ppm_of([row.part for row in rows]), strict=True):
            shares.append(Share(row.holder, row.part, ppm, right, row.payee))
    return Work(
        draft.id,
        tuple(shares),
        draft.title,
        draft.content_hash,
        tuple(sorted(set(draft.identifiers))),
        draft.weight,
    )
