"""licence-ledger distribution: which payees a usage-weighted period's money goes to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.context import command, current, noun, write_new
from ledger.cli.distribution_views import (
    built_data,
    proof_lines,
    show_built,
    show_standing,
    standing_data,
)
from ledger.cli.output import jsonable
from ledger.domain.errors import ValueRefused

if TYPE_CHECKING:
    from ledger.operations.books import Books
    from ledger.operations.distributions import Standing
    from ledger.operations.plan import Plan

app = noun("distribution")
Number = Annotated[int, typer.Argument(min=1, help="Number of the licence.")]
Period = Annotated[int, typer.Argument(min=0, help="Number of the period, from 0.")]
Folder = Annotated[Path, typer.Argument(help="Folder that `distribution build` made.")]


@app.command()
def build(
    licence: Number,
    period: Period,
    usage: Annotated[Path, typer.Argument(help="Folder that `usage import` made.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to be made.")],
    amount: Annotated[
        str, typer.Option(help="Whole tokens to be distributed; default: all that waits in the account.")
    ] = "",
    manifest: Annotated[str, typer.Option(help="Manifest file; default: the one kept in the store.")] = "",
    supplement: Annotated[
        Path | None,
        typer.Option(help="Folder of the distribution before, to distribute what it holds."),
    ] = None,
) -> None:
    """Works out who gets what by the licence's allocation rule, exactly, into a folder. Sends nothing."""
    from ledger.operations import distribution_build, distribution_plans

    context = current()
    with context.out.progress("allocating", distribution_build.STAGES) as step:
        made = distribution_plans.build(
            context.session,
            licence,
            period,
            usage,
            out,
            amount=amount,
            manifest=manifest,
            supplement=supplement,
            progress=step,
        )
    data = built_data(context.session, made, out)
    after = [command("distribution", "publish", out), command("distribution", "post", licence, period, out)]
    context.out.result(data, lambda: show_built(data), after=after)


@app.command()
def publish(folder: Folder) -> None:
    """Publishes the pages of a built distribution's split. Killed, it goes on where it was. Anyone may."""
    from ledger.operations import distribution_plans
    from ledger.operations.plan import sent
    from ledger.operations.splits import sized

    context = current()
    session, out = context.session, context.out
    tree = distribution_plans.tree_of_folder(folder)
    plan, missing = distribution_plans.plan_publish(session, tree)
    pages = len(missing)
    if plan.requests and not context.may_send(plan):
        return
    outcomes = []
    if plan.requests:
        with context.sender() as sender, out.progress("publishing", pages) as step:
            outcomes = distribution_plans.publish(session, sender, tree, missing, step)
    data = {
        "sent": bool(outcomes),
        "split": tree.id,
        "payees": tree.leaves,
        "pages": tree.pages,
        "published": pages,
        "transactions": sent(outcomes),
    }

    def show() -> None:
        out.fields(
            [
                ("split", "0x" + tree.id.hex()),
                ("payees", f"{tree.leaves:,}"),
                ("pages", f"{tree.pages:,}, all public; {sized(pages, 'page')} published now"),
            ]
        )

    out.result(data, show, after=[command("distribution", "post", "LICENCE", "PERIOD", folder)])


@app.command()
def post(
    licence: Number,
    period: Period,
    folder: Folder,
    uri: Annotated[str, typer.Option(help="Where the usage file and the folder lie for others.")] = "",
) -> None:
    """Posts a published distribution for what waits, or replaces the one posted before, once."""
    from ledger.operations import distribution_plans, distributions

    context = current()
    session = context.session
    read, held = _standing(licence, period)
    made = distribution_plans.read_built(folder, licence, period, held.token)
    plan = distributions.plan_post(
        session, read, held, made.split, made.amount, made.files(uri), sender=session.address()
    )
    _send(plan, licence, period, "posted")


