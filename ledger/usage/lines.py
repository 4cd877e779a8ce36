"""The exact path: one line at a time, every cell judged, every flaw worded. Any record of any profile.

Our own usage lines come here only where the fast path (kernel.py) met something that is not plainly right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import islice

from ledger.usage import cells as cells_of
from ledger.usage.cells import read_amount, read_boolean, read_count, split_several
from ledger.usage.flaws import ABOUT, FlawKind, FlawLog, Severity
from ledger.usage.line_types import Block, Rejected, Use
from ledger.usage.records import HEAD, VITAL, Family, Record, find
from ledger.usage.sources import KEPT_OF_LONG_LINE, LINE_LIMIT
from ledger.usage.summary import FileFacts, Line, Summary, Sums, check_summary, read_summary

#: So many summaries may one file have, and so many comments are kept for writing the file back.
SUMMARIES, COMMENTS = 100_000, 1_000


class LineReader:
    """The lines of one file. What it finds goes to `facts`, `flaws`, `sums` and `rejected`."""

    def __init__(self, facts: FileFacts, flaws: FlawLog, sums: dict[str, Sums]) -> None:
        self.facts = facts
        self.flaws = flaws
        self.sums = sums
        self.rejected: list[Rejected] = []
        self.block = Block()
        self.by_id: dict[str, Summary] = {}
        self._first: tuple[int, str, bool] | None = None
        self._too_many = False
        self.judge: Callable[[Summary], None] = lambda one: None

    def flaw(self, kind: FlawKind, line: int, record: str, cell: str, what: str, why: str = "") -> None:
        """Notes a flaw of this file."""
        self.flaws.add(kind, self.facts.index, line, record, cell, what, why)

    def reject(
        self,
        line: int,
        kind: FlawKind,
        record: str,
        text: bytes,
        usages: int | None = None,
        told: bool = False,
    ) -> None:
        """Keeps a line that counts for nothing."""
        self.rejected.append(Rejected(line, kind, record, usages, text[:65_536], told))

    def summary_at(self, key: str, number: int) -> Summary | None:
        """The summary of an id, where it stands above a line: later ones may be known already."""
        held = self.by_id.get(key)
        return held if held is not None and held.line.number <= number else None

    def close(self) -> None:
        """Judges what only the whole file tells: whether HEAD stands first."""
        self.close_block()
        if self._first is not None and not self._first[2]:
            number, record, _ = self._first
            self.flaw(FlawKind.NO_HEAD, number, record, "", "The file does not begin with HEAD.")
        head = self.facts.head
        if head is not None and not self.facts.flat and self.facts.first_line < head.number:
            self._head_out_of_place(head.number)

    def too_long(self, number: int, length: int, begin: bytes) -> None:
        """Rejects a line of so many bytes, whatever it begins with."""
        self.facts.lines += 1
        self.facts.note(number)
        self.flaw(
            FlawKind.LINE_LENGTH, number, "", "", f"The line has {length:,} bytes.", "At most 1 MiB is read."
        )
        self.reject(number, FlawKind.LINE_LENGTH, "", begin[:KEPT_OF_LONG_LINE])

    # ---- one line

    def read(self, number: int, raw: bytes, *, encoding: bool = False) -> Use | None:
        """Reads a line of any record but our own works, usages and rights; a usage is handed back."""
        if not raw:
            return None
        if len(raw) > LINE_LIMIT:
            self.too_long(number, len(raw), raw)
            return None
        text = raw.decode("utf-8", "replace")
        if text.startswith("#"):
            if len(self.facts.comments) < COMMENTS:
                self.facts.comments.append((number, text))
            return None
        self.facts.lines += 1
        self.facts.note(number)
        if number == 1 and text.startswith("\ufeff"):
            self.flaw(FlawKind.FORM, 1, "", "", "The file begins with a byte order mark.")
            text = text[1:]
        cells = text.split("\t")
        name = cells[0]
        if self.unreadable(number, raw, name if find(name) else "", encoding):
            return None
        record = find(name)
        if record is None:
            self._begins(number, "", head=False)
            self._unknown(number, name, raw)
            return None
        if record.name != name:
            self.flaw(
                FlawKind.VERSION, number, name, "",
                f"The record {cells_of.quoted(name)} is read as {record.name}.",
                "Its name has no version, or one that is not known.",
            )  # fmt: skip
        worst = self.check_cells(number, record, cells)
        line = Line(self.facts.index, number, record, cells)
        family = record.family
        self._begins(number, record.name, head=family is Family.HEAD)
        if family is Family.HEAD:
            self._head(line)
        elif family is Family.FOOT:
            self._foot(line)
        elif family is Family.SUMMARY:
            self._summary(line, raw, worst)
        elif worst is not None and family is not Family.USAGE:
            self._enter(line)
            self.reject(number, worst, record.name, raw)
        else:
            self._enter(line)
            if family is Family.USAGE:
                return self._usage(line, raw, worst)
            self._member(line)
        return None

    def unreadable(
        self, number: int, raw: bytes, record: str, encoding: bool, usages: int | None = None
    ) -> bool:
        """Rejects a line that is not UTF-8, or has control characters."""
        if encoding:
            kind, what, why = FlawKind.ENCODING, "The line is not UTF-8.", "Another encoding, or damage."
        elif bad := next((byte for byte in raw if (byte < 32 and byte != 9) or byte == 127), None):
            kind, what, why = (
                FlawKind.CONTROL_CHARACTER,
                f"The line has the control character 0x{bad:02x}.",
                "",
            )
        elif 0 in raw:
            kind, what, why = FlawKind.CONTROL_CHARACTER, "The line has a NUL.", ""
        else:
            return False
        self.flaw(kind, number, record, "", what, why)
        self.reject(number, kind, record, raw, usages)
        return True

    def check_cells(self, number: int, record: Record, cells: Sequence[str]) -> FlawKind | None:
        """Notes every flaw of a line's cells; the first kind that rejects the line, if there is one."""
        worst: FlawKind | None = None
        expected = len(record.columns) + 1
        if len(cells) != expected:
            why = "Trailing cells that are empty are written too." if len(cells) < expected else ""
            self.flaw(
                FlawKind.CELLS, number, record.name, "",
                f"The line has {len(cells)} cells; {record.name} has {expected}.", why,
            )  # fmt: skip
        vital = VITAL.get(record.name, ())
        for column, text in zip(record.columns, cells[1:], strict=False):
            if text == "":
                if column.name in vital:
                    worst = worst or FlawKind.MISSING_CELL
                    self.flaw(
                        FlawKind.MISSING_CELL,
                        number,
                        record.name,
                        column.name,
                        f"The {column.name} is empty.",
                    )
                elif column.needed:
                    self.flaw(
                        FlawKind.EMPTY_CELL, number, record.name, column.name, f"The {column.name} is empty."
                    )
                continue
            found = cells_of.check(column, text)
            if found is not None and found.kind is FlawKind.NUMBER and record.family is not Family.USAGE:
                # Only the numbers of usages decide; those of summaries and releases are compared, where they can be.
                found = found._replace(kind=FlawKind.FORM)
            if found is not None:
                self.flaw(found.kind, number, record.name, column.name, found.what, found.why)
                if ABOUT[found.kind].severity is Severity.REJECTED:
                    worst = worst or found.kind
        for column in record.columns[len(cells) - 1 :]:
            if column.name in vital:
                worst = worst or FlawKind.MISSING_CELL
                self.flaw(
                    FlawKind.MISSING_CELL,
                    number,
                    record.name,
                    column.name,
                    f"The {column.name} is not there.",
                )
        return worst

    def _begins(self, number: int, record: str, *, head: bool) -> None:
        """Notes which record stands first: summaries are read ahead of the lines above them."""
        if self._first is None or number < self._first[0]:
            self._first = number, record, head

    def _unknown(self, number: int, name: str, raw: bytes) -> None:
        self.flaw(
            FlawKind.UNKNOWN_RECORD, number, "", "", f"The record {cells_of.quoted(name)} is not known.",
            "Its columns are not known either, so that nothing on the line can be used.",
        )  # fmt: skip
        self.reject(number, FlawKind.UNKNOWN_RECORD, "", raw)

    # ---- head, summaries, foot

    def _head(self, line: Line) -> None:
        if self.facts.head is not None:
            self._head_out_of_place(line.number)
        if self.facts.head is None:
            self.facts.head = line
            start, end = line.day("UsageStartDate"), line.day("UsageEndDate")
            if start and end and end < start:
                self.flaw(
                    FlawKind.DATE, line.number, HEAD.name, "UsageEndDate", "The period ends before it begins."
                )

    def _head_out_of_place(self, number: int) -> None:
        self.flaw(FlawKind.ORDER, number, HEAD.name, "", "HEAD does not stand on the first line, alone.")

    def _foot(self, line: Line) -> None:
        if self.facts.foot is not None:
            self.flaw(FlawKind.ORDER, line.number, line.record.name, "", "There is more than one FOOT.")
        self.facts.foot = line

    def _summary(self, line: Line, raw: bytes, worst: FlawKind | None) -> None:
        if len(self.facts.summaries) >= SUMMARIES:
            if not self._too_many:
                self._too_many = True
                self.flaw(
                    FlawKind.SIZE,
                    line.number,
                    line.record.name,
                    "",
                    f"There are more than {SUMMARIES:,} summaries.",
                )
            self.reject(line.number, FlawKind.SIZE, line.record.name, raw)
            return
        one = read_summary(len(self.facts.summaries), line)
        if worst is not None:
            one.refused = worst
        if one.id in self.by_id:
            self.flaw(
                FlawKind.REPEATED_ID, line.number, line.record.name, "SummaryRecordId",
                f"The summary id {cells_of.quoted(one.id)} stands at line {self.by_id[one.id].line.number} too.",
                "Usages under it count for the first; the figures of all of them are added up.",
            )  # fmt: skip
        self.by_id.setdefault(one.id, one)
        self.facts.summaries.append(one)
        check_summary(one, self.flaws)
        self.judge(one)

    # ---- blocks of DDEX profiles

    def _enter(self, line: Line) -> None:
        name = line.get("BlockId")
        if name == self.block.id:
            return
        self.close_block()
        count = read_count(name)
        before = self.block.number
        self.facts.blocks += 1
        self.facts.note_block(line.number)
        if count is not None and 0 <= count <= before:
            self.flaw(
                FlawKind.ORDER, line.number, line.record.name, "BlockId",
                f"The block {cells_of.quoted(name)} comes after block {before}.", "A block stands in one piece.",
            )  # fmt: skip
        self.block = Block(name, count if count is not None else before)

    def close_block(self) -> None:
        """Compares what a block's releases and its usages add up to, where it states both."""
        block = self.block
        if block.released is not None and block.place[0] and block.released != block.used:
            self.flaw(
                FlawKind.SUM, block.place[0], block.place[1], "Usages",
                f"The releases of block {cells_of.quoted(block.id or '')} add up to {block.released:,} usages, "
                f"its usage lines to {block.used:,}.",
            )  # fmt: skip
        block.released = None

    def _member(self, line: Line) -> None:
        """A line of a block that is no usage: works, resources, releases, rights."""
        family, block = line.record.family, self.block
        if family is Family.RESOURCE:
            work = line.get("DspResourceId")
            reference = line.get("ResourceReference")
            if reference and reference in block.resources:
                self.flaw(
                    FlawKind.REPEATED_ID, line.number, line.record.name, "ResourceReference",
                    f"The block has the reference {cells_of.quoted(reference)} twice.", "The first one stands.",
                )  # fmt: skip
            for key in (reference, work):
                if key:
                    block.resources.setdefault(key, work)
            block.first = block.first or work
        elif family is Family.RELEASE:
            for key in (line.get("ReleaseReference"), line.get("DspReleaseId")):
                if key:
                    block.releases.setdefault(key, line.get("DspReleaseId"))
        elif family is Family.RELEASE_USE:
            self._release_use(line)
        elif family is Family.RIGHT:
            self.right(line)

    def _release_use(self, line: Line) -> None:
        names, counts = split_several(line.get("DspReleaseId")), split_several(line.get("Usages"))
        if len(names) != len(counts):
            self.flaw(
                FlawKind.CELLS, line.number, line.record.name, "Usages",
                f"There are {len(names)} releases and {len(counts)} numbers of usages.",
            )  # fmt: skip
        held = [read_count(one) for one in counts]
        self.block.released = (self.block.released or 0) + sum(one for one in held if one is not None)
        self.block.place = (line.number, line.record.name)
        for name in names:
            if name:
                self.block.releases.setdefault(name, self.block.first or name)

    def right(self, line: Line) -> None:
        """Adds a right to the sums of its summary."""
        key = line.get("SummaryRecordId")
        if key and self.summary_at(key, line.number) is None:
            self.flaw(
                FlawKind.ORDER, line.number, line.record.name, "SummaryRecordId",
                f"The summary {cells_of.quoted(key)} is not there.",
            )  # fmt: skip
        sums = self.sums.setdefault(key, Sums())
        sums.has_rights = True
        sums.right_net += line.amount("AllocatedNetRevenue") or 0
        sums.right_amount += line.amount("AllocatedAmount") or 0

    def _usage(self, line: Line, raw: bytes, worst: FlawKind | None) -> Use:
        use = Use(line.number, rejected=worst, output=line.get("SalesTransactionId"))
        counts = "NumberOfStreams" if line.record.place("NumberOfStreams") > 0 else "Usages"
        count, returns = line.count(counts), line.count("Returns") if line.get("Returns") else 0
        use.readable = count is not None and returns is not None
        if count is not None and returns is not None:
            if returns > count:
                self.flaw(
                    FlawKind.NUMBER, line.number, line.record.name, "Returns",
                    f"{returns:,} usages were returned, of {count:,}.",
                )  # fmt: skip
                use.rejected = use.rejected or FlawKind.NUMBER
            use.usages = max(0, count - returns)
        use.bearing = read_boolean(line.get("IsRoyaltyBearing") or "true") is not False
        self.block.used += use.usages
        self._dates(line)
        self.place_under_summary(use, line.number, line.record.name, line.get("SummaryRecordId"))
        net = line.get("NetRevenue")
        use.allocated = read_amount(net) if net else None
        self._match(use, line)
        self.book(use, line.record.name, raw)
        return use

    def place_under_summary(self, use: Use, number: int, record: str, key: str) -> None:
        """Finds the summary of a usage; a usage without one is rejected. A file's only summary needs no naming."""
        held = self.summary_at(key, number)
        if held is None and not key:
            above = [one for one in islice(self.by_id.values(), 2) if one.line.number <= number]
            held = above[0] if len(above) == 1 else None
        use.summary = held
        if held is None:
            self.flaw(
                FlawKind.UNKNOWN_SUMMARY, number, record, "SummaryRecordId",
                f"The summary {cells_of.quoted(key)} is not there.",
            )  # fmt: skip
            use.rejected = use.rejected or FlawKind.UNKNOWN_SUMMARY
        elif held.refused is not None:
            use.rejected = use.rejected or held.refused

    def _dates(self, line: Line) -> None:
        """The validity of a usage lies within the report's period."""
        head = self.facts.head
        if head is None or head.number > line.number or not line.get("ValidityPeriodStart"):
            return
        first, last = head.day("UsageStartDate"), head.day("UsageEndDate")
        for column in ("ValidityPeriodStart", "ValidityPeriodEnd"):
            day = line.day(column)
            if day and ((first and day < first) or (last and day > last)):
                self.flaw(
                    FlawKind.DATE, line.number, line.record.name, column,
                    f"The {column} {day} lies outside the period {first} to {last}.",
                )  # fmt: skip

    def _match(self, use: Use, line: Line) -> None:
        block = self.block
        keys = [line.get(name) for name in ("TransactedResource", "TransactedRelease", "DspReleaseId")]
        named = [key for key in keys if key]
        for key in named:
            if key in block.resources:
                use.work = block.resources[key]
                return
        for key in named:
            if key in block.releases:
                use.work = block.first if len(set(block.resources.values())) == 1 else block.releases[key]
                return
        if not named and len(set(block.resources.values())) == 1:
            use.work = block.first
            return
        use.matched = False
        shown = cells_of.quoted(named[0]) if named else "none"
        self.flaw(
            FlawKind.UNKNOWN_REFERENCE, line.number, line.record.name, "",
            f"The block describes no work that the usage names: {shown}.",
        )  # fmt: skip

    def book(self, use: Use, record: str, raw: bytes) -> None:
        """Adds a usage to the sums of its summary, and keeps it where it is rejected."""
        key = use.summary.id if use.summary is not None else ""
        sums = self.sums.setdefault(key, Sums())
        sums.usages += use.usages
        if use.allocated is not None:
            sums.has_net = True
            sums.net += Fraction(use.allocated.units, 10**use.allocated.scale)
        if use.rejected is not None:
            self.reject(use.line, use.rejected, record, raw, use.usages if use.readable else None, told=True)
