"""licence-ledger token: test money and allowances."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.context import command, current, noun
from ledger.domain.address import checksum_address

app = noun("token")
TokenName = Annotated[
    str,
    typer.Option("--token", help="Address, or on a test chain TUSD (TestDollar) or BUSD (BlocklistDollar)."),
]


@app.command()
def mint(
    amount: Annotated[str, typer.Argument(help='Whole tokens with decimals, such as 1000 or "0.50".')],
    to: Annotated[str, typer.Option(help="Address or account that gets it; default: the sender.")] = "",
    token: TokenName = "TUSD",
) -> None:
    """Makes test money. Test chains only."""
    from ledger.operations import tokens
    from ledger.operations.plan import money, sent
    from ledger.operations.session import send_all

    context = current()
    session = context.session
    found = tokens.find_token(session, token)
    receiver = session.address(to)
    units = tokens.amount_of(found, amount)
    plan = tokens.plan_mint(session, found, receiver, units)
    if not context.may_send(plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, plan.requests)
    held = found.balance(receiver)
    minted, balance = money(found, units), money(found, held)
    data = {
        "sent": True,
        "to": checksum_address(receiver),
        "minted": minted,
        "balance": balance,
        "transactions": sent(outcomes),
    }

    def show() -> None:
        context.out.fields(
            [("minted", minted["shown"]), ("for", data["to"]), ("holds now", balance["shown"])]
        )

    context.out.result(data, show, after=[command("balance", data["to"])])


@app.command()
def approve(
    amount: Annotated[str, typer.Argument(help="Most that may be moved; without it, any amount.")] = "",
    spender: Annotated[
        str, typer.Option(help="licences (fees, reports), splits (credits), or an address.")
    ] = "licences",
    token: TokenName = "TUSD",
) -> None:
    """Lets Licences or Splits move the sender's tokens, for tokens without permit and for reports paid at
    once.
    """
    from ledger.domain.address import parse_address
    from ledger.operations import tokens
    from ledger.operations.plan import sent, shown_amount
    from ledger.operations.session import send_all

    context = current()
    session = context.session
    found = tokens.find_token(session, token)
    contracts = {"licences": "Licences", "splits": "Splits"}
    name = contracts.get(spender.lower())
    address = session.ledger.addresses[name] if name else parse_address(spender)
    units = tokens.amount_of(found, amount) if amount else None
    plan = tokens.plan_approve(session, found, address, units)
    if not context.may_send(plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, plan.requests)
    allowance = found.allowance(plan.sender, address)
    shown = shown_amount(found, allowance) if units is not None else "any amount"
    data = {
        "sent": True,
        "owner": checksum_address(plan.sender),
        "spender": checksum_address(address),
        "allowance": str(allowance),
        "transactions": sent(outcomes),
    }
    context.out.result(
        data,
        lambda: context.out.fields(
            [("owner", data["owner"]), ("spender", data["spender"]), ("allowance", shown)]
        ),
        after=[command("licence", "accept", "OFFER")],
    )
