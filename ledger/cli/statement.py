"""licence-ledger statement: what a rights holder earned, was paid and is owed in a period, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.context import command, current, noun, write_new
from ledger.cli.output import date

app = noun("statement")


@app.callback()
def statement() -> None:
    """Statements for rights holders."""


@app.command()
def render(
    holder: Annotated[
        str, typer.Option("--holder", help="Address, account, or a rights holder's name in a manifest.")
    ],
    period: Annotated[
        str, typer.Option("--period", help="YYYY, YYYY-MM, YYYY-Q1 or START..END (last day included, UTC).")
    ],
    out: Annotated[Path, typer.Option("--out", help="The file; of several formats each gets its ending.")],
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", help="csv, json, html or pdf, several divided by commas; default: by --out."
        ),
    ] = None,
    distribution: Annotated[
        list[Path] | None,
        typer.Option("--distribution", help="Folder of a distribution: its works are told. May be repeated."),
    ] = None,
) -> None:
    """Writes a holder's statement; its sums are checked against the books. Sends nothing."""
    from ledger.domain.canonical import keccak256
    from ledger.operations import statements
    from ledger.operations.plan import money

    context = current()
    session, screen = context.session, context.out
    chosen = statements.formats_of(formats or [], out)
    with screen.progress("reading the journals") as step:
        seen = 0

        def reading(block: int) -> None:
            nonlocal seen
            step(block - seen)
            seen = block

        made = statements.compile_statement(
            session, holder, period, distributions=distribution or [], progress=reading
        )
    written = statements.render(made, chosen, out)
    for one in written:
        write_new(one.path, one.content)
    token = session.ledger.token
    data: dict[str, Any] = {
        "statement": made.id,
        "holder": made.holder,
        "payees": made.shown_payees,
        "period": {"text": made.period.text, "start": made.period.start, "end": made.period.end},
        "final": made.final,
        "block": made.block,
        "block_hash": made.block_hash,
        "rows": len(made.rows),
        "sums": [
            {
                name: money(token(one.currency.address), getattr(one, name))
                for name in (
                    "opening",
                    "earned",
                    "adjustments",
                    "interest",
                    "recouped",
                    "paid",
                    "closing",
                    "held",
                )
            }
            for one in made.sums
        ],
        "files": [
            {
                "format": one.format,
                "path": str(one.path),
                "bytes": len(one.content),
                "hash": keccak256(one.content),
            }
            for one in written
        ],
        "notes": list(made.notes),
    }

    def show() -> None:
        screen.fields(
            [
                ("holder", made.holder),
                ("period", f"{date(made.period.start)} until {date(made.period.end)}"),
                ("standing", "final" if made.final else f"provisional, up to block {made.block:,}"),
                ("statement", made.id),
            ]
        )
        for one in made.sums:
            shown = one.currency.shown
            screen.line(
                f"opening {shown(one.opening)} + earned {shown(one.earned)} + adjustments {shown(one.adjustments)} "
                f"+ interest {shown(one.interest)} - recouped {shown(one.recouped)} - paid {shown(one.paid)} "
                f"= closing {shown(one.closing)}"
            )
        for note in made.notes:
            screen.say(f"Note: {note}")
        for file in written:
            screen.line(f"wrote {file.path} ({len(file.content):,} bytes)")

    payee = made.shown_payees[0] if made.payees else holder
    screen.result(data, show, after=[command("explain", payee), command("payout", "claim", payee)])
