"""Flaws of usage files: a closed list of kinds, each with what becomes of the line, and the log of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """What becomes of a flawed line, or of the file."""

    REFUSED = "refused"
    REJECTED = "rejected"
    UNMATCHED = "unmatched"
    NOTED = "noted"


class About(NamedTuple):
    """Severity and meaning of a kind of flaw."""

    severity: Severity
    meaning: str


class FlawKind(StrEnum):
    """Every kind of flaw there is."""

    UNREADABLE = "unreadable"
    HASH = "hash"
    SEEN = "seen"
    SIZE = "size"
    CUT = "cut"
    FILE_ENCODING = "file-encoding"
    NO_HEAD = "no-head"
    OVERLAP = "overlap"
    LINE_LENGTH = "line-length"
    ENCODING = "encoding"
    CONTROL_CHARACTER = "control-character"
    UNKNOWN_RECORD = "unknown-record"
    MISSING_CELL = "missing-cell"
    NUMBER = "number"
    UNKNOWN_SUMMARY = "unknown-summary"
    WEIGHTS = "weights"
    LICENCE = "licence"
    PERIOD = "period"
    SCOPE = "scope"
    TERRITORY = "territory"
    MODEL = "model"
    UNKNOWN_REFERENCE = "unknown-reference"
    UNKNOWN_WORK = "unknown-work"
    WITHDRAWN_WORK = "withdrawn-work"
    FILE_NAME = "file-name"
    CELLS = "cells"
    EMPTY_CELL = "empty-cell"
    FORM = "form"
    DATE = "date"
    VOCABULARY = "vocabulary"
    IDENTIFIER = "identifier"
    REPEATED_ID = "repeated-id"
    ORDER = "order"
    SUM = "sum"
    FOOT = "foot"
    DEDUCTION_CAP = "deduction-cap"
    PARTS = "parts"
    VERSION = "version"


_REFUSED, _REJECTED, _UNMATCHED, _NOTED = Severity
ABOUT: dict[FlawKind, About] = {
    FlawKind.UNREADABLE: About(_REFUSED, "the file is missing, damaged or no table"),
    FlawKind.HASH: About(_REFUSED, "the file is not the one whose hash was expected"),
    FlawKind.SEEN: About(_REFUSED, "a report with this MessageId was imported before"),
    FlawKind.SIZE: About(_REFUSED, "the file unpacks to more than is allowed, or holds too many summaries"),
    FlawKind.CUT: About(_REFUSED, "the file ends in the middle: no FOOT, half a line, a torn archive"),
    FlawKind.FILE_ENCODING: About(_REFUSED, "the whole file is in another encoding than UTF-8"),
    FlawKind.NO_HEAD: About(_REFUSED, "the file does not begin with HEAD"),
    FlawKind.OVERLAP: About(_REFUSED, "the files are not parts of one report, or one is there twice"),
    FlawKind.LINE_LENGTH: About(_REJECTED, "the line is longer than 1 MiB"),
    FlawKind.ENCODING: About(_REJECTED, "the line is not UTF-8"),
    FlawKind.CONTROL_CHARACTER: About(_REJECTED, "the line has a NUL or another control character"),
    FlawKind.UNKNOWN_RECORD: About(_REJECTED, "the line is of no record that is known"),
    FlawKind.MISSING_CELL: About(_REJECTED, "a cell is empty or absent without which the line says nothing"),
    FlawKind.NUMBER: About(_REJECTED, "usages, weight, confidence or outputs are no number or out of range"),
    FlawKind.UNKNOWN_SUMMARY: About(_REJECTED, "the usage names a summary record that is not there"),
    FlawKind.WEIGHTS: About(_REJECTED, "the attribution weights of an output do not sum to 1,000,000"),
    FlawKind.LICENCE: About(_REJECTED, "the usage is reported under another licence"),
    FlawKind.PERIOD: About(
        _REJECTED, "the usage lies outside the licence's term, or outside the period of its file"
    ),
    FlawKind.SCOPE: About(_REJECTED, "the licence does not permit this use"),
    FlawKind.TERRITORY: About(_REJECTED, "the licence does not hold in this territory"),
    FlawKind.MODEL: About(_REJECTED, "the licence covers another model or version"),
    FlawKind.UNKNOWN_REFERENCE: About(_UNMATCHED, "the usage names a work that its block does not describe"),
    FlawKind.UNKNOWN_WORK: About(_UNMATCHED, "the work is not in the catalogue"),
    FlawKind.WITHDRAWN_WORK: About(_UNMATCHED, "the work was withdrawn from the catalogue"),
    FlawKind.FILE_NAME: About(
        _NOTED, "the file's name is not of the form, or contradicts HEAD or what the file is"
    ),
    FlawKind.CELLS: About(_NOTED, "the line has fewer or more cells than its record"),
    FlawKind.EMPTY_CELL: About(_NOTED, "a cell is empty that the profile demands"),
    FlawKind.FORM: About(
        _NOTED, "a cell, or the file, is not in the form demanded; its value is plain or not needed"
    ),
    FlawKind.DATE: About(_NOTED, "a date is not written as 2026-01-31, or lies outside the period"),
    FlawKind.VOCABULARY: About(_NOTED, "a value is not of its closed list"),
    FlawKind.IDENTIFIER: About(_NOTED, "an identifier's form or check digit is wrong"),
    FlawKind.REPEATED_ID: About(_NOTED, "an id stands there twice"),
    FlawKind.ORDER: About(_NOTED, "the line stands out of order"),
    FlawKind.SUM: About(_NOTED, "figures do not add up"),
    FlawKind.FOOT: About(_NOTED, "FOOT counts otherwise"),
    FlawKind.DEDUCTION_CAP: About(
        _NOTED, "deductions above the licence's cap, or of a kind that it does not allow"
    ),
    FlawKind.PARTS: About(_NOTED, "files of the report are missing"),
    FlawKind.VERSION: About(_NOTED, "the record has no version, or one that is not known"),
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One flaw. `file`: index of the file in the report; `line`: from 1, 0 for the file as a whole.

    `record` and `cell` name the line's record and its column; empty where the whole line is meant.
    """

    kind: FlawKind
    file: int
    line: int
    record: str
    cell: str
    what: str
    why: str = ""

    @property
    def severity(self) -> Severity:
        """What becomes of the line."""
        return ABOUT[self.kind].severity


