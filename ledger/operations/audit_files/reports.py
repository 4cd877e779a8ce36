"""Report files against the books: the figures that a file shows have to be those that its entry booked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.audit.sources import PROPOSED, Booking
from ledger.domain.canonical import ZERO32, uint_word
from ledger.domain.errors import LedgerError
from ledger.domain.licence_types import MISSING, SETTLED
from ledger.domain.money import parse_amount
from ledger.operations.audit_files.desk import REPORT, Desk, Part
from ledger.operations.report_files import ReportRow, convert, read_report_file


@dataclass(frozen=True, slots=True)
class Stated:
    """What a report file says, base units; `converted`: what its own rate makes of its own currency."""

    licence: int
    period: int
    replaces: int
    chain_id: int
    licences: str
    token: str
    gross: int
    deductions: int
    converted: tuple[int, int]


def check_reports(desk: Desk) -> None:
    """Every booking and proposal that names a file. Nothing is said where none does."""
    named = [
        one
        for one in desk.sources.bookings
        if one.kind not in (MISSING, SETTLED) and desk.scope.has_licence(one.licence)
    ]
    if not named:
        return
    hashed = [one for one in named if one.report_hash != ZERO32]
    detail = "gross revenue and deductions of each file are those booked"
    with desk.part("files of reports", len(hashed), detail) as part:
        for one in hashed:
            _check(desk, part, one)
        if len(hashed) < len(named):
            part.notes.append(f"{len(named) - len(hashed):,} reports name no file")


def _check(desk: Desk, part: Part, one: Booking) -> None:
    where = f"licence {one.licence}, period {one.period}, version {one.version}"
    more: dict[str, Any] = {"licence": one.licence, "period": one.period}
    content = desk.read(REPORT, one.report_hash, where, **more)
    if content is None:
        return
    grant = desk.replay.licences.grants[one.licence]
    more |= {"block": one.block, "entry": f"Licences {one.entry}", "token": grant.terms.token}
    try:
        stated = read_stated(content, one.report_hash)
    except (LedgerError, KeyError, TypeError, ValueError) as error:
        what = f"the file 0x{one.report_hash.hex()} is no report file: {error}"
        part.compare(_words(one.gross, one.deductions), b"")
        desk.found("report file", where, what, **more)
        return
    same = part.compare(_words(one.gross, one.deductions), _words(stated.gross, stated.deductions))
    if not same:
        below = stated.gross - one.gross
        verb = "shows" if one.kind != PROPOSED else "shows (as proposed)"
        what = (
            f"its file {verb} a gross revenue of {stated.gross:,} and deductions of {stated.deductions:,}, "
        )
        what += f"booked are {one.gross:,} and {one.deductions:,} base units"
        if below > 0:
            what += f": {below:,} of revenue are missing in the books"
        amount = below or one.deductions - stated.deductions
        desk.found("report file", where, what, amount=amount, **more)
    if stated.converted != (stated.gross, stated.deductions):
        what = (
            f"its file converts to {stated.gross:,} and {stated.deductions:,} base units, its own figures and rate "
            f"give {stated.converted[0]:,} and {stated.converted[1]:,}"
        )
        desk.found("report file", where, what, amount=stated.converted[0] - stated.gross, **more)
    version = one.version if one.kind == PROPOSED else one.version - 1
    expected = (one.licence, one.period, version, desk.verdict.chain_id, desk.audit.addresses["Licences"])
    told = (stated.licence, stated.period, stated.replaces, stated.chain_id, stated.licences)
    if told != expected or stated.token != grant.terms.token:
        what = (
            f"its file is of licence {told[0]}, period {told[1]}, replacing version {told[2]}, on chain {told[3]}, "
            f"in token {stated.token}: of another report"
        )
        desk.found("report file", where, what, **more)


def read_stated(content: bytes, digest: bytes) -> Stated:
    """The figures of a report file. Raises LedgerError, KeyError, TypeError or ValueError for what is none."""
    held = read_report_file(content, digest)
    paid, reported, rate = held["transaction"], held["reporting"], held["exchange_rate"]
    decimals = int(paid["decimals"])
    own = reported["currency"].upper() == paid["symbol"].upper()
    row = ReportRow(
        0,
        int(held["chain_id"]),
        int(held["licence"]),
        0,
        0,
        reported["currency"],
        reported["gross"],
        tuple((one["kind"], one["amount"]) for one in reported["deductions"]),
        rate="" if own and rate["rate"] == "1" else rate["rate"],
    )
    figures = convert(row, paid["symbol"], decimals)
    return Stated(
        row.licence,
        int(held["period"]["number"]),
        int(held["replaces_version"]),
        row.chain_id,
        held["licences"].lower(),
        paid["token"].lower(),
        parse_amount(paid["gross"], decimals),
        parse_amount(paid["deductions"], decimals),
        (figures.gross, figures.deductions),
    )


def _words(gross: int, deductions: int) -> bytes:
    return uint_word(gross) + uint_word(deductions)