@app.command()
def show(
    licence: Number,
    period: Annotated[
        int | None, typer.Argument(min=0, help="Number of the period; without it, all.")
    ] = None,
) -> None:
    """Shows what waits, what was posted and objected to, and what can be done now by whom."""
    from ledger.operations import books, distributions

    context = current()
    session = context.session
    read = books.read(session)
    periods = [period] if period is not None else distributions.periods(session, read, licence)
    found = [distributions.standing(session, read, licence, one) for one in periods]
    data = {"licence": licence, "periods": [standing_data(session, one) for one in found]}
    after = [command("distribution", "settle", licence, period if period is not None else "PERIOD")]

    def tell() -> None:
        for one in found:
            show_standing(session, one)

    context.out.result(data, tell, after=after)


@app.command()
def prove(
    folder: Folder,
    payee: Annotated[str, typer.Argument(help="Address or account of the payee.")] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Proofs of all payees, into one Parquet file.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="File for the proof or proofs.")] = None,
) -> None:
    """Proves a payee's part of a distribution, or all of them into one file."""
    from ledger.operations import distribution_plans

    context = current()
    session = context.session
    if every == bool(payee):
        raise ValueRefused("A payee is needed, or --all.", remedy="Give one of the two.")
    if every:
        if out is None:
            raise ValueRefused("Proofs of all payees need a file.", remedy="Give --out FILE.")
        with context.out.progress("proving", distribution_plans.tree_of_folder(folder).leaves) as step:
            count = distribution_plans.prove_all(folder, out, step)
        data: dict[str, Any] = {"payees": count, "file": str(out)}
        context.out.result(data, lambda: context.out.fields([("payees", f"{count:,}"), ("file", out)]))
        return
    proof = distribution_plans.prove(folder, session.address(payee))
    data = proof.data() | {"file": str(out) if out else None}
    if out is not None:
        write_new(out, json.dumps(jsonable(data), indent=2).encode() + b"\n")
    context.out.result(
        data,
        lambda: context.out.fields(proof_lines(data)),
        after=[command("payout", "claim", data["payee"])],
    )


@app.command("object")
def object_(
    licence: Number,
    period: Period,
    counter: Annotated[
        Path | None,
        typer.Option("--counter", help="Folder of the published counter-split; without it, the fallback."),
    ] = None,
) -> None:
    """Objects to what was posted, as a payee of it or of the standing split, with a bond of 1 %."""
    from ledger.operations import distribution_plans, distributions

    session = current().session
    read, held = _standing(licence, period)
    split = None
    if counter is not None:
        split = distribution_plans.read_built(counter, licence, period, held.token).split
    plan, _ = distributions.plan_object(session, read, held, split, sender=session.address())
    _send(plan, licence, period, "objected")


@app.command()
def settle(
    licence: Number,
    period: Period,
    choose: Annotated[str, typer.Option(help="The arbiter's choice: posted, counter or fallback.")] = "",
    concede: Annotated[
        bool,
        typer.Option(
            "--concede", help="As the poster, put the counter-split in the place of the posted one."
        ),
    ] = False,
) -> None:
    """Takes the next step: settles what nobody objected to, chooses, falls back, releases, passes late money on."""
    from ledger.operations import distributions

    session = current().session
    if choose and choose not in distributions.CHOICES:
        raise ValueRefused(
            f"{choose!r} is no choice.", remedy=f"Give one of {', '.join(distributions.CHOICES)}."
        )
    if choose and concede:
        raise ValueRefused("Give --choose or --concede, not both.")
    read, held = _standing(licence, period)
    plan = distributions.plan_settle(
        session, read, held, sender=session.address(), choice=choose, concede=concede
    )
    _send(plan, licence, period, "settled")


def _standing(licence: int, period: int) -> tuple[Books, Standing]:
    from ledger.operations import books, distributions

    session = current().session
    read = books.read(session)
    return read, distributions.standing(session, read, licence, period)


def _send(plan: Plan, licence: int, period: int, step: str) -> None:
    """Sends a plan and shows how the period stands after it."""
    from ledger.operations.plan import sent
    from ledger.operations.session import send_all

    context = current()
    session = context.session
    if not context.may_send(plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, plan.requests)
    _, held = _standing(licence, period)
    data = {"sent": True, "step": step, **standing_data(session, held), "transactions": sent(outcomes)}
    after = [command("distribution", "show", licence, period), command("payout", "run", "--licence", licence)]
    context.out.result(data, lambda: show_standing(session, held), after=after)
