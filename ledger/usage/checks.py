"""Checks of a whole report: parts, names, foot, licence, weights of outputs, works of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.domain.terms_fields import WORLD, parse_time
from ledger.usage.cells import PPM, quoted, split_several
from ledger.usage.flaws import FlawKind, FlawLog
from ledger.usage.records import SCOPE_OF_USE
from ledger.usage.summary import FileFacts, Summary, shown

if TYPE_CHECKING:
    from ledger.domain.terms import TermsDocument

#: Name of a usage file: recipient, sender, service, period, territory, x of y, time of writing.
FILE_NAME = re.compile(
    r"DSR_(?P<recipient>[^_]+)_(?P<sender>[^_]+)_(?P<service>[^_]+)_"
    r"(?P<period>\d{4}(?:(?:-\d{2,3})|(?:-\d{2}-\d{2}(?:--\d{4}-\d{2}-\d{2})?)|(?:-Q\d))?)_"
    r"(?P<territory>[A-Z]{2}|\d+|Worldwide|multi)_(?P<part>\d+)of(?P<parts>\d+)_(?P<time>\d{8}T\d{6})"
    r"\.tsv(?:\.gz)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Against:
    """What a report is checked against. `licence` 0: any; `hashes`: SHA-256 by file name; `seen`: MessageIds.

    `works` maps each work id and each identifier of the catalogue to the work id; None: no catalogue is given.
    `withdrawn`: the same of works that left it.
    """

    terms: TermsDocument | None = None
    licence: int = 0
    hashes: Mapping[str, bytes] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    works: Mapping[str, str] | None = None
    withdrawn: Mapping[str, str] = field(default_factory=dict)


def period_days(text: str) -> tuple[date, date] | None:
    """First and last day of the period in a file's name; None for a week or an impossible date."""
    try:
        if two := re.fullmatch(r"(\d{4}-\d{2}-\d{2})--(\d{4}-\d{2}-\d{2})", text):
            return date.fromisoformat(two[1]), date.fromisoformat(two[2])
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text), date.fromisoformat(text)
        year = int(text[:4])
        first, months = {4: (1, 12), 7: (0, 1)}.get(len(text), (0, 0))
        if "Q" in text:
            first, months = int(text[-1]) * 3 - 2, 3
        elif len(text) == 7:
            first = int(text[5:])
        if not months:
            return None
        after = first + months
        return date(year, first, 1), date(year + (after > 12), (after - 1) % 12 + 1, 1) - timedelta(days=1)
    except ValueError:
        return None


def check_name(facts: FileFacts, flaws: FlawLog) -> None:
    """The file's name against the pattern and against HEAD."""
    matched = FILE_NAME.fullmatch(facts.name)
    if matched is None:
        flaws.add(
            FlawKind.FILE_NAME, facts.index, 0, "", "", f"The name {quoted(facts.name)} is not of the form.",
            "DSR_<recipient>_<sender>_<service>_<period>_<territory>_<x>of<y>_<yyyymmddThhmmss>.tsv[.gz]",
        )  # fmt: skip
        return
    head = facts.head
    if head is None:
        return

    def tell(cell: str, says: object, head_says: object) -> None:
        flaws.add(
            FlawKind.FILE_NAME, facts.index, head.number, "HEAD", cell,
            f"The file's name says {says}, HEAD says {head_says}.",
        )  # fmt: skip

    for part, cell in (("part", "FileNumber"), ("parts", "NumberOfFiles")):
        count = head.count(cell)
        if count is not None and count != int(matched[part]):
            tell(cell, matched[part], count)
    days = period_days(matched["period"])
    for day, cell in zip(days or (), ("UsageStartDate", "UsageEndDate"), strict=False):
        said = head.day(cell)
        if said is not None and said != day:
            tell(cell, day, said)


