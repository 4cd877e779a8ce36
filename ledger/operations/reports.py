"""Reports: one or a whole file booked, restated, missing ones booked at zero.

`import_reports` and `submit` may be run again after any crash: what the chain has booked is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.chain.requests import GAS_CAP, Outcome, Request, raise_failures
from ledger.chain.sender import Sender
from ledger.chain.tokens import Token
from ledger.domain.address import checksum_address
from ledger.domain.canonical import keccak256
from ledger.domain.errors import (
    ExitCode,
    Findings,
    IncompleteError,
    LedgerError,
    UnreachableError,
    ValueRefused,
)
from ledger.domain.licence_types import Figures
from ledger.domain.licence_views import quote, span_of
from ledger.domain.money import parse_amount
from ledger.domain.royalty import INTEREST_UNIT, PPM, base_of
from ledger.domain.terms_fields import format_time
from ledger.operations import books as books_of
from ledger.operations.books import Books
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.report_files import ReportRow, convert, period_words, report_file
from ledger.operations.report_plans import PlannedReport, Planner, ReportPlan, Rules, live_terms
from ledger.operations.session import Session, send_all
from ledger.operations.splits import short, sized
from ledger.operations.tokens import needs_allowance

#: Neighbouring reports of one licence that one transaction books by default (`reportMany`). Each further one
#: costs about a third of the gas of one alone; all of a transaction are booked or none.
TOGETHER = 16
MOST_TOGETHER = 40
#: Gas limits, bounds and no estimates: what is not used is not paid. They spare an estimate each.
_GAS_FIRST, _GAS_NEXT = 700_000, 350_000
#: Interest grows until a payment is mined: an allowance covers so many seconds more.
_SLACK = 3_600
_EACH_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `outcomes` are of this run; reports booked by earlier ones are in `plan.before`."""

    plan: ReportPlan
    outcomes: tuple[Outcome, ...]


# ---- reports: one, or a file


def plan_reports(
    session: Session,
    rows: Sequence[ReportRow],
    *,
    sender: str,
    rules: Rules | None = None,
    findings: Findings | None = None,
    where: str = "",
    books: Books | None = None,
) -> ReportPlan:
    """Checks all rows against the books and works their lines out, offline after one read.

    `findings` are flaws found on reading the file. Raises FindingsError with every bad row, in the order of
    the file; of a single row its own error. The books given are used up.
    """
    found = findings if findings is not None else Findings()
    held = books or books_of.read(session)
    planner = Planner(session, held, sender, rules or Rules(), session.now())
    made = planner.plan(rows, found)
    if found:
        one = found.all()
        if len(one) == 1 and not one[0].where:
            raise ValueRefused(one[0].what, remedy=one[0].remedy)
        listed = Findings()
        for flaw in sorted(one, key=lambda flaw: _line(flaw.where)):
            listed.add(flaw.where, flaw.what, flaw.remedy)
        raise listed.error("The reports were refused", where)
    return made


def effects_of(session: Session, plan: ReportPlan, *, pay_now: bool) -> Plan:
    """Who reports what, and what leaves the licensee now, for showing."""
    who = checksum_address(plan.sender)
    effects: list[Effect] = []
    if len(plan.new) <= _EACH_SHOWN:
        effects += [Effect(who, "reports", _in_words(one), _payment_words(one, pay_now)) for one in plan.new]
    else:
        for licence in dict.fromkeys(one.licence for one in plan.new):
            own = [one for one in plan.new if one.licence == licence]
            lines, pays = sum(one.line for one in own), sum(one.pays for one in own)
            token = own[0].token
            what = f"{sized(len(own), 'period')} of licence {licence}: lines of {shown_amount(token, lines)}"
            to = f"and pays {shown_amount(token, pays)}" if pay_now else "to be paid later"
            effects.append(Effect(who, "reports", what, to))
    # The requests are for rehearsing, which the local chain does without: it sends at once.
    rehearsed = report_requests(session, plan, pay_now=pay_now) if plan.new and not session.is_local else ()
    return Plan(plan.sender, effects, rehearsed)


def _in_words(one: PlannedReport) -> str:
    token = one.token
    return (
        f"{shown_amount(token, one.figures.gross)} of gross revenue for period {one.figures.period} "
        f"({period_words(one.span.start, one.span.end)}) of licence {one.licence}; "
        f"line {shown_amount(token, one.line)}"
    )


def _payment_words(one: PlannedReport, pay_now: bool) -> str:
    if pay_now and one.pays:
        return f"and pays {shown_amount(one.token, one.pays)} to {short(one.destination)}"
    return f"to be paid by {format_time(one.span.pay_by)}" if one.line > 0 else ""


