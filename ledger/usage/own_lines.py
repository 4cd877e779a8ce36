"""Our own lines that the fast path did not settle, read on the exact path."""

from __future__ import annotations

from ledger.usage import cells as cells_of
from ledger.usage.cells import read_amount, read_boolean, read_count
from ledger.usage.flaws import FlawKind
from ledger.usage.line_types import Use
from ledger.usage.lines import LineReader
from ledger.usage.records import USAGE, find
from ledger.usage.summary import Line


class OwnLineReader(LineReader):
    """The lines of a file, those of our own format among them."""

    def own_work(self, number: int, raw: bytes, *, encoding: bool, repeated: bool) -> None:
        """A work of ours with something to look at. Whether its usages find it the fast path has decided."""
        cells = raw.decode("utf-8", "replace").split("\t")
        if self.unreadable(number, raw, cells[0], encoding):
            return
        record = find(cells[0])
        if record is None:
            return
        worst = self.check_cells(number, record, cells)
        if worst is not None:
            self.reject(number, worst, record.name, raw)
        elif repeated:
            self.flaw(
                FlawKind.REPEATED_ID, number, record.name, "ResourceReference",
                f"The block has the reference {cells_of.quoted(cells[2])} twice.", "The first one stands.",
            )  # fmt: skip

    def own_right(self, number: int, raw: bytes, *, encoding: bool) -> None:
        """A right with something to look at."""
        cells = raw.decode("utf-8", "replace").split("\t")
        if self.unreadable(number, raw, cells[0], encoding):
            return
        record = find(cells[0])
        if record is None:
            return
        self.check_cells(number, record, cells)
        self.right(Line(self.facts.index, number, record, cells))

    def own_usage(self, number: int, raw: bytes, work: str | None, *, encoding: bool) -> Use:
        """A usage of ours with something to look at; `work` is what its reference stands for in its block."""
        cells = raw.decode("utf-8", "replace").split("\t")
        line = Line(self.facts.index, number, USAGE, cells)
        count = line.count("Usages")
        use = Use(number, work, count or 0, count is not None, output=line.get("SalesTransactionId"))
        if self.unreadable(number, raw, USAGE.name, encoding, count):
            use.rejected = self.rejected[-1].kind
            use.summary = self.summary_at(line.get("SummaryRecordId"), number)
            self.rejected.pop()
            self.book(use, USAGE.name, raw)
            return use
        use.rejected = self.check_cells(number, USAGE, cells)
        self.place_under_summary(use, number, USAGE.name, line.get("SummaryRecordId"))
        use.bearing = read_boolean(line.get("IsRoyaltyBearing")) is not False
        weight, confidence, outputs = (
            read_count(line.get(name)) if line.get(name) else -1
            for name in ("AttributionWeightPpm", "AttributionConfidenceBps", "OutputCount")
        )
        if outputs is not None and outputs >= cells_of.OUTPUTS_LIMIT:
            self.flaw(
                FlawKind.NUMBER,
                number,
                USAGE.name,
                "OutputCount",
                "The number of outputs is beyond 2^63 - 1.",
            )
            use.rejected = use.rejected or FlawKind.NUMBER
        if line.get("AttributionWeightPpm") and not use.output:
            self.flaw(
                FlawKind.MISSING_CELL, number, USAGE.name, "SalesTransactionId",
                "The line has a weight and names no output.", "The weights of one output sum to 1,000,000.",
            )  # fmt: skip
            use.rejected = use.rejected or FlawKind.MISSING_CELL
        if use.rejected is None:
            use.weight, use.confidence, use.outputs = weight or 0, confidence or 0, outputs or 0
        allocated = line.get("AllocatedNetRevenue")
        use.allocated = read_amount(allocated) if allocated else None
        if work is None and use.rejected is None:
            use.matched = False
            self.flaw(
                FlawKind.UNKNOWN_REFERENCE, number, USAGE.name, "ResourceReference",
                f"The block describes no work {cells_of.quoted(line.get('ResourceReference'))}.",
            )  # fmt: skip
        self.book(use, USAGE.name, raw)
        return use

    def block_out_of_order(self, number: int, raw: bytes) -> None:
        """A block of ours whose number is not above the one before."""
        cells = raw.decode("utf-8", "replace").split("\t")
        self.flaw(
            FlawKind.ORDER, number, cells[0], "BlockId",
            f"The block {cells_of.quoted(cells[1])} comes after a block of the same or a higher number.",
            "A block stands in one piece.",
        )  # fmt: skip
