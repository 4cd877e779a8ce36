"""licence-ledger explain: why a payee got what it got, from gross revenue to the transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.context import command, current, noun
from ledger.cli.output import date
from ledger.domain.address import checksum_address

if TYPE_CHECKING:
    from ledger.operations.explain import Explanation
    from ledger.operations.session import Session

app = noun("explain")


@app.command()
def explain(
    payee: Annotated[str, typer.Argument(help="Address or account; default: the sender.")] = "",
    licence: Annotated[int | None, typer.Option(min=1, help="Only what came from this licence.")] = None,
    period: Annotated[int | None, typer.Option(min=0, help="Only what came from this period.")] = None,
) -> None:
    """Shows each credit's way from gross revenue to the payee's part, and each payout. Sends nothing."""
    from ledger.operations import books
    from ledger.operations import explain as explaining

    context = current()
    session = context.session
    who = session.address(payee)
    found = explaining.explain(session, books.read(session), who, licence=licence, period=period)
    data = explained_data(session, found)
    after = [command("balance", data["payee"])]
    context.out.result(data, lambda: show_explained(session, found, data), after=after)


def explained_data(session: Session, found: Explanation) -> dict[str, Any]:
    """An explanation as `--json` prints it."""
    from ledger.operations import explain as explaining
    from ledger.operations.plan import money

    token = session.ledger.token
    return {
        "payee": checksum_address(found.payee),
        "tokens": [
            {
                "earned": money(one, earned),
                "paid": money(one, paid),
                "owed": money(one, owed),
                "check": explaining.note_of(session, (earned, paid, owed)),
            }
            for one, earned, paid, owed in explaining.by_token(session, found)
        ],
        "credits": [
            {
                "licence": one.licence,
                "period": one.period,
                "split": one.split_id,
                "units": str(one.units),
                "of_units": str(one.total),
                "time": one.time,
                "transaction": one.transaction,
                "credited": money(token(one.token), one.credited),
                "part": money(token(one.token), one.part),
                "steps": [
                    {
                        "what": step.what,
                        "text": step.text,
                        "figure": money(token(one.token), step.units) if step.units is not None else None,
                    }
                    for step in one.steps
                ],
            }
            for one in found.credits
        ],
        "payouts": [
            {
                "split": split_id,
                "amount": money(token(address), one.amount),
                "how": explaining.payout_words(one),
                "time": one.event.time,
                "transaction": one.event.transaction,
            }
            for address, split_id, one in found.payouts
        ],
    }


def show_explained(session: Session, found: Explanation, data: dict[str, Any]) -> None:
    """The same in words."""
    from ledger.operations import explain as explaining
    from ledger.operations.plan import shown_amount
    from ledger.operations.splits import short

    out = current().out
    for one in data["credits"]:
        where = f"licence {one['licence']}" if one["licence"] else "a credit by somebody"
        if one["period"] is not None:
            where += f", period {one['period']}"
        rows = [
            (step["what"], step["figure"]["shown"] if step["figure"] else "", step["text"])
            for step in one["steps"]
        ]
        out.table(("step", ">amount", "what it is"), rows, title=f"{date(one['time'])}: {where}")
    out.table(
        ("paid", "split", ">amount", "how"),
        [
            (date(one["time"]), short(one["split"]), one["amount"]["shown"], one["how"])
            for one in data["payouts"]
        ],
    )
    for one, earned, paid, owed in explaining.by_token(session, found):
        out.line(
            f"earned {shown_amount(one, earned)} = paid {shown_amount(one, paid)} "
            f"+ owed {shown_amount(one, owed)}"
        )