def check_foot(files: Sequence[FileFacts], flaws: FlawLog) -> None:
    """What FOOT counts against what was read; files that were refused half way are passed over."""
    whole = all(one.whole for one in files)
    for facts in files:
        foot = facts.foot
        if facts.flat or not facts.whole:
            continue
        if foot is None:
            facts.whole = False
            flaws.add(
                FlawKind.CUT, facts.index, facts.all_lines, "", "", "The file ends without FOOT.",
                "It was cut, or its writer was stopped.",
            )  # fmt: skip
            continue
        if foot.number < facts.last_line:
            flaws.add(FlawKind.ORDER, facts.index, foot.number, "FOOT", "", "Lines stand after FOOT.")
        counted = {
            "NumberOfLinesInFile": facts.lines,
            "NumberOfSummaryRecords": len(facts.summaries),
            "NumberOfBlocksInFile": facts.blocks,
        }
        if whole and _complete(files):
            counted["NumberOfLinesInReport"] = sum(one.lines for one in files)
            counted["NumberOfBlocksInReport"] = sum(one.blocks for one in files)
        for cell, count in counted.items():
            said = foot.count(cell)
            if said is None or said == count:
                continue
            why = ""
            if "Lines" in cell and said == sum(
                one.all_lines for one in (files if "Report" in cell else [facts])
            ):
                why = "It counts comments and empty lines too."
            flaws.add(
                FlawKind.FOOT,
                facts.index,
                foot.number,
                "FOOT",
                cell,
                f"FOOT says {said:,}; there are {count:,}.",
                why,
            )


def check_order(facts: FileFacts, flaws: FlawLog) -> None:
    """Summaries stand before the first block."""
    for one in facts.summaries:
        if facts.first_block and one.line.number > facts.first_block and not facts.flat:
            flaws.add(
                FlawKind.ORDER, facts.index, one.line.number, one.line.record.name, "",
                "The summary stands after the first block.", "Usages above it do not know it.",
            )  # fmt: skip


def _complete(files: Sequence[FileFacts]) -> bool:
    counts = {one.head.count("NumberOfFiles") for one in files if one.head}
    return counts in ({len(files)}, {None}) or not counts


def check_parts(files: Sequence[FileFacts], against: Against, flaws: FlawLog) -> None:
    """The files are parts of one report, each there once, none imported before."""
    first: FileFacts | None = None
    numbers: dict[int, str] = {}
    for facts in files:
        head = facts.head
        if head is None:
            continue
        message = head.get("MessageId")
        if message and message in against.seen:
            flaws.add(
                FlawKind.SEEN, facts.index, head.number, "HEAD", "MessageId",
                f"A report with the MessageId {quoted(message)} was imported before.",
            )  # fmt: skip
        number = head.count("FileNumber")
        if number is not None and number in numbers:
            flaws.add(
                FlawKind.OVERLAP, facts.index, head.number, "HEAD", "FileNumber",
                f"{numbers[number]} is file {number} of the report too.",
            )  # fmt: skip
        if number is not None:
            numbers.setdefault(number, facts.name)
        if first is None or first.head is None:
            first = facts
            continue
        for cell in ("SenderPartyId", "UsageStartDate", "UsageEndDate", "NumberOfFiles"):
            if head.get(cell) != first.head.get(cell):
                flaws.add(
                    FlawKind.OVERLAP, facts.index, head.number, "HEAD", cell,
                    f"The {cell} {quoted(head.get(cell))} is not that of {first.name}: "
                    f"{quoted(first.head.get(cell))}.",
                    "The files of one report agree.",
                )  # fmt: skip
    if first is not None and first.head is not None and not _complete(files):
        parts = first.head.count("NumberOfFiles") or 0
        absent = [str(one) for one in range(1, min(parts, 10_000) + 1) if one not in numbers]
        flaws.add(
            FlawKind.PARTS, first.index, first.head.number, "HEAD", "NumberOfFiles",
            f"The report has {parts:,} files; missing: {', '.join(absent[:20]) or 'none'}.",
            "Sums over the report are not checked.",
        )  # fmt: skip


# ---- the licence


