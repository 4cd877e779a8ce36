"""Report files: the CSV that a licensee writes, and the file whose hash is bound to the figures on chain.

The columns carry the names of the DSR summary record. Amounts are decimal strings in the reporting
currency; they become base units of the token once, at the report's own rate, rounded down.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.domain.canonical import canonical_json, keccak256
from ledger.domain.errors import Findings, LedgerError, ValueRefused
from ledger.domain.money import FIGURE_LIMIT, format_amount, parse_amount
from ledger.domain.terms_fields import format_time
from ledger.operations.times import parse_time

REPORT_VERSION = "1"
REQUIRED = ("ChainId", "LicenceId", "PeriodStart", "PeriodEnd", "CurrencyOfReporting", "GrossRevenue")
OPTIONAL = (
    "DeductionType",
    "Deductions",
    "CurrencyOfTransaction",
    "ExchangeRate",
    "ExchangeRateSource",
    "Note",
)
COLUMNS = (*REQUIRED, *OPTIONAL)

_DAY = 86_400
_LARGEST_TEXT = 500
#: Digits after the point that a rate or an amount of the reporting currency may have.
_DIGITS = 18
_SCALE = 10**_DIGITS
_RATE_LIMIT = 10**12


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One report as its sender wrote it. `line`: its line in the file, 0 for one of the command line.

    `start` and `end` are the first and the last second as written, None: the next period. `deductions`
    pair a kind with an amount. An empty rate stands for the token's own currency.
    """

    line: int
    chain_id: int
    licence: int
    start: int | None
    end: int | None
    currency: str
    gross: str
    deductions: tuple[tuple[str, str], ...] = ()
    token: str = ""
    rate: str = ""
    rate_source: str = ""
    note: str = ""

    @property
    def where(self) -> str:
        """Its place, for findings."""
        return f"line {self.line}" if self.line else ""


@dataclass(frozen=True, slots=True)
class Converted:
    """A report's figures in base units of the token, each rounded down once."""

    gross: int
    deductions: int


# ---- reading


def read_reports(content: bytes, name: str = "") -> tuple[list[ReportRow], Findings]:
    """The rows of a CSV file, and the flaws of those that cannot be read.

    Raises ValueRefused for a file that is no such table: not UTF-8, no header, unknown or missing columns.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueRefused(
            "The reports are not UTF-8 text.", name, str(error), "Save the file as CSV in UTF-8."
        ) from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    findings = Findings()
    rows: list[ReportRow] = []
    header: list[str] = []
    try:
        for cells in lines:
            if not any(cells):
                continue
            if not header:
                header = _header(cells, name)
                continue
            number = lines.line_num
            if len(cells) != len(header):
                findings.add(
                    f"line {number}",
                    f"The line has {len(cells)} cells, the header {len(header)}.",
                    "Put texts with commas into quotes.",
                )
                continue
            row = _row(number, dict(zip(header, cells, strict=True)), findings)
            if row is not None:
                rows.append(row)
    except csv.Error as error:
        findings.add(f"line {lines.line_num}", f"The line cannot be read: {error}.", "Mend its quotes.")
        if not header:
            findings.raise_if_any("The reports were refused", name)
    if not header:
        raise ValueRefused("The file is empty.", name, remedy=f"Its header is: {','.join(COLUMNS)}")
    if not rows and not findings:
        raise ValueRefused("The file holds no report.", name, remedy="Write one line for each report.")
    return rows, findings


def _header(cells: list[str], name: str) -> list[str]:
    found = [cell.strip() for cell in cells]
    flaws = Findings()
    for one in dict.fromkeys(found):
        if one not in COLUMNS:
            near = difflib.get_close_matches(one, COLUMNS, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(COLUMNS)}."
            flaws.add("line 1", f"There is no column {one!r}.", hint)
        elif found.count(one) > 1:
            flaws.add(
                "line 1", f"The column {one} stands there {found.count(one)} times.", "Keep one of them."
            )
    for one in REQUIRED:
        if one not in found:
            flaws.add("line 1", f"The column {one} is missing.", "Add it.")
    flaws.raise_if_any("The reports were refused", name)
    return found


def _row(line: int, cells: Mapping[str, str], findings: Findings) -> ReportRow | None:
    before = len(findings)
    where = f"line {line}"

    def refuse(what: str, remedy: str = "") -> None:
        findings.add(where, what, remedy)

    def number(column: str) -> int:
        text = cells[column].strip()
        if re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
            return int(text)
        refuse(
            f"The {column} {_short(text)} is no number." if text else f"The {column} is empty.",
            "Write digits only.",
        )
        return 0

    values = {name: value.strip() for name, value in cells.items()}
    for name in ("CurrencyOfReporting", "GrossRevenue"):
        if not values[name]:
            refuse(f"The {name} is empty.", f"Write it; {', '.join(REQUIRED)} are never empty.")
    for name, value in values.items():
        if len(value) > _LARGEST_TEXT or any(ord(letter) < 32 for letter in value):
            refuse(
                f"The {name} is longer than {_LARGEST_TEXT} letters or has control characters.",
                "Shorten it, or remove them.",
            )
    chain_id, licence = number("ChainId"), number("LicenceId")
    start = end = None
    try:
        start = parse_time(values["PeriodStart"])
        end = last_second(values["PeriodEnd"])
    except LedgerError as error:
        findings.add_error(where, error)
    try:
        deductions = pair_deductions(values.get("DeductionType", ""), values.get("Deductions", ""))
    except LedgerError as error:
        findings.add_error(where, error)
        deductions = ()
    if len(findings) != before:
        return None
    return ReportRow(
        line,
        chain_id,
        licence,
        start,
        end,
        values["CurrencyOfReporting"],
        values["GrossRevenue"],
        deductions,
        values.get("CurrencyOfTransaction", ""),
        values.get("ExchangeRate", ""),
        values.get("ExchangeRateSource", ""),
        values.get("Note", ""),
    )


def last_second(text: str) -> int:
    """The last second of a period's end: a day means all of it, a time with T the first second after."""
    time = parse_time(text)
    return time - 1 if "T" in text or text.isdigit() else time + _DAY - 1


