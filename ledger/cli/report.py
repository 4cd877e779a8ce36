"""licence-ledger report: revenue, what is due, payments, disputes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.context import command, current, noun, read_bytes
from ledger.cli.report_views import (
    PUBLIC,
    due_data,
    list_data,
    planned_data,
    row_of,
    send,
    settle_next,
    show_due,
    show_list,
    show_planned,
)
from ledger.domain.errors import Findings, ValueRefused

if TYPE_CHECKING:
    from ledger.domain.chain_terms import ChainTerms
    from ledger.operations.books import Books
    from ledger.operations.report_files import ReportRow
    from ledger.operations.report_plans import Rules

app = noun("report")
Number = Annotated[int, typer.Argument(min=1, help="Number of the licence.")]
Period = Annotated[int, typer.Argument(min=0, help="Number of the period, from 0.")]
Gross = Annotated[str, typer.Argument(help='Gross revenue in whole units, such as "1250.50".')]
Deductions = Annotated[str, typer.Option(help="Deductions, several divided by |.")]
Kinds = Annotated[
    str, typer.Option("--kinds", help="Kinds of the deductions, divided by | in the same order.")
]
Currency = Annotated[str, typer.Option(help="Currency of the figures; default: the licence's token.")]
Rate = Annotated[str, typer.Option(help="What one unit of the currency is in the token.")]
RateSource = Annotated[str, typer.Option(help="Where the rate is from.")]
Note = Annotated[str, typer.Option(help="A note for the report file.")]
Pay = Annotated[
    bool, typer.Option("--pay", help="Pay the line at once; else it is open until its payment date.")
]
MaxDue = Annotated[str, typer.Option(help="Refuse if a line is larger than this many tokens.")]
Large = Annotated[
    bool, typer.Option("--confirm-large", help="Figures a thousand times those before are meant.")
]


@app.command()
def submit(
    licence: Number,
    gross: Gross,
    deductions: Deductions = "",
    kinds: Kinds = "",
    currency: Currency = "",
    rate: Rate = "",
    rate_source: RateSource = "",
    start: Annotated[
        str, typer.Option("--start", help="First day of the period; default: the next period.")
    ] = "",
    end: Annotated[str, typer.Option("--end", help="Last day of the period.")] = "",
    note: Note = "",
    pay: Pay = False,
    max_due: MaxDue = "",
    confirm_large: Large = False,
) -> None:
    """Reports one period of a licence. A report sent again books nothing."""
    from ledger.operations.report_plans import Rules

    session = current().session
    row = row_of(
        session,
        licence,
        gross,
        deductions=deductions,
        kinds=kinds,
        currency=currency,
        rate=rate,
        rate_source=rate_source,
        note=note,
        start=start,
        end=end,
    )
    _book([row], Findings(), "", Rules(pay, max_due, confirm_large), 1)


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="CSV of reports; - for standard input.")],
    pay: Pay = False,
    max_due: MaxDue = "",
    confirm_large: Large = False,
    together: Annotated[
        int,
        typer.Option(
            min=1,
            max=40,
            help="Neighbouring reports of one licence that a transaction books: each further one costs a third of "
            "the gas of one alone, and all of them are booked or none. 1: each in a transaction of its own.",
        ),
    ] = 16,
) -> None:
    """Books a whole file of reports, or refuses it whole with every bad line listed. Run again, it finishes."""
    from ledger.operations.report_files import read_reports
    from ledger.operations.report_plans import Rules

    rows, findings = read_reports(read_bytes(file), file)
    _book(rows, findings, file, Rules(pay, max_due, confirm_large), together)


def _book(rows: list[ReportRow], findings: Findings, where: str, rules: Rules, together: int) -> None:
    from ledger.operations import reports

    context = current()
    session, out = context.session, context.out
    plan = reports.plan_reports(
        session, rows, sender=session.address(), rules=rules, findings=findings, where=where
    )
    context.say_once("public-reports", PUBLIC)
    if plan.new and not context.may_send(reports.effects_of(session, plan, pay_now=rules.pay_now)):
        return
    done = reports.Imported(plan, ())
    if plan.new:
        with (
            out.progress("booking", len(plan.new)) as step,
            session.sender("", lambda what, count: step(count) if what == "mined" else None) as sender,
        ):
            done = reports.import_reports(
                session, sender, rows, rules=rules, where=where, together=together, plan=plan
            )
    data = planned_data(session, done.plan, done.outcomes)
    licence = rows[0].licence
    after = [command("report", "due", licence), command("report", "list", licence)]
    if plan.new and not rules.pay_now:
        after.insert(0, command("report", "pay", licence))
    elif plan.new:
        after.insert(0, command("payout", "preview", "--licence", licence))
    out.result(data, lambda: show_planned(data), after=after)


@app.command()
def due(
    licence: Number,
    period: Annotated[
        int | None, typer.Argument(min=0, help="Number of the period; default: the earliest open one.")
    ] = None,
) -> None:
    """Explains what is due now and why; the contract's answer is compared with the replayed books."""
    from ledger.operations import books, payments

    context = current()
    session = context.session
    held = books.read(session)
    chosen = payments.default_period(held, licence, session.now()) if period is None else period
    explained = payments.explain(session, held, licence, chosen)
    data = due_data(explained, held.licences.grants[licence].terms)
    after = [command("report", "list", licence)]
    if explained.to_pay:
        after.insert(0, command("report", "pay", licence, chosen))
    elif not explained.booked:
        after.insert(0, command("report", "submit", licence, "GROSS"))
    context.out.result(data, lambda: show_due(data), after=after)


