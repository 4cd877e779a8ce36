"""Head, summaries and foot of a report, as read, and the sums that must agree with its usage lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from ledger.usage.cells import bare_use, read_amount, read_count, read_date, split_several
from ledger.usage.flaws import FlawKind, FlawLog
from ledger.usage.records import Record


@dataclass(slots=True)
class Line:
    """A record as read: its cells by column; absent ones are empty."""

    file: int
    number: int
    record: Record
    cells: list[str]

    def get(self, column: str) -> str:
        """The text of a column; empty where the record or the line has none."""
        at = self.record.place(column)
        return self.cells[at] if 0 < at < len(self.cells) else ""

    def amount(self, *columns: str) -> Fraction | None:
        """The sum of the values of the first of these columns that is not empty; None where none is readable."""
        for column in columns:
            if text := self.get(column):
                held = [read_amount(one) for one in split_several(text)]
                if None in held:
                    return None
                return sum((Fraction(one.units, 10**one.scale) for one in held if one), Fraction(0))
        return None

    def count(self, column: str) -> int | None:
        """The number in a column; None where it is empty or no number."""
        return read_count(self.get(column))

    def day(self, column: str) -> date | None:
        """The day in a column; None where it is empty or no date."""
        return read_date(self.get(column))


@dataclass(slots=True)
class Summary:
    """A summary record. `refused`: why no usage under it is accepted."""

    index: int
    id: str
    line: Line
    use_type: str
    right_type: str | None
    refused: FlawKind | None = None


@dataclass(slots=True)
class Tally:
    """Lines and usages of a status. `unread`: lines whose number of usages cannot be read."""

    lines: int = 0
    usages: int = 0
    unread: int = 0

    def add(self, lines: int, usages: int, unread: int = 0) -> None:
        """Adds lines and usages."""
        self.lines += lines
        self.usages += usages
        self.unread += unread

    def as_dict(self) -> dict[str, object]:
        """The tally as data; usages as a decimal string, for they may be large."""
        return {"lines": self.lines, "usages": str(self.usages), "unread": self.unread}


@dataclass(slots=True)
class FileFacts:
    """What was read of one file. `lines` without comments and empty lines, `comments` as they stand."""

    index: int
    name: str
    head: Line | None = None
    foot: Line | None = None
    summaries: list[Summary] = field(default_factory=list)
    lines: int = 0
    all_lines: int = 0
    blocks: int = 0
    first_line: int = 0
    first_block: int = 0
    last_line: int = 0
    comments: list[tuple[int, str]] = field(default_factory=list)
    sha256: bytes = b""
    size: int = 0
    whole: bool = True
    flat: bool = False
    packed: bool = False

    def note(self, number: int) -> None:
        """A line that is counted: the first and the last of them."""
        self.first_line = min(self.first_line or number, number)
        self.last_line = max(self.last_line, number)

    def note_block(self, number: int) -> None:
        """A line of a block: the first of them."""
        self.first_block = min(self.first_block or number, number)

    def known(self) -> dict[str, Summary]:
        """The summaries by id; of several with one id the first."""
        found: dict[str, Summary] = {}
        for one in self.summaries:
            found.setdefault(one.id, one)
        return found


def read_summary(index: int, line: Line) -> Summary:
    """A summary of its line."""
    right = line.get("RightsType") or None
    return Summary(index, line.get("SummaryRecordId"), line, bare_use(line.get("UseType")), right)


@dataclass(slots=True)
class Sums:
    """What the usage lines of one summary id add up to over all files of a report."""

    usages: int = 0
    net: Fraction = Fraction(0)
    has_net: bool = False
    right_net: Fraction = Fraction(0)
    right_amount: Fraction = Fraction(0)
    has_rights: bool = False


def check_summary(one: Summary, flaws: FlawLog) -> None:
    """The summary's own figures: gross less deductions is net; as many kinds as amounts."""
    line = one.line
    gross, net = line.amount("GrossRevenue"), line.amount("NetRevenue")
    kinds, amounts = line.get("DeductionType"), line.get("Deductions")
    if len(split_several(kinds)) != len(split_several(amounts)) or bool(kinds) != bool(amounts):
        flaws.add(
            FlawKind.SUM, line.file, line.number, line.record.name, "Deductions",
            f"There are {len(split_several(kinds)) if kinds else 0} kinds of deductions and "
            f"{len(split_several(amounts)) if amounts else 0} amounts.",
        )  # fmt: skip
    deducted = line.amount("Deductions") if amounts else Fraction(0)
    if gross is not None and net is not None and deducted is not None and gross - deducted != net:
        flaws.add(
            FlawKind.SUM, line.file, line.number, line.record.name, "NetRevenue",
            f"The net revenue is {shown(net)}; gross less deductions is {shown(gross - deducted)}.",
        )  # fmt: skip


def shown(value: Fraction) -> str:
    """An exact decimal without trailing zeros."""
    scale = 0
    while (value * 10**scale).denominator != 1 and scale < 60:
        scale += 1
    digits = str(abs(int(value * 10**scale))).zfill(scale + 1)
    text = digits[: len(digits) - scale] + ("." + digits[len(digits) - scale :] if scale else "")
    return ("-" if value < 0 else "") + text


def check_sums(files: Sequence[FileFacts], sums: dict[str, Sums], flaws: FlawLog) -> None:
    """Usages and revenue of the summaries against those of their lines, a summary id at a time.

    Summaries of one id add up; those that stand in several files of a report count once.
    """
    groups: dict[str, list[Summary]] = defaultdict(list)
    for file in files:
        if file.flat:
            continue
        mine: dict[str, list[Summary]] = defaultdict(list)
        for one in file.summaries:
            mine[one.id].append(one)
        for key, held in mine.items():
            groups.setdefault(key, held)
    for key, held in groups.items():
        got = sums.get(key, Sums())
        line = held[0].line
        name = f"summary {key!r}" + (f" ({len(held)} records)" if len(held) > 1 else "")

        def tell(cell: str, claimed: object, found: object, line: Line = line, name: str = name) -> None:
            flaws.add(
                FlawKind.SUM, line.file, line.number, line.record.name, cell,
                f"The {cell} of {name} is {claimed}; its lines add up to {found}.",
            )  # fmt: skip

        counts = [one.line.count("Usages") for one in held if one.line.get("Usages")]
        claimed = sum(count for count in counts if count is not None)
        if counts and None not in counts and claimed != got.usages:
            tell("Usages", f"{claimed:,}", f"{got.usages:,}")
        if got.has_net:
            _compare(held, "NetRevenue", got.net, tell)
        if got.has_rights:
            _compare(held, "AllocatedNetRevenue", got.right_net, tell)
            _compare(held, "AllocatedRevenue", got.right_amount, tell)


def _compare(
    held: list[Summary], cell: str, got: Fraction, tell: Callable[[str, object, object], None]
) -> None:
    amounts = [one.line.amount(cell) for one in held if one.line.get(cell)]
    if not amounts or None in amounts:
        return
    claimed = sum((one for one in amounts if one is not None), Fraction(0))
    if claimed != got:
        tell(cell, shown(claimed), shown(got))
