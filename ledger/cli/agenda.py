"""licence-ledger agenda: what is due to or from whom, and which window closes when."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ledger.cli.context import command, current, noun
from ledger.cli.output import date
from ledger.domain.address import checksum_address

app = noun("agenda")


@app.command()
def agenda(
    whose: Annotated[
        str, typer.Argument(help="Address or account, or the number of a licence; without it, everything.")
    ] = "",
) -> None:
    """Lists what is due to or from whom, and which window closes when, sorted by date."""
    from ledger.operations import agenda as agendas
    from ledger.operations import books
    from ledger.operations.plan import money

    context = current()
    session, out = context.session, context.out
    is_number = whose.isascii() and whose.isdigit()
    items = agendas.agenda(
        session,
        books.read(session),
        address=session.address(whose) if whose and not is_number else "",
        licence=int(whose) if is_number else None,
    )
    rows: list[dict[str, Any]] = [
        {
            "time": one.time or None,
            "kind": one.kind,
            "who": checksum_address(one.who) if one.who else None,
            "to": checksum_address(one.to) if one.to else None,
            "what": one.what,
            "licence": one.licence or None,
            "period": one.period,
            "catalogue": one.catalogue or None,
            "amount": money(one.token, one.units) if one.token is not None else None,
            "late": one.late,
        }
        for one in items
    ]
    now = session.now()

    def show() -> None:
        out.line(f"It is {date(now)}.")
        out.table(
            ("when", ">licence", "who", "what", ">amount"),
            [
                (
                    (date(one.time) if one.time else "now") + (", late" if one.late else ""),
                    one.licence or "",
                    row["who"] or row["to"] or "anyone",
                    one.what,
                    row["amount"]["shown"] if row["amount"] else "",
                )
                for one, row in zip(items, rows, strict=True)
            ],
        )

    after = []
    kinds = {one.kind for one in items}
    first = {one.kind: one for one in reversed(items)}
    if "payment" in kinds:
        after.append(command("report", "pay", first["payment"].licence, first["payment"].period or 0))
    if "report" in kinds:
        after.append(command("report", "submit", first["report"].licence, "GROSS"))
    if "distribution" in kinds:
        one = first["distribution"]
        after.append(command("distribution", "show", one.licence, one.period or 0))
    if "payout" in kinds:
        after.append(command("payout", "run"))
    out.result({"now": now, "items": rows}, show, after=after or [command("licence", "list")])