class LicenceCheck:
    """Judges each summary by a licence's terms: what they do not permit is refused."""

    def __init__(self, facts: FileFacts, against: Against, flaws: FlawLog) -> None:
        self._facts = facts
        self._against = against
        self._flaws = flaws

    def judge(self, one: Summary) -> None:
        """Notes what the licence does not permit, and refuses the summary for the first of it."""
        for kind, cell, what, why in self._troubles(one):
            line = one.line
            self._flaws.add(kind, line.file, line.number, line.record.name, cell, what, why)
            if kind is not FlawKind.DEDUCTION_CAP:
                one.refused = one.refused or kind

    def _troubles(self, one: Summary) -> list[tuple[FlawKind, str, str, str]]:
        line, terms = one.line, self._against.terms
        found: list[tuple[FlawKind, str, str, str]] = []
        own = line.get("LicenceId")
        if self._against.licence and own and own != str(self._against.licence):
            what = f"The usage is reported under licence {quoted(own)}, not {self._against.licence}."
            found.append((FlawKind.LICENCE, "LicenceId", what, ""))
        if terms is None:
            return found
        scope = SCOPE_OF_USE.get(one.use_type)
        if scope is None or scope not in terms.scope:
            permitted = ", ".join(str(held) for held in terms.scope)
            what = f"The licence does not permit {quoted(one.use_type)}."
            found.append((FlawKind.SCOPE, "UseType", what, f"It permits {permitted}."))
        territory, reach = line.get("Territory"), terms.reach.territories
        place = WORLD if territory in ("Worldwide", "multi") else territory
        within = WORLD in reach.include if place == WORLD else bool({place, WORLD} & set(reach.include))
        if not within or place in reach.exclude or (place == WORLD and reach.exclude):
            found.append(
                (FlawKind.TERRITORY, "Territory", f"The licence does not hold in {quoted(territory)}.", "")
            )
        model = (line.get("ModelId"), line.get("ModelVersion"))
        covered = (terms.model.name, terms.model.version)
        if line.record.place("ModelId") > 0 and model != covered:
            what = f"The model {quoted(' '.join(model))} is not the one covered: {quoted(' '.join(covered))}."
            cell = "ModelId" if model[0] != covered[0] else "ModelVersion"
            found.append((FlawKind.MODEL, cell, what, "A retrain needs a new licence."))
        found += self._period(terms)
        return found + self._deductions(one, terms)

    def _period(self, terms: TermsDocument) -> list[tuple[FlawKind, str, str, str]]:
        head = self._facts.head
        if head is None:
            return []
        found = []
        begin, end = parse_time(terms.reach.start), parse_time(terms.reach.end) if terms.reach.end else None
        first, last = head.day("UsageStartDate"), head.day("UsageEndDate")
        if (first and _seconds(first) + 86_400 <= begin) or (first and end and _seconds(first) >= end):
            term = f"from {terms.reach.start} to {terms.reach.end or 'no end'}"
            what = f"The period begins on {first}; the licence runs {term}."
            found.append((FlawKind.PERIOD, "UsageStartDate", what, ""))
        elif last and end and _seconds(last) >= end:
            what = f"The period ends on {last}; the licence ended at {terms.reach.end}."
            found.append((FlawKind.PERIOD, "UsageEndDate", what, ""))
        return found

    def _deductions(self, one: Summary, terms: TermsDocument) -> list[tuple[FlawKind, str, str, str]]:
        found = []
        gross, taken = one.line.amount("GrossRevenue"), one.line.amount("Deductions")
        cap = terms.money.deduction_cap_ppm
        if gross is not None and taken is not None and taken > gross * Fraction(cap, PPM):
            most = shown(gross * Fraction(cap, PPM))
            what = f"The deductions {shown(taken)} are above the cap of {cap / 10_000:g} %: {most} counts."
            found.append((FlawKind.DEDUCTION_CAP, "Deductions", what, ""))
        kinds = one.line.get("DeductionType")
        allowed = terms.money.deduction_kinds
        for kind in split_several(kinds) if kinds else []:
            if kind not in allowed:
                what = f"The licence allows no deduction of the kind {quoted(kind)}."
                found.append(
                    (
                        FlawKind.DEDUCTION_CAP,
                        "DeductionType",
                        what,
                        f"Allowed: {', '.join(allowed) or 'none'}.",
                    )
                )
        return found


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


# ---- outputs and works, on DuckDB


def connect(folder: Path, memory: str = "1GB") -> Any:
    """A DuckDB of its own that spills below the folder."""
    import duckdb

    held = duckdb.connect()
    held.execute(f"SET memory_limit = '{memory}'")
    held.execute("SET temp_directory = ?", [str(folder / "spill")])
    held.execute("SET preserve_insertion_order = false")
    held.execute("SET enable_progress_bar = false")
    return held