@app.command()
def pay(
    licence: Number,
    period: Annotated[
        int | None, typer.Argument(min=0, help="Number of the period; default: all that is open.")
    ] = None,
    amount: Annotated[str, typer.Option(help="Pay only so much of the period, interest first.")] = "",
) -> None:
    """Pays what is open, interest first. Anyone may pay; a payment sent again pays nothing."""
    from ledger.operations import books, payments
    from ledger.operations.plan import money, sent
    from ledger.operations.session import send_all
    from ledger.operations.tokens import amount_of

    context = current()
    session, out = context.session, context.out
    read = books.read(session)
    units = None
    if amount:
        units = amount_of(session.ledger.token(_terms(read, licence).token), amount)
    held = payments.plan_pay(session, read, licence, payer=session.address(), period=period, amount=units)
    if not context.may_send(held.plan):
        return
    with context.sender() as sender:
        if sender.under_way():
            sender.settle()
            held = payments.plan_pay(
                session, books.read(session), licence, payer=sender.address, period=period, amount=units
            )
        outcomes = send_all(sender, held.plan.requests)
    now = books.read(session)
    rows = []
    for one in held.payments:
        entry = now.of_licence[licence][-1].entry
        for event in now.of_licence[licence]:
            if event.name == "Paid" and event.entry["period"] == one.period:
                entry = event.entry
        rows.append(
            {
                "period": one.period,
                "principal": money(held.token, entry["principal"]),
                "interest": money(held.token, entry["interest"]),
                "open": money(held.token, entry["open"]),
                "destination": entry["destination"],
            }
        )
    data = {"sent": True, "licence": licence, "payments": rows, "transactions": sent(outcomes)}

    def show() -> None:
        out.table(
            (">period", ">principal", ">interest", ">open now", "split or account"),
            [
                (
                    one["period"],
                    one["principal"]["shown"],
                    one["interest"]["shown"],
                    one["open"]["shown"],
                    "0x" + one["destination"].hex(),
                )
                for one in rows
            ],
        )

    after = [command("payout", "preview", "--licence", licence), command("report", "due", licence)]
    out.result(data, show, after=after)


@app.command()
def restate(
    licence: Number,
    period: Period,
    gross: Gross,
    deductions: Deductions = "",
    kinds: Kinds = "",
    currency: Currency = "",
    rate: Rate = "",
    rate_source: RateSource = "",
    note: Note = "",
    max_due: MaxDue = "",
    confirm_large: Large = False,
) -> None:
    """Replaces the figures of a period by others (absolute ones) that do not lower its base. Counts at once."""
    from ledger.operations import books, reports
    from ledger.operations.plan import money

    session = current().session
    row = row_of(
        session,
        licence,
        gross,
        deductions=deductions,
        kinds=kinds,
        currency=currency,
        rate=rate,
        rate_source=rate_source,
        note=note,
    )
    read = books.read(session)
    other = reports.plan_restate(
        session, read, row, period, sender=session.address(), max_due=max_due, confirmed=confirm_large
    )
    data = {
        "licence": licence,
        "period": period,
        "replaces_version": other.figures.version,
        "base_before": money(other.token, other.base_before),
        "base": money(other.token, other.base),
        "line": money(other.token, other.line),
        "set_off": money(other.token, other.set_off),
        "report_hash": other.figures.report_hash,
    }
    after = [command("report", "due", licence, period), command("report", "pay", licence, period)]
    send(other.plan, data, after, [other.file])


