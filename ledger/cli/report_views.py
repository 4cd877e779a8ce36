"""What `licence-ledger report` shows, and the row that its options stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ledger.cli.context import command, current
from ledger.cli.output import date
from ledger.domain.errors import ValueRefused

if TYPE_CHECKING:
    from ledger.chain.requests import Outcome
    from ledger.domain.chain_terms import ChainTerms
    from ledger.operations.books import Books
    from ledger.operations.payments import Explained
    from ledger.operations.plan import Plan
    from ledger.operations.report_files import ReportRow
    from ledger.operations.report_plans import ReportPlan
    from ledger.operations.session import Session

PUBLIC = "On a public chain gross revenue and deductions are public for ever."
_ROWS_SHOWN = 24


def row_of(
    session: Session,
    licence: int,
    gross: str,
    *,
    deductions: str,
    kinds: str,
    currency: str,
    rate: str,
    rate_source: str,
    note: str,
    start: str = "",
    end: str = "",
) -> ReportRow:
    """The row that the options of a command stand for; without a currency it is the token's."""
    from ledger.operations.licences import read
    from ledger.operations.report_files import ReportRow, last_second, pair_deductions
    from ledger.operations.times import parse_time

    if bool(start) != bool(end):
        raise ValueRefused(
            "A period has a start and an end.", remedy="Give both, or neither for the next period."
        )
    if not currency:
        if rate:
            raise ValueRefused(
                "A rate stands there without the currency that it is for.",
                remedy="Give --currency, such as EUR.",
            )
        currency = session.ledger.token(read(session, licence).terms.token).symbol
    return ReportRow(
        0,
        session.rpc.chain_id,
        licence,
        parse_time(start) if start else None,
        last_second(end) if end else None,
        currency,
        gross,
        pair_deductions(kinds, deductions),
        rate=rate,
        rate_source=rate_source,
        note=note,
    )


def send(plan: Plan, data: dict[str, Any], after: Sequence[str], files: Sequence[bytes] = ()) -> None:
    """Keeps the files, sends a plan whose requests are all known, and ends the command.

    Off the local chain, without --yes, it shows the plan only.
    """
    from ledger.operations.plan import sent
    from ledger.operations.reports import keep
    from ledger.operations.session import send_all

    context = current()
    if not context.may_send(plan):
        return
    with context.sender() as sender:
        keep(context.session, files)
        outcomes = send_all(sender, plan.requests)
    told = {"sent": True, **data, "transactions": sent(outcomes)}

    def show() -> None:
        for one in plan.effects:
            context.out.line(f"{one.who} {one.does} {one.what} {one.to}".strip())

    context.out.result(told, show, after=after)