#: Flaws held in memory; more are counted and written, not shown.
HELD = 100_000


class FlawLog:
    """Collects flaws: the first ones in memory, every one counted, the rest handed to `spill`."""

    def __init__(self, held: int = HELD, spill: Callable[[Flaw], None] | None = None) -> None:
        self._most = held
        self._held: list[Flaw] = []
        self.spill = spill
        self.counts: Counter[FlawKind] = Counter()
        self._aside: list[Flaw] | None = None

    def add(
        self, kind: FlawKind, file: int, line: int, record: str, cell: str, what: str, why: str = ""
    ) -> None:
        """Notes one flaw."""
        self.put(Flaw(kind, file, line, record, cell, what, why))

    def put(self, one: Flaw) -> None:
        """Notes one flaw."""
        if self._aside is not None:
            self._aside.append(one)
            return
        self.counts[one.kind] += 1
        # What refuses the report is always held: an import asks for it.
        if len(self._held) < self._most or one.severity is Severity.REFUSED:
            self._held.append(one)
        elif self.spill is not None:
            self.spill(one)

    @contextmanager
    def aside(self) -> Iterator[list[Flaw]]:
        """What is added meanwhile goes to the list that is given, to be `put` when its line comes."""
        held: list[Flaw] = []
        self._aside = held
        try:
            yield held
        finally:
            self._aside = None

    def __len__(self) -> int:
        return self.counts.total()

    def __iter__(self) -> Iterator[Flaw]:
        return iter(self.held())

    def held(self) -> list[Flaw]:
        """Those in memory, in the order of files and lines."""
        return sorted(self._held, key=lambda one: (one.file, one.line))

    def of(self, severity: Severity) -> int:
        """How many have this severity."""
        return sum(count for kind, count in self.counts.items() if ABOUT[kind].severity is severity)

    @property
    def complete(self) -> bool:
        """Whether memory holds all of them."""
        return len(self._held) == len(self)