def pair_deductions(kinds: str, amounts: str) -> tuple[tuple[str, str], ...]:
    """Kinds and amounts of deductions, several divided by `|`. Raises ValueRefused if they do not pair."""
    listed = [one.strip() for one in amounts.split("|")] if amounts.strip() else []
    named = [one.strip() for one in kinds.split("|")] if kinds.strip() else []
    if not named:
        named = ["unspecified"] * len(listed)
    if len(named) != len(listed):
        raise ValueRefused(
            f"There are {len(named)} kinds of deductions and {len(listed)} amounts.",
            remedy="Write as many of both, divided by |.",
        )
    return tuple(zip(named, listed, strict=True))


# ---- figures


def convert(row: ReportRow, symbol: str, decimals: int) -> Converted:
    """The row's figures in base units of a token. Raises ValueRefused for what is no exact amount.

    In the token's own currency an amount has at most its decimals. In another, gross and the sum of the
    deductions are multiplied by the rate and rounded down, each once.
    """
    if row.token and row.token.upper() != symbol.upper():
        raise ValueRefused(
            f"The CurrencyOfTransaction is {row.token}; the licence is paid in {symbol}.",
            remedy=f"Write {symbol}, or leave it out.",
        )
    if not row.rate:
        if row.currency.upper() != symbol.upper():
            raise ValueRefused(
                f"The figures are in {row.currency} and the licence is paid in {symbol}: "
                "an ExchangeRate is needed.",
                remedy=f"Write how many {symbol} one {row.currency} is.",
            )
        amounts = [parse_amount(text, decimals) for _, text in row.deductions]
        return _within(parse_amount(row.gross, decimals), sum(amounts), row)
    rate = parse_amount(row.rate, _DIGITS, limit=_RATE_LIMIT * _SCALE)
    if rate == 0:
        raise ValueRefused("The ExchangeRate is zero.", remedy=f"Write how many {symbol} one unit is.")
    wide = FIGURE_LIMIT * _SCALE
    gross = parse_amount(row.gross, _DIGITS, limit=wide)
    deductions = sum(parse_amount(text, _DIGITS, limit=wide) for _, text in row.deductions)
    unit = 10**decimals
    return _within(gross * rate * unit // _SCALE**2, deductions * rate * unit // _SCALE**2, row)


def _within(gross: int, deductions: int, row: ReportRow) -> Converted:
    if gross >= FIGURE_LIMIT or deductions >= FIGURE_LIMIT:
        raise ValueRefused(
            f"The amount {_short(row.gross)} is too large.",
            remedy="Check that it is written in whole units of the currency, not in base units.",
        )
    return Converted(gross, deductions)


# ---- the file that is bound


def report_file(
    row: ReportRow,
    *,
    chain_id: int,
    licences: str,
    period: int,
    start: int,
    end: int,
    version: int,
    token: str,
    symbol: str,
    decimals: int,
    figures: Converted,
) -> bytes:
    """Canonical JSON of a report: both figures, the rate, the period. The same report gives the same bytes.

    `end` is exclusive. `version` is that of the figures which it replaces, 0 for a first report.
    """
    document: dict[str, Any] = {
        "report_version": REPORT_VERSION,
        "chain_id": chain_id,
        "licences": licences,
        "licence": row.licence,
        "period": {"number": period, "start": format_time(start), "end": format_time(end)},
        "replaces_version": version,
        "reporting": {
            "currency": row.currency,
            "gross": row.gross,
            "deductions": [{"kind": kind, "amount": amount} for kind, amount in row.deductions],
        },
        "transaction": {
            "token": token,
            "symbol": symbol,
            "decimals": decimals,
            "gross": format_amount(figures.gross, decimals),
            "deductions": format_amount(figures.deductions, decimals),
        },
        "exchange_rate": {"rate": row.rate or "1", "source": row.rate_source, "rounding": "down"},
        "note": row.note,
    }
    return canonical_json(document)


def read_report_file(content: bytes, digest: bytes) -> dict[str, Any]:
    """A kept report file, its hash checked. Raises LedgerError."""
    if keccak256(content) != digest:
        raise LedgerError("The report file does not have the hash that is bound on chain.")
    held = json.loads(content)
    if not isinstance(held, dict) or held.get("report_version") != REPORT_VERSION:
        raise LedgerError("The report file is of another version.")
    return held


def period_words(start: int, end: int) -> str:
    """A period in words: its first and its last day."""
    first = datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%d")
    return f"{first} to {datetime.fromtimestamp(max(start, end - 1), UTC).strftime('%Y-%m-%d')}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