def report_requests(
    session: Session, plan: ReportPlan, *, pay_now: bool, together: int = TOGETHER
) -> list[Request]:
    """The transactions: allowances first where money moves, then the reports, neighbours of a licence
    together.
    """
    if not 1 <= together <= MOST_TOGETHER:
        raise ValueRefused(
            f"{together} reports do not fit one transaction.", remedy=f"Give 1 to {MOST_TOGETHER}."
        )
    requests = allowances(session, plan) if pay_now else []
    contract = session.ledger.licences
    terms: dict[int, bytes] = {}
    books: list[list[PlannedReport]] = []
    for one in plan.new:
        if books and books[-1][0].licence == one.licence and len(books[-1]) < together:
            books[-1].append(one)
        else:
            books.append([one])
    for group in books:
        licence = group[0].licence
        if licence not in terms:
            terms[licence] = plan.terms_data[licence]
        figures = [one.figures for one in group]
        gas = min(GAS_CAP, _GAS_FIRST + _GAS_NEXT * (len(group) - 1))
        if len(group) == 1:
            requests.append(contract.report(licence, terms[licence], figures[0], pay_now=pay_now, gas=gas))
        else:
            requests.append(contract.report_many(licence, terms[licence], figures, pay_now=pay_now, gas=gas))
    return requests


def allowances(session: Session, plan: ReportPlan) -> list[Request]:
    """What lets Licences move what is paid at once. Raises LedgerError where the licensee does not hold it."""
    requests: list[Request] = []
    for address, units in plan.pays.items():
        if units == 0:
            continue
        token = session.ledger.token(address)
        grows = sum(
            one.line * plan.late_rates[one.licence] * _SLACK // INTEREST_UNIT + 1
            for one in plan.new
            if one.token.address == address and one.line > 0
        )
        requests += pulled(session, token, plan.sender, units, grows)
    return requests


def pulled(session: Session, token: Token, payer: str, units: int, grows: int = 0) -> list[Request]:
    """The approvals for a payment, `grows` more for interest. Raises LedgerError: the payer does not hold it."""
    held = token.balance(payer)
    if held < units:
        raise LedgerError(
            f"{checksum_address(payer)} holds {shown_amount(token, held)}; {shown_amount(token, units)} is needed.",
            remedy="Send the rest to it, then run the same command again; or report now and pay later.",
            exit_code=ExitCode.INCOMPLETE,
        )
    return needs_allowance(token, payer, session.ledger.licences.address, units + grows)


def import_reports(
    session: Session,
    sender: Sender,
    rows: Sequence[ReportRow],
    *,
    rules: Rules | None = None,
    findings: Findings | None = None,
    where: str = "",
    together: int = TOGETHER,
    plan: ReportPlan | None = None,
) -> Imported:
    """Books all rows: plans them (unless `plan` is given and nothing is left of an earlier run), keeps the
    report files, signs ahead and sends in batches.

    Raises FindingsError before anything is sent; IncompleteError where it is to be run again.
    """
    used = rules or Rules()
    if sender.under_way() or plan is None:
        sender.settle()
        plan = plan_reports(session, rows, sender=sender.address, rules=used, findings=findings, where=where)
    if not plan.new:
        return Imported(plan, ())
    requests = report_requests(session, plan, pay_now=used.pay_now, together=together)
    keep(session, [one.file for one in plan.new])
    first = [one for one in requests if one.gas is None]
    outcomes: list[Outcome] = []
    try:
        if first:
            outcomes += send_all(sender, first)
        if len(plan.new) == 1:
            outcomes += send_all(sender, requests[len(first) :])
        else:
            outcomes += sender.send(requests[len(first) :], stop_at_failure=True, wave=1_000)
    except UnreachableError as error:
        raise IncompleteError(
            "The node went away half way: some reports are booked, the rest is not.",
            error.where,
            error.what,
            "Start the node or name another, then run the same command again: nothing is booked twice.",
        ) from error
    raise_failures(outcomes)
    return Imported(plan, tuple(outcomes))


def keep(session: Session, files: Sequence[bytes]) -> None:
    """Puts report files into the store."""
    if len(files) == 1:
        session.files.put(files[0])
    else:
        session.files.put_all(files)


# ---- restatements, objections: other figures for a booked period


@dataclass(frozen=True, slots=True)
class OtherFigures:
    """Figures that are to replace those of a booked period. `line`: the line that they would book."""

    licence: int
    figures: Figures
    base_before: int
    base: int
    line: int
    set_off: int
    file: bytes
    token: Token
    plan: Plan