@app.command("book-missing")
def book_missing(
    licence: Number,
    until: Annotated[
        int | None, typer.Option(min=0, help="Last period to be booked; default: all overdue.")
    ] = None,
) -> None:
    """Books periods at zero whose report deadline has passed. Anyone may; the late report is a restatement."""
    from ledger.operations import books, reports

    session = current().session
    read = books.read(session)
    first = read.licences.states[licence].next_period if licence in read.licences.states else 0
    plan = reports.plan_book_missing(session, read, licence, sender=session.address(), until=until)
    data = {"licence": licence, "periods": list(range(first, first + len(plan.requests)))}
    after = [command("report", "due", licence), command("licence", "terminate", licence)]
    send(plan, data, after)


@app.command("list")
def list_(
    licence: Annotated[
        int | None, typer.Argument(min=1, help="Number of the licence; without it, all.")
    ] = None,
) -> None:
    """Lists the booked periods: figures, lines, paid, open, disputes."""
    from ledger.operations import books

    context = current()
    read = books.read(context.session)
    if licence is not None:
        _terms(read, licence)
    numbers = [licence] if licence is not None else list(read.licences.grants)
    rows = [row for number in numbers for row in list_data(context.session, read, number)]
    after = [command("report", "due", licence or "LICENCE"), command("agenda")]
    context.out.result({"periods": rows}, lambda: show_list(rows), after=after)


@app.command()
def dispute(
    licence: Number,
    period: Period,
    gross: Annotated[str, typer.Argument(help="The gross revenue proposed instead.")] = "",
    deductions: Deductions = "",
    kinds: Kinds = "",
    currency: Currency = "",
    rate: Rate = "",
    rate_source: RateSource = "",
    note: Note = "",
    call_arbiter: Annotated[
        bool, typer.Option("--call-arbiter", help="Call the catalogue's arbiter to an open dispute.")
    ] = False,
) -> None:
    """Proposes other figures: the licensee lower ones, the licensor higher ones. Or calls the arbiter."""
    from ledger.operations import books, disputes
    from ledger.operations.plan import money

    session = current().session
    if call_arbiter == bool(gross):
        raise ValueRefused(
            "A dispute needs the figures proposed, or --call-arbiter.", remedy="Give one of the two."
        )
    if call_arbiter:
        read = books.read(session)
        _terms(read, licence)
        plan = disputes.plan_call_arbiter(session, read, licence, period, sender=session.address())
        data = {"licence": licence, "period": period, "step": "arbiter called", "base": None, "line": None}
        send(plan, data, [command("agenda")])
        return
    row = row_of(
        session,
        licence,
        gross,
        deductions=deductions,
        kinds=kinds,
        currency=currency,
        rate=rate,
        rate_source=rate_source,
        note=note,
    )
    read = books.read(session)
    other = disputes.plan_object(session, read, row, period, sender=session.address())
    data = {
        "licence": licence,
        "period": period,
        "step": "proposed",
        "base": money(other.token, other.base),
        "line": money(other.token, other.line),
    }
    send(other.plan, data, settle_next(licence, period), [other.file])


@app.command()
def settle(
    licence: Number,
    period: Period,
    accept: Annotated[
        bool | None,
        typer.Option("--accept/--reject", help="Let the proposed figures stand, or those reported."),
    ] = None,
) -> None:
    """Ends a dispute: the other side accepts, the proposer withdraws, the arbiter chooses; late, anyone."""
    from ledger.operations import books, disputes

    if accept is None:
        raise ValueRefused(
            "Which figures shall stand?", remedy="Give --accept (proposed) or --reject (reported)."
        )
    session = current().session
    read = books.read(session)
    _terms(read, licence)
    plan = disputes.plan_settle(session, read, licence, period, sender=session.address(), accepted=accept)
    data = {"licence": licence, "period": period, "accepted": accept}
    send(plan, data, [command("report", "due", licence, period)])


def _terms(read: Books, licence: int) -> ChainTerms:
    from ledger.operations.report_plans import live_terms

    return live_terms(read, licence)
