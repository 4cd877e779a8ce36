"""licence-ledger balance: what an address holds and is owed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ledger.cli.context import command, current, noun
from ledger.domain.address import checksum_address

app = noun("balance")


@app.command()
def balance(
    address: Annotated[str, typer.Argument(help="Address or account; default: the sender.")] = "",
) -> None:
    """Shows what an address holds, is owed of each split and was paid, and where claims for it go."""
    from ledger.operations import balances, books
    from ledger.operations.plan import money

    context = current()
    session, out = context.session, context.out
    found = balances.of(session, books.read(session), session.address(address))
    data: dict[str, Any] = {
        "address": checksum_address(found.address),
        "native": str(found.native),
        "standing_address": checksum_address(found.standing) if found.standing else None,
        "claim_nonce": found.claim_nonce,
        "tokens": [
            {
                "symbol": one.token.symbol,
                "held": money(one.token, one.held),
                "owed": money(one.token, one.owed),
                "paid": money(one.token, one.paid),
            }
            for one in found.holdings
        ],
        "splits": [
            {
                "split": one.split_id,
                "leaf": one.index,
                "units": str(one.units),
                "of_units": str(one.total),
                "entitled": money(one.token, one.entitled),
                "paid": money(one.token, one.paid),
                "owed": money(one.token, one.owed),
                "how": one.how,
            }
            for one in found.shares
        ],
    }

    def show() -> None:
        out.fields(
            [
                ("address", data["address"]),
                ("native", f"{found.native / 1e18:,.6f}"),
                ("claims go to", data["standing_address"] or "itself"),
            ]
        )
        rows = [[one[name]["shown"] for name in ("held", "owed", "paid")] for one in data["tokens"]]
        out.table((">holds", ">is owed", ">was paid by splits"), rows)
        if found.shares:
            out.table(
                ("split", ">units", ">entitled", ">paid", ">owed", ""),
                [
                    (
                        "0x" + one["split"].hex(),
                        f"{int(one['units']):,} of {int(one['of_units']):,}",
                        *(one[name]["shown"] for name in ("entitled", "paid", "owed")),
                        "" if one["how"] == "page" else one["how"],
                    )
                    for one in data["splits"]
                ],
            )

    owed = any(one.owed for one in found.holdings)
    after = [command("payout", "claim", data["address"])] if owed else [command("agenda", data["address"])]
    out.result(data, show, after=after)