def other_figures(
    session: Session, books: Books, row: ReportRow, period: int, *, sender: str
) -> OtherFigures:
    """What the row's figures would change of a booked period. Raises LedgerError. Nothing is planned yet."""
    terms = live_terms(books, row.licence)
    state = books.licences.periods.get((row.licence, period))
    if state is None:
        raise ValueRefused(
            f"Period {period} of licence {row.licence} is not reported yet.",
            remedy=f"Report it: `licence-ledger report submit {row.licence}`.",
        )
    token = session.ledger.token(terms.token)
    figures = convert(row, token.symbol, token.decimals)
    cap = figures.gross * terms.deduction_cap_ppm // PPM
    if figures.deductions > cap:
        raise ValueRefused(
            f"The deductions {shown_amount(token, figures.deductions)} are above the cap of "
            f"{terms.deduction_cap_ppm / 10_000:g} % of gross revenue: {shown_amount(token, cap)} would count.",
            remedy=f"Write deductions of at most {shown_amount(token, cap)}.",
        )
    span = span_of(books.licences, row.licence, period, now=session.now())
    file = report_file(
        row,
        chain_id=session.rpc.chain_id,
        licences=checksum_address(session.ledger.licences.address),
        period=period,
        start=span.start,
        end=span.end,
        version=state.version,
        token=checksum_address(token.address),
        symbol=token.symbol,
        decimals=token.decimals,
        figures=figures,
    )
    drawn = Figures(
        period, figures.gross, figures.deductions, version=state.version, report_hash=keccak256(file)
    )
    base = base_of(figures.gross, figures.deductions, terms.deduction_cap_ppm)
    line, set_off = quote(books.licences, row.licence, drawn, now=session.now())
    return OtherFigures(
        row.licence,
        replace(drawn, max_due=max(0, line)),
        state.base,
        base,
        line,
        set_off,
        file,
        token,
        Plan(sender, []),
    )


def plan_restate(
    session: Session,
    books: Books,
    row: ReportRow,
    period: int,
    *,
    sender: str,
    max_due: str = "",
    confirmed: bool = False,
) -> OtherFigures:
    """A restatement that raises the base or leaves it. Raises LedgerError for one that lowers it."""
    made = other_figures(session, books, row, period, sender=sender)
    token = made.token
    if made.base < made.base_before:
        raise ValueRefused(
            f"The figures lower the base of period {period} from {shown_amount(token, made.base_before)} to "
            f"{shown_amount(token, made.base)}: that is a proposal, which the other side must accept.",
            remedy=f"Propose it: `licence-ledger report dispute {row.licence} {period}`.",
        )
    if max_due and made.line > parse_amount(max_due, token.decimals):
        raise ValueRefused(
            f"The restatement books a line of {shown_amount(token, made.line)}, above the largest accepted, {max_due}.",
            remedy="Check the figures, or raise --max-due.",
        )
    if made.base_before and made.base > made.base_before * 1_000 and not (max_due or confirmed):
        raise ValueRefused(
            f"The new base {shown_amount(token, made.base)} is {made.base // made.base_before:,} times the old one, "
            f"{shown_amount(token, made.base_before)}.",
            remedy="Check that it is not in base units. If it is meant, say so: --max-due AMOUNT or --confirm-large.",
        )
    if books.licences.holders[row.licence] != sender:
        raise ValueRefused(
            f"Licence {row.licence} is held by {checksum_address(books.licences.holders[row.licence])}.",
            remedy="Only the licensee restates: give its account, --from NAME. A licensor proposes: "
            f"`licence-ledger report dispute {row.licence} {period}`.",
        )
    terms = books.licences.grants[row.licence].terms.encode()
    request = session.ledger.licences.restate(row.licence, terms, made.figures)
    what = f"period {period} of licence {row.licence} to a base of {shown_amount(token, made.base)}"
    effect = Effect(checksum_address(sender), "restates", what, f"line {shown_amount(token, made.line)}")
    return replace(made, plan=Plan(sender, [effect], [request]))


# ---- missing periods


def missing_periods(books: Books, licence: int, now: int) -> list[int]:
    """The periods whose reports are overdue, in order: anyone may book them at zero."""
    terms = live_terms(books, licence)
    found: list[int] = []
    period = books.licences.states[licence].next_period
    while True:
        try:
            span = span_of(books.licences, licence, period, now=now)
        except LedgerError:
            return found
        if now <= span.report_by or terms.period_months == 0:
            return found
        found.append(period)
        period += 1


def plan_book_missing(
    session: Session, books: Books, licence: int, *, sender: str, until: int | None = None
) -> Plan:
    """Books the overdue periods at zero, up to period `until`. Raises LedgerError where none is overdue."""
    now = session.now()
    periods = [one for one in missing_periods(books, licence, now) if until is None or one <= until]
    state = books.licences.states[licence]
    if not periods:
        try:
            span = span_of(books.licences, licence, state.next_period, now=now)
        except LedgerError:
            raise ValueRefused(f"All periods of licence {licence} are booked.") from None
        raise ValueRefused(
            f"No report of licence {licence} is overdue: period {state.next_period} may be reported until "
            f"{format_time(span.report_by)}.",
            remedy="Run it again after that.",
        )
    terms = books.licences.grants[licence].terms
    token = session.ledger.token(terms.token)
    who = checksum_address(sender)
    effects, requests = [], []
    for period in periods:
        entries = books.licences.book_missing(sender, licence, period, now=now)
        line = next(one["line"] for one in entries if one.name == "Booked")
        what = f"period {period} of licence {licence} at zero"
        effects.append(Effect(who, "books", what, f"line {shown_amount(token, line)}"))
        requests.append(session.ledger.licences.book_missing(licence, terms.encode(), period))
    return Plan(sender, effects, requests)


def _line(where: str) -> int:
    digits = where.removeprefix("line ")
    return int(digits) if digits.isdigit() else 0