def planned_data(session: Session, plan: ReportPlan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What an import or one report did, for `--json`."""
    from ledger.operations.plan import money, sent

    lines: dict[str, int] = {}
    for one in plan.new:
        lines[one.token.address] = lines.get(one.token.address, 0) + one.line
    token = session.ledger.token
    # Thousands of rows are worked out for a program only.
    shown = plan.new if current().options.json else plan.new[:_ROWS_SHOWN]
    return {
        "sent": bool(outcomes),
        "booked": len(plan.new),
        "booked_before": len(plan.before),
        "lines": [money(token(address), units) for address, units in lines.items()],
        "paid": [money(token(address), units) for address, units in plan.pays.items() if units],
        "reports": [
            {
                "line_number": one.row.line or None,
                "licence": one.licence,
                "period": one.figures.period,
                "start": one.span.start,
                "end": one.span.end,
                "gross": money(one.token, one.figures.gross),
                "deductions": money(one.token, one.figures.deductions),
                "base": money(one.token, one.base),
                "line": money(one.token, one.line),
                "set_off": money(one.token, one.set_off),
                "pays": money(one.token, one.pays),
                "pay_by": one.span.pay_by,
                "report_hash": one.figures.report_hash,
            }
            for one in shown
        ],
        "transactions": sent(outcomes),
    }


def show_planned(data: dict[str, Any]) -> None:
    """Prints what was booked."""
    out = current().out
    rows = [
        (
            one["licence"],
            one["period"],
            date(one["start"]),
            one["gross"]["shown"],
            one["line"]["shown"],
            one["pays"]["shown"] if int(one["pays"]["units"]) else f"by {date(one['pay_by'])}",
        )
        for one in data["reports"][:_ROWS_SHOWN]
    ]
    if rows:
        out.table((">licence", ">period", "from", ">gross", ">line", ">paid"), rows)
    if data["booked"] > _ROWS_SHOWN:
        out.line(f"… and {data['booked'] - _ROWS_SHOWN:,} more")
    pairs: list[tuple[str, object]] = [("booked", f"{data['booked']:,}")]
    if data["booked_before"]:
        pairs.append(("before", f"{data['booked_before']:,} were booked by an earlier run"))
    pairs += [("lines", one["shown"]) for one in data["lines"]]
    pairs += [("paid", one["shown"]) for one in data["paid"]]
    pairs.append(("transactions", f"{len(data['transactions']):,}"))
    out.fields(pairs)


# ---- due


def due_data(held: Explained, terms: ChainTerms) -> dict[str, Any]:
    """What is due and why, for `--json`."""
    from ledger.domain.royalty import PPM
    from ledger.operations.plan import money

    due, token = held.due, held.token
    return {
        "licence": held.licence,
        "period": held.period,
        "booked": held.booked,
        "at": held.time,
        "start": due.start,
        "end": due.end,
        "report_by": due.report_by,
        "pay_by": due.pay_by,
        "interest_from": due.interest_from,
        "base": money(token, due.base),
        "by_tier": [
            {
                "up_to": None if number == len(terms.tiers) - 1 else str(tier.up_to),
                "rate_ppm": tier.rate_ppm,
                "earned": money(token, part // PPM),
            }
            for number, (tier, part) in enumerate(zip(terms.tiers, due.earned_by_tier, strict=True))
        ],
        "tiers_over_life": terms.tiers_over_life,
        "earned": money(token, due.earned),
        "guarantee": money(token, due.guarantee),
        "guarantee_top_up": money(token, due.guarantee_top_up),
        "royalty": money(token, due.royalty),
        "recouped": money(token, due.recouped),
        "advance": money(token, terms.advance_amount),
        "owed_in_all": money(token, due.owed_in_all),
        "cap_reached": due.cap_reached,
        "lines": [money(token, one) for one in held.lines],
        "set_off_used": money(token, held.used),
        "set_off_added": money(token, held.added),
        "paid": money(token, held.principal),
        "interest_paid": money(token, held.interest_paid),
        "open": money(token, due.open),
        "interest": money(token, due.interest),
        "set_off": money(token, due.set_off),
        "to_pay": money(token, held.to_pay),
        "destination": due.destination or None,
        "agrees": True,
    }


def show_due(data: dict[str, Any]) -> None:
    """Prints what is due and why."""
    out = current().out

    def shown(name: str) -> str:
        return str(data[name]["shown"])

    scope = "over the life" if data["tiers_over_life"] else "of this period"
    pairs: list[tuple[str, object]] = [
        ("licence", data["licence"]),
        ("period", f"{data['period']}, {date(data['start'])} to {date(data['end'])}"),
    ]
    if not data["booked"]:
        pairs.append(("", f"not reported yet; to be reported by {date(data['report_by'])}"))
    pairs.append(("base", f"{shown('base')} (gross less the deductions that count)"))
    for number, tier in enumerate(data["by_tier"]):
        pairs.append(
            (f"tier {number + 1}", f"{tier['earned']['shown']} at {tier['rate_ppm'] / 10_000:g} % {scope}")
        )
    pairs += [
        ("earned", shown("earned")),
        ("guarantee", f"{shown('guarantee')}, top-up {shown('guarantee_top_up')}"),
        ("royalty", shown("royalty")),
    ]
    if int(data["advance"]["units"]):
        pairs.append(("recouped", f"{shown('recouped')} of the advance of {shown('advance')}, over the life"))
    reached = ", the cap is reached" if data["cap_reached"] else ""
    pairs.append(("owed in all", f"{shown('owed_in_all')} over the life{reached}"))
    if data["booked"]:
        pairs.append(("lines", " + ".join(one["shown"] for one in data["lines"]) + " of this period"))
        if int(data["set_off_used"]["units"]):
            pairs.append(("set off", f"{shown('set_off_used')} against them"))
        if int(data["set_off_added"]["units"]):
            pairs.append(("overpaid", f"{shown('set_off_added')} went into the set-off"))
        paid = shown("paid")
        if int(data["interest_paid"]["units"]):
            paid += f", and {shown('interest_paid')} of interest"
        pairs += [
            ("paid", paid),
            ("open", f"{shown('open')}, due {date(data['pay_by'])}"),
            ("interest", f"{shown('interest')}, runs from {date(data['interest_from'])}"),
        ]
    if int(data["set_off"]["units"]):
        pairs.append(("set-off left", f"{shown('set_off')}, used by the next lines"))
    pairs.append(("to pay now", shown("to_pay")))
    if data["destination"]:
        pairs.append(("goes to", "0x" + data["destination"].hex()))
    pairs.append(("checked", "the contract and the replayed books say the same"))
    out.fields(pairs)


# ---- list


def list_data(session: Session, books: Books, licence: int) -> list[dict[str, Any]]:
    """The periods of a licence, for `--json`."""
    from ledger.domain.licence_types import MISSING, REPORTED, RESTATED, SETTLED
    from ledger.domain.licence_views import booked_periods, due_of
    from ledger.operations.disputes import PROPOSERS
    from ledger.operations.plan import money

    kinds = {REPORTED: "reported", MISSING: "missing", RESTATED: "restated", SETTLED: "settled"}
    terms = books.licences.grants[licence].terms
    token = session.ledger.token(terms.token)
    now = session.now()
    rows = []
    for period in booked_periods(books.licences, licence) if terms.period_months else ():
        due = due_of(books.licences, licence, period, now=now)
        last = books.bookings(licence, period)[-1].entry
        dispute = books.licences.dispute_of(licence, period)
        principal, interest = books.paid(licence, period)
        digest = books.report_hash(licence, period)
        rows.append(
            {
                "licence": licence,
                "period": period,
                "start": due.start,
                "end": due.end,
                "kind": kinds[last["kind"]],
                "version": last["version"],
                "base": money(token, due.base),
                "lines": money(token, sum(books.lines(licence, period))),
                "paid": money(token, principal),
                "interest_paid": money(token, interest),
                "open": money(token, due.open),
                "interest": money(token, due.interest),
                "pay_by": due.pay_by,
                "late": bool(due.open and now > due.interest_from),
                "report_hash": digest if any(digest) else None,
                "file_kept": any(digest) and session.files.has(digest),
                "dispute": None
                if dispute is None
                else {
                    "proposer": PROPOSERS[dispute.proposer],
                    "proposed_base": money(token, dispute.proposed_base),
                    "deadline": dispute.deadline,
                    "arbiter_called": dispute.arbiter_called,
                },
            }
        )
    return rows


def show_list(rows: Sequence[dict[str, Any]]) -> None:
    """Prints the periods."""
    current().out.table(
        (">licence", ">period", "from", "figures", ">base", ">lines", ">paid", ">open", "due"),
        [
            (
                one["licence"],
                one["period"],
                date(one["start"]),
                f"{one['kind']}, version {one['version']}" + (", disputed" if one["dispute"] else ""),
                one["base"]["shown"],
                one["lines"]["shown"],
                one["paid"]["shown"],
                one["open"]["shown"],
                (date(one["pay_by"]) + (", late" if one["late"] else ""))
                if int(one["open"]["units"])
                else "",
            )
            for one in rows
        ],
    )


def settle_next(licence: int, period: int) -> list[str]:
    """The commands that follow an objection."""
    return [
        command("report", "settle", licence, period, "--accept", "--from", "OTHER-SIDE"),
        command("report", "dispute", licence, period, "--call-arbiter"),
    ]
