"""Reads a report of one or more files: the usage table, the facts, every flaw. Memory does not grow with the files."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ledger.usage.checks import (
    Against,
    LicenceCheck,
    check_foot,
    check_name,
    check_order,
    check_parts,
)
from ledger.usage.flaws import Flaw, FlawKind, FlawLog, Severity
from ledger.usage.sources import CHUNK, LARGEST, Source
from ledger.usage.summary import FileFacts, Sums, Tally, check_sums

#: `told(bytes read, bytes in all)`: for progress bars.
Told = Callable[[int, int], None]


@dataclass(slots=True)
class Report:
    """What was read. Every usage line and usage is in exactly one of accepted, unmatched and rejected.

    `folder` holds usage.parquet (columns: tables.USAGE_COLUMNS) and rejected.parquet; with details
    works.parquet and rights.parquet too.
    """

    folder: Path
    files: list[FileFacts]
    flaws: FlawLog
    accepted: Tally = field(default_factory=Tally)
    unmatched: Tally = field(default_factory=Tally)
    rejected: Tally = field(default_factory=Tally)

    @property
    def usage(self) -> Path:
        """The usage table."""
        return self.folder / "usage.parquet"

    @property
    def refused(self) -> list[Flaw]:
        """Why the report cannot be imported at all; empty where it can."""
        return [one for one in self.flaws if one.severity is Severity.REFUSED]

    def total(self) -> Tally:
        """All usage lines."""
        total = Tally()
        for one in (self.accepted, self.unmatched, self.rejected):
            total.add(one.lines, one.usages, one.unread)
        return total


def read_report(
    paths: Sequence[Path],
    folder: Path,
    *,
    against: Against | None = None,
    details: bool = False,
    told: Told = lambda done, total: None,
    spill: Callable[[Flaw], None] | None = None,
    largest: int = LARGEST,
    chunk: int = CHUNK,
) -> Report:
    """Reads and checks the files of one report and writes its tables into `folder`, which exists.

    `details`: the tables hold what is needed to write the files back. `largest`: what a file may unpack to.
    Never raises for what stands in a file: it is in the flaws.
    """
    import numpy as np

    from ledger.usage.flat import is_flat, read_flat
    from ledger.usage.matching import check_weights, match_works, moved_tally
    from ledger.usage.own_lines import OwnLineReader
    from ledger.usage.tables import Tables
    from ledger.usage.tsv import FileReader

    held = against or Against()
    flaws = FlawLog(spill=spill)
    report = Report(folder, [], flaws)
    sums: dict[str, Sums] = {}
    # Secret, so that nobody can make two outputs whose ids look alike to the check of their weights.
    keys = np.array([secrets.randbits(63) * 2 + 1, secrets.randbits(63) * 2 + 1], np.uint64)
    sources = [Source(path, chunk=chunk, largest=largest) for path in paths]
    total = sum(one.on_disk() for one in sources)
    with Tables(folder, details=details) as tables:
        for index, source in enumerate(sources):
            facts = FileFacts(index, source.path.name)
            report.files.append(facts)
            before = sum(one.size for one in sources[:index])
            lines = OwnLineReader(facts, flaws, sums)
            lines.judge = LicenceCheck(facts, held, flaws).judge

            def tell(source: Source = source, before: int = before) -> None:
                told(before + source.size, total)

            if is_flat(source.path):
                reader = read_flat(source, lines, tables, keys, tell)
            else:
                reader = FileReader(lines, tables, keys)
                reader.read(source.chunks(), partial(getattr, source, "torn"), tell)
            source.finish()
            facts.sha256, facts.size = source.sha256, source.size
            facts.packed = source.packed
            _after_file(facts, held, flaws)
            for mine, of_file in (
                (report.accepted, reader.accepted),
                (report.unmatched, reader.unmatched),
                (report.rejected, reader.rejected),
            ):
                mine.add(of_file.lines, of_file.usages, of_file.unread)
        tables.finish()
        check_parts(report.files, held, flaws)
        check_foot(report.files, flaws)
        if all(one.whole for one in report.files) and not flaws.counts[FlawKind.PARTS]:
            check_sums(report.files, sums, flaws)
        if check_weights(tables, flaws):
            moved = moved_tally(tables)
            report.accepted.add(-moved.lines, -moved.usages)
            report.rejected.add(moved.lines, moved.usages)
        unknown = match_works(tables, held, flaws)
        report.accepted.add(-unknown.lines, -unknown.usages)
        report.unmatched.add(unknown.lines, unknown.usages)
    tables.path("weights").unlink(missing_ok=True)
    return report


def _after_file(facts: FileFacts, held: Against, flaws: FlawLog) -> None:
    if not facts.flat:
        check_name(facts, flaws)
    if facts.whole and facts.packed is not facts.name.lower().endswith(".gz"):
        what = (
            "The file is a gzip archive; its name does not say so."
            if facts.packed
            else ("The file's name ends in .gz; it is no gzip archive.")
        )
        flaws.add(FlawKind.FILE_NAME, facts.index, 0, "", "", what, "It is read as what it is.")
    check_order(facts, flaws)
    if facts.head is None and facts.whole and not facts.flat and not flaws.counts[FlawKind.NO_HEAD]:
        flaws.add(FlawKind.NO_HEAD, facts.index, 0, "", "", "The file has no HEAD.")
    expected = held.hashes.get(facts.name)
    if expected is not None and expected != facts.sha256:
        flaws.add(
            FlawKind.HASH, facts.index, 0, "", "", "The file is not the one that was expected.",
            f"Its SHA-256 is {facts.sha256.hex()}, expected was {expected.hex()}.",
        )  # fmt: skip
