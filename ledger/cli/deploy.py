"""licence-ledger deploy: the ledger's contracts."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.context import command, current, noun

app = noun("deploy")


@app.command()
def deploy(
    no_tokens: Annotated[
        bool, typer.Option("--no-tokens", help="Leave the test tokens out on a test chain.")
    ] = False,
) -> None:
    """Deploys what is missing of the ledger, and on a test chain the test tokens. Run it as often as you
    like.
    """
    from ledger.operations import deployment
    from ledger.operations.plan import sent

    context = current()
    session, out = context.session, context.out
    tokens = () if no_tokens else deployment.test_tokens(session)
    plan = deployment.plan_deploy(session, tokens)
    if plan.effects and not context.may_send(plan):
        return
    with context.sender() as sender:
        done = deployment.deploy(session, sender, tokens)
    data = {
        "sent": bool(done.new),
        "chain_id": session.rpc.chain_id,
        "addresses": done.addresses,
        "new": list(done.new),
        "transactions": sent(done.outcomes),
    }

    def show() -> None:
        rows = [
            (name, address, "new" if name in done.new else "there")
            for name, address in done.addresses.items()
        ]
        out.table(("contract", "address", ""), rows, title=f"The ledger on chain {session.rpc.chain_id}")

    after = [command("catalogue", "create", "MANIFEST")]
    if session.is_local:
        after.insert(0, command("token", "mint", "1000000", "--from", "dev:0"))
    out.result(data, show, after=after)
